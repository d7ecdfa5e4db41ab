// SPDX-License-Identifier: Apache-2.0
#include "scenario/detail/compare.h"

#include "core/text.h"
#include "expr/position.h"

#include <fmt/format.h>

#include <utility>

namespace aios::scenario {
namespace {

constexpr std::size_t excerpt_bytes = 200;

std::string shown(const Json& value) { return excerpt(to_text(value), excerpt_bytes); }

bool equal(const Json& expected, const Json& found) {
  if (expected.is_number() && found.is_number() && (expected.is_double() || found.is_double())) {
    return expected.to_number<double>() == found.to_number<double>();
  }
  return expected == found;
}

void compare(const Json& expected, const Json& found, const std::string& pointer,
             std::vector<Difference>* out);

void compare_objects(const JsonObject& expected, const Json& found, const std::string& pointer,
                     std::vector<Difference>* out) {
  for (const auto& member : expected) {
    std::string inner = pointer;
    expr::append_pointer(inner, member.key());
    const Json* value = find(found, member.key());
    if (value == nullptr) {
      out->push_back({std::move(inner), fmt::format("is missing, wanted {}; there is {}",
                                                    shown(member.value()), shown(found))});
    } else {
      compare(member.value(), *value, inner, out);
    }
  }
}

void compare(const Json& expected, const Json& found, const std::string& pointer,
             std::vector<Difference>* out) {
  if (expected.is_object() && found.is_object()) {
    compare_objects(expected.get_object(), found, pointer, out);
    return;
  }
  const bool lists = expected.is_array() && found.is_array();
  if (lists && expected.get_array().size() == found.get_array().size()) {
    for (std::size_t i = 0; i < expected.get_array().size(); ++i) {
      compare(expected.get_array()[i], found.get_array()[i], fmt::format("{}/{}", pointer, i), out);
    }
    return;
  }
  if (lists || !equal(expected, found)) {
    out->push_back({pointer, fmt::format("is {}, wanted {}", shown(found), shown(expected))});
  }
}

}  // namespace

std::vector<Difference> differences(const Json& expected, const Json& found) {
  std::vector<Difference> out;
  compare(expected, found, "", &out);
  return out;
}

std::size_t first_missing(const JsonArray& expected, const JsonArray& found) {
  std::size_t at = 0;
  for (const Json& one : found) {
    if (at < expected.size() && expected[at] == one) {
      ++at;
    }
  }
  return at;
}

}  // namespace aios::scenario
