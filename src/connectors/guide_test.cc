// SPDX-License-Identifier: Apache-2.0
// docs/guide/connectors.md lists every member of a manifest, and no other.
#include "connectors/connectors.h"
#include "core/text.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace aios::connectors {
namespace {

/// First cells of the tables below a heading.
std::vector<std::string> members_below(std::string_view heading) {
  std::ifstream in(AIOS_SOURCE_DIR "/docs/guide/connectors.md", std::ios::binary);
  REQUIRE(in);
  const std::string guide((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::vector<std::string> members;
  bool here = false;
  for (const auto& line : split(guide, '\n')) {
    if (line.starts_with("#")) {
      here = line == heading;
    } else if (here && line.starts_with("| `")) {
      members.emplace_back(line.substr(3, line.find('`', 3) - 3));
    }
  }
  return members;
}

/// A manifest with the members given as flow YAML in the place of "@".
std::string manifest_with(std::string_view place, std::string_view members) {
  constexpr std::string_view head =
      "name: desk\nkind: http\nregion: eu\nbaseUrl: \"http://127.0.0.1:1\"\n";
  constexpr std::string_view operations =
      "operations: {get: {method: GET, path: /a, effect: read}}\n";
  std::string part(place);
  part.replace(part.find('@'), 1, members);
  const bool own = part.starts_with("operations:");
  return fmt::format("{}{}{}\n", head, own ? "" : operations, part);
}

std::vector<Error> mistakes_of(std::string_view place, std::string_view members) {
  return Connectors::check({{"c.yaml", manifest_with(place, members)}}, JsonObject());
}

/// What is said of a member that is not known there.
std::string unknown(std::string_view place, std::string_view member) {
  for (const Error& error : mistakes_of(place, fmt::format("{}: 1", member))) {
    if (error.message().starts_with(fmt::format("'{}' is not known here", member))) {
      return std::string(error.message());
    }
  }
  return {};
}

/// How many members there are, by the hint that lists the first of them.
std::size_t listed(std::string_view message) {
  constexpr std::string_view before = "; there are: ";
  const std::size_t at = message.find(before);
  REQUIRE(at != std::string_view::npos);
  const std::string_view names = message.substr(at + before.size());
  const std::size_t more = names.find(" and ");
  const std::string shown(names.substr(0, more));
  const std::size_t rest =
      more == std::string_view::npos
          ? 0
          : static_cast<std::size_t>(std::stoul(std::string(names.substr(more + 5))));
  return split(shown, ',').size() + rest;
}

struct Place {
  const char* heading;
  const char* yaml;  ///< the members stand where "@" is
};

constexpr Place places[] = {
    {"## The manifest", "@"},
    {"## `auth`", "auth: {@}"},
    {"### `auth.bearer`", "auth: {bearer: {@}}"},
    {"### `auth.header`", "auth: {header: {@}}"},
    {"## `limits`", "limits: {@}"},
    {"### `limits.backoff`", "limits: {backoff: {@}}"},
    {"### `limits.breaker`", "limits: {breaker: {@}}"},
    {"## An operation", "operations: {get: {@}}"},
    {"### `lookup`", "operations: {get: {method: POST, path: /a, effect: lookup, lookup: {@}}}"},
    {"## `errors`", "errors: [{@}]"},
};

}  // namespace

TEST_CASE("guide: each member of a manifest stands in its table, and each in a table is one") {
  for (const Place& place : places) {
    CAPTURE(std::string(place.heading));
    const auto members = members_below(place.heading);
    const std::string hint = unknown(place.yaml, "zzzzzzzzzzzz");
    REQUIRE(!hint.empty());
    CHECK(listed(hint) == members.size());
    for (const std::string& member : members) {
      CAPTURE(member);
      CHECK(unknown(place.yaml, member).empty());
    }
  }
}

}  // namespace aios::connectors
