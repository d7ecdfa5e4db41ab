// SPDX-License-Identifier: Apache-2.0
#include "api/detail/operation.h"

#include "api/detail/key_names.h"
#include "api/detail/query.h"
#include "api/detail/start_once.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::api {
namespace {

struct Handler {
  ApiServices services;
  govern::Action action;
  OperationFunction function;
  std::span<const QueryParameter> query;

  Task<net::Response> operator()(Context ctx, net::Request request) const {
    return handle(this, std::move(ctx), std::move(request));
  }

  bool waits() const {
    return std::any_of(query.begin(), query.end(),
                       [](const QueryParameter& one) { return one.name == "wait"; });
  }

  /// `self` lives in the router, which outlives its requests.
  static Task<net::Response> handle(const Handler* self, Context ctx, net::Request request) {
    auto caller = admit(*self->services.identity, ctx, request);
    if (!caller.ok()) {
      co_return net::problem(caller.error());
    }
    auto allowed = govern::Identity::allow(*caller, self->action);
    if (!allowed.ok()) {
      co_return net::problem(allowed.error());
    }
    auto fits = take_query(self->query, &request);
    if (!fits.ok()) {
      co_return net::problem(fits.error());
    }
    net::Request sender;  // of one who waits: the key may be revoked by the time of the answer
    sender.headers.add("authorization", request.headers.get("authorization"));
    const TenantId tenant = caller->tenant;
    const bool works_with_people =
        govern::Identity::allow(*caller, govern::Action::read_reviews).ok();
    auto answer = co_await self->function(self->services, std::move(*caller), std::move(request));
    if (self->waits()) {
      auto still = authenticate(*self->services.identity, ctx, sender);
      if (!still.ok()) {
        co_return net::problem(still.error());
      }
    }
    if (!answer.ok()) {
      if (self->services.failed) {
        self->services.failed(answer.error());
      }
      auto problem = net::problem(answer.error());
      if (works_with_people && problem.body.find("key_") != std::string::npos) {
        problem.body = KeyNames(self->services.identity, tenant).in_json_text(problem.body);
      }
      co_return problem;
    }
    co_return std::move(*answer);
  }
};

Json schema_of(std::string_view text) {
  if (text.empty()) {
    return nullptr;
  }
  auto schema = parse_json(text);
  AIOS_ASSERT(schema.ok());  // written in this module
  return std::move(*schema);
}

Json idempotency_parameter() {
  return JsonObject{
      {"name", "Idempotency-Key"},
      {"in", "header"},
      {"description", "The same key and body again within seven days: the first answer again."},
      {"schema",
       JsonObject{{"type", "string"}, {"minLength", 1}, {"maxLength", idempotency_key_bytes_max}}}};
}

}  // namespace

void add(net::Router& router, const ApiServices& services, const Operation& operation) {
  net::Route route;
  route.method = operation.method;
  route.pattern = operation.pattern;
  route.operation_id = operation.id;
  route.summary = operation.summary;
  route.parameters = query_document(operation.query);
  if (operation.repeat == Repeat::once) {
    if (route.parameters.is_null()) {
      route.parameters = JsonArray();
    }
    route.parameters.get_array().push_back(idempotency_parameter());
  }
  route.request_schema = schema_of(operation.request_schema);
  route.response_schema = schema_of(operation.response_schema);
  route.body_bytes_max = operation.body_bytes_max;
  route.admission = [&identity = *services.identity,
                     action = operation.action](const net::Request& head) -> Result<void> {
    auto caller = authenticate(identity, Context(), head);
    return caller.ok() ? govern::Identity::allow(*caller, action)
                       : Result<void>(std::move(caller).error());
  };
  route.handler = Handler{services, operation.action, operation.function, operation.query};
  router.add(std::move(route));
}

namespace {

/// @param known  what says whose a secret is.
template <class Known>
Result<Context> caller_of(const Context& ctx, const net::Request& request, const Known& known) {
  if (ctx.principal) {
    return ctx;
  }
  std::string_view header = request.headers.get("authorization");
  constexpr std::string_view scheme = "bearer ";
  if (header.size() <= scheme.size() || ascii_lower(header.substr(0, scheme.size())) != scheme) {
    return Error(Code::unauthenticated,
                 "no key was sent, wanted the header 'Authorization: Bearer aios_...'")
        .page(510);
  }
  auto who = known(trim(header.substr(scheme.size())));
  if (!who.ok()) {
    return std::move(who).error();
  }
  Context caller = ctx;
  caller.tenant = who->first;
  caller.principal = who->second;
  return caller;
}

}  // namespace

Result<Context> authenticate(const govern::Identity& identity, const Context& ctx,
                             const net::Request& request) {
  return caller_of(ctx, request,
                   [&](std::string_view secret) { return identity.authenticate(secret); });
}

Result<Context> admit(const govern::Identity& identity, const Context& ctx,
                      const net::Request& request) {
  return caller_of(ctx, request, [&](std::string_view secret) { return identity.admit(secret); });
}

Result<JsonObject> body_object(const net::Request& request) {
  auto body = parse_json(request.body);
  if (!body.ok()) {
    return std::move(body).error().with("reading the request body");
  }
  if (!body->is_object()) {
    return Error(Code::invalid_argument,
                 fmt::format("the request body is {}, wanted an object", type_name(*body)))
        .page(1301);
  }
  return std::move(body->get_object());
}

Result<std::string> text_member(const JsonObject& body, std::string_view name) {
  const Json* value = body.if_contains(name);
  if (value == nullptr || !value->is_string() || value->get_string().empty()) {
    return Error(Code::invalid_argument,
                 fmt::format("member '{}' is {}, wanted a text that is not empty", name,
                             value == nullptr ? "missing" : type_name(*value)))
        .page(1301);
  }
  return std::string(view(value->get_string()));
}

Result<TextBody> body_with_text(const net::Request& request, std::string_view name) {
  auto body = body_object(request);
  if (!body.ok()) {
    return std::move(body).error();
  }
  auto text = text_member(*body, name);
  if (!text.ok()) {
    return std::move(text).error();
  }
  return TextBody{std::move(*text), std::move(*body)};
}

Json page_of(JsonArray items, std::string_view last_id, std::uint32_t limit) {
  JsonObject page;
  const bool more = items.size() == limit;
  page["items"] = std::move(items);
  if (more) {
    page["next"] = last_id;
  }
  return page;
}

std::optional<Error> held_back(const ApiServices& services, const Context& ctx) {
  return services.deployments == nullptr ? std::nullopt : services.deployments->failure(ctx.tenant);
}

std::optional<Error> held_from_starting(const ApiServices& services, const Context& ctx,
                                        const net::Request& request) {
  auto held = held_back(services, ctx);
  if (held || services.ingress == nullptr) {
    return held;
  }
  return services.ingress->take_share(ctx.tenant, request.body.size());
}

void mount_api(net::Router& router, const ApiServices& services) {
  mount_tenants(router, services);
  mount_system(router, services);
  mount_runs(router, services);
  mount_incidents(router, services);
  mount_tasks(router, services);
  mount_deliveries(router, services);
  mount_events(router, services);
  mount_reviews(router, services);
  mount_models(router, services);
  mount_learning(router, services);
  mount_deployments(router, services);
  mount_governance(router, services);
  mount_budgets(router, services);
  mount_operate(router, services);
  mount_error_pages(router);
}

}  // namespace aios::api
