// SPDX-License-Identifier: Apache-2.0
#include "ingress/event.h"

#include "core/text.h"
#include "core/time.h"
#include "store/subject.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace aios::ingress {
namespace {

constexpr std::size_t attribute_bytes_max = 1024;

Error bad(std::string message) {
  return Error(Code::invalid_argument, std::move(message)).page(1201).with("reading a CloudEvent");
}

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

/// Text attributes that every event must have.
Result<std::string> required(const JsonObject& envelope, std::string_view name) {
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
  return std::string(view(value->get_string()));
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

/// Percent-decoding of header values as the HTTP binding has it (section 3.1.3.2).
Result<std::string> decode_header(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '%') {
      out.push_back(value[i]);
      continue;
    }
    auto byte = from_hex(value.substr(i + 1, 2));
    if (!byte.ok() || byte->size() != 1) {
      return bad(fmt::format("header value '{}' has a bad percent escape", excerpt(value, 60)));
    }
    out.push_back(byte->front());
    i += 2;
  }
  if (!is_utf8(out)) {
    return bad("a header value is not UTF-8 after percent-decoding");
  }
  return out;
}

std::string media_type(std::string_view content_type) {
  return ascii_lower(trim(content_type.substr(0, content_type.find(';'))));
}

bool is_json(std::string_view media) {
  return media == "application/json" || media.ends_with("+json");
}

Result<Event> structured(const net::Request& request) {
  auto body = parse_json(request.body);
  if (!body.ok()) {
    return std::move(body).error().with("reading a structured CloudEvent");
  }
  if (!body->is_object()) {
    return bad(fmt::format("the body is {}, wanted an object", type_name(*body)));
  }
  return event_from_envelope(std::move(body->get_object()));
}

Result<void> add_data(const net::Request& request, std::string_view content_type,
                      JsonObject* envelope) {
  if (request.body.empty()) {
    return {};
  }
  const std::string media = media_type(content_type);
  if (!content_type.empty()) {
    (*envelope)["datacontenttype"] = content_type;
  }
  if (media.empty() || is_json(media)) {
    auto data = parse_json(request.body);
    if (!data.ok()) {
      return std::move(data).error().with("reading the data of a binary CloudEvent");
    }
    (*envelope)["data"] = std::move(*data);
  } else if (media.starts_with("text/") && is_utf8(request.body)) {
    (*envelope)["data"] = request.body;
  } else {
    (*envelope)["data_base64"] = to_base64(request.body);
  }
  return {};
}

Result<Event> binary(const net::Request& request, std::string_view content_type) {
  JsonObject envelope;
  for (const auto& header : request.headers) {
    if (!header.name.starts_with("ce-")) {
      continue;
    }
    const std::string name = header.name.substr(3);
    if (name == "data" || name == "datacontenttype" || envelope.contains(name)) {
      return bad(fmt::format("header 'ce-{}' is not allowed or comes twice", name));
    }
    auto value = decode_header(header.value);
    if (!value.ok()) {
      return std::move(value).error();
    }
    envelope[name] = std::move(*value);
  }
  if (envelope.empty()) {
    return bad("no ce-* header and content type is not application/cloudevents+json");
  }
  auto added = add_data(request, content_type, &envelope);
  if (!added.ok()) {
    return std::move(added).error();
  }
  return event_from_envelope(std::move(envelope));
}

}  // namespace

Result<Event> event_from_envelope(JsonObject envelope) {
  auto names = check_names(envelope);
  if (!names.ok()) {
    return std::move(names).error();
  }
  auto version = required(envelope, "specversion");
  if (!version.ok()) {
    return std::move(version).error();
  }
  if (*version != "1.0") {
    return bad(fmt::format("specversion is '{}', wanted '1.0'", excerpt(*version, 20)));
  }
  Event event;
  const std::array<std::pair<const char*, std::string*>, 3> texts = {
      {{"id", &event.id}, {"source", &event.source}, {"type", &event.type}}};
  for (const auto& [name, slot] : texts) {
    auto value = required(envelope, name);
    if (!value.ok()) {
      return std::move(value).error();
    }
    *slot = std::move(*value);
  }
  if (envelope.contains("subject")) {
    auto subject = required(envelope, "subject");
    if (!subject.ok()) {
      return std::move(subject).error();
    }
    event.subject = std::move(*subject);
    if (store::is_reserved_subject(event.subject)) {
      return bad(
          fmt::format("attribute 'subject' is '{}': what begins with '{}' is this "
                      "installation's own, no person's",
                      excerpt(event.subject, 60), store::reserved_subjects));
    }
  }
  if (envelope.contains("time")) {
    auto time = parse_rfc3339(text_or(Json(envelope), "time", ""));
    if (!time.ok()) {
      return std::move(time).error().with("reading attribute 'time' of a CloudEvent");
    }
  }
  if (envelope.contains("data") && envelope.contains("data_base64")) {
    return bad("both 'data' and 'data_base64' are there, wanted one");
  }
  auto bytes = check_base64(envelope);
  if (!bytes.ok()) {
    return std::move(bytes).error();
  }
  event.envelope = std::move(envelope);
  return event;
}

Result<Event> event_from_http(const net::Request& request) {
  const std::string_view content_type = request.headers.get("content-type");
  const std::string media = media_type(content_type);
  if (media == "application/cloudevents+json") {
    return structured(request);
  }
  if (media.starts_with("application/cloudevents")) {
    return Error(Code::invalid_argument,
                 fmt::format("content type '{}' is not taken, wanted application/cloudevents+json "
                             "or ce-* headers (binary mode), one event a request",
                             excerpt(media, 60)))
        .page(1202);
  }
  return binary(request, content_type);
}

}  // namespace aios::ingress
