// SPDX-License-Identifier: Apache-2.0
#include "ingress/outbox.h"

#include "ingress/test/inbox.h"
#include "runtime/task_group.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aios::ingress {
namespace {

using test::Inbox;

constexpr std::size_t items_max = 200;

TenantId tenant(std::string_view name) { return TenantId::parse(name).value(); }

/// Takes five seconds, for a start that waits as long.
class Slow final : public workflow::Function {
 public:
  Result<workflow::CallPlan> plan(const Context& /*ctx*/,
                                  const workflow::CallRequest& /*request*/) override {
    return workflow::CallPlan();
  }
  Task<workflow::CallOutcome> perform(Context ctx, workflow::PreparedCall /*prepared*/,
                                      workflow::CallRequest /*request*/) override {
    auto rested = co_await runtime::sleep_for(ctx, std::chrono::seconds(5));
    workflow::CallOutcome out;
    out.result = rested.ok();
    co_return out;
  }
};

workflow::FunctionEntry slow_function() {
  workflow::FunctionEntry slow;
  slow.name = "slow";
  slow.version = "1.0.0";
  slow.arguments_schema = slow.result_schema = "{}";
  slow.make = [](const workflow::FunctionServices&) -> std::unique_ptr<workflow::Function> {
    return std::make_unique<Slow>();
  };
  return slow;
}

struct Outbox : Inbox {
  Outbox() : Inbox({slow_function()}) {
    open_to(noisy);
    open_to(quiet);
  }
  /// As runs of the tenant do: `count` events, numbered from `first`.
  void emit(const TenantId& who, int first, int count, const std::string& type = "shop.order") {
    store::Transition out;
    out.tenant = who;
    out.epoch = store->epoch();
    for (int number = first; number < first + count; ++number) {
      JsonObject event{{"specversion", "1.0"},
                       {"id", fmt::format("{}", number)},
                       {"source", "/run"},
                       {"type", type}};
      out.outbox.push_back({"event", "run_1", {"", to_text(Json(std::move(event)))}});
      if (out.outbox.size() == items_max || number + 1 == first + count) {
        store::Transition next = out;
        next.outbox = std::exchange(out.outbox, {});
        REQUIRE(executor.run(store->commit(system_context(who, "test"), std::move(next))).ok());
      }
    }
  }
  std::uint64_t round() {
    auto taken = executor.run(outbox.round(system_context(default_tenant(), "test")));
    REQUIRE(taken.ok());
    return *taken;
  }
  /// Ids of the tenant's events, as they came in: each left a leaf.
  std::vector<std::string> received(const TenantId& who) {
    std::vector<std::string> out;
    const auto ctx = system_context(who, "test");
    auto leaves = executor.run(store->leaves(ctx, 0, 1'000));
    REQUIRE(leaves.ok());
    for (const auto& leaf : *leaves) {
      const Json said = parse_json(leaf).value();
      auto event = executor.run(ingress->get(ctx, std::string(text_or(said, "stream", ""))));
      REQUIRE(event.ok());
      out.emplace_back(text_or(event->at("event"), "id", ""));
    }
    return out;
  }
  std::size_t left() {
    auto rows = executor.run(store->outbox(system_context(default_tenant(), "test"), 0, 1'000));
    REQUIRE(rows.ok());
    return rows->size();
  }

  const TenantId noisy = tenant("noisy");
  const TenantId quiet = tenant("quiet");
  OutboxSource outbox{*store, *ingress, log};
};

TEST_CASE("outbox: one message behind two thousand of another tenant comes in the first round") {
  Outbox desk;
  desk.emit(desk.noisy, 0, 2'000);
  desk.emit(desk.quiet, 0, 1);
  CHECK(desk.round() == OutboxSource::turn_messages_max + 1);
  CHECK(desk.received(desk.quiet).size() == 1);
  CHECK(desk.received(desk.noisy).size() == OutboxSource::turn_messages_max);
}

TEST_CASE("outbox: an event from outside takes no id from what a run emits") {
  Outbox desk;
  auto taken = event_from_envelope(
      {{"specversion", "1.0"}, {"id", "0"}, {"source", "/run"}, {"type", "shop.order"}});
  const auto ctx = system_context(desk.quiet, "test");
  REQUIRE(desk.executor.run(desk.ingress->accept(ctx, std::move(*taken), 100)).ok());
  desk.emit(desk.quiet, 0, 1);
  CHECK(desk.round() == 1);
  CHECK(desk.received(desk.quiet) == std::vector<std::string>{"0", "0"});
}

/// Takes a message from the outbox, as a delivery does; refuses while `full`.
Task<Result<void>> take_out(store::Store* store, bool* full, std::vector<std::string>* taken,
                            Context ctx, store::OutboxRow row) {
  if (*full) {
    co_return Error(Code::resource_exhausted, "no room", Retry::same_call);
  }
  taken->push_back(row.topic);
  store::Transition done;
  done.tenant = row.tenant;
  done.epoch = store->epoch();
  done.outbox_done = {row.id};
  auto committed = co_await store->commit(std::move(ctx), std::move(done));
  co_return committed.ok() ? Result<void>() : Result<void>(committed.error());
}

/// Whether a run takes it; the store cannot say so while it is not `readable`.
Task<Result<bool>> takes_both(bool* readable, std::string type) {
  if (!*readable) {
    co_return Error(Code::unavailable, "the store cannot be read", Retry::same_call);
  }
  co_return type == "both";
}

TEST_CASE("outbox: what leaves is handed on, and is no dead letter where no workflow takes it") {
  Outbox desk;
  bool full = true;
  bool readable = true;
  std::vector<std::string> taken;
  desk.outbox.hand_on(
      {.subscribed = [](const TenantId&, const Event& event) { return event.type != "inside"; },
       .wanted = [&](Context, std::string type) { return takes_both(&readable, std::move(type)); },
       .take =
           [&](Context ctx, store::OutboxRow row) {
             return take_out(desk.store.get(), &full, &taken, std::move(ctx), std::move(row));
           }});
  desk.emit(desk.quiet, 0, 1, "outside");
  desk.emit(desk.quiet, 1, 1, "both");
  desk.emit(desk.quiet, 2, 1, "inside");
  desk.round();
  CHECK(desk.left() == 3);  // none overtakes the one that cannot be taken now
  CHECK(desk.received(desk.quiet).empty());
  full = false;
  readable = false;
  desk.executor.advance(std::chrono::seconds(1));
  desk.round();
  CHECK(desk.left() == 3);  // nor one of which nobody can say where to
  CHECK(taken.empty());
  readable = true;
  desk.executor.advance(std::chrono::seconds(1));
  desk.round();
  CHECK(desk.left() == 0);
  CHECK(taken.size() == 2);
  CHECK(desk.received(desk.quiet) == std::vector<std::string>{"1", "2"});
}

TEST_CASE("outbox: while there is more, nothing is waited for, and a tenant's order is kept") {
  Outbox desk;
  desk.emit(desk.noisy, 0, 900);
  auto ctx = system_context(default_tenant(), "test");
  ctx.cancel = std::make_shared<CancelState>();
  runtime::TaskGroup group(desk.executor);
  group.spawn(desk.outbox.run(ctx));
  desk.executor.advance(std::chrono::milliseconds(150));
  CHECK(desk.left() == 0);
  const auto ids = desk.received(desk.noisy);
  REQUIRE(ids.size() == 900);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    CHECK(ids[i] == fmt::format("{}", i));
  }
  desk.emit(desk.noisy, 900, 1);
  desk.executor.advance(std::chrono::milliseconds(200));
  CHECK(desk.left() == 0);
  ctx.cancel->cancel();
  desk.executor.run(group.join());
}

TEST_CASE("outbox: a tenant that takes no events now waits alone, and then gets all in order") {
  Outbox desk;
  desk.held = desk.noisy;
  desk.emit(desk.noisy, 0, 40);
  desk.emit(desk.quiet, 0, 40);
  CHECK(desk.round() == 32);
  CHECK(desk.round() == 8);
  CHECK(desk.received(desk.quiet).size() == 40);
  CHECK(desk.received(desk.noisy).empty());
  CHECK(desk.lines.size() < 5);  // it is not asked again at each round
  desk.held.reset();
  desk.executor.advance(std::chrono::seconds(1));
  CHECK(desk.round() == 32);
  CHECK(desk.round() == 8);
  const auto ids = desk.received(desk.noisy);
  REQUIRE(ids.size() == 40);
  CHECK(ids.front() == "0");
  CHECK(ids.back() == "39");
  CHECK(desk.left() == 0);
}

Task<void> one_round(OutboxSource* outbox, Context ctx, std::optional<std::uint64_t>* taken) {
  auto done = co_await outbox->round(std::move(ctx));
  *taken = done.ok() ? *done : 0;
}

TEST_CASE("outbox: slow events of one tenant do not hold up another in the same round") {
  Outbox desk;
  REQUIRE(desk.engine
              ->install(desk.noisy,
                        {{"w.yaml",
                          "document: {dsl: 1.0.3, namespace: shop, name: order, version: 1.0.0}\n"
                          "schedule: {on: {one: {with: {type: shop.slow}}}}\n"
                          "do:\n  - a: {call: 'slow:1.0.0@default'}\n"}})
              .empty());
  desk.emit(desk.noisy, 0, 3, "shop.slow");
  desk.emit(desk.quiet, 0, 20);
  runtime::TaskGroup group(desk.executor);
  std::optional<std::uint64_t> taken;
  group.spawn(one_round(&desk.outbox, system_context(default_tenant(), "test"), &taken));
  desk.executor.advance(std::chrono::seconds(1));
  CHECK(desk.received(desk.quiet).size() == 20);
  CHECK_FALSE(taken.has_value());
  desk.executor.run(group.join());
  CHECK(taken == 21);  // and one slow one: its turn was over
}

}  // namespace
}  // namespace aios::ingress
