// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/uri_template.h"

#include "core/text.h"

#include <fmt/format.h>

namespace aios::workflow {
namespace {

Error bad(std::string_view text, std::string_view why) {
  return Error(Code::invalid_argument,
               fmt::format("the URI template '{}' {}", excerpt(text, 120), why));
}

void append_encoded(std::string_view text, std::string* out) {
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      *out += c;
    } else {
      *out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
}

}  // namespace

Result<UriTemplate> UriTemplate::parse(std::string_view text) {
  UriTemplate out;
  std::string_view rest = text;
  for (;;) {
    const auto open = rest.find('{');
    const auto before = rest.substr(0, open);
    if (before.find('}') != std::string_view::npos) {
      return bad(text, "has a '}' without its '{'");
    }
    out.texts_.emplace_back(before);
    if (open == std::string_view::npos) {
      return out;
    }
    const auto close = rest.find('}', open);
    if (close == std::string_view::npos) {
      return bad(text, "has a '{' without its '}'");
    }
    const auto name = rest.substr(open + 1, close - open - 1);
    if (name.empty() || name.find('{') != std::string_view::npos) {
      return bad(text, "has braces without a name between them");
    }
    if (std::string_view("+#./;?&=,!@|").find(name.front()) != std::string_view::npos ||
        name.find_first_of(",:*") != std::string_view::npos) {
      return bad(text,
                 fmt::format("has '{{{}}}', and only plain names such as '{{id}}' are replaced",
                             excerpt(name, 40)));
    }
    out.names_.emplace_back(name);
    rest.remove_prefix(close + 1);
  }
}

Result<std::string> UriTemplate::expand(const Json& input) const {
  std::string out = texts_.front();
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const Json* value = find(input, names_[i]);
    if (value != nullptr && (value->is_object() || value->is_array())) {
      return Error(Code::invalid_argument,
                   fmt::format("'{{{}}}' in the URI is {}, wanted a text, a number or a boolean",
                               names_[i], type_name(*value)));
    }
    if (value != nullptr && !value->is_null()) {
      append_encoded(value->is_string() ? std::string(view(value->get_string())) : to_text(*value),
                     &out);
    }
    out += texts_[i + 1];
  }
  return out;
}

}  // namespace aios::workflow
