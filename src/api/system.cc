// SPDX-License-Identifier: Apache-2.0
#include "api/detail/operation.h"

#include <fmt/format.h>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;

Task<net::Response> health(Context, net::Request) { co_return net::text_response(200, "ok\n"); }

struct Ready {
  const std::atomic<bool>* ready;
  const std::atomic<bool>* damaged;
  const store::Store* store;
  const bundle::Deployments* deployments;
  Task<net::Response> operator()(Context, net::Request) const { return answer(why_not()); }

 private:
  std::string why_not() const {
    if (!ready->load()) {
      return "starting or stopping";
    }
    if (damaged != nullptr && damaged->load()) {
      return "the data cannot be read as it was written, see the log";
    }
    if (deployments != nullptr && deployments->none_loaded()) {  // whose: nobody has shown a key
      return "no bundle could be loaded [AIOS-1116]";
    }
    return store->stats().read_only ? "the disk is full, nothing can be written" : "";
  }
  static Task<net::Response> answer(std::string why_not) {
    if (!why_not.empty()) {
      co_return net::text_response(503, fmt::format("not ready: {}\n", why_not));
    }
    co_return net::text_response(200, "ready\n");
  }
};

struct Document {
  const net::Router* router;
  Task<net::Response> operator()(Context, net::Request) const { return answer(router); }
  static Task<net::Response> answer(const net::Router* router) {
    co_return net::json_response(200, openapi_document(*router));
  }
};

Task<Answer> metrics(const ApiServices& services, Context ctx, net::Request request) {
  if (services.before_metrics) {
    auto counting = services.before_metrics(std::move(ctx));
    co_await std::move(counting);
  }
  const bool open = request.headers.get("accept").find("openmetrics") != std::string_view::npos;
  if (open) {
    co_return net::text_response(200, services.metrics->open_metrics(),
                                 "application/openmetrics-text; version=1.0.0; charset=utf-8");
  }
  co_return net::text_response(200, services.metrics->prometheus(),
                               "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace

void mount_system(net::Router& router, const ApiServices& services) {
  net::Route route;
  route.method = "GET";
  route.pattern = "/healthz";
  route.body_bytes_max = 0;  // anyone may ask, and nobody has anything to say
  route.handler = health;
  router.add(route);
  route.pattern = "/readyz";
  route.handler = Ready{services.ready, services.damaged, services.store, services.deployments};
  router.add(route);
  route.pattern = "/openapi.json";
  route.handler = Document{services.router};
  router.add(route);
  add(router, services,
      {"GET", "/metrics", "metrics", "Metrics as OpenMetrics or Prometheus text, by Accept.",
       govern::Action::read_metrics, metrics, "", ""});
}

}  // namespace aios::api
