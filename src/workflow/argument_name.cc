// SPDX-License-Identifier: Apache-2.0
#include "workflow/argument_name.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aios::workflow {
namespace {

constexpr std::array<std::string_view, 8> taken = {
    "context", "input", "output", "task", "workflow", "runtime", "secrets", "authorization"};

bool is_argument(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && text.size() <= 63 && !(text.front() >= '0' && text.front() <= '9') &&
         std::all_of(text.begin(), text.end(), plain);
}

}  // namespace

std::string argument_name(TaskLoader& loader, const Json& node, const std::string& pointer,
                          std::string_view member, const std::string& otherwise) {
  const auto* given = loader.member(node, pointer, member, "string", false);
  if (given == nullptr) {
    return otherwise;
  }
  std::string name(view(given->get_string()));
  const auto at = fmt::format("{}/{}", pointer, member);
  if (!is_argument(name)) {
    loader.fail(at,
                fmt::format("found '{}', wanted 1 to 63 letters, digits or '_', no digit first",
                            excerpt(name, 70)),
                1001);
  } else if (std::find(taken.begin(), taken.end(), name) != taken.end()) {
    loader.fail(at, fmt::format("found '{}', which stands for something else in expressions", name),
                1001);
  }
  return name;
}

}  // namespace aios::workflow
