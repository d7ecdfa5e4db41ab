// SPDX-License-Identifier: Apache-2.0
// prepare, perform, lookup: one attempt each.
#include "connectors/connectors.h"
#include "connectors/detail/egress.h"
#include "connectors/detail/impl.h"
#include "govern/audit.h"
#include "govern/opening.h"
#include "observe/metric_table.h"

#include <fmt/format.h>

namespace aios::connectors {

namespace {

constexpr Duration pause_default = std::chrono::milliseconds(100);
constexpr int page_not_declared = 1062;

govern::LeafFacts leaf_facts(const OperationInfo& info, const OperationCall& call,
                             govern::LeafKind kind, std::string_view outcome) {
  govern::LeafFacts facts(kind);
  facts.stream = call.run_id;
  facts.step = call.step;
  facts.outcome = outcome;
  facts.facts["connector"] = info.connector;
  facts.facts["operation"] = info.operation;
  facts.facts["region"] = info.region;
  facts.facts["effect"] = std::string(name_of(info.effect));
  facts.facts["effect_id"] = call.effect_id;
  facts.facts["attempt"] = call.attempt;
  return facts;
}

Result<void> check_arguments(const OperationInfo& info, const Json& arguments) {
  if (!arguments.is_object()) {
    return Error(Code::invalid_argument,
                 fmt::format("found a {} as arguments, wanted an object", type_name(arguments)))
        .page(902);
  }
  if (!info.checker) {
    return {};
  }
  auto valid = info.checker->validate(arguments);
  if (!valid.ok()) {
    return Error(Code::invalid_argument, valid.error().message()).page(902);
  }
  return {};
}

/// Whether the arguments as policy lets them through can be sent.
Result<void> check_fit(const Connector& connector, const OperationInfo& info,
                       const govern::Decision& decision, const OperationCall& call,
                       const Json& arguments) {
  auto valid = check_arguments(info, arguments);
  if (!valid.ok() || !detail::demands_masking(decision)) {
    return valid;
  }
  OperationCall masked = call;
  masked.arguments = arguments;
  return connector.rehearse(decision, masked);
}

Performed failed(Error error) {
  Performed performed;
  performed.outcome = Outcome::failed;
  performed.error = std::move(error);
  return performed;
}

/// What a leaf says of what went out and came back.
void add_exchange(const Error* error, const std::string& request, const std::string& answer,
                  govern::LeafFacts* leaf) {
  if (error != nullptr) {
    leaf->facts["code"] = std::string(name_of(error->code()));
  }
  if (!request.empty()) {
    leaf->contents["request"] = request;
  }
  if (!answer.empty()) {
    leaf->contents["answer"] = answer;
  }
}

/// Says when to ask again.
Error passing(Error error) {
  return error.retry_after() ? std::move(error) : std::move(error).after(pause_default);
}

}  // namespace

void Connectors::Impl::count(const OperationInfo& info, std::string_view outcome, Duration took) {
  metrics
      .counter(observe::metric("aios_connector_attempts"),
               {info.connector, info.operation, std::string(outcome)})
      .add();
  if (took.count() > 0) {
    metrics
        .histogram(observe::metric("aios_connector_attempt_seconds"),
                   observe::latency_bounds_seconds(), {info.connector})
        .observe(std::chrono::duration<double>(took).count());
  }
}

void Connectors::Impl::leave(const TenantId& tenant, const std::string& connector,
                             detail::Loaded& loaded, Outcome outcome, const Error* error) {
  if (!loaded.gate.leave(detail::health_of(outcome, error), clock)) {
    return;
  }
  std::lock_guard lock(mutex);
  if (recovered) {
    recovered(tenant, connector);
  }
}

/// A call to where nobody said that calls may go: no policy is asked, and the log says it.
govern::Refusal Connectors::Impl::undeclared(const Context& ctx, const OperationCall& call,
                                             Error error) {
  OperationInfo info;
  info.connector = call.connector;
  info.operation = std::string(text_or(call.arguments, "method", call.operation));
  auto leaf = leaf_facts(info, call, govern::LeafKind::effect_intent, "refused");
  leaf.contents["arguments"] = govern::content_of(call.arguments);
  return govern::Refusal{std::move(error), {govern::make_leaf(ctx, clock.now(), leaf)}};
}

Task<govern::Refusable<Prepared>> Connectors::prepare(Context ctx, OperationCall call) {
  const std::string doing =
      fmt::format("preparing operation '{}' of connector '{}'", call.operation, call.connector);
  auto found = impl_->find(ctx.tenant, call.connector, call.operation);
  if (!found.ok() && found.error().page() == page_not_declared) {
    co_return impl_->undeclared(ctx, call, std::move(found).error());
  }
  if (!found.ok()) {
    co_return std::move(found).error();
  }
  const OperationInfo& info = *found->info;
  if (call.arguments.is_null()) {
    call.arguments = JsonObject();
  }
  auto valid = check_arguments(info, call.arguments);
  if (!valid.ok()) {
    co_return std::move(valid).error().with(doing);
  }
  auto facts = detail::egress_facts(info, call);
  if (!facts.ok()) {
    co_return std::move(facts).error().with(doing);
  }
  auto ruling = impl_->guard.ask(ctx, govern::GuardPoint::connector_egress, std::move(*facts));
  auto arguments = detail::carry_out(ruling.decision, call.arguments);
  const Connector& connector = *found->loaded->connector;
  Result<void> fit = arguments.ok() ? check_fit(connector, info, ruling.decision, call, *arguments)
                                    : Result<void>(std::move(arguments).error());
  const bool admitted = ruling.allowed() && fit.ok();
  const bool asks = call.purpose == Purpose::lookup;
  if (!admitted) {
    auto leaf = leaf_facts(info, call,
                           asks ? govern::LeafKind::effect_lookup : govern::LeafKind::effect_intent,
                           "refused");
    leaf.decisions.push_back(ruling.decision);
    leaf.contents["arguments"] = govern::content_of(call.arguments);
    impl_->count(info, "refused", Duration(0));
    auto error = ruling.allowed() ? std::move(fit).error() : ruling.to_error();
    co_return govern::Refusal{std::move(error).with(doing),
                              {govern::make_leaf(ctx, impl_->clock.now(), leaf)}};
  }
  call.arguments = arguments->is_null() ? Json(JsonObject()) : std::move(*arguments);
  Prepared prepared{.permit = std::move(*ruling.permit),
                    .info = info,
                    .call = std::move(call),
                    .connector = found->loaded};
  auto ready = asks ? Result<void>() : impl_->can_begin(ctx.tenant, *found->loaded, prepared.call);
  if (!ready.ok()) {
    impl_->count(info, "blocked", Duration(0));
    prepared.blocked = passing(std::move(ready).error());
  } else if (!asks) {
    auto leaf = leaf_facts(info, prepared.call, govern::LeafKind::effect_intent, "admitted");
    leaf.decisions.push_back(ruling.decision);
    leaf.contents["arguments"] = govern::content_of(prepared.call.arguments);
    prepared.intent = govern::make_leaf(ctx, impl_->clock.now(), leaf);
  }
  co_return prepared;
}

Result<void> Connectors::Impl::can_begin(const TenantId& tenant, const detail::Loaded& loaded,
                                         const OperationCall& call) const {
  auto secrets_there = has_secrets(tenant, loaded.connector->secrets_of(call));
  return secrets_there.ok() ? loaded.gate.admits(clock) : secrets_there;
}

Task<Result<detail::Gate::Pass>> Connectors::Impl::begin(Context ctx,
                                                         std::shared_ptr<detail::Loaded> loaded,
                                                         std::vector<std::string> needed) {
  auto secrets_there = has_secrets(ctx.tenant, needed);
  if (!secrets_there.ok()) {
    co_return std::move(secrets_there).error();
  }
  auto entering = loaded->gate.enter(std::move(ctx), clock);
  auto entered = co_await std::move(entering);
  co_return entered;
}

Task<Performed> Connectors::perform(Context ctx, Prepared prepared) {
  auto leaf = leaf_facts(prepared.info, prepared.call, govern::LeafKind::effect_outcome, "failed");
  leaf.facts["decision"] = prepared.permit.decision().id;
  const auto loaded = std::move(prepared.connector);
  auto there = impl_->in_place(ctx.tenant, prepared.info);
  if (!there.ok()) {
    auto gone = failed(std::move(there).error());
    gone.blocked = gone.error->retry() != Retry::never;
    leaf.outcome = gone.blocked ? "blocked" : "failed";
    gone.leaf = govern::make_leaf(ctx, impl_->clock.now(), leaf);
    co_return gone;
  }
  auto beginning = impl_->begin(ctx, loaded, loaded->connector->secrets_of(prepared.call));
  auto entered = co_await std::move(beginning);
  if (!entered.ok()) {
    impl_->count(prepared.info, "blocked", Duration(0));
    leaf.outcome = "blocked";
    auto turned_away = failed(passing(std::move(entered).error()));
    turned_away.blocked = true;
    turned_away.leaf = govern::make_leaf(ctx, impl_->clock.now(), leaf);
    co_return turned_away;
  }
  const Instant begun = impl_->clock.instant();
  Context attempt = ctx.until(begun + prepared.info.timeout);
  auto performing = loaded->connector->perform(std::move(attempt), std::move(prepared.permit),
                                               std::move(prepared.call));
  auto performed = co_await std::move(performing);
  impl_->leave(ctx.tenant, prepared.info.connector, *loaded, performed.outcome,
               performed.error ? &*performed.error : nullptr);
  const bool may_pass = performed.error && performed.error->retry() != Retry::never;
  performed.spared =
      performed.outcome == Outcome::failed && may_pass &&
      (performed.spared || performed.request.empty() || *entered == detail::Gate::Pass::probe);
  leaf.outcome = name_of(performed.outcome);
  add_exchange(performed.error ? &*performed.error : nullptr, performed.request, performed.answer,
               &leaf);
  performed.leaf = govern::make_leaf(ctx, impl_->clock.now(), leaf);
  impl_->count(prepared.info, leaf.outcome, impl_->clock.instant() - begun);
  co_return performed;
}

Task<LookedUp> Connectors::lookup(Context ctx, Prepared prepared) {
  LookedUp looked_up;
  const auto loaded = std::move(prepared.connector);
  auto there = impl_->in_place(ctx.tenant, prepared.info);
  if (!there.ok()) {
    looked_up.error = std::move(there).error();
    co_return looked_up;
  }
  auto beginning = impl_->begin(ctx, loaded, loaded->connector->secrets_of(prepared.call));
  auto entered = co_await std::move(beginning);
  if (!entered.ok()) {
    looked_up.error = std::move(entered).error();
    co_return looked_up;
  }
  auto leaf = leaf_facts(prepared.info, prepared.call, govern::LeafKind::effect_lookup, "failed");
  leaf.decisions.push_back(prepared.permit.decision());
  const Instant begun = impl_->clock.instant();
  Context attempt = ctx.until(begun + prepared.info.timeout);
  auto asking = loaded->connector->lookup(std::move(attempt), std::move(prepared.permit),
                                          std::move(prepared.call));
  looked_up = co_await std::move(asking);
  const Error* error = looked_up.error ? &*looked_up.error : nullptr;
  impl_->leave(ctx.tenant, prepared.info.connector, *loaded,
               error == nullptr ? Outcome::done : Outcome::failed, error);
  if (error == nullptr) {
    leaf.outcome = looked_up.result ? "found" : "absent";
  }
  add_exchange(error, looked_up.request, looked_up.answer, &leaf);
  looked_up.leaf = govern::make_leaf(ctx, impl_->clock.now(), leaf);
  impl_->count(prepared.info, error == nullptr ? "looked_up" : "lookup_failed",
               impl_->clock.instant() - begun);
  co_return looked_up;
}

}  // namespace aios::connectors
