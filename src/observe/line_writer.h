// SPDX-License-Identifier: Apache-2.0
#pragma once
// observe/line_writer: lines to a descriptor by a thread of its own, so that a reader who stops
// reading stops nobody but that thread. Lines keep their order. What does not fit the queue is
// dropped and counted, and a line in its place tells how many.
// Threading: any.

#include "core/time.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace aios::observe {

class LineWriter {
 public:
  /// @param fd  is duplicated. @param bytes_max  of all lines that wait.
  explicit LineWriter(int fd, std::size_t bytes_max = std::size_t{1} << 20);
  /// flush() for a second; what nobody reads by then is lost.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// Never waits for the reader. @param line  without the newline.
  void write(std::string_view line);
  /// Waits until all is written, at most so long. @return whether it is
  bool flush(Duration span);
  /// Lines since the start that found no room, or no reader.
  std::uint64_t dropped() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  ///< shared with the thread, which may outlive this
};

}  // namespace aios::observe
