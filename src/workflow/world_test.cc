// SPDX-License-Identifier: Apache-2.0
#include "workflow/test/world.h"

#include "core/text.h"
#include "runtime/one_shot.h"
#include "store/test/forwarding.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow::test {
namespace {

EffectClass class_of(std::string_view name) {
  for (const auto effect : {EffectClass::local, EffectClass::read, EffectClass::key,
                            EffectClass::lookup, EffectClass::none}) {
    if (name_of(effect) == name) {
      return effect;
    }
  }
  return EffectClass::none;
}

Error is_open() {
  return Error(Code::unavailable, "the breaker is open", Retry::same_call)
      .after(std::chrono::milliseconds(300));
}

Error not_taken() {
  return Error(Code::unauthenticated, "secret 'token' is not taken: the system answered 401",
               Retry::same_call)
      .page(911)
      .after(std::chrono::seconds(5));
}

Error lost() { return Error(Code::unavailable, "no answer came", Retry::same_call); }

struct Inside {
  explicit Inside(OutsideSystem& system) : system_(system) {
    system_.inside_max = std::max(system_.inside_max, ++system_.inside);
  }
  ~Inside() { --system_.inside; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  OutsideSystem& system_;
};

class SystemFunction final : public Function {
 public:
  explicit SystemFunction(OutsideSystem& system) : system_(system) {}

  Result<CallPlan> plan(const Context& /*ctx*/, const CallRequest& request) override {
    if (system_.away) {
      return Error(Code::not_found, "there is no system");
    }
    CallPlan plan;
    plan.effect = class_of(text_or(request.arguments, "class", "none"));
    plan.backoff.retries_max = OutsideSystem::retries_max;
    plan.timeout = std::chrono::seconds(2);
    plan.settle = std::chrono::seconds(30);
    plan.peer = "system";
    plan.origin = system_.origin;
    plan.names_effect = system_.names_effect;
    return plan;
  }

  Result<JsonObject> check_result(const Context& /*ctx*/, const CallRequest& /*request*/,
                                  const Json& result) override {
    if (!system_.strict || !text_or(result, "effect", "").empty()) {
      return JsonObject{{"connector", "system"}, {"operation", "act"}, {"result", result}};
    }
    return Error(Code::invalid_argument, "at /: 'effect' is missing").page(1020);
  }

  Task<govern::Refusable<PreparedCall>> prepare(Context /*ctx*/, CallRequest request) override {
    if (system_.deny) {
      ++system_.denied;
      co_return govern::Refusal{Error(Code::policy_denied, "the guard says no"),
                                {{"refused " + request.effect_id}}};
    }
    PreparedCall out;
    if (request.purpose == connectors::Purpose::lookup) {
      co_return out;
    }
    if (const auto hook = std::exchange(system_.on_prepare, nullptr)) {
      hook();
    }
    out.place =
        PreparedCall::Place{class_of(text_or(request.arguments, "class", "none")), system_.origin};
    if (system_.turn_away > 0) {
      --system_.turn_away;
      out.blocked = is_open();
      co_return out;
    }
    out.intent.push_back({"intent " + request.effect_id});
    co_return out;
  }

  Task<CallOutcome> perform(Context ctx, PreparedCall /*prepared*/, CallRequest request) override {
    const auto effect = class_of(text_or(request.arguments, "class", "none"));
    CallOutcome out;
    const auto behaviour = system_.next();
    if (behaviour == Behaviour::block) {
      out.outcome = Outcome::failed;
      out.blocked = true;
      out.error = is_open();
      out.leaves.push_back({"blocked " + request.effect_id});
      co_return out;
    }
    ++system_.requests;
    const Inside inside(system_);
    const Context forever;
    auto rested = co_await runtime::sleep_for(forever, system_.latency);
    (void)rested;
    if (behaviour == Behaviour::fail_before || behaviour == Behaviour::refuse) {
      auto& failed = system_.failed[request.effect_id];
      failed = {effect, failed.times + 1};
      out.outcome = Outcome::failed;
      out.error = behaviour == Behaviour::refuse
                      ? Error(Code::failed_precondition, "refused for good")
                      : lost();
    } else if (behaviour == Behaviour::spare || behaviour == Behaviour::deny) {
      out.outcome = Outcome::failed;
      out.spared = true;
      out.error = behaviour == Behaviour::deny ? not_taken() : lost();
    } else if (behaviour == Behaviour::late || behaviour == Behaviour::crawl) {
      const auto after = std::chrono::milliseconds(behaviour == Behaviour::late ? 1'900 : 4'000);
      system_.later(after, [&system = system_, request, effect] {
        system.apply(request.effect_id, effect, request.arguments);
      });
      out.outcome = Outcome::unknown;
      out.error = lost();
    } else if (behaviour == Behaviour::drop) {
      out.outcome = Outcome::unknown;
      out.error = lost();
    } else {
      out.result = system_.apply(request.effect_id, effect, request.arguments);
      if (behaviour != Behaviour::answer) {
        out.outcome = Outcome::unknown;
        out.error = lost();
      }
      if (behaviour == Behaviour::hang) {
        const runtime::OneShot<void> released;
        system_.hanging.push_back(released);
        auto waited = co_await released.wait(system_.deaf ? forever : ctx);
        (void)waited;
      }
    }
    out.leaves.push_back({"outcome " + request.effect_id});
    co_return out;
  }

  Task<LookupOutcome> lookup(Context /*ctx*/, PreparedCall /*prepared*/,
                             CallRequest request) override {
    ++system_.lookups;
    LookupOutcome out;
    out.leaves.push_back({"lookup " + request.effect_id});
    const auto found = system_.results.find(request.effect_id);
    if (system_.lookup_fails) {
      out.error = lost();
    } else if (found != system_.results.end()) {
      out.result = found->second;
    }
    co_return out;
  }

 private:
  OutsideSystem& system_;
};

/// A store whose commits wait for their disk.
class SlowStore final : public store::test::Forwarding {
 public:
  SlowStore(std::unique_ptr<store::Store> store, const Duration& takes)
      : Forwarding(std::move(store)),
        takes_(takes) {}
  Task<Result<store::Committed>> commit(Context ctx, store::Transition transition) override {
    if (takes_ > Duration(0)) {
      const Context forever;
      auto rested = co_await runtime::sleep_for(forever, takes_);
      (void)rested;
    }
    auto done = co_await Forwarding::commit(std::move(ctx), std::move(transition));
    co_return done;
  }

 private:
  const Duration& takes_;
};

}  // namespace

Behaviour OutsideSystem::next() {
  if (!script.empty()) {
    const auto first = script.front();
    script.pop_front();
    return first;
  }
  return chooser ? chooser() : Behaviour::answer;
}

Json OutsideSystem::apply(const std::string& effect_id, EffectClass effect, const Json& arguments) {
  const bool again = results.contains(effect_id);
  if (effect == EffectClass::key && again) {
    return results[effect_id];
  }
  ++done[effect_id];
  const auto value = int_or(arguments, "value", 0);
  results[effect_id] = JsonObject{{"effect", effect_id}, {"value", value}};
  return results[effect_id];
}

void OutsideSystem::release_hanging() {
  for (const auto& one : std::exchange(hanging, {})) {
    one.set(Result<void>());
  }
}

void register_system(FunctionRegistry& registry, OutsideSystem& system) {
  FunctionEntry entry;
  entry.name = "system";
  entry.version = "1.0.0";
  entry.summary = "An outside system that keeps count.";
  entry.arguments_schema = R"({"type": "object", "required": ["class"],
    "properties": {"class": {"type": "string"}, "value": {}}, "additionalProperties": false})";
  entry.result_schema = "{}";
  entry.make = [&system](const FunctionServices&) -> std::unique_ptr<Function> {
    return std::make_unique<SystemFunction>(system);
  };
  registry.add(std::move(entry));
}

World::World(std::uint64_t seed) : executor(seed) {
  const auto loaded = guard.load(
      default_tenant(),
      {{"policies/incidents.rego", "package aios.incident_settle\ndefault allow := true\n"}},
      JsonObject());
  AIOS_ASSERT(loaded.ok());
  services.functions.guard = &guard;
  register_system(registry, system);
  system.later = [this](Duration pause, std::function<void()> work) {
    executor.call_at(executor.clock().instant() + pause, std::move(work));
  };
  burials_ = std::make_unique<runtime::TaskGroup>(executor);
}

World::~World() {
  system.release_hanging();
  for (const auto& stalled : stalled_engines_) {
    executor.run(stalled->stop());
  }
  if (engine) {
    executor.run(engine->stop());
  }
  executor.run(burials_->join());
}

Context World::ctx() {
  auto out = system_context(default_tenant(), "test");
  return out;
}

void World::add_document(std::string text) {
  documents_.push_back({fmt::format("workflows/{}.yaml", documents_.size()), std::move(text)});
}

void World::replace_documents(std::vector<std::string> texts) {
  documents_.clear();
  for (auto& text : texts) {
    add_document(std::move(text));
  }
}

Result<std::unique_ptr<store::Store>> World::open() {
  if (open_store) {
    return open_store();
  }
  store::StoreOptions options;
  options.engine = "memory";
  return store::open_memory_store(options, disk, store::MemoryThreads::inline_,
                                  on_set_clock ? set_executor.clock() : executor.clock());
}

void World::start() {
  const auto started = try_start();
  if (!started.ok()) {
    fmt::print(stderr, "{}\n", started.error().text());
  }
  AIOS_ASSERT(started.ok());
}

Result<void> World::try_start() {
  auto opened = open();
  if (!opened.ok()) {
    return std::move(opened).error();
  }
  store = std::make_unique<SlowStore>(std::move(*opened), commit_takes);
  services.store = store.get();
  services.registry = &registry;
  services.shard_of = [this](std::string_view) -> runtime::Executor& {
    return on_set_clock ? static_cast<runtime::Executor&>(set_executor) : executor;
  };
  services.timers = &services.shard_of("");
  services.functions.clock = &executor.clock();
  if (with_reviews) {
    reviews_.push_back(
        std::make_unique<review::Reviews>(*store, guard, executor.clock(), executor.random()));
    services.functions.reviews = reviews_.back().get();
  }
  engine = std::make_unique<Engine>(services);
  for (const auto& tenant : tenants) {
    const auto errors = engine->install(tenant, documents_);
    for (const auto& error : errors) {
      fmt::print(stderr, "{}\n", error.text());
    }
    AIOS_ASSERT(errors.empty());
  }
  auto recovered = executor.run(engine->recover(ctx()));
  if (!recovered.ok()) {
    end_engine();
  }
  return recovered;
}

Task<void> World::bury(std::shared_ptr<Engine> engine) { co_await engine->stop(); }

void World::crash() {
  disk->crash();
  end_engine();
}

void World::stall() {
  bury_stalled();
  if (engine) {
    stalled_engines_.push_back(std::move(engine));
    dead_stores_.push_back(std::move(store));
  }
}

void World::end_engine() {
  stall();
  bury_stalled();
}

void World::bury_stalled() {
  for (auto& dead : std::exchange(stalled_engines_, {})) {
    burials_->spawn(bury(dead));
    dead_engines_.push_back(std::move(dead));
  }
}

std::string World::run_workflow(const std::string& name, Json input) {
  return run_workflow_of(default_tenant(), name, std::move(input));
}

std::string World::run_workflow_of(const TenantId& tenant, const std::string& name, Json input) {
  StartRequest request;
  request.workflow = name;
  request.input = std::move(input);
  auto id = executor.run(engine->start(system_context(tenant, "test"), std::move(request)));
  if (!id.ok()) {
    fmt::print(stderr, "{}\n", id.error().text());
  }
  AIOS_ASSERT(id.ok());
  return *id;
}

RunView World::view(const std::string& run_id) {
  auto found = executor.run(engine->get(ctx(), run_id));
  if (!found.ok()) {
    fmt::print(stderr, "{}\n", found.error().text());
  }
  AIOS_ASSERT(found.ok());
  return std::move(*found);
}

std::uint64_t World::count(const std::string& status) {
  store::ListQuery query;
  query.status = status;
  const auto found = executor.run(store->count(ctx(), std::move(query)));
  AIOS_ASSERT(found.ok());
  return *found;
}

RunView World::finish(const std::string& run_id, Duration longest) {
  auto limited = ctx().until(executor.clock().instant() + longest);
  auto ended = executor.run(engine->wait(limited, run_id));
  return ended.ok() ? std::move(*ended) : view(run_id);
}

}  // namespace aios::workflow::test
