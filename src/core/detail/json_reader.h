// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/detail/json_reader: one strict pass over a JSON text. Boost.JSON's own parser keeps the last
// of two members with one name and rounds some doubles wrongly by one unit; this reader refuses the
// first and reads exactly.

#include "core/json.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace aios::detail {

class JsonReader {
 public:
  explicit JsonReader(std::size_t depth_max) : depth_max_(depth_max) {}
  /// False when the text is not valid: see problem() and offset().
  bool read(std::string_view text);
  Json take() { return std::move(value_); }
  const std::string& problem() const { return problem_; }
  std::size_t offset() const { return offset_; }

 private:
  std::size_t depth_max_;
  std::size_t offset_ = 0;
  std::string problem_;
  Json value_;
};

}  // namespace aios::detail
