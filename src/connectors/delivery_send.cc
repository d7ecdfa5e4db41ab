// SPDX-License-Identifier: Apache-2.0
// One try at a delivery.
#include "connectors/detail/delivery_impl.h"
#include "connectors/detail/egress.h"
#include "connectors/detail/http_answer.h"
#include "connectors/detail/webhook.h"
#include "core/failpoint.h"
#include "core/text.h"
#include "govern/audit.h"
#include "govern/opening.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace aios::connectors {
namespace {

using detail::Delivery;
using detail::PlaceName;
using detail::Tried;

constexpr Duration blocked_pause_min = std::chrono::milliseconds(100);
constexpr Duration dead_line_period = std::chrono::seconds(10);
constexpr std::size_t answer_bytes_max = std::size_t{64} << 10;
constexpr std::size_t error_characters_max = 300;
constexpr std::uint32_t doublings_max = 30;

std::optional<Duration> asked_pause(const net::Response& response) {
  const std::string_view text = trim(response.headers.get("retry-after"));
  std::uint32_t seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failed != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return std::chrono::seconds(seconds);
}

/// How long until the next try: doubled each time, and not for all at the same moment.
Duration pause_of(const detail::Receiver& receiver, std::uint32_t attempts,
                  std::optional<Duration> asked, runtime::Random& random) {
  Duration pause = receiver.first;
  for (std::uint32_t i = 1; i < std::min(attempts, doublings_max) && pause < receiver.most; ++i) {
    pause *= 2;
  }
  pause = std::min(pause, receiver.most);
  const auto half = static_cast<std::uint64_t>(pause.count() / 2);
  pause = Duration(static_cast<std::int64_t>(half + random.next() % (half + 1)));
  return std::max(pause, std::min(asked.value_or(Duration(0)), receiver.most));
}

}  // namespace

/// One try at a delivery.
struct Deliveries::Impl::Try {
  TenantId tenant;
  std::string id;
  std::uint64_t version = 0;
  Delivery delivery;
  std::shared_ptr<const detail::Receiver> receiver;
  std::string key;   ///< that signs
  std::string body;  ///< as policy lets it through
  std::optional<govern::Permit> permit;
  std::optional<Duration> asked_pause;
  std::vector<store::AuditLeaf> leaves;
  std::string request, answer;  ///< for the outcome's leaf

  const std::string& url() const {
    return delivery.kind == "callback" ? delivery.url : receiver->url;
  }
  OperationInfo info() const {
    OperationInfo out;
    out.connector = "delivery/" + delivery.receiver;
    out.operation = delivery.kind;
    out.region = receiver ? receiver->region : std::string();
    out.effect = EffectClass::key;
    return out;
  }
  net::ClientRequest make_request(Time now) {
    net::ClientRequest out;
    out.method = "POST";
    out.url = url();
    out.body = body;
    out.response_bytes_max = answer_bytes_max;
    const std::int64_t seconds = now.ns / 1'000'000'000;
    out.headers.add("content-type", "application/cloudevents+json; charset=utf-8");
    out.headers.add("user-agent", "aios");
    out.headers.add("webhook-id", id);
    out.headers.add("webhook-timestamp", std::to_string(seconds));
    out.headers.add("webhook-signature", detail::webhook_signature(key, id, seconds, body));
    request = detail::request_image(out);
    return out;
  }
  void add_leaf(const Context& ctx, Time now, govern::LeafFacts facts) {
    facts.stream = id;
    facts.facts["receiver"] = delivery.receiver;
    facts.facts["kind"] = delivery.kind;
    facts.facts["region"] = receiver ? receiver->region : std::string();
    facts.facts["run"] = delivery.run;
    auto leaf = govern::make_leaf(ctx, now, facts);
    delivery.openings.push_back(govern::opening_json(leaf));
    leaves.push_back(std::move(leaf));
  }
};

Task<Tried> Deliveries::Impl::attempt(Context ctx, PlaceName name,
                                      std::shared_ptr<detail::Place> at, std::string id) {
  runtime::Clock& clock = runtime::Executor::current()->clock();
  const Context own = detail::system_of(name.first);
  auto row = co_await services.store->stream(own, store::StreamKind::delivery, id);
  if (!row.ok()) {
    const bool gone = row.error().code() == Code::not_found;
    co_return Tried{gone, clock.now() + detail::store_pause};
  }
  if (row->status != detail::pending) {
    co_return Tried{};
  }
  Try one;
  one.tenant = name.first;
  one.id = id;
  one.version = row->version;
  auto read = detail::delivery_of(*row);
  if (row->erased || !read.ok()) {
    one.delivery.receiver = name.second;
    one.delivery.last_error = row->erased ? "the data subject was erased" : "it cannot be read";
    auto ending = finish(own, &one, detail::dead);
    const Tried tried = co_await std::move(ending);
    co_return tried;
  }
  one.delivery = std::move(*read);
  one.delivery.since = std::min(one.delivery.since, clock.now());  // else its clock was ahead
  one.receiver = receiver(one.tenant, one.delivery.receiver);
  Result<std::string> key =
      Error(Code::not_found, fmt::format("the bundle has no subscription '{}' that is sent to",
                                         one.delivery.receiver))
          .page(945);
  if (one.receiver && !one.url().empty()) {
    key = key_of(one.tenant, *one.receiver);
  }
  if (!key.ok()) {
    auto settling = settle(own, &one, std::move(key).error());
    const Tried tried = co_await std::move(settling);
    co_return tried;
  }
  one.key = std::move(*key);
  auto sending = send(std::move(ctx), std::move(at), &one);
  const Tried tried = co_await std::move(sending);
  co_return tried;
}

/// Asks the guard; what it says goes into `leaf`, what may leave into the try.
std::optional<Error> Deliveries::Impl::admit(const Context& ctx, Try* one,
                                             govern::LeafFacts* leaf) const {
  OperationCall call;
  call.arguments = one->delivery.envelope;
  call.run_id = one->delivery.run;
  leaf->contents["arguments"] = govern::content_of(call.arguments);
  auto facts = detail::egress_facts(one->info(), call);
  if (!facts.ok()) {
    return std::move(facts).error();
  }
  if (one->delivery.kind == "callback" && !one->receiver->allows_callback(one->url())) {
    return Error(Code::permission_denied, "its subscription allows callbacks there no more")
        .page(942);
  }
  auto ruling = services.guard->ask(ctx, govern::GuardPoint::connector_egress, std::move(*facts));
  leaf->decisions.push_back(ruling.decision);
  auto arguments = detail::carry_out(ruling.decision, call.arguments);
  if (!ruling.allowed()) {
    return ruling.to_error();
  }
  if (!arguments.ok()) {
    return std::move(arguments).error();
  }
  leaf->contents["arguments"] = govern::content_of(*arguments);
  one->permit = std::move(ruling.permit);
  one->body = to_text(*arguments);
  return std::nullopt;
}

/// Asks the guard, writes the intent before the first try, and sends.
Task<Tried> Deliveries::Impl::send(Context ctx, std::shared_ptr<detail::Place> at, Try* one) {
  runtime::Clock& clock = runtime::Executor::current()->clock();
  const Context own = detail::system_of(one->tenant);
  govern::LeafFacts leaf(govern::LeafKind::delivery_intent);
  leaf.outcome = "admitted";
  const auto refusal = admit(own, one, &leaf);
  if (refusal) {
    leaf.outcome = "refused";
    one->delivery.last_error = refusal->text().substr(0, error_characters_max);
    one->add_leaf(own, clock.now(), std::move(leaf));
    count("refused");
    auto ending = finish(own, one, detail::dead);
    const Tried tried = co_await std::move(ending);
    co_return tried;
  }
  const Time now = clock.now();
  auto room = at->gate.admits(clock);
  if (!room.ok()) {  // no intent for what is not tried
    co_return later(*at, room.error());
  }
  if (!one->delivery.intent) {
    one->delivery.intent = true;
    one->add_leaf(own, now, std::move(leaf));
    auto noting = finish(own, one, detail::pending);
    const Tried noted = co_await std::move(noting);
    if (noted.next > now) {
      co_return noted;  // the store has no room: nothing was sent
    }
  }
  auto entered = co_await at->gate.enter(ctx, clock);
  if (!entered.ok()) {
    co_return later(*at, entered.error());
  }
  auto posting = post(std::move(ctx), std::move(at), one);
  const Tried tried = co_await std::move(posting);
  co_return tried;
}

/// Of a receiver whose breaker is open: nobody tries before it may be probed.
Tried Deliveries::Impl::later(detail::Place& at, const Error& error) {
  at.not_before = runtime::Executor::current()->clock().now() +
                  std::max(error.retry_after().value_or(Duration(0)), blocked_pause_min);
  return {false, at.not_before};
}

/// With a place at the gate.
Task<Tried> Deliveries::Impl::post(Context ctx, std::shared_ptr<detail::Place> at, Try* one) {
  runtime::Clock& clock = runtime::Executor::current()->clock();
  const Context own = detail::system_of(one->tenant);
  auto fits = one->permit->check(own, govern::GuardPoint::connector_egress);
  AIOS_ASSERT(fits.ok());
  net::ClientRequest request = one->make_request(clock.now());
  Context attempt_ctx = own.until(clock.instant() + one->receiver->timeout);
  attempt_ctx.cancel = ctx.cancel;
  AIOS_FAILPOINT("delivery.before_send");
  auto response = co_await services.client->send(attempt_ctx, std::move(request));
  AIOS_FAILPOINT("delivery.after_send");
  if (!response.ok() && ctx.cancelled()) {
    // Whether it arrived is not known: it goes again after the start, under the same id.
    at->gate.leave(detail::Gate::Health::no_word, clock);
    co_return Tried{false, clock.now() + detail::store_pause};
  }
  ++one->delivery.attempts;
  one->delivery.last_at = clock.now();
  one->delivery.last_status = response.ok() ? response->status : 0;
  const bool in_trouble = !response.ok() || response->status >= 500 || response->status == 429;
  at->gate.leave(in_trouble ? detail::Gate::Health::bad : detail::Gate::Health::good, clock);
  if (!response.ok()) {
    auto settling = settle(own, one, std::move(response).error());
    const Tried tried = co_await std::move(settling);
    co_return tried;
  }
  one->answer = detail::answer_image(*response);
  if (response->status >= 200 && response->status < 300) {
    one->delivery.last_error.clear();
    count("delivered");
    auto ending = finish(own, one, detail::delivered);
    const Tried tried = co_await std::move(ending);
    co_return tried;
  }
  one->asked_pause = asked_pause(*response);
  const bool elsewhere = response->status >= 300 && response->status < 400;
  Error error(Code::unavailable,
              fmt::format("the receiver answered {}{}, wanted 2xx", response->status,
                          elsewhere ? ", and redirections are not followed" : ""));
  auto settling = settle(own, one, std::move(error).page(946));
  const Tried tried = co_await std::move(settling);
  co_return tried;
}

/// A try that did not deliver: again later, or a dead letter when its time is up.
Task<Tried> Deliveries::Impl::settle(Context ctx, Try* one, Error error) {
  runtime::Executor& executor = *runtime::Executor::current();
  const Time now = executor.clock().now();
  const detail::Receiver usual;
  const detail::Receiver& rules = one->receiver ? *one->receiver : usual;
  one->delivery.last_error = error.text().substr(0, error_characters_max);
  const std::uint32_t tries = std::max<std::uint32_t>(one->delivery.attempts, 1);
  one->delivery.next = now + pause_of(rules, tries, one->asked_pause, executor.random());
  const bool gone = one->delivery.last_status == 410 && !one->answer.empty();
  const bool ends = gone || one->delivery.next - one->delivery.since > rules.give_up_after;
  count(ends ? "dead" : "failed");
  auto ending = finish(std::move(ctx), one, ends ? detail::dead : detail::pending);
  const Tried tried = co_await std::move(ending);
  co_return tried;
}

/// Commits what is known now. A store that has no room is asked again later: what was sent is then
/// sent again.
Task<Tried> Deliveries::Impl::finish(Context ctx, Try* one, std::string_view status) {
  runtime::Clock& clock = runtime::Executor::current()->clock();
  const bool ended = status != detail::pending;
  if (ended && one->delivery.intent) {
    govern::LeafFacts leaf(govern::LeafKind::delivery_outcome);
    leaf.outcome = status;
    leaf.facts["attempts"] = std::int64_t{one->delivery.attempts};
    leaf.facts["status"] = std::int64_t{one->delivery.last_status};
    if (!one->request.empty()) {
      leaf.contents["request"] = one->request;
    }
    if (!one->answer.empty()) {
      leaf.contents["answer"] = one->answer;
    }
    one->add_leaf(ctx, clock.now(), std::move(leaf));
  }
  store::Transition transition;
  transition.tenant = one->tenant;
  transition.epoch = services.store->epoch();
  transition.streams.push_back(detail::write_of(one->id, one->version, one->delivery, status));
  transition.leaves = std::exchange(one->leaves, {});
  auto committed = co_await services.store->commit(ctx, std::move(transition));
  if (!committed.ok()) {
    if (services.log != nullptr) {
      services.log->error("delivery", committed.error(), &ctx);
    }
    co_return Tried{false, clock.now() + detail::store_pause};
  }
  ++one->version;
  if (status == detail::dead) {
    tell_dead(ctx, *one);
  }
  co_return Tried{ended, one->delivery.next};
}

/// One line in ten seconds: a receiver that is down for long leaves many.
void Deliveries::Impl::tell_dead(const Context& ctx, const Try& one) {
  ++dead_untold;
  const Instant now = runtime::Executor::current()->clock().instant();
  if (services.log == nullptr || (told_at && now - *told_at < dead_line_period)) {
    return;
  }
  told_at = now;
  services.log->write(observe::Level::warn, "delivery",
                      "deliveries became dead letters: 'aios deliveries list --status dead'",
                      {{"deliveries", std::exchange(dead_untold, 0)},
                       {"last", one.id},
                       {"receiver", one.delivery.receiver},
                       {"why", one.delivery.last_error}},
                      &ctx);
}

}  // namespace aios::connectors
