// SPDX-License-Identifier: Apache-2.0
// openai: a hosted model behind an OpenAI-compatible API. One provider serves one alias.
#include "gateway/gateway.h"

#include "expr/schema.h"
#include "gateway/detail/chat.h"

#include <fmt/format.h>

#include <utility>

namespace aios::gateway {
namespace {

constexpr std::size_t answer_bytes_max = std::size_t{256} << 10;

constexpr std::string_view options_schema = R"({
  "type": "object", "additionalProperties": false,
  "required": ["name", "region", "url", "model", "secret", "labels"],
  "properties": {
    "name": {"type": "string", "minLength": 1, "maxLength": 60},
    "region": {"type": "string", "minLength": 1, "maxLength": 40, "not": {"const": "local"}},
    "url": {"type": "string", "minLength": 1},
    "model": {"type": "string", "minLength": 1, "maxLength": 200},
    "secret": {"type": "string", "minLength": 1},
    "labels": {"type": "array", "minItems": 2, "maxItems": 500, "uniqueItems": true,
               "items": {"type": "string", "minLength": 1, "maxLength": 100}},
    "instructions": {"type": "string", "maxLength": 20000},
    "outputTokensMax": {"type": "integer", "minimum": 1, "maximum": 100000},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2}
  }})";

ProviderReply failed(Outcome outcome, Error error) {
  ProviderReply reply;
  reply.outcome = outcome;
  reply.sent = outcome != Outcome::failed;
  reply.error = std::move(error);
  return reply;
}

struct Settings {
  detail::ChatModel chat;
  std::string region, url, secret;
};

class OpenAi final : public Provider {
 public:
  OpenAi(const ProviderServices& services, Settings settings)
      : services_(services),
        settings_(std::move(settings)) {}
  std::string_view name() const override { return "openai"; }
  std::string_view region() const override { return settings_.region; }

  Result<std::pair<std::string, std::string>> resolve(const Context& /*ctx*/,
                                                      std::string_view alias) override {
    if (alias != settings_.chat.name) {
      return Error(Code::not_found, fmt::format("the hosted model '{}' has no alias of that name",
                                                settings_.chat.name))
          .page(705);
    }
    return std::pair(settings_.chat.name, settings_.chat.model);
  }

  Result<void> ready() const override {
    auto found = secret();
    return found.ok() ? Result<void>() : Result<void>(std::move(found).error());
  }

  Usage bound(const Json& input) const override {
    const std::string body = to_text(detail::chat_request(settings_.chat, text_of(input)));
    return detail::chat_bound(settings_.chat, body);
  }

  Task<ProviderReply> complete(Context ctx, govern::Permit permit, ProviderCall call) override;

 private:
  static std::string_view text_of(const Json& input) { return text_or(input, "text", ""); }
  Result<std::string> secret() const;
  Result<net::ClientRequest> request_of(const ProviderCall& call) const;

  ProviderServices services_;
  const Settings settings_;
};

Result<std::string> OpenAi::secret() const {
  auto found = services_.secret(settings_.secret);
  if (!found.ok()) {
    return Error(Code::unavailable, std::string(found.error().message()), Retry::same_call)
        .page(809);
  }
  return found;
}

Result<net::ClientRequest> OpenAi::request_of(const ProviderCall& call) const {
  if (text_of(call.input).empty()) {
    return Error(Code::invalid_argument,
                 fmt::format("found no text in member 'text' of the input for model '{}', wanted "
                             "{{\"text\": \"...\"}}",
                             call.model))
        .page(800);
  }
  auto secret = this->secret();
  if (!secret.ok()) {
    return std::move(secret).error();
  }
  net::ClientRequest request;
  request.method = "POST";
  request.url = settings_.url + "/chat/completions";
  request.headers.add("authorization", "Bearer " + *secret);
  request.headers.add("content-type", "application/json");
  request.headers.add("accept", "application/json");
  request.body = to_text(detail::chat_request(settings_.chat, text_of(call.input)));
  request.response_bytes_max = answer_bytes_max;
  return request;
}

Task<ProviderReply> OpenAi::complete(Context ctx, govern::Permit permit, ProviderCall call) {
  auto fits = permit.check(ctx, govern::GuardPoint::pre_model_call);
  if (!fits.ok()) {
    co_return failed(Outcome::failed, std::move(fits).error());
  }
  if (call.model != settings_.chat.name || call.version != settings_.chat.model) {
    co_return failed(Outcome::failed, Error(Code::aborted,
                                            fmt::format("the alias '{}' was given another model "
                                                        "meanwhile",
                                                        call.alias),
                                            Retry::same_call));
  }
  auto request = request_of(call);
  if (!request.ok()) {
    co_return failed(Outcome::failed, std::move(request).error());
  }
  auto response = co_await services_.client->send(std::move(ctx), std::move(*request));
  if (!response.ok()) {
    if (net::sent_of(response.error()) == net::Sent::nothing) {
      co_return failed(Outcome::failed, std::move(response).error());
    }
    // It harms nobody to ask again: that costs money, which is reserved anew.
    const Error& lost = response.error();
    const Retry retry = lost.code() == Code::cancelled ? Retry::never : Retry::same_call;
    co_return failed(Outcome::unknown, Error(lost.code(), lost.message(), retry).page(lost.page()));
  }
  auto chat = detail::read_chat(settings_.chat, *response);
  ProviderReply reply;
  reply.outcome = chat.outcome;
  reply.output = std::move(chat.output);
  reply.model = settings_.chat.name;
  reply.version = std::move(chat.version);
  reply.usage = chat.usage;
  reply.error = std::move(chat.error);
  co_return reply;
}

Error bad(std::string_view why) {
  return Error(Code::invalid_argument, fmt::format("provider 'openai': {}", why)).page(803);
}

Result<std::unique_ptr<Provider>> make(const ProviderServices& services, const Json& options) {
  auto schema = expr::Schema::compile(*parse_json(options_schema));
  AIOS_ASSERT(schema.ok());
  auto fits = schema->validate(options);
  if (!fits.ok()) {
    return bad(fits.error().message());
  }
  Settings settings;
  settings.chat.name = text_or(options, "name", "");
  settings.chat.model = text_or(options, "model", "");
  settings.chat.instructions = text_or(options, "instructions", "");
  settings.chat.output_tokens_max =
      static_cast<std::uint32_t>(int_or(options, "outputTokensMax", 100));
  if (find(options, "temperature") != nullptr) {
    settings.chat.temperature = number_or(options, "temperature", 0);
  }
  for (const Json& label : find(options, "labels")->get_array()) {
    settings.chat.labels.emplace_back(view(label.get_string()));
  }
  settings.region = text_or(options, "region", "");
  settings.secret = text_or(options, "secret", "");
  settings.url = text_or(options, "url", "");
  while (settings.url.ends_with('/')) {
    settings.url.pop_back();
  }
  auto url = net::check_url(settings.url);
  if (!url.ok()) {
    return bad(url.error().message());
  }
  if (settings.url.find_first_of("?#") != std::string::npos) {
    return bad("a base URL has no query and no fragment");
  }
  return std::unique_ptr<Provider>(std::make_unique<OpenAi>(services, std::move(settings)));
}

}  // namespace

void register_provider_openai(ProviderRegistry& registry) {
  registry.add({.name = "openai",
                .summary = "A hosted model behind an OpenAI-compatible API.",
                .make = make,
                .example = R"({"name": "intent", "region": "eu", "url": "http://127.0.0.1:1/v1",
                               "model": "small-1", "secret": "key", "labels": ["a", "b"]})"});
}

}  // namespace aios::gateway
