// SPDX-License-Identifier: Apache-2.0
#include "ingress/event.h"

#include "core/text.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace aios::ingress {
namespace {

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

net::Request post(Fields headers, std::string body) {
  net::Request request;
  request.method = "POST";
  for (const auto& [name, value] : headers) {
    request.headers.add(name, value);
  }
  request.body = std::move(body);
  return request;
}

/// Binary mode with the four attributes that must be there, and these.
Result<Event> binary(Fields more, std::string body) {
  net::Request request = post({{"ce-specversion", "1.0"},
                               {"ce-id", "1"},
                               {"ce-source", "/shop"},
                               {"ce-type", "shop.order"}},
                              std::move(body));
  for (const auto& [name, value] : more) {
    request.headers.add(name, value);
  }
  return event_from_http(request);
}

Result<Event> structured(std::string body) {
  return event_from_http(
      post({{"content-type", "Application/CloudEvents+JSON; charset=utf-8"}}, std::move(body)));
}

std::string said(const Result<Event>& event) { return event.ok() ? "ok" : event.error().text(); }

bool refused(const Result<Event>& event, std::string_view why) {
  return !event.ok() && event.error().code() == Code::invalid_argument &&
         event.error().text().find(why) != std::string::npos;
}

std::string_view member(const Event& event, std::string_view name) {
  const Json* value = event.envelope.if_contains(name);
  return value != nullptr && value->is_string() ? view(value->get_string()) : std::string_view();
}

TEST_CASE("event: binary mode takes attributes from headers and data from the body") {
  const auto event = binary({{"ce-subject", "caf%C3%A9 %25"},
                             {"ce-time", "2026-01-02T03:04:05Z"},
                             {"ce-traceparent2", "x"},
                             {"content-type", "application/json"},
                             {"user-agent", "not an attribute"}},
                            R"({"a": [1, 2.50]})");
  REQUIRE_MESSAGE(event.ok(), said(event));
  CHECK(event->id == "1");
  CHECK(event->source == "/shop");
  CHECK(event->type == "shop.order");
  CHECK(event->subject == "café %");
  CHECK(member(*event, "datacontenttype") == "application/json");
  CHECK(member(*event, "traceparent2") == "x");
  CHECK(!event->envelope.contains("user-agent"));
  CHECK(event->envelope.at("data").as_object().at("a").as_array().size() == 2);
}

TEST_CASE("event: the content type of binary mode says what the data is") {
  const auto vendor = binary({{"content-type", "application/vnd.shop+json"}}, "[1]");
  REQUIRE_MESSAGE(vendor.ok(), said(vendor));
  CHECK(vendor->envelope.at("data").is_array());
  const auto text = binary({{"content-type", "text/plain; charset=utf-8"}}, "[1]");
  REQUIRE_MESSAGE(text.ok(), said(text));
  CHECK(member(*text, "data") == "[1]");
  const std::string bytes("\xff\x00[", 3);
  for (const char* type : {"application/octet-stream", "text/plain"}) {
    CAPTURE(type);
    const auto raw = binary({{"content-type", type}}, bytes);
    REQUIRE_MESSAGE(raw.ok(), said(raw));
    CHECK(!raw->envelope.contains("data"));
    CHECK(member(*raw, "data_base64") == to_base64(bytes));
  }
  const auto none = binary({}, "");
  REQUIRE_MESSAGE(none.ok(), said(none));
  CHECK(!none->envelope.contains("data"));
  CHECK(!binary({{"content-type", "application/json"}}, "{").ok());
  CHECK(!binary({}, "not json").ok());
}

TEST_CASE("event: binary mode refuses what is no attribute") {
  CHECK(refused(event_from_http(post({}, "{}")), "no ce-* header"));
  CHECK(refused(binary({{"ce-id", "2"}}, ""), "'ce-id' is not allowed or comes twice"));
  CHECK(refused(binary({{"ce-data", "2"}}, ""), "'ce-data' is not allowed"));
  CHECK(refused(binary({{"ce-datacontenttype", "text/plain"}}, ""), "not allowed"));
  CHECK(refused(binary({{"ce-under_score", "2"}}, ""), "is not made of a-z and 0-9"));
  CHECK(refused(binary({{"ce-", "2"}}, ""), "is not made of a-z and 0-9"));
  for (const char* value : {"%", "%4", "%zz", "a%", "100%%"}) {
    CAPTURE(value);
    CHECK(refused(binary({{"ce-subject", value}}, ""), "percent escape"));
  }
  CHECK(refused(binary({{"ce-subject", "%FF"}}, ""), "not UTF-8"));
  CHECK(refused(binary({{"ce-subject", "a%0Ab"}}, ""), "control character"));
  CHECK(refused(binary({{"ce-subject", "a%C2%85b"}}, ""), "control character"));
  CHECK(refused(binary({{"ce-subject", ""}}, ""), "'subject' is empty"));
}

TEST_CASE("event: every attribute that must be there is asked for by name") {
  for (const char* name : {"specversion", "id", "source", "type"}) {
    CAPTURE(name);
    JsonObject envelope{{"specversion", "1.0"}, {"id", "1"}, {"source", "s"}, {"type", "t"}};
    REQUIRE(event_from_envelope(envelope).ok());
    JsonObject without = envelope;
    without.erase(name);
    const auto missing = event_from_envelope(without);
    CHECK(refused(missing, std::string("attribute '") + name + "' is missing"));
    CHECK(missing.error().page() == 1201);
    for (const Json& wrong : {Json(""), Json(7), Json(true)}) {
      JsonObject other = envelope;
      other[name] = wrong;
      CHECK(refused(event_from_envelope(other), std::string("attribute '") + name + "'"));
    }
    JsonObject longest = envelope;
    longest[name] = std::string(1025, 'x');
    CHECK(refused(event_from_envelope(longest), "at most 1024 are taken"));
  }
}

TEST_CASE("event: a subject of the installation's own is refused") {
  JsonObject envelope{{"specversion", "1.0"}, {"id", "1"}, {"source", "s"}, {"type", "t"}};
  for (const char* subject : {"aios:keys", "aios:tenants", "aios:"}) {
    envelope["subject"] = subject;
    CHECK(refused(event_from_envelope(envelope), "this installation's own"));
  }
  envelope["subject"] = "aios";
  CHECK(event_from_envelope(envelope).ok());
}

TEST_CASE("event: structured mode keeps extension attributes and their types") {
  const auto event = structured(
      R"({"specversion": "1.0", "id": "1", "source": "s", "type": "t", "retries": 3,
          "urgent": true, "data": null})");
  REQUIRE_MESSAGE(event.ok(), said(event));
  CHECK(event->envelope.at("retries").as_int64() == 3);
  CHECK(event->envelope.at("urgent").as_bool());
  CHECK(event->subject.empty());
}

TEST_CASE("event: structured mode refuses what the JSON format forbids") {
  const std::string base = R"("specversion": "1.0", "id": "1", "source": "s", "type": "t")";
  CHECK(!structured("").ok());
  CHECK(refused(structured("[]"), "wanted an object"));
  CHECK(refused(structured(R"({"specversion": "0.3", "id": "1", "source": "s", "type": "t"})"),
                "specversion is '0.3', wanted '1.0'"));
  CHECK(refused(structured("{" + base + R"(, "data": 1, "data_base64": "AA=="})"), "both"));
  CHECK(refused(structured("{" + base + R"(, "data_base64": "not base64"})"), "base64"));
  CHECK(refused(structured("{" + base + R"(, "data_base64": 5})"), "base64"));
  CHECK(refused(structured("{" + base + R"(, "Extension": "x"})"), "is not made of a-z and 0-9"));
  CHECK(refused(structured("{" + base + R"(, "nested": {"a": 1}})"), "'nested'"));
  CHECK(refused(structured("{" + base + R"(, "listed": [1]})"), "'listed'"));
  CHECK(refused(structured("{" + base + R"(, "ext": "a\u0007b"})"), "control character"));
  CHECK(!structured("{" + base + R"(, "time": "yesterday"})").ok());
  CHECK(!structured("{" + base + R"(, "time": 5})").ok());
  CHECK(!structured("{" + base + R"(, "id": "2"})").ok());  // the same name twice
}

TEST_CASE("event: batches and other event formats are refused with a page of their own") {
  for (const char* type :
       {"application/cloudevents-batch+json", "application/cloudevents+avro",
        "Application/CloudEvents-Batch+JSON; charset=utf-8", "application/cloudevents"}) {
    CAPTURE(type);
    // With attributes in headers too: a batch must not be taken for the data of a binary event.
    const auto event = binary({{"content-type", type}}, "[]");
    REQUIRE(!event.ok());
    CHECK(event.error().page() == 1202);
    CHECK(event.error().code() == Code::invalid_argument);
  }
}

}  // namespace
}  // namespace aios::ingress
