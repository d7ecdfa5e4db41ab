// SPDX-License-Identifier: Apache-2.0
#include "app/seen_time.h"

#include "app/private_file.h"
#include "core/json.h"

#include <algorithm>
#include <fstream>
#include <utility>

namespace aios::app {
namespace {

constexpr Time programs_time{1'767'225'600'000'000'000};  // 2026: no true time is earlier

std::optional<Time> read(const std::string& file) {
  std::ifstream stream(file);
  std::string line;
  if (file.empty() || !std::getline(stream, line)) {
    return std::nullopt;
  }
  const auto note = parse_json(line);
  const std::int64_t at = note.ok() ? int_or(*note, "at", 0) : 0;
  return at > 0 ? std::optional(Time{at}) : std::nullopt;
}

}  // namespace

SeenTime::SeenTime(std::string file) : file_(std::move(file)), at_(read(file_)) {}

Time SeenTime::pass(Time wall, Instant now) {
  const Duration passed = passed_ ? now - *passed_ : Duration(0);
  passed_ = now;
  if (!at_ && wall < programs_time) {
    return wall;  // a clock that nobody has set yet
  }
  at_ = at_ ? std::max(*at_, std::min(wall, *at_ + passed * catching_up)) : wall;
  return std::min(wall, *at_);
}

Result<void> SeenTime::keep() const {
  if (file_.empty() || !at_) {
    return {};
  }
  return write_private_file(file_, to_text(JsonObject{{"at", at_->ns}}) + "\n");
}

}  // namespace aios::app
