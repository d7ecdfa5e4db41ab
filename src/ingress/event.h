// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/event: a CloudEvent (1.0) and its HTTP forms. Source: CloudEvents 1.0.2 core, JSON
// format, HTTP binding.

#include "core/json.h"
#include "core/result.h"
#include "net/http.h"

#include <string>
#include <string_view>

namespace aios::ingress {

/// A valid event: specversion 1.0, and id, source and type are not empty.
struct Event {
  std::string id;
  std::string source;
  std::string type;
  std::string subject;
  /// Every attribute and `data` or `data_base64`, as the JSON format has them.
  JsonObject envelope;
};

/// Checks the attributes of a JSON-format event. invalid_argument naming the attribute, what was
/// found and wanted.
Result<Event> event_from_envelope(JsonObject envelope);
/// Binary mode (ce-* headers) or structured mode (application/cloudevents+json). Batches are
/// refused.
Result<Event> event_from_http(const net::Request& request);

}  // namespace aios::ingress
