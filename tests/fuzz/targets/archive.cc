// SPDX-License-Identifier: Apache-2.0
// A backup's container, from a file that has no name: it ends, and a frame is what was written.
#include "store/detail/archive.h"

#include "tests/fuzz/fuzz.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

namespace aios::fuzz {

void archive(std::string_view input) {
  const int file = ::memfd_create("archive", MFD_CLOEXEC);
  AIOS_ASSERT(file >= 0);
  const std::string bytes = "AIOSBAK2" + std::string(input);
  AIOS_ASSERT(::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  auto reader = store::detail::ArchiveReader::open(fmt::format("/proc/self/fd/{}", file));
  AIOS_ASSERT(reader.ok());
  for (std::size_t frames = 0;; ++frames) {
    AIOS_ASSERT(frames <= bytes.size());
    const auto frame = reader->next();
    if (!frame.ok()) {
      AIOS_ASSERT(frame.error().page() == 415);
      break;
    }
    if (frame->name.empty()) {
      break;
    }
    AIOS_ASSERT(frame->data.size() <= bytes.size());
  }
  ::close(file);
}

}  // namespace aios::fuzz
