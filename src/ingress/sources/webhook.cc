// SPDX-License-Identifier: Apache-2.0
// ingress/sources/webhook: POST /hooks/<source>, signed by its sender. Nothing of a body is read
// before its signature is good, and who has no secret learns nothing: a source that is not there, a
// wrong signature and a secret that is missing here are one answer.
#include "ingress/ingress.h"
#include "ingress/signature.h"
#include "ingress/sources.h"

#include "core/crypto.h"
#include "core/text.h"
#include "ingress/detail/webhook_body.h"
#include "runtime/rate.h"

#include <fmt/format.h>

#include <mutex>
#include <utility>

namespace aios::ingress {
namespace {

constexpr std::size_t body_bytes_max = std::size_t{1} << 20;
constexpr Duration tolerance_default = std::chrono::minutes(5);
constexpr Duration tolerance_max = std::chrono::hours(1);
constexpr Duration missing_secret_line_period = std::chrono::minutes(1);
constexpr int page_refused = 1204;
constexpr int page_late = 1205;
constexpr int page_rate = 1235;

constexpr const char* form = R"({
  "required": ["secrets"],
  "properties": {
    "scheme": {"enum": ["standard", "github", "stripe", "slack"]},
    "secrets": {"type": "array", "minItems": 1, "maxItems": 4, "uniqueItems": true,
                "items": {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}},
    "tolerance": {"type": "string"},
    "rate": {"type": "integer", "minimum": 1, "maximum": 1000000}
  }
})";

struct Settings final : SourceSettings {
  Scheme scheme = Scheme::standard;
  Duration tolerance = tolerance_default;
  std::uint32_t per_minute = 0;         ///< messages; 0: any number
  std::shared_ptr<runtime::Rate> rate;  ///< null: none; anew with each deployment
};

std::shared_ptr<const SourceSettings> read(const Json& own, const Complain& complain) {
  auto settings = std::make_shared<Settings>();
  settings->scheme = parse_scheme(text_or(own, "scheme", "standard")).value_or(Scheme::standard);
  if (const auto text = text_or(own, "tolerance", ""); !text.empty()) {
    auto parsed = parse_iso_duration(text);
    const bool fits = parsed.ok() && *parsed >= std::chrono::seconds(1) && *parsed <= tolerance_max;
    if (!fits) {
      complain("/tolerance", fmt::format("'tolerance' is '{}', wanted a duration from PT1S to PT1H",
                                         excerpt(text, 40)));
    } else {
      settings->tolerance = *parsed;
    }
  }
  settings->per_minute = static_cast<std::uint32_t>(int_or(own, "rate", 0));
  if (settings->per_minute > 0) {
    settings->rate = std::make_shared<runtime::Rate>(settings->per_minute);
  }
  return settings;
}

/// Told of seldom: every message of such a source meets it.
class MissingSecretLines {
 public:
  void tell(const observe::Log* log, const Context& ctx, const Error& error, Instant now) {
    {
      const std::lock_guard lock(mutex_);
      if (log == nullptr || (told_at_ && now - *told_at_ < missing_secret_line_period)) {
        return;
      }
      told_at_ = now;
    }
    log->error("ingress", error, &ctx);
  }

 private:
  std::mutex mutex_;
  std::optional<Instant> told_at_;
};

struct Hooks {
  SourceServices services;
  MissingSecretLines missing;

  /// Those that are there and can be of the scheme.
  std::vector<std::string> secrets_of(const DeclaredSource& source, const Context& ctx) {
    const auto& settings = static_cast<const Settings&>(*source.settings);
    std::vector<std::string> out;
    for (const auto& name : source.secrets) {
      auto secret = services.secret(source.tenant, name);
      if (secret.ok() && is_secret(settings.scheme, *secret)) {
        out.push_back(std::move(*secret));
        continue;
      }
      Error error = secret.ok() ? Error(Code::invalid_argument,
                                        fmt::format("secret '{}' is not base64 after 'whsec_', as "
                                                    "Standard Webhooks has it",
                                                    name))
                                : std::move(secret).error();
      missing.tell(
          services.log, ctx,
          std::move(error).with(fmt::format("reading the secrets of source '{}'", source.name)),
          runtime::Executor::current()->clock().instant());
    }
    return out;
  }
};

Error refusal() {
  return Error(Code::unauthenticated,
               "the webhook is not signed with a secret of a source that is here")
      .page(page_refused);
}

Error too_late(Duration tolerance) {
  return Error(Code::invalid_argument,
               fmt::format("the webhook's time is more than {} away from this clock",
                           to_iso_duration(tolerance)))
      .page(page_late);
}

/// Those that are signed alone count: who has no secret takes nothing from those who have.
std::optional<Error> too_many(const DeclaredSource& source, const Settings& settings) {
  const Duration pause = settings.rate
                             ? settings.rate->take(runtime::Executor::current()->clock().instant())
                             : Duration(0);
  if (pause == Duration(0)) {
    return std::nullopt;
  }
  return Error(Code::rate_limited,
               fmt::format("source '{}' takes {} messages a minute, which are used up", source.name,
                           settings.per_minute),
               Retry::same_call)
      .page(page_rate)
      .after(pause);
}

/// The message's own name; of GitHub alone it is not signed.
std::string id_of(Scheme scheme, const net::Request& request, const Json& body) {
  switch (scheme) {
    case Scheme::standard: return std::string(request.headers.get("webhook-id"));
    case Scheme::github: return std::string(request.headers.get("x-github-delivery"));
    case Scheme::stripe: return std::string(text_or(body, "id", ""));
    case Scheme::slack: return std::string(text_or(body, "event_id", ""));
  }
  return "";
}

Arrival arrival_of(const DeclaredSource& source, const net::Request& request) {
  const auto& settings = static_cast<const Settings&>(*source.settings);
  Arrival arrival;
  arrival.bytes = request.body.size();
  arrival.digest = std::string(view(sha256(request.body)));
  Json body = webhook_body(request);
  std::string id = id_of(settings.scheme, request, body);
  if (id.empty() || id.size() > 200 || !is_utf8(id)) {
    id = "sha256:" + to_hex(arrival.digest);
  }
  arrival.defaults = {{"id", std::move(id)}, {"source", "/hooks/" + source.name}};
  arrival.data_member = body.is_null() ? "" : "body";
  JsonObject seen;
  seen.reserve(2);
  seen["headers"] = webhook_headers(request);
  seen["body"] = std::move(body);
  arrival.seen = std::move(seen);
  return arrival;
}

/// The sender holds the secret: it learns what became of the event, not which run it is.
net::Response answer(const Accepted& accepted) {
  JsonObject out{{"id", accepted.id}, {"status", accepted.status}};
  if (accepted.repeated) {
    out["repeated"] = true;
  }
  return net::json_response(202, out);
}

Task<net::Response> take(std::shared_ptr<Hooks> hooks, Context ctx, net::Request request) {
  const auto& services = hooks->services;
  const std::string wanted_tenant(request.path_value("tenant"));
  const std::string name(request.path_value("source"));
  TenantId tenant = default_tenant();
  if (!wanted_tenant.empty()) {
    auto parsed = TenantId::parse(wanted_tenant);
    tenant = parsed.ok() ? std::move(*parsed) : default_tenant();
  }
  SourcePtr source = services.sources->find(tenant, name);
  if (source &&
      (source->kind != "webhook" || (!wanted_tenant.empty() && tenant.text() != wanted_tenant))) {
    source = nullptr;
  }
  const Settings unknown;
  const auto& settings = source ? static_cast<const Settings&>(*source->settings) : unknown;
  const auto secrets = source ? hooks->secrets_of(*source, ctx) : std::vector<std::string>();
  const Time now = runtime::Executor::current()->clock().now();
  const Signed verdict = check_signature(settings.scheme, request.headers, request.body, secrets,
                                         now, settings.tolerance);
  Context own = source ? source_context(*source) : system_context(default_tenant(), "webhook");
  own.trace = ctx.trace;
  own.deadline = ctx.deadline;
  own.cancel = ctx.cancel;
  if (verdict != Signed::good) {
    const std::string said = verdict == Signed::late ? "late" : source ? "signature" : "unknown";
    const std::string of = source ? "/hooks/" + source->name : "";
    co_await services.ingress->turn_away(own, of, said);
    co_return net::problem(verdict == Signed::late ? too_late(settings.tolerance) : refusal());
  }
  if (const auto refused = too_many(*source, settings)) {
    co_await services.ingress->turn_away(own, "/hooks/" + source->name, "rate");
    co_return net::problem(*refused);
  }
  Arrival arrival = arrival_of(*source, request);
  if (settings.scheme == Scheme::slack) {
    if (auto challenge = slack_challenge(arrival.seen.at("body"))) {
      co_return net::text_response(200, std::move(*challenge));
    }
  }
  auto accepted = co_await services.ingress->receive(std::move(own), source, std::move(arrival));
  if (!accepted.ok()) {
    co_return net::problem(accepted.error());
  }
  co_return answer(*accepted);
}

net::Route route_of(const std::shared_ptr<Hooks>& hooks, std::string pattern) {
  net::Route route;
  route.method = "POST";
  route.pattern = std::move(pattern);
  route.access = net::Access::anyone;  // the signature is the key
  route.body_bytes_max = body_bytes_max;
  route.handler = [hooks](Context ctx, net::Request request) {
    return take(hooks, std::move(ctx), std::move(request));
  };
  return route;
}

void mount(const SourceServices& services) {
  auto hooks = std::make_shared<Hooks>();
  hooks->services = services;
  auto route = route_of(hooks, "/hooks/{source}");
  route.operation_id = "receiveWebhook";
  route.summary =
      "Takes a webhook, signed as the source of the bundle says; durable before the answer. The "
      "same id and body again gets the first answer.";
  route.request_schema = JsonObject();
  route.response_schema = JsonObject{{"type", "object"}};
  services.router->add(std::move(route));
  services.router->add(route_of(hooks, "/hooks/{tenant}/{source}"));
}

}  // namespace

void register_source_webhook(SourceRegistry& registry) {
  registry.add({.name = "webhook",
                .summary = "Signed requests of other systems at /hooks/<name>.",
                .form = form,
                .source_prefix = "/hooks/",
                .read = read,
                .mount = mount});
}

}  // namespace aios::ingress
