// SPDX-License-Identifier: Apache-2.0
// ingress/sources/cloudevents: POST /api/v1/events, a CloudEvent in binary or structured mode.
#include "ingress/ingress.h"

namespace aios::ingress {
namespace {

struct Handler {
  SourceServices services;

  Task<net::Response> operator()(Context ctx, net::Request request) const {
    return handle(services, std::move(ctx), std::move(request));
  }

  static Task<net::Response> handle(SourceServices services, Context ctx, net::Request request) {
    auto sender = services.admit(ctx, request);
    if (!sender.ok()) {
      co_return net::problem(sender.error());
    }
    auto event = event_from_http(request);
    if (!event.ok()) {
      co_return net::problem(event.error());
    }
    const std::size_t bytes = request.body.size();
    auto accepted = co_await services.ingress->accept(std::move(*sender), std::move(*event), bytes);
    if (!accepted.ok()) {
      co_return net::problem(accepted.error());
    }
    co_return net::json_response(202, accepted->to_json());
  }
};

void mount(const SourceServices& services) {
  net::Route route;
  route.method = "POST";
  route.pattern = "/api/v1/events";
  route.operation_id = "sendEvent";
  route.summary =
      "Takes one CloudEvent (binary or structured mode); durable before the answer. The same id "
      "and content again gets the first answer.";
  route.request_schema = JsonObject{{"type", "object"}};
  route.response_schema =
      JsonObject{{"type", "object"},
                 {"required", JsonArray{"id", "status"}},
                 {"properties",
                  JsonObject{{"id", JsonObject{{"type", "string"}}},
                             {"status", JsonObject{{"enum", JsonArray{"accepted", "dead_letter"}}}},
                             {"run", JsonObject{{"type", "string"}}},
                             {"reason", JsonObject{{"type", "string"}}},
                             {"repeated", JsonObject{{"type", "boolean"}}}}}};
  route.admission = [authenticate =
                         services.authenticate](const net::Request& head) -> Result<void> {
    auto sender = authenticate(Context(), head);
    return sender.ok() ? Result<void>() : Result<void>(std::move(sender).error());
  };
  route.handler = Handler{services};
  services.router->add(std::move(route));
}

}  // namespace

void register_source_cloudevents(SourceRegistry& registry) {
  registry.add({.name = "cloudevents",
                .summary = "CloudEvents 1.0 over HTTP, binary and structured mode.",
                .mount = mount});
}

}  // namespace aios::ingress
