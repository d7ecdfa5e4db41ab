// SPDX-License-Identifier: Apache-2.0
// What people say of an incident: the guard is asked first, and where policy wants a second person
// the word waits for him in the run's own state. Each is one transition together with what the run
// does next, up to its next fence.
#include "workflow/detail/engine_impl.h"

#include "core/text.h"
#include "govern/audit.h"
#include "govern/opening.h"
#include "review/settling.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>

namespace aios::workflow {
namespace {

constexpr std::size_t proposed_bytes_max = std::size_t{64} << 10;

/// A person says of one incident what they found out; about any other it would be a guess.
Error wrong_incident(const LiveRun& run, const std::string& incident) {
  const auto& waiting = run.state.waiting;
  const bool other = waiting && waiting->reason == Waiting::Reason::incident;
  return Error(Code::failed_precondition,
               other ? fmt::format("run '{}' waits for incident {}, not for '{}'", run.id,
                                   waiting->subject, excerpt(incident, 60))
                     : fmt::format("run '{}' does not wait for an incident", run.id))
      .page(1014);
}

std::optional<Word> word_of(std::string_view text) {
  if (text == "happened") {
    return Word::happened;
  }
  if (text == "retry") {
    return Word::retry;
  }
  return text == "fail" ? std::optional(Word::fail) : std::nullopt;
}

/// Of the call under way, as the guard sees it.
review::SettleRuling ask(const govern::Guard& guard, const Context& ctx, const LiveRun& run,
                         review::Settling said, JsonObject memory) {
  const auto& effect = *run.state.effect;
  said.incident = run.state.waiting->subject;
  said.step = effect.step;
  said.function = effect.function;
  said.call = effect.arguments;
  return review::ask_to_settle(guard, ctx, said, std::move(memory));
}

/// What was said, by whom and with which verdict, and what the call is said to have given.
struct Telling {
  std::string outcome;
  std::string by;
  std::string approved_by;  ///< empty: nobody had to
};
store::AuditLeaf leaf_of(const Context& ctx, const LiveRun& run, const Telling& telling,
                         const Resolution& resolution, const govern::Decision& decision) {
  govern::LeafFacts facts(govern::LeafKind::effect_outcome);
  facts.stream = run.id;
  facts.step = run.state.effect->step;
  facts.outcome = telling.outcome;
  facts.facts["effect_id"] = run.state.effect->id;
  facts.facts["by"] = telling.by;
  if (!telling.approved_by.empty()) {
    facts.facts["approved_by"] = telling.approved_by;
  }
  facts.decisions.push_back(decision);
  if (resolution.word == "happened") {
    facts.contents["result"] = govern::content_of(resolution.result);
  }
  return govern::make_leaf(ctx, run.shard->executor.clock().now(), facts);
}

/// It did not happen, says a person.
void let_go_again(RunState& state) {
  auto& effect = *state.effect;
  effect.phase = EffectState::Phase::fresh;
  effect.maybe_happened = false;
  effect.attempt = 0;
  effect.lookups = 0;
  effect.first_at.reset();
  state.from_backup = false;
  state.waiting.reset();
  state.status = RunStatus::running;
}

/// What follows from a person's word on the call under way.
void go_on_with(RunState& state, Machine at, Word word, Json result, const std::string& by) {
  if (state.ends_as || state.cancel_asked) {
    settle_open(state, word, std::move(result));
    if (!state.ended()) {
      at.cancel(state.cancel_reason);
    }
    return;
  }
  switch (word) {
    case Word::happened: at.call_done(std::move(result)); break;
    case Word::retry: let_go_again(state); break;
    case Word::fail:
      state.effect->given_up = true;
      at.call_failed(make_problem(ProblemType::communication,
                                  fmt::format("given up by {} after an unknown outcome", by),
                                  state.effect->step));
      break;
  }
}

/// How a word waits in the run's state.
JsonObject proposal_of(const Resolution& resolution, const std::string& by,
                       const std::vector<std::string>& approvers, Time now) {
  JsonObject out{{"word", resolution.word},
                 {"by", by},
                 {"at", to_rfc3339(now)},
                 {"approvers", texts(approvers)}};
  if (resolution.word == "happened") {
    out["result"] = resolution.result;
  }
  return out;
}

std::vector<std::string> roles_of(const Json& proposal) {
  std::vector<std::string> out;
  if (const Json* roles = find(proposal, "approvers"); roles != nullptr && roles->is_array()) {
    for (const Json& role : roles->get_array()) {
      out.emplace_back(role.is_string() ? view(role.get_string()) : "");
    }
  }
  return out;
}

}  // namespace

/// What becomes of a word, of an acquired run at its incident. Each ends with the run released.
struct Engine::Impl::Incidents {
  enum class Second : std::uint8_t { approves, sends_back };
  static Task<Result<void>> say(Impl* engine, Context ctx, RunPtr run, Resolution resolution);
  static Task<Result<void>> second(Impl* engine, Context ctx, RunPtr run, Second word);

 private:
  struct Taken {
    Resolution resolution;
    std::string by;     ///< who said it; the caller approved it where that is another
    JsonObject memory;  ///< what policies see of it from now on
  };
  static Task<Result<void>> refuse(Impl* engine, RunPtr run, store::AuditLeaf leaf, Error error);
  static Task<Result<void>> take(Impl* engine, Context ctx, RunPtr run, Taken taken);
};

/// Whether the call can have given what a person says it gave: the run goes on with it.
Result<JsonObject> Engine::Impl::check_result(const LiveRun& run, const Json& result) const {
  const auto found = functions.find(run.state.effect->function);
  const bool unknown = run.state.ends_as && run.state.effect->arguments.is_null();
  if (found == functions.end() || unknown) {
    return JsonObject();  // it is not known any more, and must be settled all the same
  }
  return found->second->check_result(run.ctx, request_of(run), result);
}

Result<void> check_first_word(std::string_view word) {
  if (word_of(word)) {
    return {};
  }
  return Error(Code::invalid_argument,
               fmt::format("found resolution '{}', wanted retry, happened or fail",
                           excerpt(word, 40)))
      .page(1018);
}

Task<Result<void>> Engine::Impl::resolve(Context ctx, std::string run_id, Resolution resolution) {
  const bool seconds = resolution.word == "approve" || resolution.word == "send_back";
  if (auto known = check_first_word(resolution.word); !seconds && !known.ok()) {
    co_return std::move(known).error();
  }
  if (services.functions.guard == nullptr) {
    co_return Error(Code::unimplemented, "this engine has no guard");
  }
  auto acquired = co_await acquire(ctx, run_id);
  if (!acquired.ok()) {
    co_return std::move(acquired).error();
  }
  const RunPtr run = *acquired;
  const auto& state = run->state;
  const bool at_incident = !state.ended() && state.waiting && state.effect &&
                           state.waiting->reason == Waiting::Reason::incident;
  if (!at_incident || state.waiting->subject != resolution.incident) {
    auto error = wrong_incident(*run, resolution.incident);
    release(run);
    co_return error;
  }
  if (seconds == state.waiting->proposal.is_null()) {
    const Json& proposal = state.waiting->proposal;
    auto error = review::not_at_that(resolution.incident, text_or(proposal, "by", ""),
                                     text_or(proposal, "word", ""));
    release(run);
    co_return error;
  }
  Task<Result<void>> work;
  if (seconds) {
    work = Incidents::second(
        this, std::move(ctx), run,
        resolution.word == "approve" ? Incidents::Second::approves : Incidents::Second::sends_back);
  } else {
    work = Incidents::say(this, std::move(ctx), run, std::move(resolution));
  }
  auto done = co_await std::move(work);
  co_return done;
}

/// Policy says no: the log tells, and the run waits as before.
Task<Result<void>> Engine::Impl::Incidents::refuse(Impl* engine, RunPtr run, store::AuditLeaf leaf,
                                                   Error error) {
  engine->note(*run, RunEvent::effect_refused,
               {{"incident", run->state.waiting->subject}, {"error", error.text()}});
  run->leaves.push_back(std::move(leaf));
  auto told = co_await engine->change(run);
  if (!told.ok()) {
    co_return std::move(told).error();
  }
  co_return error;
}

/// A person's word, which counts at once or waits for another's.
Task<Result<void>> Engine::Impl::Incidents::say(Impl* engine, Context ctx, RunPtr run,
                                                Resolution resolution) {
  auto& state = run->state;
  const std::string by = who(ctx);
  JsonObject memory;
  if (resolution.word == "happened") {
    auto fits = engine->check_result(*run, resolution.result);
    if (!fits.ok()) {
      engine->release(run);
      co_return std::move(fits).error();
    }
    memory = std::move(*fits);
  }
  review::Settling said;
  said.word = resolution.word;
  said.result = resolution.result;
  auto ruling = ask(*engine->services.functions.guard, ctx, *run, std::move(said),
                    engine->request_of(*run).run);
  const bool proposed = !ruling.refused && !ruling.approvers.empty();
  if (proposed && to_text(resolution.result).size() > proposed_bytes_max) {
    ruling.refused = Error(Code::invalid_argument,
                           fmt::format("found a result of more than {} bytes, which cannot wait "
                                       "for another person's word",
                                       proposed_bytes_max))
                         .page(1020);
  }
  const Telling telling{ruling.refused ? "resolution_refused"
                        : proposed     ? "resolution_proposed"
                                       : "resolved_" + resolution.word,
                        by, ""};
  auto leaf = leaf_of(ctx, *run, telling, resolution, ruling.decision);
  if (ruling.refused) {
    auto refused = co_await refuse(engine, run, std::move(leaf), *std::move(ruling.refused));
    co_return refused;
  }
  if (!proposed) {
    Taken taken{std::move(resolution), by, std::move(memory)};
    run->leaves.push_back(std::move(leaf));
    auto done = co_await take(engine, std::move(ctx), run, std::move(taken));
    co_return done;
  }
  state.waiting->proposal =
      proposal_of(resolution, by, ruling.approvers, engine->clock(*run).now());
  engine->note(*run, RunEvent::review_proposed,
               {{"incident", state.waiting->subject}, {"resolution", resolution.word}, {"by", by}});
  run->leaves.push_back(std::move(leaf));
  auto done = co_await engine->change(run);
  co_return done;
}

/// Another person's word on what was said.
Task<Result<void>> Engine::Impl::Incidents::second(Impl* engine, Context ctx, RunPtr run,
                                                   Second word) {
  auto& state = run->state;
  const Json proposal = state.waiting->proposal;
  Resolution resolution;
  resolution.incident = state.waiting->subject;
  resolution.word = text_or(proposal, "word", "");
  const std::string by(text_or(proposal, "by", ""));
  if (const Json* result = find(proposal, "result"); result != nullptr) {
    resolution.result = *result;
  }
  const bool approves = word == Second::approves;
  auto may = review::check_second_person(ctx, {by, state.starter, roles_of(proposal)},
                                         engine->services.functions.reviews);
  auto fits = may.ok() && approves && resolution.word == "happened"
                  ? engine->check_result(*run, resolution.result)
                  : Result<JsonObject>(JsonObject());
  if (!may.ok() || !fits.ok()) {
    engine->release(run);
    co_return may.ok() ? std::move(fits).error() : std::move(may).error();
  }
  review::Settling said;
  said.phase = approves ? "approve" : "send_back";
  said.word = resolution.word;
  said.result = resolution.result;
  said.by = by;
  auto ruling = ask(*engine->services.functions.guard, ctx, *run, std::move(said),
                    engine->request_of(*run).run);
  const Telling telling{ruling.refused ? "resolution_refused"
                        : approves     ? "resolved_" + resolution.word
                                       : "resolution_sent_back",
                        by, approves && !ruling.refused ? who(ctx) : ""};
  auto leaf = leaf_of(ctx, *run, telling, resolution, ruling.decision);
  if (ruling.refused) {
    auto refused = co_await refuse(engine, run, std::move(leaf), *std::move(ruling.refused));
    co_return refused;
  }
  run->leaves.push_back(std::move(leaf));
  if (approves) {
    Taken taken{std::move(resolution), by, std::move(*fits)};
    auto done = co_await take(engine, std::move(ctx), run, std::move(taken));
    co_return done;
  }
  state.waiting->proposal = nullptr;
  engine->note(*run, RunEvent::review_sent_back,
               {{"incident", state.waiting->subject}, {"by", who(ctx)}});
  auto done = co_await engine->change(run);
  co_return done;
}

/// It counts: the run goes on with it.
Task<Result<void>> Engine::Impl::Incidents::take(Impl* engine, Context ctx, RunPtr run,
                                                 Taken taken) {
  auto& state = run->state;
  Resolution& resolution = taken.resolution;
  const Word word = *word_of(resolution.word);
  engine->close_incident(*run, resolution.word, ctx);
  JsonObject said{
      {"incident", state.waiting->subject}, {"resolution", resolution.word}, {"by", taken.by}};
  if (taken.by != who(ctx)) {
    said["approved_by"] = who(ctx);
  }
  if (word == Word::happened) {
    said["result"] = resolution.result;
  }
  engine->note(*run, RunEvent::incident_resolved, std::move(said));
  if (!taken.memory.empty()) {
    remember_result(state, std::move(taken.memory));
  }
  go_on_with(state, engine->machine(*run), word, std::move(resolution.result), taken.by);
  auto done = co_await engine->change(run);
  co_return done;
}

}  // namespace aios::workflow
