// SPDX-License-Identifier: Apache-2.0
// The connectors that `call: http` goes through: what policy sees, masks and leaves out, what is
// bounded, and the breaker of each origin.
#include "connectors/http_call.h"

#include "connectors/test/bench.h"

#include <doctest/doctest.h>

namespace aios::connectors {
namespace {

using test::Bench;

constexpr std::string_view masking = R"(package aios.connector_egress
import rego.v1
default allow := true
obligations contains {"type": "redact"} if count(input.content.personal) > 0
obligations contains {"type": "project", "fields": ["method", "path"]} if input.http.path == "/less"
)";

struct Calls : Bench {
  Calls() : Bench(std::string(test::desk_manifest), masking) {
    auto staged = connectors.stage(ctx.tenant, {}, JsonObject(),
                                   {{.origin = "https://api.example", .region = "eu"},
                                    {.origin = "http://10.0.0.1:81", .private_allowed = true}});
    REQUIRE(staged.errors.empty());
    staged.put();
  }
  static OperationCall call_of(JsonObject with) {
    auto call = http_operation(Json(std::move(with)));
    REQUIRE(call.ok());
    call->effect_id = "eff_1";
    call->run_id = "run_1";
    call->step = "/do/0";
    return *call;
  }
};

int page_of(JsonObject with) {
  const auto call = http_operation(Json(std::move(with)));
  return call.ok() ? 0 : call.error().page();
}

}  // namespace

TEST_CASE("http call: personal data in query, header and body is masked before it leaves") {
  Calls calls;
  calls.client.answer(200, "{}");
  const auto done =
      calls.perform(Calls::call_of({{"method", "post"},
                                    {"uri", "https://api.example/find?x=1"},
                                    {"query", JsonObject{{"mail", "ann@example.com"}}},
                                    {"headers", JsonObject{{"X-For", "ann@example.com"}}},
                                    {"body", JsonObject{{"to", "ann@example.com"}}}}));
  CHECK(done.outcome == Outcome::done);
  REQUIRE(calls.client.requests.size() == 1);
  const auto& sent = calls.client.requests.front();
  CHECK(sent.url == "https://api.example/find?x=1&mail=%5BEMAIL_1%5D");
  CHECK(sent.headers.get("x-for") == "[EMAIL_1]");
  CHECK(sent.body == R"({"to":"[EMAIL_1]"})");
}

TEST_CASE("http call: personal data in the path refuses the call, however it is encoded") {
  Calls calls;
  for (const char* uri :
       {"https://api.example/of/ann@example.com", "https://api.example/of/ann%40example.com"}) {
    CAPTURE(uri);
    auto prepared = calls.prepare(Calls::call_of({{"method", "GET"}, {"uri", uri}}));
    REQUIRE_FALSE(prepared.ok());
    CHECK(std::move(prepared).refusal().error.page() == 907);
  }
  CHECK(calls.client.requests.empty());
}

TEST_CASE("http call: a key that masking or projection would change refuses the call") {
  Calls calls;
  const auto keyed = [](const char* uri, const char* key) {
    return Calls::call_of({{"method", "POST"},
                           {"uri", uri},
                           {"headers", JsonObject{{"Idempotency-Key", key}}},
                           {"body", 1}});
  };
  auto masked = calls.prepare(keyed("https://api.example/credits", "welcome/ann@example.com"));
  REQUIRE_FALSE(masked.ok());
  CHECK(std::move(masked).refusal().error.page() == 907);
  const auto left_out = calls.perform(keyed("https://api.example/less", "welcome/1"));
  CHECK(left_out.outcome == Outcome::failed);
  REQUIRE(left_out.error);
  CHECK(left_out.error->page() == 907);
  CHECK(calls.client.requests.empty());
  calls.client.answer(200, "{}");
  CHECK(calls.perform(keyed("https://api.example/credits", "welcome/1")).outcome == Outcome::done);
  REQUIRE(calls.client.requests.size() == 1);
  CHECK(calls.client.requests.front().headers.get("idempotency-key") == "welcome/1");
}

TEST_CASE("http call: personal data in credentials counts, and refuses the call under redact") {
  Calls calls;
  auto prepared = calls.prepare(
      Calls::call_of({{"method", "GET"},
                      {"uri", "https://api.example/orders"},
                      {"authentication",
                       JsonObject{{"bearer", JsonObject{{"token", "DE89370400440532013000"}}}}}}));
  REQUIRE_FALSE(prepared.ok());  // the policy obliges to redact because of what it was told
  CHECK(std::move(prepared).refusal().error.page() == 517);
  CHECK(calls.client.requests.empty());
}

TEST_CASE("http call: a projection leaves out what it does not name") {
  Calls calls;
  calls.client.answer(200, "{}");
  calls.perform(Calls::call_of({{"method", "POST"},
                                {"uri", "https://api.example/less?a=b"},
                                {"headers", JsonObject{{"x-a", "b"}}},
                                {"body", 1}}));
  REQUIRE(calls.client.requests.size() == 1);
  CHECK(calls.client.requests.front().url == "https://api.example/less");
  CHECK_FALSE(calls.client.requests.front().headers.has("x-a"));
  CHECK(calls.client.requests.front().body.empty());
}

TEST_CASE("http call: only what is declared private may be reached at a private address") {
  Calls calls;
  calls.client.answer(200, "{}");
  calls.client.answer(200, "{}");
  calls.perform(Calls::call_of({{"method", "GET"}, {"uri", "https://api.example/"}}));
  calls.perform(Calls::call_of({{"method", "GET"}, {"uri", "http://10.0.0.1:81/"}}));
  REQUIRE(calls.client.requests.size() == 2);
  CHECK(calls.client.requests[0].reach == net::Reach::public_only);
  CHECK(calls.client.requests[1].reach == net::Reach::anywhere);
  CHECK(calls.client.requests[0].response_bytes_max == http_body_bytes_max);
}

TEST_CASE("http call: an answer that is too large is not asked for again") {
  Calls calls;
  const Error large = Error(Code::resource_exhausted, "too large", Retry::whole_step).page(315);
  calls.client.answers.emplace_back(large);
  const auto read =
      calls.perform(Calls::call_of({{"method", "GET"}, {"uri", "https://api.example/"}}));
  CHECK(read.outcome == Outcome::failed);
  REQUIRE(read.error);
  CHECK(read.error->page() == 1065);
  CHECK(read.error->retry() == Retry::never);
  calls.client.answers.emplace_back(large);
  const auto sent =
      calls.perform(Calls::call_of({{"method", "POST"}, {"uri", "https://api.example/"}}));
  CHECK(sent.outcome == Outcome::unknown);
}

TEST_CASE("http call: the breaker of one origin holds up that origin alone") {
  Calls calls;
  const auto call = Calls::call_of({{"method", "GET"}, {"uri", "https://api.example/"}});
  for (int i = 0; i < 5; ++i) {
    calls.client.answer(503, "");
    CHECK(calls.perform(call).status == 503);
  }
  auto blocked = calls.prepare(call);
  REQUIRE(blocked.ok());
  REQUIRE(blocked->blocked);
  CHECK(blocked->blocked->page() == 908);
  auto other = calls.prepare(Calls::call_of({{"method", "GET"}, {"uri", "http://10.0.0.1:81/"}}));
  REQUIRE(other.ok());
  CHECK_FALSE(other->blocked);
}

TEST_CASE("http call: an authorization is sent and is in no leaf, request or argument") {
  Calls calls;
  calls.client.answer(200, "{}");
  const auto call = Calls::call_of(
      {{"method", "GET"},
       {"uri", "https://api.example/"},
       {"authentication", JsonObject{{"bearer", JsonObject{{"use", "desk-token"}}}}}});
  const auto done = calls.perform(call);
  REQUIRE(calls.client.requests.size() == 1);
  CHECK(calls.client.requests.front().headers.get("authorization") == "Bearer s3cret");
  CHECK(done.request.find("s3cret") == std::string::npos);
  CHECK(to_text(call.arguments).find("desk-token") == std::string::npos);
  calls.client.answer(401, "");
  const auto refused = calls.perform(call);
  CHECK(refused.spared);
  REQUIRE(refused.error);
  CHECK(refused.error->page() == 911);
  const auto absent =
      Calls::call_of({{"method", "GET"},
                      {"uri", "https://api.example/"},
                      {"authentication", JsonObject{{"bearer", JsonObject{{"use", "nobody"}}}}}});
  auto waits = calls.prepare(absent);
  REQUIRE(waits.ok());
  REQUIRE(waits->blocked);
  CHECK(waits->blocked->page() == 906);
}

TEST_CASE("http call: bodies are JSON unless a header says what a text is") {
  Calls calls;
  const auto body_of = [&](JsonObject with) {
    calls.client.answer(200, "{}");
    with["method"] = "POST";
    with["uri"] = "https://api.example/";
    calls.perform(Calls::call_of(std::move(with)));
    return calls.client.requests.back().body;
  };
  CHECK(body_of({{"body", "a"}}) == "\"a\"");
  CHECK(body_of({{"body", "<a/>"}, {"headers", JsonObject{{"content-type", "text/xml"}}}}) ==
        "<a/>");
  CHECK(page_of({{"method", "POST"},
                 {"uri", "https://api.example/"},
                 {"body", 1},
                 {"headers", JsonObject{{"Content-Type", "text/xml"}}}}) == 1061);
}

TEST_CASE("http call: what makes no request is refused by name") {
  const std::string long_text(http_body_bytes_max, 'a');
  CHECK(page_of({{"method", "GET"}, {"uri", "https://a.example/../b"}}) == 1061);
  CHECK(page_of({{"method", "GET"}, {"uri", "https://a.example/%2e%2e/b"}}) == 1061);
  CHECK(page_of({{"method", "GET"}, {"uri", "file:///etc/passwd"}}) == 1061);
  CHECK(page_of({{"method", "CONNECT"}, {"uri", "https://a.example/"}}) == 1061);
  CHECK(page_of({{"method", "POST"}, {"uri", "https://a.example/"}, {"body", long_text}}) == 1061);
  CHECK(page_of({{"method", "GET"}, {"uri", "https://a.example/" + long_text}}) == 1061);
  CHECK(page_of({{"method", "GET"},
                 {"uri", "https://a.example/"},
                 {"headers", JsonObject{{"x", long_text}}}}) == 1061);
  CHECK(page_of({{"method", "GET"},
                 {"uri", "https://a.example/"},
                 {"query", JsonObject{{"x", JsonObject()}}}}) == 1061);
  CHECK(page_of({{"method", "GET"},
                 {"uri", "https://a.example/"},
                 {"authentication", JsonObject{{"basic", JsonObject{{"username", "a"}}}}}}) ==
        1061);
}

TEST_CASE("http call: origins are read strictly") {
  CHECK(origin_of("HTTPS://Api.Example:443/").ok());
  CHECK(*origin_of("HTTPS://Api.Example:443/") == "https://api.example");
  for (const char* bad : {"api.example", "https://a/b", "https://a?b", "https://u@a", "ftp://a"}) {
    CAPTURE(bad);
    const auto origin = origin_of(bad);
    REQUIRE_FALSE(origin.ok());
    CHECK(origin.error().page() == 1060);
  }
}

}  // namespace aios::connectors
