// SPDX-License-Identifier: Apache-2.0
#include "store/restored.h"

#include "core/text.h"
#include "store/detail/files.h"

#include <fmt/format.h>

#include <chrono>

namespace aios::store {
namespace {

constexpr std::uint64_t note_bytes_max = 100;

std::string note_of(const std::string& directory) { return directory + "/restored"; }

}  // namespace

Result<std::optional<Time>> restored_through(const std::string& directory) {
  const auto path = note_of(directory);
  if (!detail::exists(path)) {
    return std::optional<Time>();
  }
  auto text = detail::read_file(path, note_bytes_max);
  if (!text.ok()) {
    return std::move(text).error();
  }
  auto time = parse_rfc3339(trim(*text));
  if (!time.ok()) {
    return Error(Code::data_loss, fmt::format("'{}' holds no time: '{}'", path, excerpt(*text, 40)))
        .page(413);
  }
  return std::optional<Time>(*time);
}

Result<void> note_restored(const std::string& directory, Time newest) {
  const Time rounded_up{newest.ns + Duration(std::chrono::seconds(1)).count()};
  return detail::write_file_durably(note_of(directory), to_rfc3339(rounded_up) + "\n");
}

}  // namespace aios::store
