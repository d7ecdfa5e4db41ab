// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"
#include "govern/tlog.h"
#include "store/transition.h"

#include <fmt/format.h>

#include <charconv>

namespace aios::govern {
namespace {

constexpr int level_max = 63;
static_assert(entry_bytes_max == store::leaf_bytes_max, "a leaf that is committed must fit a tile");

// Decimal without sign, blanks or leading zeros.
bool read_number(std::string_view text, std::uint64_t& value) {
  if (text.empty() || (text.size() > 1 && text.front() == '0') || text.front() == '-') {
    return false;
  }
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  return read.ec == std::errc() && read.ptr == end;
}

bool read_level(std::string_view text, int& level) {
  if (text == "entries") {
    level = TileId::entries_level;
    return true;
  }
  std::uint64_t number = 0;
  if (!read_number(text, number) || number > level_max) {
    return false;
  }
  level = static_cast<int>(number);
  return true;
}

bool read_index_part(std::string_view part, bool last, std::uint64_t& index) {
  if (!last) {
    if (part.empty() || part.front() != 'x') {
      return false;
    }
    part.remove_prefix(1);
  }
  if (part.size() != 3 || part.find_first_not_of("0123456789") != std::string_view::npos) {
    return false;
  }
  const auto digit = [&](std::size_t i) { return static_cast<std::uint64_t>(part[i] - '0'); };
  index = index * 1000 + digit(0) * 100 + digit(1) * 10 + digit(2);
  return true;
}

}  // namespace

std::string tile_path(const TileId& tile) {
  std::string index = fmt::format("{:03}", tile.index % 1000);
  for (std::uint64_t rest = tile.index / 1000; rest > 0; rest /= 1000) {
    index = fmt::format("x{:03}/{}", rest % 1000, index);
  }
  const std::string level =
      tile.level == TileId::entries_level ? std::string("entries") : std::to_string(tile.level);
  std::string path = fmt::format("tile/{}/{}", level, index);
  if (tile.width != tile_width) {
    path += fmt::format(".p/{}", tile.width);
  }
  return path;
}

Result<TileId> parse_tile_path(std::string_view path) {
  const Error refusal(Code::invalid_argument,
                      fmt::format("'{}' is no path of a tile", excerpt(path, 80)));
  auto parts = split(path, '/');
  TileId tile;
  if (path.size() > 64 || parts.size() < 3 || parts[0] != "tile" ||
      !read_level(parts[1], tile.level)) {
    return refusal;
  }
  if (parts[parts.size() - 2].ends_with(".p") && parts.size() >= 4) {
    std::uint64_t width = 0;
    if (!read_number(parts.back(), width) || width == 0 || width >= tile_width) {
      return refusal;
    }
    tile.width = static_cast<std::uint32_t>(width);
    parts.pop_back();
    parts.back().remove_suffix(2);
  }
  // Six groups of three digits always fit a 64-bit index.
  if (parts.size() > 2 + 6 || (parts.size() > 3 && parts[2] == "x000")) {
    return refusal;
  }
  for (std::size_t i = 2; i < parts.size(); ++i) {
    if (!read_index_part(parts[i], i + 1 == parts.size(), tile.index)) {
      return refusal;
    }
  }
  return tile;
}

void append_entry(std::string& bundle, std::string_view entry) {
  AIOS_ASSERT(entry.size() <= entry_bytes_max);
  bundle.push_back(static_cast<char>(entry.size() >> 8));
  bundle.push_back(static_cast<char>(entry.size() & 0xff));
  bundle.append(entry);
}

Result<std::vector<std::string_view>> split_entries(std::string_view bundle) {
  std::vector<std::string_view> entries;
  while (!bundle.empty()) {
    if (bundle.size() < 2) {
      return Error(Code::data_loss, fmt::format("entry {} has no length", entries.size()));
    }
    const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(bundle[0])) << 8 |
                             static_cast<unsigned char>(bundle[1]);
    bundle.remove_prefix(2);
    if (size > bundle.size()) {
      return Error(Code::data_loss, fmt::format("entry {} says {} bytes, {} are left",
                                                entries.size(), size, bundle.size()));
    }
    entries.push_back(bundle.substr(0, size));
    bundle.remove_prefix(size);
  }
  return entries;
}

}  // namespace aios::govern
