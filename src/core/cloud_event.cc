// SPDX-License-Identifier: Apache-2.0
#include "core/cloud_event.h"

#include "core/codec.h"
#include "core/text.h"
#include "core/time.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace aios {
namespace {

constexpr std::size_t attribute_bytes_max = 1024;

Error bad(std::string message) { return Error(Code::invalid_argument, std::move(message)); }

bool is_attribute_name(std::string_view name) {
  if (name.empty() || name.size() > 64) {
    return false;
  }
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
      return false;
    }
  }
  return true;
}

/// Control characters are not part of a CloudEvents text (section 1.4, type String): DEL, and what
/// is below a blank. U+0080 to U+009F begin with the byte C2.
bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool second =
        byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (byte < 0x20 || byte == 0x7f || second) {
      return true;
    }
  }
  return false;
}

/// A text attribute, which must be there.
Result<void> check_text(const JsonObject& envelope, std::string_view name) {
  const Json* value = envelope.if_contains(name);
  if (value == nullptr) {
    return bad(fmt::format("attribute '{}' is missing", name));
  }
  if (!value->is_string() || value->get_string().empty()) {
    return bad(fmt::format("attribute '{}' is {}, wanted a text that is not empty", name,
                           value->is_string() ? "empty" : type_name(*value)));
  }
  if (value->get_string().size() > attribute_bytes_max) {
    return bad(fmt::format("attribute '{}' has {} bytes, at most {} are taken", name,
                           value->get_string().size(), attribute_bytes_max));
  }
  return {};
}

Result<void> check_names(const JsonObject& envelope) {
  for (const auto& member : envelope) {
    const std::string_view name(member.key().data(), member.key().size());
    if (name == "data" || name == "data_base64") {
      continue;
    }
    if (!is_attribute_name(name)) {
      return bad(fmt::format("attribute name '{}' is not made of a-z and 0-9", excerpt(name, 40)));
    }
    const Json& value = member.value();
    if (!value.is_string() && !value.is_bool() && !value.is_number()) {
      return bad(fmt::format("attribute '{}' is {}, wanted text, number or boolean", name,
                             type_name(value)));
    }
    if (value.is_string() && has_control(view(value.get_string()))) {
      return bad(fmt::format("attribute '{}' has a control character", name));
    }
  }
  return {};
}

/// Data in bytes must be what its name says.
Result<void> check_base64(const JsonObject& envelope) {
  const Json* data = envelope.if_contains("data_base64");
  if (data == nullptr) {
    return {};
  }
  if (!data->is_string() || !from_base64(view(data->get_string())).ok()) {
    return bad("'data_base64' is not base64 text");
  }
  return {};
}

Result<void> check_texts(const JsonObject& envelope) {
  for (const char* name : {"specversion", "id", "source", "type", "subject"}) {
    const bool optional = std::string_view(name) == "subject";
    if (optional && !envelope.contains(name)) {
      continue;
    }
    if (auto valid = check_text(envelope, name); !valid.ok()) {
      return valid;
    }
  }
  const std::string_view version = text_or(envelope, "specversion", "");
  if (version != "1.0") {
    return bad(fmt::format("specversion is '{}', wanted '1.0'", excerpt(version, 20)));
  }
  return {};
}

Result<void> check_time(const JsonObject& envelope) {
  const Json* value = envelope.if_contains("time");
  if (value == nullptr) {
    return {};
  }
  auto time = parse_rfc3339(value->is_string() ? view(value->get_string()) : std::string_view());
  return time.ok()
             ? Result<void>()
             : Result<void>(bad(fmt::format("attribute 'time' is {}: {}",
                                            excerpt(to_text(*value), 60), time.error().message())));
}

}  // namespace

Result<void> check_cloud_event(const JsonObject& envelope) {
  for (const auto check : {check_names, check_texts, check_time}) {
    if (auto valid = check(envelope); !valid.ok()) {
      return valid;
    }
  }
  if (envelope.contains("data") && envelope.contains("data_base64")) {
    return bad("both 'data' and 'data_base64' are there, wanted one");
  }
  return check_base64(envelope);
}

}  // namespace aios
