// SPDX-License-Identifier: Apache-2.0
#include "gateway/gateway.h"

#include "runtime/sim.h"

#include <doctest/doctest.h>

#include <optional>

namespace aios::gateway {
namespace {

constexpr const char* policies = R"(package aios.pre_model_call
import rego.v1
allow := true
)";

constexpr const char* good_options = R"({"name": "second-opinion", "region": "us",
  "url": "http://127.0.0.1:1/v1/", "model": "small-1", "secret": "vendor-key",
  "labels": ["refund", "other"], "outputTokensMax": 50})";

/// Answers what it is told, and keeps what it was asked.
class Vendor final : public net::Client {
 public:
  std::optional<Error> error;
  net::Response response;
  std::vector<net::ClientRequest> seen;
  Task<Result<net::Response>> send(Context, net::ClientRequest request) override {
    seen.push_back(std::move(request));
    if (error) {
      co_return *error;
    }
    co_return response;
  }
};

struct Office {
  runtime::SimExecutor executor;
  govern::Guard guard;
  Vendor vendor;
  bool has_secret = true;
  ProviderRegistry registry;

  Office() {
    register_all_providers(registry);
    REQUIRE(guard.load(default_tenant(), {{"pre.rego", policies}}, JsonObject{}).ok());
    vendor.response.body = R"({"model": "small-1-b", "choices": [{"finish_reason": "stop",
      "message": {"content": "{\"label\": \"refund\", \"confidence\": 0.5}"}}],
      "usage": {"prompt_tokens": 40, "completion_tokens": 9}})";
  }
  Result<std::unique_ptr<Provider>> make(const Json& options) {
    ProviderServices services;
    services.client = &vendor;
    services.secret = [this](std::string_view name) -> Result<std::string> {
      if (!has_secret || name != "vendor-key") {
        return Error(Code::not_found, "no such secret");
      }
      return std::string("s3cret");
    };
    for (const ProviderEntry& entry : registry.entries()) {
      if (entry.name == "openai") {
        return entry.make(services, options);
      }
    }
    return Error(Code::not_found, "provider 'openai' is not registered");
  }
  ProviderReply ask(std::string_view input) {
    auto provider = make(*parse_json(good_options));
    REQUIRE(provider.ok());
    const Context ctx = system_context(default_tenant(), "test");
    auto ruling = guard.ask(ctx, govern::GuardPoint::pre_model_call,
                            JsonObject{{"model", {{"region", "local"}}}});
    REQUIRE(ruling.allowed());
    ProviderCall call{"second-opinion", "second-opinion", "small-1", *parse_json(input)};
    return executor.run((*provider)->complete(ctx, *std::move(ruling.permit), std::move(call)));
  }
};

}  // namespace

TEST_CASE("openai: one request with key and body, and the answer with what it used") {
  Office office;
  const auto reply = office.ask(R"({"text": "where is my money"})");
  REQUIRE(reply.outcome == Outcome::done);
  CHECK(text_or(reply.output, "label", "") == "refund");
  CHECK(reply.version == "small-1-b");
  REQUIRE(reply.usage);
  CHECK(reply.usage->input_tokens == 40);
  REQUIRE(office.vendor.seen.size() == 1);
  const net::ClientRequest& sent = office.vendor.seen[0];
  CHECK(sent.method == "POST");
  CHECK(sent.url == "http://127.0.0.1:1/v1/chat/completions");
  CHECK(sent.headers.get("authorization") == "Bearer s3cret");
  CHECK(sent.body.find("where is my money") != std::string::npos);
  CHECK(sent.body.find("s3cret") == std::string::npos);
  CHECK(sent.response_bytes_max <= (std::size_t{1} << 20));
  auto provider = office.make(*parse_json(good_options));
  const Usage bound = (*provider)->bound(JsonObject{{"text", "where is my money"}});
  CHECK(bound.input_tokens >= sent.body.size());
  CHECK(bound.output_tokens == 50);
}

TEST_CASE("openai: what was never sent is free, what may have arrived may have cost its bound") {
  Office office;
  office.vendor.error = Error(Code::unavailable, "refused", Retry::same_call);
  const auto unsent = office.ask(R"({"text": "x"})");
  CHECK(unsent.outcome == Outcome::failed);
  CHECK(unsent.error->retry() == Retry::same_call);
  office.vendor.error = Error(Code::unavailable, "closed half-way", Retry::whole_step);
  const auto lost = office.ask(R"({"text": "x"})");
  CHECK(lost.outcome == Outcome::unknown);
  CHECK(lost.error->retry() == Retry::same_call);
  CHECK(!lost.usage);
  office.vendor.error = Error(Code::cancelled, "stopped", Retry::whole_step);
  const auto stopped = office.ask(R"({"text": "x"})");
  CHECK(stopped.outcome == Outcome::unknown);
  CHECK(stopped.error->retry() == Retry::never);
  office.vendor.error = Error(Code::resource_exhausted, "answer too large", Retry::whole_step);
  CHECK(office.ask(R"({"text": "x"})").outcome == Outcome::unknown);
}

TEST_CASE("openai: without its secret, or without a text, nothing is sent") {
  Office office;
  for (const char* input : {R"({})", R"({"text": ""})", R"({"text": 1})"}) {
    const auto reply = office.ask(input);
    CHECK(reply.outcome == Outcome::failed);
    CHECK(reply.error->page() == 800);
  }
  office.has_secret = false;
  const auto reply = office.ask(R"({"text": "x"})");
  CHECK(reply.outcome == Outcome::failed);
  CHECK(reply.error->page() == 809);
  CHECK(reply.error->retry() == Retry::same_call);
  CHECK(office.vendor.seen.empty());
}

TEST_CASE("openai: options that are not good are refused, 'local' among the regions") {
  Office office;
  const auto with = [](std::string_view member, Json value) {
    Json options = *parse_json(good_options);
    options.get_object()[member] = std::move(value);
    return options;
  };
  CHECK(office.make(*parse_json(good_options)).ok());
  for (const Json& options :
       {with("region", "local"), with("region", ""), with("url", "ftp://x"), with("url", "x"),
        with("url", "http://user:pw@x/"), with("url", "http://x/v1?key=1"),
        with("labels", JsonArray{"one"}), with("labels", JsonArray{"one", "one"}),
        with("outputTokensMax", 0), with("temperature", 3), with("retires", 1), Json(nullptr)}) {
    CAPTURE(to_text(options));
    const auto refused = office.make(options);
    REQUIRE(!refused.ok());
    CHECK(refused.error().page() == 803);
  }
}

}  // namespace aios::gateway
