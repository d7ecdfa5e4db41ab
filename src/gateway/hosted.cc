// SPDX-License-Identifier: Apache-2.0
#include "gateway/hosted.h"

#include "core/text.h"
#include "gateway/detail/call.h"
#include "govern/opening.h"
#include "observe/metric_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace aios::gateway {
namespace {

constexpr int page_no_secret = 809;

/// The server's trouble, not ours: a secret that is missing says nothing about it.
bool is_trouble(const ProviderReply& reply) {
  const bool silent = reply.error && (reply.error->code() == Code::unavailable ||
                                      reply.error->code() == Code::deadline_exceeded);
  return silent && reply.error->page() != page_no_secret;
}

/// What a vendor calls its model stands in clear in leaves, so it must be a name and no text.
std::string name_in_clear(const std::string& version) {
  constexpr std::size_t longest = 64;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._:/-").find(c) != std::string_view::npos;
  };
  return version.size() <= longest && std::all_of(version.begin(), version.end(), fits)
             ? version
             : "(no name)";
}

/// One hosted model with its provider and what is known of its server's health.
struct Loaded {
  Loaded(HostedModel given, std::unique_ptr<Provider> made)
      : model(std::move(given)),
        provider(std::move(made)),
        breaker_(model.breaker) {}
  const HostedModel model;
  const std::unique_ptr<Provider> provider;

  /// Nothing: go ahead, then report(). Else how long to stay away.
  std::optional<Duration> blocked(Instant now) {
    const std::lock_guard lock(mutex_);
    if (now < not_before_) {
      return not_before_ - now;
    }
    return breaker_.blocked(now);
  }
  /// The same, and nobody's turn as the probe is taken.
  std::optional<Duration> would_block(Instant now) {
    const std::lock_guard lock(mutex_);
    runtime::Breaker as_it_is = breaker_;
    return now < not_before_ ? std::optional(not_before_ - now) : as_it_is.blocked(now);
  }
  /// @return whether it was the probe of an open breaker
  bool report(const ProviderReply& reply, Instant now) {
    const std::lock_guard lock(mutex_);
    const bool probing = breaker_.state() == runtime::Breaker::State::half_open;
    if (is_trouble(reply) || (probing && reply.error && reply.error->code() == Code::cancelled)) {
      breaker_.failure(now);
    } else {
      breaker_.success();  // it answered, whatever it said
    }
    if (reply.error && reply.error->retry_after()) {
      not_before_ = std::max(not_before_, now + *reply.error->retry_after());
    }
    return probing;
  }

 private:
  std::mutex mutex_;
  runtime::Breaker breaker_;
  Instant not_before_{0};
};
using ByAlias = std::map<std::string, std::shared_ptr<Loaded>, std::less<>>;

/// The server is away and nothing is to be paid: the caller may wait for it, as for a
/// business system that is down.
bool is_away(const ProviderReply& reply, bool probing) {
  const bool may_pass =
      reply.outcome == Outcome::failed && reply.error && reply.error->retry() != Retry::never;
  return may_pass && (!reply.sent || reply.error->retry_after() || probing);
}

std::string_view word_of(const ProviderReply& reply) {
  if (!reply.sent) {
    return "not_sent";
  }
  if (reply.error && reply.error->code() == Code::policy_denied) {
    return "refused";
  }
  return name_of(reply.outcome);
}

}  // namespace

struct Admitted::State {
  std::shared_ptr<Loaded> loaded;
  detail::Call call;
  govern::Permit permit;
  Json input;
  govern::Reservation reservation;
};

struct Hosted::Impl {
  explicit Impl(HostedServices given) : services(std::move(given)) {
    if (services.providers.entries().empty()) {
      register_all_providers(services.providers);
    }
  }
  HostedServices services;
  mutable std::mutex mutex;
  std::map<TenantId, ByAlias> tenants;

  std::shared_ptr<Loaded> of(const TenantId& tenant, std::string_view alias) const {
    const std::lock_guard lock(mutex);
    const auto models = tenants.find(tenant);
    if (models == tenants.end()) {
      return nullptr;
    }
    const auto found = models->second.find(alias);
    return found == models->second.end() ? nullptr : found->second;
  }
  Result<std::unique_ptr<Provider>> make(const TenantId& tenant, const HostedModel& model) const;
  Result<govern::Reserving> reserve(const Context& ctx, const HostedModel& model,
                                    std::string_view workflow, std::int64_t most_nano) const;
  enum class Turn : std::uint8_t { look, take };
  std::optional<Error> kept_away(Loaded& loaded, Turn turn) const;
  void pay(const Admitted::State& state, const ProviderReply& reply, HostedReply* out) const;
  void count(const HostedModel& model, std::string_view outcome) const {
    services.metrics
        ->counter(observe::metric("aios_model_calls"), {model.alias, std::string(outcome)})
        .add();
  }
};

Hosted::Hosted(HostedServices services) : impl_(std::make_unique<Impl>(std::move(services))) {}
Hosted::~Hosted() = default;

Result<std::unique_ptr<Provider>> Hosted::Impl::make(const TenantId& tenant,
                                                     const HostedModel& model) const {
  ProviderServices provider;
  provider.client = services.client;
  provider.secret = [source = services.secret, tenant](std::string_view name) {
    return source(tenant, name);
  };
  for (const ProviderEntry& entry : services.providers.entries()) {
    if (entry.name == model.provider) {
      return entry.make(provider, model.options);
    }
  }
  return Error(Code::invalid_argument,
               fmt::format("no provider is named '{}'", excerpt(model.provider, 40)))
      .page(803);
}

Staged Hosted::stage(const TenantId& tenant, const std::vector<HostedModel>& models) {
  auto fresh = std::make_shared<ByAlias>();
  Staged out;
  for (const HostedModel& model : models) {
    auto made = impl_->make(tenant, model);
    if (!made.ok()) {
      out.errors.push_back(
          std::move(made).error().with(fmt::format("loading model '{}'", model.alias)));
      continue;
    }
    const bool added =
        fresh->emplace(model.alias, std::make_shared<Loaded>(model, std::move(*made))).second;
    if (!added) {
      out.errors.push_back(
          Error(Code::invalid_argument, fmt::format("two models are named '{}'", model.alias))
              .page(803));
    }
  }
  if (out.errors.empty()) {
    out.put = [this, tenant, fresh] {
      const std::lock_guard lock(impl_->mutex);
      impl_->tenants[tenant].swap(*fresh);
    };
  }
  return out;
}

Result<void> Hosted::load(const TenantId& tenant, const std::vector<HostedModel>& models) {
  Staged staged = stage(tenant, models);
  if (!staged.errors.empty()) {
    return std::move(staged.errors.front());
  }
  staged.put();
  return {};
}

Result<void> Hosted::check(const HostedModel& model) {
  const Impl nothing{HostedServices()};
  auto made = nothing.make(default_tenant(), model);
  return made.ok() ? Result<void>() : Result<void>(std::move(made).error());
}

std::vector<Error> Hosted::missing_secrets(const TenantId& tenant) const {
  std::vector<std::shared_ptr<Loaded>> all;
  {
    const std::lock_guard lock(impl_->mutex);
    if (const auto models = impl_->tenants.find(tenant); models != impl_->tenants.end()) {
      for (const auto& [alias, loaded] : models->second) {
        all.push_back(loaded);
      }
    }
  }
  std::vector<Error> missing;
  for (const auto& loaded : all) {
    if (auto ready = loaded->provider->ready(); !ready.ok()) {
      missing.push_back(
          std::move(ready).error().with(fmt::format("asking model '{}'", loaded->model.alias)));
    }
  }
  return missing;
}

std::shared_ptr<const HostedModel> Hosted::find(const TenantId& tenant,
                                                std::string_view alias) const {
  auto loaded = impl_->of(tenant, alias);
  return loaded ? std::shared_ptr<const HostedModel>(loaded, &loaded->model) : nullptr;
}

govern::Refusable<Admitted> Hosted::admit(const Context& given, InferRequest request,
                                          std::string_view workflow) const {
  auto loaded = impl_->of(given.tenant, request.alias);
  if (!loaded) {
    return Error(Code::not_found,
                 fmt::format("no hosted model is named '{}'", excerpt(request.alias, 60)))
        .page(705);
  }
  auto content = detail::look_at(request.input);
  auto served = loaded->provider->resolve(given, request.alias);
  if (!content.ok() || !served.ok()) {
    return content.ok() ? std::move(served).error() : std::move(content).error();
  }
  const Context ctx = content->personal.empty() ? given : given.with_label(DataLabel::personal);
  Json input = request.input;
  detail::Call call{std::move(request),
                    std::move(*content),
                    {loaded->provider.get(), served->first, served->second},
                    {}};
  const Time now = impl_->services.clock->now();
  const auto refuse = [&](Error error) {
    impl_->count(loaded->model, "refused");
    return govern::Refusal{
        std::move(error).with(fmt::format("asking model '{}'", loaded->model.alias)),
        {call.leaf(ctx, now, govern::LeafKind::model_intent, "refused", Json())}};
  };
  auto ruling = impl_->services.guard->ask(ctx, govern::GuardPoint::pre_model_call, call.before());
  call.decisions.push_back(ruling.decision);
  if (!ruling.allowed()) {
    return refuse(ruling.to_error());
  }
  auto carried = detail::carry_out(ruling.decision, &input);
  if (!carried.ok()) {
    return refuse(std::move(carried).error());
  }
  if (auto blocked = impl_->kept_away(*loaded, Impl::Turn::look)) {
    impl_->count(loaded->model, "blocked");
    Admitted out;
    out.blocked = std::move(blocked);
    return out;
  }
  const std::int64_t most_nano = loaded->model.price.cost_nano(loaded->provider->bound(input));
  auto payment = impl_->reserve(ctx, loaded->model, workflow, most_nano);
  if (!payment.ok()) {
    return refuse(std::move(payment).error());
  }
  Admitted out;
  call.more = {{"currency", loaded->model.price.currency}, {"reserved_nano", most_nano}};
  call.contents["input"] = govern::content_of(input);  // as the vendor gets it
  out.intent = call.leaf(ctx, now, govern::LeafKind::model_intent, "admitted", Json());
  out.unpaid = call.leaf(ctx, now, govern::LeafKind::model_intent, "over_budget", Json());
  out.payment = std::move(*payment);
  out.state = std::make_shared<Admitted::State>(
      Admitted::State{std::move(loaded), std::move(call), *std::move(ruling.permit),
                      std::move(input), out.payment.reservation});
  return out;
}

/// What costs nothing needs no budget.
Result<govern::Reserving> Hosted::Impl::reserve(const Context& ctx, const HostedModel& model,
                                                std::string_view workflow,
                                                std::int64_t most_nano) const {
  auto reserving = services.budgets->reserve(ctx.tenant, workflow, model.price.currency, most_nano,
                                             services.clock->now());
  if (reserving.ok() || most_nano > 0) {
    return reserving;
  }
  govern::Reserving nothing;
  nothing.reservation.currency = model.price.currency;
  return nothing;
}

/// Why it would not be asked now: the breaker is open, the server wants to be left alone, or there
/// is no secret.
std::optional<Error> Hosted::Impl::kept_away(Loaded& loaded, Turn turn) const {
  if (auto ready = loaded.provider->ready(); !ready.ok()) {
    return std::move(ready).error().with(fmt::format("asking model '{}'", loaded.model.alias));
  }
  const Instant now = services.clock->instant();
  const auto pause = turn == Turn::take ? loaded.blocked(now) : loaded.would_block(now);
  if (!pause) {
    return std::nullopt;
  }
  return Error(Code::unavailable,
               fmt::format("model '{}' is not to be asked yet", loaded.model.alias),
               Retry::same_call)
      .page(810)
      .after(*pause);
}

/// Usage to money; what is not known is the whole reservation.
void Hosted::Impl::pay(const Admitted::State& state, const ProviderReply& reply,
                       HostedReply* out) const {
  const HostedModel& model = state.loaded->model;
  out->estimated = !reply.usage && reply.outcome != Outcome::failed;
  if (reply.usage) {
    out->spent_nano = model.price.cost_nano(*reply.usage);
  } else if (out->estimated) {
    out->spent_nano = state.reservation.amount_nano;
  }
  services.metrics
      ->counter(observe::metric("aios_model_cost_nano"), {model.alias, model.price.currency})
      .add(static_cast<std::uint64_t>(out->spent_nano));
  for (const auto& [direction, tokens] :
       {std::pair("input", reply.usage.value_or(Usage()).input_tokens),
        std::pair("output", reply.usage.value_or(Usage()).output_tokens)}) {
    services.metrics->counter(observe::metric("aios_model_tokens"), {model.alias, direction})
        .add(tokens);
  }
}

Task<HostedReply> Hosted::perform(Context ctx, Admitted admitted) const {
  const auto state = std::move(admitted.state);
  Loaded& loaded = *state->loaded;
  HostedReply out;
  detail::Call& call = state->call;
  call.contents.clear();
  if (auto error = impl_->kept_away(loaded, Impl::Turn::take)) {
    impl_->count(loaded.model, "blocked");
    out.outcome = Outcome::failed;
    out.blocked = true;
    out.error = std::move(error);
    out.leaf = call.leaf(ctx, impl_->services.clock->now(), govern::LeafKind::model_call, "blocked",
                         Json());
    co_return out;
  }
  const Context limited = ctx.until(impl_->services.clock->instant() + loaded.model.timeout);
  ProviderCall ask{loaded.model.alias, call.target.model, call.target.version,
                   std::move(state->input)};
  auto reply =
      co_await loaded.provider->complete(limited, std::move(state->permit), std::move(ask));
  const bool probing = loaded.report(reply, impl_->services.clock->instant());
  out.spared = is_away(reply, probing);
  impl_->pay(*state, reply, &out);
  if (reply.outcome == Outcome::done) {
    call.contents["output"] = govern::content_of(reply.output);  // also where policy keeps it back
    auto after = impl_->services.guard->ask(ctx, govern::GuardPoint::post_model_call,
                                            call.after(reply.output));
    call.decisions.push_back(after.decision);
    auto carried = detail::carry_out(after.decision, nullptr);
    if (!after.allowed() || !carried.ok()) {
      reply.outcome = Outcome::failed;
      reply.error = after.allowed() ? std::move(carried).error() : after.to_error();
    }
  }
  call.more["spent_nano"] = out.spent_nano;
  call.more["estimated"] = out.estimated;
  call.more["served"] = name_in_clear(reply.version);
  const bool done = reply.outcome == Outcome::done;
  out.leaf = call.leaf(ctx, impl_->services.clock->now(), govern::LeafKind::model_call,
                       word_of(reply), done ? reply.output : Json());
  impl_->count(loaded.model, word_of(reply));
  out.outcome = reply.outcome;
  out.error = std::move(reply.error);
  if (done) {
    out.output = std::move(reply.output);
    out.output.get_object()["cost"] = JsonObject{{"currency", loaded.model.price.currency},
                                                 {"nano", out.spent_nano},
                                                 {"estimated", out.estimated}};
  }
  co_return out;
}

}  // namespace aios::gateway
