// SPDX-License-Identifier: Apache-2.0
// Reads a few members of a saved state and steps over the rest, which may be megabytes: no value of
// it is made.
#include "workflow/detail/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aios::workflow {
namespace {

constexpr std::array<std::string_view, 13> head_members = {
    "workflow", "version", "trace", "starter", "status",       "created",   "costs",
    "steps",    "waiting", "error", "parent",  "cancel_asked", "attributes"};

/// Behind the string that begins at `at`; npos when it does not end.
std::size_t after_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

/// Behind the value that begins at `at`: at the comma or brace that follows it.
std::size_t after_value(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = after_string(text, at);
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}')) {
      return at;
    }
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    }
    ++at;
  }
  return std::string_view::npos;
}

Error broken() {
  return Error(Code::data_loss, "a run's state does not read to its end").page(410);
}

/// The members of a compact JSON object that a list shows, as an object of their own.
Result<std::string> head_of(std::string_view text) {
  std::string head = "{";
  std::size_t at = 1;
  while (at < text.size() && text[at] == '"') {
    const std::size_t name_end = after_string(text, at);
    if (name_end == std::string_view::npos || name_end >= text.size() || text[name_end] != ':') {
      return broken();
    }
    const std::size_t end = after_value(text, name_end + 1);
    if (end == std::string_view::npos) {
      return broken();
    }
    const auto name = text.substr(at + 1, name_end - at - 2);
    if (std::find(head_members.begin(), head_members.end(), name) != head_members.end()) {
      head += head.size() > 1 ? "," : "";
      head += text.substr(at, end - at);
    }
    at = text[end] == ',' ? end + 1 : end;
  }
  if (at + 1 != text.size() || text[at] != '}') {
    return broken();
  }
  return head + "}";
}

}  // namespace

Result<RunState> decode_head(std::string_view bytes) {
  if (bytes.size() < 2 || bytes[1] != '{') {
    return decode_state(bytes);  // says what is wrong with it
  }
  auto head = head_of(bytes.substr(1));
  if (!head.ok()) {
    return std::move(head).error();
  }
  return decode_state(std::string(1, bytes.front()) + *head);
}

}  // namespace aios::workflow
