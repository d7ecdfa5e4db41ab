// SPDX-License-Identifier: Apache-2.0
#include "simulation.h"

#include "audit.h"
#include "documents.h"
#include "watched.h"
#include "workflow/test/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

namespace aios::sim {
namespace {

using workflow::RunView;
using workflow::test::Behaviour;
using workflow::test::World;

constexpr std::uint64_t runs_max = 12;
constexpr std::uint64_t rounds = 60;
constexpr std::uint64_t events_max = 10;
constexpr std::int64_t purse_limit_nano = 300;
constexpr int starts_max = 20;
constexpr const char* purse = "purse";

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ull + 1) {}
  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool chance(std::uint64_t percent) { return below(100) < percent; }

 private:
  std::uint64_t state_;
};

/// An event as ingress takes it in: kept beside its entry in the inbox, then given to who listens.
struct Sent {
  TenantId tenant;
  std::string id;
  Json event;
  bool acked = false;
};

struct Client {
  TenantId tenant;
  std::string run_id;
  std::string path;
  std::int64_t value = 0;
  std::string key;  ///< of whoever asked with it, one gets his run; empty: none
  bool acked = false;
  bool again_acked = false;  ///< a second start of the same run
};

/// What the clients of one tenant know of their common money.
struct Purse {
  TenantId tenant;
  std::vector<std::uint64_t> told;  ///< messages that are to be crossed out
  std::uint64_t spent = 0, too_much = 0;
};

/// Nothing more can be learnt from this seed.
struct Hopeless : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, Kind kind)
      : dice_(seed),
        disk_(make_disk(kind, seed)),
        ledger_([this](std::string what) { violate(std::move(what)); }),
        audit_([this](std::string what) { violate(std::move(what)); }),
        world_(seed),
        clients_(world_.executor) {
    report_.seed = seed;
    world_.tenants = {default_tenant(), *TenantId::parse("other")};
    for (const auto& tenant : world_.tenants) {
      purses_.push_back(std::make_unique<Purse>());
      purses_.back()->tenant = tenant;
      AIOS_ASSERT(
          world_.guard.load(tenant, {{"policies/p.rego", "package p\n"}}, JsonObject()).ok());
    }
    world_.add_document(ticket);
    world_.add_document(payment);
    world_.system.latency = std::chrono::milliseconds(20);
    world_.system.chooser = [this] { return behaviour(); };
    world_.open_store = [this] { return open(); };
  }

  Report run() {
    try {
      live();
    } catch (const Hopeless& end) {
      violate(end.what());
      disk_->crash();
      world_.executor.run(clients_.join());
    }
    report_.transitions = ledger_.transitions();
    report_.in_doubt = ledger_.in_doubt();
    report_.survived = ledger_.survived();
    report_.files = disk_->count();
    return report_;
  }

 private:
  void live() {
    start();
    for (std::uint64_t round = 0; round < rounds; ++round) {
      act();
      step(dice_.below(40));
    }
    faults_ = false;
    disk_->set_full(false);
    world_.system.deny = false;
    world_.system.release_hanging();
    crash(Successor::after_the_end);  // whoever was thought dead is, and the ledger is compared
    settle();
    crash(Successor::after_the_end);
    check();
  }

  /// The disk may fail at any call of the simulated server's, which ends it.
  void step(std::uint64_t count) {
    if (faults_ && dice_.chance(20)) {
      disk_->threaten(dice_.next());
    }
    for (std::uint64_t i = 0; i < count && !disk_->ended(); ++i) {
      world_.executor.step();
    }
    disk_->calm();
    if (disk_->ended()) {
      ++report_.cut;
      crash(Successor::after_the_end);
    }
  }

  Behaviour behaviour() {
    if (!faults_ || dice_.chance(55)) {
      return Behaviour::answer;
    }
    constexpr Behaviour bad[] = {Behaviour::lose_reply, Behaviour::drop, Behaviour::fail_before,
                                 Behaviour::block,      Behaviour::late, Behaviour::crawl,
                                 Behaviour::spare};
    return bad[dice_.below(std::size(bad))];
  }

  void act() {
    const auto what = dice_.below(100);
    if (what < 30 && requests_.size() < runs_max) {
      begin_run();
    } else if (what < 42) {
      crash(dice_.chance(25) ? Successor::too_early : Successor::after_the_end);
    } else if (what < 46) {
      disk_->set_full(dice_.chance(50));
    } else if (what < 56) {
      world_.executor.advance(std::chrono::milliseconds(dice_.below(3'000)));
    } else if (what < 60) {
      resolve_incidents();
    } else if (what < 66) {
      be_slow();
    } else if (what < 80 && !requests_.empty() && events_.size() < events_max) {
      send_event(*requests_[dice_.below(requests_.size())]);
    } else if (what < 88) {
      spend();
    } else if (what < 91) {
      audit_.fold(*world_.store, world_.executor, world_.tenants);
    }
  }

  Context of(const TenantId& tenant) const { return system_context(tenant, "test"); }

  /// Of a run's or an effect's id.
  TenantId tenant_of(const std::string& id) const {
    const auto owner = id.substr(0, id.find('-'));
    for (const auto& client : requests_) {
      if (client->run_id == owner) {
        return client->tenant;
      }
    }
    return default_tenant();
  }

  RunView seen(const std::string& run_id) {
    auto found = world_.executor.run(world_.engine->get(of(tenant_of(run_id)), run_id));
    if (!found.ok()) {
      throw Hopeless(fmt::format("[durable] {} cannot be read: {}", run_id, found.error().text()));
    }
    return std::move(*found);
  }

  JsonArray history(const std::string& run_id) {
    auto found = world_.executor.run(world_.engine->history(of(tenant_of(run_id)), run_id));
    return found.ok() ? std::move(found->get_array()) : JsonArray();
  }

  /// Everybody spends the same money at the same time: who comes second is to be told so.
  void spend() {
    Purse& one = *purses_[dice_.below(purses_.size())];
    const auto together = 1 + dice_.below(3);
    for (std::uint64_t i = 0; i < together; ++i) {
      const auto amount = static_cast<std::int64_t>(dice_.below(400)) - 100;
      clients_.spawn(move_money(&world_, &one, amount));
    }
  }

  static Task<void> move_money(World* world, Purse* one, std::int64_t amount_nano) {
    auto ctx = system_context(one->tenant, "test");
    auto row = co_await world->store->stream(ctx, store::StreamKind::source_place, purse);
    if (!row.ok() && row.error().code() != Code::not_found) {
      co_return;
    }
    const std::string text = fmt::format("{} of {}", amount_nano, one->tenant.text());
    const auto now = world->executor.clock().now();
    store::Transition transition;
    transition.tenant = one->tenant;
    transition.epoch = world->store->epoch();
    store::StreamWrite write;
    write.kind = store::StreamKind::source_place;
    write.id = purse;
    write.expected_version = row.ok() ? row->version : 0;
    write.state = store::Payload{"", text};
    write.status = "open";
    write.label = purse;
    write.history.push_back({1, now, store::Payload{"", text}});
    transition.streams.push_back(std::move(write));
    transition.budgets.push_back({purse, amount_nano, purse_limit_nano});
    transition.outbox.push_back({"sim", purse, store::Payload{"", text}});
    transition.outbox_done = std::exchange(one->told, {});
    transition.leaves.push_back({"money " + text});
    auto committed = co_await world->store->commit(ctx, std::move(transition));
    if (committed.ok()) {
      ++one->spent;
      one->told = committed->outbox_ids;
    } else if (committed.error().code() == Code::budget_exceeded) {
      ++one->too_much;
    }
  }

  static Task<void> give(World* world, Sent* sent) {
    auto ctx = system_context(sent->tenant, "test");
    store::Transition transition;
    transition.tenant = sent->tenant;
    transition.epoch = world->store->epoch();
    store::StreamWrite entry;
    entry.kind = store::StreamKind::event;
    entry.id = sent->id;
    entry.state = store::Payload{"", "{}"};
    entry.status = "accepted";
    entry.label = "sim.reply";
    entry.end = store::StreamEnd::closed;
    transition.streams.push_back(std::move(entry));
    transition.streams.push_back(workflow::Engine::keep(
        sent->id, sent->event, workflow::KeptBeside::nothing, world->executor.clock().now()));
    auto committed = co_await world->store->commit(ctx, std::move(transition));
    sent->acked = committed.ok();
    if (committed.ok()) {
      Json event = sent->event;
      auto given = co_await world->engine->deliver(ctx, sent->id, std::move(event));
      (void)given;  // what nobody was given now is found by who listens later
    }
  }

  void send_event(const Client& client) {
    auto sent = std::make_unique<Sent>();
    sent->tenant = client.tenant;
    if (faults_ && dice_.chance(15)) {  // another tenant's: the run must not hear of it
      sent->tenant = world_.tenants[client.tenant == world_.tenants[0] ? 1 : 0];
    }
    sent->id = fmt::format("evt_{:04}", events_.size());
    sent->event = JsonObject{{"specversion", "1.0"},
                             {"id", sent->id},
                             {"source", "/sim"},
                             {"type", "sim.reply"},
                             {"subject", fmt::format("{}", client.value)},
                             {"data", {{"value", client.value}}}};
    clients_.spawn(give(&world_, sent.get()));
    events_.push_back(std::move(sent));
  }

  /// The disk takes longer over some commits than a look-up's window is long.
  void be_slow() {
    world_.commit_takes = std::chrono::seconds(30 + dice_.below(30));
    step(dice_.below(20));
    world_.commit_takes = Duration(0);
  }

  static Task<void> ask(World* world, Client* client, workflow::StartRequest request, bool* acked) {
    auto ctx = system_context(client->tenant, "test");
    auto started = co_await world->engine->start(ctx, std::move(request));
    *acked = started.ok();
  }

  Client* new_client(const std::string& path, std::int64_t value, const TenantId& tenant) {
    auto client = std::make_unique<Client>();
    client->tenant = tenant;
    client->run_id = fmt::format("run_{:04}", requests_.size());
    client->path = path;
    client->value = value;
    requests_.push_back(std::move(client));
    ++report_.started;
    return requests_.back().get();
  }

  workflow::StartRequest request_of(const Client& client, std::uint64_t pause) {
    workflow::StartRequest request;
    request.workflow = "sim/ticket";
    request.run_id = client.run_id;
    request.input = JsonObject{{"path", client.path}, {"value", client.value}, {"pause", pause}};
    if (!client.key.empty()) {
      request.with.keys.push_back({"sim", client.key, "the same", client.run_id});
    }
    return request;
  }

  /// Some ask twice at once: for the same run, or for two that name one key.
  void begin_run() {
    constexpr const char* paths[] = {"key",  "lookup", "none", "none",
                                     "fork", "child",  "for",  "listen"};
    const char* path = paths[dice_.below(std::size(paths))];
    const auto value = static_cast<std::int64_t>(dice_.below(1'000'000));
    const auto pause = dice_.chance(30) ? dice_.below(30) : 0;
    const auto& tenant = world_.tenants[dice_.chance(35) ? 1 : 0];
    Client* const client = new_client(path, value, tenant);
    const bool rivals = dice_.chance(30);
    if (rivals) {
      client->key = fmt::format("key of {}", client->run_id);
    }
    clients_.spawn(ask(&world_, client, request_of(*client, pause), &client->acked));
    if (rivals) {
      Client* const other = new_client(path, value, tenant);
      other->key = client->key;
      clients_.spawn(ask(&world_, other, request_of(*other, pause), &other->acked));
      ++report_.rivals;
    } else if (dice_.chance(15)) {
      clients_.spawn(ask(&world_, client, request_of(*client, pause), &client->again_acked));
    }
  }

  Result<std::unique_ptr<store::Store>> open() {
    auto opened = disk_->open(world_.executor.clock());
    if (!opened.ok()) {
      return opened;
    }
    ledger_.opened((*opened)->epoch());
    ledger_.compare(**opened, world_.executor);
    auto watched = std::make_unique<Watched>(*std::move(opened), ledger_);
    watched_ = watched.get();
    return std::unique_ptr<store::Store>(std::move(watched));
  }

  /// Also when the disk fails while it starts.
  void start() {
    for (int tries = 0; tries < starts_max; ++tries) {
      if (faults_ && dice_.chance(15)) {
        disk_->threaten(dice_.next());
      }
      const auto started = world_.try_start();
      disk_->calm();
      if (started.ok() && !disk_->ended()) {
        audit_.open();
        return;
      }
      if (!disk_->ended()) {
        throw Hopeless("[opens] after a crash the server does not start: " +
                       started.error().text());
      }
      disk_->crash();
      if (started.ok()) {
        world_.crash();
      }
      ++report_.crashes;
      ++report_.cut;
    }
    throw Hopeless("[opens] the server does not start");
  }

  /// When the next server comes: the one before has ended, or is only thought to have.
  enum class Successor : std::uint8_t { after_the_end, too_early };

  void crash(Successor successor) {
    // The engine that dies is asked nothing any more: its clients get their errors first.
    disk_->crash();
    world_.executor.run(clients_.join());
    Watched* const before = watched_;
    if (successor == Successor::too_early) {
      world_.stall();
      ++report_.takeovers;
    } else {
      world_.crash();
    }
    if (faults_ && dice_.chance(30)) {
      world_.executor.advance(std::chrono::seconds(dice_.below(5)));
    }
    start();
    if (successor == Successor::too_early) {
      before->outlive(*watched_);
    }
    ++report_.crashes;
    check_wake_ups();
  }

  std::vector<store::StreamRow> rows() {
    std::vector<store::StreamRow> out;
    for (const auto& tenant : world_.tenants) {
      store::ListQuery query;
      query.tenant = tenant;
      query.limit = 1'000;
      auto found = world_.executor.run(world_.store->list(of(tenant), query));
      if (!found.ok()) {
        throw Hopeless("[durable] runs cannot be listed: " + found.error().text());
      }
      for (auto& row : *found) {
        if (tenant_of(row.id) != tenant) {
          throw Hopeless(fmt::format("[tenant] {} of {} is among those of {}", row.id,
                                     tenant_of(row.id).text(), tenant.text()));
        }
        out.push_back(std::move(row));
      }
    }
    return out;
  }

  void violate(std::string what) { report_.violations.push_back(std::move(what)); }

  /// Every live run has exactly one durable reason to go on.
  void check_wake_ups() {
    for (const auto& row : rows()) {
      if (row.end == store::StreamEnd::closed) {
        continue;
      }
      const auto view = seen(row.id);
      const auto now = world_.executor.run(
          world_.store->stream(of(tenant_of(row.id)), store::StreamKind::run, row.id));
      if (!now.ok() || now->version != row.version) {
        continue;  // it went on between the two looks
      }
      const bool person =
          view.waiting_for.starts_with("incident") || view.waiting_for.starts_with("review");
      const bool live = view.status == "running" || view.status == "waiting";
      if (live && person == row.wake_at.has_value()) {
        violate(fmt::format("[wake-up] {} ({}) waits for '{}' and has {} wake-up time", row.id,
                            view.status, view.waiting_for, row.wake_at ? "a" : "no"));
      }
    }
  }

  /// A person who looks into the outside system and says what he sees. Of a notice he says now and
  /// then that he does not know: its document tries it again.
  void resolve_incidents() {
    for (const auto& row : rows()) {
      if (row.status != "waiting") {
        continue;
      }
      const auto view = seen(row.id);
      if (!view.waiting_for.starts_with("incident")) {
        continue;
      }
      world_.executor.advance(std::chrono::seconds(5));  // whatever was late has arrived by then
      const auto why = world_.executor.run(world_.engine->explain(of(tenant_of(row.id)), row.id));
      const auto mark = why.ok() ? why->find("effect " + row.id) : std::string::npos;
      if (mark == std::string::npos) {
        continue;
      }
      const auto effect = why->substr(mark + 7, why->find(',', mark) - mark - 7);
      const auto result = world_.system.results.find(effect);
      const bool happened = result != world_.system.results.end();
      const bool unsure = path_of(row.id) == "none" && dice_.chance(40);
      const char* word = happened ? "happened" : "retry";
      auto done = world_.executor.run(
          world_.engine->resolve_incident(of(tenant_of(row.id)), row.id,
                                          {.incident = view.incident,
                                           .word = unsure ? "fail" : word,
                                           .result = happened ? result->second : Json()}));
      report_.incidents += done.ok() ? 1 : 0;
    }
  }

  std::string path_of(const std::string& run_id) const {
    for (const auto& client : requests_) {
      if (client->run_id == run_id) {
        return client->path;
      }
    }
    return "";
  }

  /// Without faults everything must come to its end.
  void settle() {
    world_.executor.run(clients_.join());
    for (int i = 0; i < 200 && !all_ended(); ++i) {
      world_.executor.advance(std::chrono::minutes(15));
      resolve_incidents();
      answer_listeners();
    }
    world_.executor.run(clients_.join());
    world_.executor.advance(std::chrono::hours(2));  // no kept event's time is longer
  }

  /// Who still listens when the faults are over gets an answer.
  void answer_listeners() {
    for (const auto& row : rows()) {
      if (row.status != "waiting" || !seen(row.id).waiting_for.starts_with("event")) {
        continue;
      }
      for (const auto& client : requests_) {
        if (client->run_id == row.id) {
          send_event(*client);
        }
      }
    }
    world_.executor.run(clients_.join());
  }

  bool all_ended() {
    const auto all = rows();
    return std::all_of(all.begin(), all.end(), [](const store::StreamRow& row) {
      return row.end == store::StreamEnd::closed;
    });
  }

  void check() {
    std::map<std::string, store::StreamRow> found;
    for (auto& row : rows()) {
      found.emplace(row.id, row);
    }
    for (const auto& [id, row] : found) {
      const auto parent = seen(id).parent;
      if (!parent.empty() && !found.contains(parent)) {
        violate(fmt::format("[durable] {} is a child of {}, which is gone", id, parent));
      }
      if (!parent.empty() && row.end != store::StreamEnd::closed) {
        violate(fmt::format("[stuck] {}, a child: {}", id, row.status));
      }
      check_timers(id);
    }
    for (const auto& client : requests_) {
      check_start(*client, found);
    }
    for (const auto& [effect, times] : world_.system.done) {
      check_effect(effect, times);
    }
    check_leaves();
    check_events(found);
    for (const auto& one : purses_) {
      report_.spent += one->spent;
      report_.too_much += one->too_much;
    }
    report_.requests = static_cast<std::uint64_t>(world_.system.requests);
    report_.lookups = static_cast<std::uint64_t>(world_.system.lookups);
  }

  void check_start(const Client& client, const std::map<std::string, store::StreamRow>& found) {
    report_.acked += client.acked ? 1 : 0;
    if (client.acked && client.again_acked) {
      violate(fmt::format("[version] {} was started twice", client.run_id));
    }
    for (const auto& other : requests_) {
      const bool both = found.contains(client.run_id) && found.contains(other->run_id);
      if (!client.key.empty() && other->key == client.key && other->run_id > client.run_id &&
          both) {
        violate(
            fmt::format("[key] {} and {} were started with one key", client.run_id, other->run_id));
      }
    }
    for (const auto& tenant : world_.tenants) {
      const auto seen = world_.executor.run(world_.engine->get(of(tenant), client.run_id));
      if (seen.ok() && tenant != client.tenant) {
        violate(fmt::format("[tenant] {} can be seen by {}", client.run_id, tenant.text()));
      }
    }
    const auto row = found.find(client.run_id);
    if (row != found.end()) {
      check_run(client, row->second);
    } else if (client.acked || client.again_acked) {
      violate(fmt::format("[durable] {} was acknowledged and is gone", client.run_id));
    }
  }

  /// What waits for a time goes on then, and not before.
  void check_timers(const std::string& id) {
    std::optional<Time> until;
    for (const auto& line : history(id)) {
      const auto at = parse_rfc3339(text_or(line, "time", ""));
      if (until && at.ok() && *at < *until && text_or(line, "type", "") != "cancelled") {
        violate(fmt::format("[timer] {} was to wait until {} and went on at {}", id,
                            to_rfc3339(*until), to_rfc3339(*at)));
      }
      until.reset();
      const auto* data = find(line, "data");
      if (text_or(line, "type", "") == "parked" && data != nullptr &&
          text_or(*data, "reason", "") == "timer") {
        const auto wake_at = parse_rfc3339(text_or(*data, "wake_at", ""));
        until = wake_at.ok() ? std::optional<Time>(*wake_at) : std::nullopt;
        report_.timers += until ? 1 : 0;
      }
    }
  }

  /// A case may: its tries are bounded in time and number, and the outside system was silent. Every
  /// other run only when of one of its effects no try was left, and none had done anything.
  bool may_fault(const Client& client, const RunView& view) {
    const auto status = int_or(view.error, "status", 0);
    if (client.path == "lookup" && status == 408) {
      return true;
    }
    const auto& failed = world_.system.failed;
    return status == 503 && std::any_of(failed.begin(), failed.end(), [&](const auto& one) {
             return one.first.starts_with(client.run_id + "-") && tried_in_vain(one.first);
           });
  }

  /// By the system's own word; where it can be asked, a try that nobody answered is settled by
  /// that, and only the last one must have failed.
  bool tried_in_vain(const std::string& effect) {
    constexpr int retries = workflow::test::OutsideSystem::retries_max;
    const auto& failed = world_.system.failed.at(effect);
    const int least = failed.effect == EffectClass::lookup ? 1 : retries + 1;
    std::int64_t tries = 0;
    for (const auto& line : history(effect.substr(0, effect.rfind('-')))) {
      const auto* data = find(line, "data");
      if (data != nullptr && text_or(*data, "effect", "") == effect &&
          text_or(*data, "outcome", "") == "failed") {
        tries = int_or(*data, "attempt", 0);
      }
    }
    return tries > retries && failed.times >= least && world_.system.done[effect] == 0;
  }

  void check_run(const Client& client, const store::StreamRow& row) {
    const auto view = seen(client.run_id);
    report_.completed += view.status == "completed" ? 1 : 0;
    report_.faulted += view.status == "faulted" ? 1 : 0;
    if (view.status == "faulted" && !may_fault(client, view)) {
      violate(
          fmt::format("[faulted] {} ({}): {}", client.run_id, client.path, to_text(view.error)));
    }
    if (row.end != store::StreamEnd::closed) {
      violate(fmt::format("[stuck] {}: {} {}", client.run_id, view.status, view.waiting_for));
      return;
    }
    if (view.status == "completed") {
      const auto effect = std::string(text_or(view.output, "effect", ""));
      const auto value = int_or(view.output, "value", -1);
      if (world_.system.done[effect] != 1 || value != client.value) {
        violate(fmt::format("[effects] {}: '{}' happened {} times, value {} for {}", client.run_id,
                            effect, world_.system.done[effect], value, client.value));
      }
    }
    check_acts(client, view);
    std::int64_t last = 0;
    for (const auto& event : history(client.run_id)) {
      const auto version = int_or(event, "version", 0);
      if (version != last && version != last + 1) {
        violate(fmt::format("[history] {}: it jumps from {} to {}", client.run_id, last, version));
      }
      last = version;
    }
    if (static_cast<std::uint64_t>(last) != row.version) {
      violate(fmt::format("[history] {}: it ends at {}, the run at {}", client.run_id, last,
                          row.version));
    }
  }

  /// Which runs say that they were given an event, once for each time.
  std::map<std::string, std::vector<std::string>> receipts(
      const std::map<std::string, store::StreamRow>& runs) {
    std::map<std::string, std::vector<std::string>> out;
    for (const auto& [id, row] : runs) {
      for (const auto& line : history(id)) {
        if (text_or(line, "type", "") == "event_received") {
          const auto* data = find(line, "data");
          out[std::string(text_or(data == nullptr ? line : *data, "event", ""))].push_back(id);
        }
      }
    }
    return out;
  }

  /// Each event was given to one run that listened, and says so, or is a dead letter; never both.
  void check_events(const std::map<std::string, store::StreamRow>& runs) {
    const auto given = receipts(runs);
    for (const auto& sent : events_) {
      const auto entry = world_.executor.run(
          world_.store->stream(of(sent->tenant), store::StreamKind::event, sent->id));
      const auto found = given.find(sent->id);
      const std::size_t times = found == given.end() ? 0 : found->second.size();
      if (!entry.ok()) {
        if (sent->acked || times != 0) {
          violate(fmt::format("[durable] {} was taken in and is gone", sent->id));
        }
        continue;
      }
      const auto fate = world_.executor.run(world_.engine->fate(of(sent->tenant), sent->id));
      const bool dead = entry->status == "dead_letter";
      const std::string run = fate.ok() ? fate->run : "nobody knows";
      const bool right =
          times == 1 ? !dead && run == found->second.front() : times == 0 && dead && run.empty();
      if (!right) {
        violate(fmt::format("[events] {} was given {} times, is {} and went to '{}'", sent->id,
                            times, entry->status, run));
      }
      if (times > 0 && tenant_of(found->second.front()) != sent->tenant) {
        violate(fmt::format("[tenant] {} of {} was given to {}", sent->id, sent->tenant.text(),
                            found->second.front()));
      }
      ++report_.events;
      report_.delivered += times;
    }
  }

  /// Each turn of a loop acted once, a case or a notice at most once, however often it was tried.
  void check_acts(const Client& client, const RunView& view) {
    std::size_t acts = 0;
    for (const auto& [effect, times] : world_.system.done) {
      acts += effect.starts_with(client.run_id + "-") && effect != client.run_id + "-1" ? 1 : 0;
    }
    const bool turns = view.status == "completed" && client.path == "for";
    const bool once = client.path == "lookup" || client.path == "none";
    if ((turns && acts != 3) || (once && acts > 1)) {
      violate(fmt::format("[effects] {} ({}) acted {} times", client.run_id, client.path, acts));
    }
  }

  void check_effect(const std::string& effect, int times) {
    const auto owner = effect.substr(0, effect.find('-'));
    for (const auto& client : requests_) {
      if (client->run_id != owner || times <= 1) {
        continue;
      }
      if (effect != owner + "-1") {  // the first call of a ticket is the read, which may repeat
        violate(fmt::format("[effects] {}: {} effect {} happened {} times", owner, client->path,
                            effect, times));
      }
    }
  }

  /// Each tenant's log can be verified, and names its own runs alone.
  void check_leaves() {
    audit_.fold(*world_.store, world_.executor, world_.tenants);
    for (const auto& tenant : world_.tenants) {
      report_.signed_leaves += audit_.verify(tenant);
      for (std::uint64_t seen = 0;;) {
        const auto part = world_.executor.run(world_.store->leaves(of(tenant), seen, 500));
        if (!part.ok() || part->empty()) {
          report_.leaves += seen;
          break;
        }
        for (const auto& leaf : *part) {
          const auto at = leaf.find("run_");
          if (at != std::string::npos && tenant_of(leaf.substr(at, 8)) != tenant) {
            violate(
                fmt::format("[tenant] a leaf of {} names {}", tenant.text(), leaf.substr(at, 8)));
          }
        }
        seen += part->size();
      }
    }
  }

  Dice dice_;
  Report report_;
  std::unique_ptr<Disk> disk_;  // outlives every store
  Ledger ledger_;
  Audit audit_;
  World world_;
  Watched* watched_ = nullptr;  // of the server that was started last; the world owns it
  runtime::TaskGroup clients_;
  std::vector<std::unique_ptr<Client>> requests_;
  std::vector<std::unique_ptr<Sent>> events_;
  std::vector<std::unique_ptr<Purse>> purses_;
  bool faults_ = true;
};

}  // namespace

Report simulate(std::uint64_t seed, Kind kind) { return Simulation(seed, kind).run(); }

}  // namespace aios::sim
