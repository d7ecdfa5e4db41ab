// SPDX-License-Identifier: Apache-2.0
#include "gateway/detail/content.h"

#include "govern/redaction.h"

#include <fmt/format.h>

#include <set>

namespace aios::gateway::detail {
namespace {

struct Looker {
  std::set<std::string> kinds;
  std::uint64_t characters = 0;
  std::size_t bytes = 0;

  bool text(std::string_view value) {
    bytes += value.size();
    if (bytes > input_bytes_max) {
      return false;
    }
    for (const char c : value) {
      characters += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
    }
    for (govern::Finding& finding : govern::find_personal_data(value)) {
      kinds.insert(std::move(finding.kind));
    }
    return true;
  }

  // As deep as the parser's bound for JSON allows.
  bool value(const Json& json) {
    if (json.is_string()) {
      return text(view(json.get_string()));
    }
    if (json.is_array()) {
      for (const Json& item : json.get_array()) {
        if (!value(item)) {
          return false;
        }
      }
    }
    if (json.is_object()) {
      for (const auto& member : json.get_object()) {
        if (!text({member.key().data(), member.key().size()}) || !value(member.value())) {
          return false;
        }
      }
    }
    return true;
  }
};

}  // namespace

Result<Content> look_at(const Json& input) {
  Looker looker;
  if (!looker.value(input)) {
    return Error(Code::invalid_argument,
                 fmt::format("found more than {} bytes of text in the model's input, wanted less",
                             input_bytes_max))
        .page(800);
  }
  return Content{{looker.kinds.begin(), looker.kinds.end()}, looker.characters};
}

void redact(Json& input) {
  if (input.is_string()) {
    const JsonString& text = input.get_string();
    const govern::Redacted redacted = govern::redact({text.data(), text.size()});
    input = redacted.text;
  } else if (input.is_array()) {
    for (Json& item : input.get_array()) {
      redact(item);
    }
  } else if (input.is_object()) {
    for (auto& member : input.get_object()) {
      redact(member.value());
    }
  }
}

}  // namespace aios::gateway::detail
