// SPDX-License-Identifier: Apache-2.0
#include "gateway/gateway.h"

#include "core/text.h"
#include "gateway/detail/call.h"
#include "observe/metric_table.h"
#include "runtime/executor.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>

namespace aios::gateway {
namespace {

using detail::Call;
using detail::Target;

/// How often an alias may move under one call.
constexpr int tries_max = 3;

std::vector<std::unique_ptr<Provider>> all_providers(models::Models& models) {
  ProviderRegistry registry;
  register_all_providers(registry);
  ProviderServices services;
  services.models = &models;
  std::vector<std::unique_ptr<Provider>> providers;
  for (const ProviderEntry& entry : registry.entries()) {
    auto provider = entry.make(services, JsonObject());
    if (provider.ok()) {  // one that needs options is not for every installation
      providers.push_back(std::move(*provider));
    }
  }
  return providers;
}

}  // namespace

struct Gateway::Impl {
  const govern::Guard& guard;
  std::vector<std::unique_ptr<Provider>> providers;
  observe::Metrics& metrics;
  runtime::Clock& clock;
  observe::Histogram& latency;

  Result<Target> resolve(const Context& ctx, const std::string& alias) {
    std::optional<Error> last;
    for (const auto& provider : providers) {
      auto found = provider->resolve(ctx, alias);
      if (found.ok()) {
        return Target{provider.get(), std::move(found->first), std::move(found->second)};
      }
      last = std::move(found).error();
      if (last->code() != Code::not_found) {
        break;
      }
    }
    if (!last) {
      last = Error(Code::not_found, "found no provider of models").page(801);
    }
    return *std::move(last);
  }
  void count(const std::string& alias, const std::string& outcome) {
    metrics.counter(observe::metric("aios_model_calls"), {alias, outcome}).add();
  }
  Task<govern::Refusable<InferAnswer>> attempt(Context ctx, InferRequest request,
                                               detail::Content content);
  Task<Result<ProviderReply>> governed(Context ctx, Call* call);
};

Gateway::Gateway(const govern::Guard& guard, models::Models& models, observe::Metrics& metrics,
                 runtime::Clock& clock)
    : Gateway(guard, all_providers(models), metrics, clock) {}

Gateway::Gateway(const govern::Guard& guard, std::vector<std::unique_ptr<Provider>> providers,
                 observe::Metrics& metrics, runtime::Clock& clock)
    : impl_(new Impl{guard, std::move(providers), metrics, clock,
                     metrics.histogram(observe::metric("aios_model_call_seconds"),
                                       observe::latency_bounds_seconds())}) {}
Gateway::~Gateway() = default;

Task<govern::Refusable<InferAnswer>> Gateway::infer(Context ctx, InferRequest request) {
  const Instant begin = impl_->clock.instant();
  auto content = detail::look_at(request.input);
  if (!content.ok()) {
    co_return std::move(content).error().with(
        fmt::format("asking model '{}'", excerpt(request.alias, 60)));
  }
  if (!content->personal.empty()) {
    ctx = ctx.with_label(DataLabel::personal);
  }
  for (int tries = 1;; ++tries) {
    auto answer = co_await impl_->attempt(ctx, request, *content);
    if (!answer.ok() && answer.error().code() == Code::aborted && tries < tries_max) {
      continue;  // the alias moved: the guard must be asked about what serves now
    }
    impl_->latency.observe(std::chrono::duration<double>(impl_->clock.instant() - begin).count());
    if (!answer.ok()) {
      co_return std::move(answer).refusal().with(
          fmt::format("asking model '{}'", excerpt(request.alias, 60)));
    }
    co_return answer;
  }
}

Task<govern::Refusable<InferAnswer>> Gateway::Impl::attempt(Context ctx, InferRequest request,
                                                            detail::Content content) {
  auto target = resolve(ctx, request.alias);
  if (!target.ok()) {
    count("unknown", "failed");
    co_return std::move(target).error();
  }
  Call call{std::move(request), std::move(content), std::move(*target), {}};
  auto answer = co_await governed(ctx, &call);
  const Json none;
  if (!answer.ok()) {
    const bool denied = answer.error().code() == Code::policy_denied;
    const std::string outcome = denied ? "refused" : "failed";
    count(call.request.alias, outcome);
    auto leaf = call.leaf(ctx, clock.now(), govern::LeafKind::model_call, outcome, none);
    co_return govern::Refusal{std::move(answer).error(), {std::move(leaf)}};
  }
  const std::string done(name_of(Outcome::done));
  count(call.request.alias, done);
  InferAnswer out;
  out.leaves.push_back(
      call.leaf(ctx, clock.now(), govern::LeafKind::model_call, done, answer->output));
  out.output = std::move(answer->output);
  co_return out;
}

Task<Result<ProviderReply>> Gateway::Impl::governed(Context ctx, Call* call) {
  auto before = guard.ask(ctx, govern::GuardPoint::pre_model_call, call->before());
  call->decisions.push_back(before.decision);
  if (!before.allowed()) {
    co_return before.to_error();
  }
  Json input = call->request.input;
  auto carried = detail::carry_out(before.decision, &input);
  if (!carried.ok()) {
    co_return std::move(carried).error();
  }
  ProviderCall ask{call->request.alias, call->target.model, call->target.version, std::move(input)};
  govern::Permit permit = *std::move(before.permit);
  auto answer = co_await call->target.provider->complete(ctx, std::move(permit), std::move(ask));
  if (answer.error) {
    co_return *std::move(answer.error);
  }
  auto after = guard.ask(ctx, govern::GuardPoint::post_model_call, call->after(answer.output));
  call->decisions.push_back(after.decision);
  if (!after.allowed()) {
    co_return after.to_error();
  }
  carried = detail::carry_out(after.decision, nullptr);
  if (!carried.ok()) {
    co_return std::move(carried).error();
  }
  co_return answer;
}

}  // namespace aios::gateway
