// SPDX-License-Identifier: Apache-2.0
#include "ingress/event.h"

#include "core/cloud_event.h"
#include "core/text.h"
#include "store/subject.h"

#include <fmt/format.h>

#include <utility>

namespace aios::ingress {
namespace {

Error bad(std::string message) {
  return Error(Code::invalid_argument, std::move(message)).page(1201).with("reading a CloudEvent");
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
  if (auto valid = check_cloud_event(envelope); !valid.ok()) {
    return bad(valid.error().message());
  }
  Event event;
  event.id = text_or(envelope, "id", "");
  event.source = text_or(envelope, "source", "");
  event.type = text_or(envelope, "type", "");
  event.subject = text_or(envelope, "subject", "");
  if (store::is_reserved_subject(event.subject)) {
    return bad(
        fmt::format("attribute 'subject' is '{}': what begins with '{}' is this installation's "
                    "own, no person's",
                    excerpt(event.subject, 60), store::reserved_subjects));
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
