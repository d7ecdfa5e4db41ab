// SPDX-License-Identifier: Apache-2.0
#pragma once
// store/file_io: the steps of writing files durably that the store and the audit log share. They
// give errno, 0 for success: what a failure means is the caller's to say.

#include <string>
#include <string_view>
#include <utility>

namespace aios::store {

/// An open file or folder, closed at the end of the scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }  ///< negative: could not be opened
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// All of the bytes, in as many writes as it takes.
int write_all(int fd, std::string_view bytes);
/// Of what was opened with O_NONBLOCK, so that a FIFO did not wait for a writer.
bool is_regular(int fd);
/// The errno of a want that passes by itself: no descriptor or no memory is free just now. Nothing
/// is wrong with the file.
bool passes(int number);
/// Begins to write a file out, and waits for nothing. Of several that were begun the first fsync()
/// has a file system with a journal commit the names and sizes of all. Promises nothing: that is
/// fsync()'s, which also tells what failed.
void begin_sync(int fd);
/// Makes the names in a folder durable.
int sync_folder(const std::string& path);

}  // namespace aios::store
