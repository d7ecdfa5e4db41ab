// SPDX-License-Identifier: Apache-2.0
#include "simulation.h"

#include "workflow/test/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace aios::sim {
namespace {

using workflow::RunView;
using workflow::test::Behaviour;
using workflow::test::World;

constexpr std::uint64_t runs_max = 12;
constexpr std::uint64_t rounds = 60;
constexpr std::uint64_t events_max = 10;

// One ticket: look up, decide, act by one of three classes, in branches, in a run of its own, in a
// loop or once an answer has come, tell the customer.
constexpr const char* ticket = R"(
document: {dsl: '1.0.3', namespace: sim, name: ticket, version: '1.0.0'}
input:
  schema: {format: json, document: {type: object, required: [path, value]}}
do:
  - remember: {set: {path: '${ .path }', value: '${ .value }', pause: '${ .pause }'}, export: {as: .}}
  - find:
      try:
        - look: {call: 'system:1.0.0@default', with: {class: read, value: '${ .value }'}}
      catch: {do: [{nothing: {set: {value: 0}}}]}
  - rest: {if: '${ $context.pause > 0 }', wait: '${ "PT\($context.pause)S" }'}
  - choose:
      switch:
        - pay: {when: '${ $context.path == "key" }', then: refund}
        - open: {when: '${ $context.path == "lookup" }', then: case}
        - split: {when: '${ $context.path == "fork" }', then: both}
        - hand: {when: '${ $context.path == "child" }', then: other}
        - turns: {when: '${ $context.path == "for" }', then: each}
        - hear: {when: '${ $context.path == "listen" }', then: reply}
        - else: {then: notice}
  - refund:
      call: system:1.0.0@default
      with: {class: key, value: '${ $context.value }'}
      then: finish
  - case:
      try:
        - open:
            timeout: {after: PT4S}
            call: system:1.0.0@default
            with: {class: lookup, value: '${ $context.value }'}
      catch:
        retry: {delay: PT2S, backoff: {exponential: {}}, limit: {attempt: {count: 8}}}
      then: finish
  - both:
      fork:
        branches:
          - pay: {call: 'system:1.0.0@default', with: {class: key, value: '${ $context.value }'}}
          - open: {call: 'system:1.0.0@default', with: {class: lookup, value: '${ $context.value }'}}
          - rest: {wait: PT3S}
      output: {as: '.[0]'}
      then: finish
  - other:
      run: {workflow: {namespace: sim, name: payment, version: latest, input: '${ $context }'}}
      then: finish
  - each:
      for: {each: turn, in: '${ [1, 2, 3] }'}
      do:
        - rest: {if: '${ $turn == 2 }', wait: PT1S}
        - pay: {call: 'system:1.0.0@default', with: {class: key, value: '${ $context.value }'}}
      then: finish
  - reply:
      listen: {to: {one: {with: {type: sim.reply, subject: '${ $context.value | tostring }'}}}}
  - answered:
      call: system:1.0.0@default
      with: {class: key, value: '${ $context.value }'}
      then: finish
  - notice:
      try:
        - tell:
            call: system:1.0.0@default
            with: {class: none, value: '${ $context.value }'}
      catch:
        errors: {with: {status: 500}}
        retry: {delay: PT1S, limit: {attempt: {count: 40}}}
  - finish: {set: {effect: '${ .effect }', value: '${ .value }', path: '${ $context.path }'}}
)";

constexpr const char* payment = R"(
document: {dsl: '1.0.3', namespace: sim, name: payment, version: '1.0.0'}
do:
  - rest: {wait: PT1S}
  - pay: {call: 'system:1.0.0@default', with: {class: key, value: '${ .value }'}}
)";

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
  std::string id;
  Json event;
  bool acked = false;
};

struct Client {
  std::string run_id;
  std::string path;
  std::int64_t value = 0;
  bool acked = false;
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : dice_(seed), world_(seed), clients_(world_.executor) {
    report_.seed = seed;
    world_.add_document(ticket);
    world_.add_document(payment);
    world_.system.latency = std::chrono::milliseconds(20);
    world_.system.chooser = [this] { return behaviour(); };
    world_.start();
  }

  Report run() {
    for (std::uint64_t round = 0; round < rounds; ++round) {
      act();
      const auto steps = dice_.below(40);
      for (std::uint64_t i = 0; i < steps; ++i) {
        world_.executor.step();
      }
    }
    faults_ = false;
    world_.disk->set_full(false);
    world_.system.deny = false;
    world_.system.release_hanging();
    settle();
    check();
    return report_;
  }

 private:
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
      crash();
    } else if (what < 46) {
      world_.disk->set_full(dice_.chance(50));
    } else if (what < 56) {
      world_.executor.advance(std::chrono::milliseconds(dice_.below(3'000)));
    } else if (what < 60) {
      resolve_incidents();
    } else if (what < 66) {
      be_slow();
    } else if (what < 80 && !requests_.empty() && events_.size() < events_max) {
      send_event(*requests_[dice_.below(requests_.size())]);
    }
  }

  static Task<void> give(World* world, Sent* sent) {
    auto ctx = world->ctx();
    store::Transition transition;
    transition.tenant = default_tenant();
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
    const auto steps = dice_.below(20);
    for (std::uint64_t i = 0; i < steps; ++i) {
      world_.executor.step();
    }
    world_.commit_takes = Duration(0);
  }

  static Task<void> ask(World* world, Client* client, workflow::StartRequest request) {
    auto ctx = world->ctx();
    auto started = co_await world->engine->start(ctx, std::move(request));
    client->acked = started.ok();
  }

  void begin_run() {
    constexpr const char* paths[] = {"key",  "lookup", "none", "none",
                                     "fork", "child",  "for",  "listen"};
    auto client = std::make_unique<Client>();
    client->run_id = fmt::format("run_{:04}", requests_.size());
    client->path = paths[dice_.below(std::size(paths))];
    client->value = static_cast<std::int64_t>(dice_.below(1'000'000));
    workflow::StartRequest request;
    request.workflow = "sim/ticket";
    request.run_id = client->run_id;
    request.input = JsonObject{{"path", client->path},
                               {"value", client->value},
                               {"pause", dice_.chance(30) ? dice_.below(30) : 0}};
    clients_.spawn(ask(&world_, client.get(), std::move(request)));
    requests_.push_back(std::move(client));
    ++report_.started;
  }

  void crash() {
    // The engine that dies is asked nothing any more: its clients get their errors first.
    world_.disk->crash();
    world_.executor.run(clients_.join());
    world_.crash();
    world_.disk->set_full(false);
    if (dice_.chance(30)) {
      world_.executor.advance(std::chrono::seconds(dice_.below(5)));
    }
    world_.start();
    ++report_.crashes;
    check_wake_ups();
  }

  std::vector<store::StreamRow> rows() {
    store::ListQuery query;
    query.tenant = default_tenant();
    query.limit = 1'000;
    auto found = world_.executor.run(world_.store->list(world_.ctx(), query));
    if (!found.ok()) {
      violate(found.error().text());
      return {};
    }
    return std::move(*found);
  }

  void violate(std::string what) { report_.violations.push_back(std::move(what)); }

  /// Every live run has exactly one durable reason to go on.
  void check_wake_ups() {
    for (const auto& row : rows()) {
      if (row.end == store::StreamEnd::closed) {
        continue;
      }
      const auto view = world_.view(row.id);
      const bool person =
          view.waiting_for.starts_with("incident") || view.waiting_for.starts_with("review");
      const bool live = view.status == "running" || view.status == "waiting";
      if (live && person == row.wake_at.has_value()) {
        violate(fmt::format("{} ({}) waits for '{}' and has {} wake-up time", row.id, view.status,
                            view.waiting_for, row.wake_at ? "a" : "no"));
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
      const auto view = world_.view(row.id);
      if (!view.waiting_for.starts_with("incident")) {
        continue;
      }
      world_.executor.advance(std::chrono::seconds(5));  // whatever was late has arrived by then
      const auto why = world_.executor.run(world_.engine->explain(world_.ctx(), row.id));
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
          world_.engine->resolve_incident(world_.ctx(), row.id,
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
      if (row.status != "waiting" || !world_.view(row.id).waiting_for.starts_with("event")) {
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
      const auto parent = world_.view(id).parent;
      if (!parent.empty() && !found.contains(parent)) {
        violate(fmt::format("{} is a child of {}, which is gone", id, parent));
      }
      if (!parent.empty() && row.end != store::StreamEnd::closed) {
        violate(fmt::format("{}, a child, is stuck: {}", id, row.status));
      }
    }
    for (const auto& client : requests_) {
      const auto row = found.find(client->run_id);
      report_.acked += client->acked ? 1 : 0;
      if (row == found.end()) {
        if (client->acked) {
          violate(fmt::format("{} was acknowledged and is gone", client->run_id));
        }
        continue;
      }
      check_run(*client, row->second);
    }
    for (const auto& [effect, times] : world_.system.done) {
      check_effect(effect, times);
    }
    check_leaves();
    check_events(found);
    report_.requests = static_cast<std::uint64_t>(world_.system.requests);
    report_.lookups = static_cast<std::uint64_t>(world_.system.lookups);
  }

  /// Only a case may: its tries are bounded in time and number, and the outside system was silent.
  static bool may_fault(const Client& client, const RunView& view) {
    return client.path == "lookup" && int_or(view.error, "status", 0) == 408;
  }

  void check_run(const Client& client, const store::StreamRow& row) {
    const auto view = world_.view(client.run_id);
    report_.completed += view.status == "completed" ? 1 : 0;
    report_.faulted += view.status == "faulted" ? 1 : 0;
    if (view.status == "faulted" && !may_fault(client, view)) {
      violate(fmt::format("{} ({}) faulted: {}", client.run_id, client.path, to_text(view.error)));
    }
    if (row.end != store::StreamEnd::closed) {
      violate(fmt::format("{} is stuck: {} {}", client.run_id, view.status, view.waiting_for));
      return;
    }
    if (view.status == "completed") {
      const auto effect = std::string(text_or(view.output, "effect", ""));
      const auto value = int_or(view.output, "value", -1);
      if (world_.system.done[effect] != 1 || value != client.value) {
        violate(fmt::format("{}: effect '{}' happened {} times, value {} for {}", client.run_id,
                            effect, world_.system.done[effect], value, client.value));
      }
    }
    check_acts(client, view);
    const auto history = world_.executor.run(world_.engine->history(world_.ctx(), client.run_id));
    std::int64_t last = 0;
    for (const auto& event : history.ok() ? history->get_array() : JsonArray()) {
      const auto version = int_or(event, "version", 0);
      if (version != last && version != last + 1) {
        violate(fmt::format("{}: history jumps from {} to {}", client.run_id, last, version));
      }
      last = version;
    }
    if (static_cast<std::uint64_t>(last) != row.version) {
      violate(
          fmt::format("{}: history ends at {}, the run at {}", client.run_id, last, row.version));
    }
  }

  /// Which runs say that they were given an event, once for each time.
  std::map<std::string, std::vector<std::string>> receipts(
      const std::map<std::string, store::StreamRow>& runs) {
    std::map<std::string, std::vector<std::string>> out;
    for (const auto& [id, row] : runs) {
      const auto history = world_.executor.run(world_.engine->history(world_.ctx(), id));
      for (const auto& line : history.ok() ? history->get_array() : JsonArray()) {
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
          world_.store->stream(world_.ctx(), store::StreamKind::event, sent->id));
      const auto found = given.find(sent->id);
      const std::size_t times = found == given.end() ? 0 : found->second.size();
      if (!entry.ok()) {
        if (sent->acked || times != 0) {
          violate(fmt::format("{} was taken in and is gone", sent->id));
        }
        continue;
      }
      const auto fate = world_.executor.run(world_.engine->fate(world_.ctx(), sent->id));
      const bool dead = entry->status == "dead_letter";
      const std::string run = fate.ok() ? fate->run : "nobody knows";
      const bool right =
          times == 1 ? !dead && run == found->second.front() : times == 0 && dead && run.empty();
      if (!right) {
        violate(fmt::format("{} was given {} times, is {} and went to '{}'", sent->id, times,
                            entry->status, run));
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
      violate(fmt::format("{} ({}) acted {} times", client.run_id, client.path, acts));
    }
  }

  void check_effect(const std::string& effect, int times) {
    const auto owner = effect.substr(0, effect.find('-'));
    for (const auto& client : requests_) {
      if (client->run_id != owner || times <= 1) {
        continue;
      }
      if (effect != owner + "-1") {  // the first call of a ticket is the read, which may repeat
        violate(
            fmt::format("{}: {} effect {} happened {} times", owner, client->path, effect, times));
      }
    }
  }

  void check_leaves() {
    const auto count = world_.executor.run(world_.store->leaf_count(world_.ctx()));
    std::uint64_t seen = 0;
    while (count.ok() && seen < *count) {
      const auto part = world_.executor.run(world_.store->leaves(world_.ctx(), seen, 500));
      if (!part.ok() || part->empty()) {
        violate(fmt::format("{} leaves counted, {} read", *count, seen));
        return;
      }
      seen += part->size();
    }
    report_.leaves = seen;
  }

  Dice dice_;
  World world_;
  runtime::TaskGroup clients_;
  std::vector<std::unique_ptr<Client>> requests_;
  std::vector<std::unique_ptr<Sent>> events_;
  bool faults_ = true;
  Report report_;
};

}  // namespace

Report simulate(std::uint64_t seed) { return Simulation(seed).run(); }

}  // namespace aios::sim
