// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"
#include "core/time.h"
#include "scenario/detail/compare.h"
#include "scenario/detail/rooms.h"
#include "scenario/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace aios::scenario {
namespace {

constexpr std::string_view region_default = "eu";
constexpr Duration within_default = std::chrono::hours(1);
constexpr Duration look_first = std::chrono::milliseconds(100);
constexpr Duration look_longest = std::chrono::minutes(10);
constexpr std::size_t answers_max = 100;  // a workflow may ask again and again
constexpr std::uint32_t leaves_max = 10'000;

/// One scenario under way.
class Play {
 public:
  Play(const Scenario& scenario, bundle::Learnt* learnt)
      : scenario_(scenario),
        rooms_(scenario.member("models"), scenario.member("systems"), learnt) {
    const Json* region = scenario.member("region");
    rooms_.guard.set_region(default_tenant(), region ? std::string(view(region->get_string()))
                                                     : std::string(region_default));
  }

  std::vector<Error> deploy(const bundle::Files& bundle, const JsonObject& parameters) {
    return rooms_.deploy(bundle, parameters);
  }

  Result<JsonObject> play() {
    if (auto sent = send(); !sent.ok()) {
      return std::move(sent).error();
    }
    if (!run_.empty() && failures_.empty()) {
      if (auto driven = drive(); !driven.ok()) {
        return std::move(driven).error();
      }
    }
    found_["requests"] = std::move(rooms_.systems.requests);
    if (auto listed = list_leaves(); !listed.ok()) {
      return std::move(listed).error();
    }
    return std::move(found_);
  }
  const Unscripted& unscripted() const { return rooms_.unscripted; }
  /// What the scenario says and cannot be done: an event that is none, an answer that is refused.
  std::vector<Error> take_failures() { return std::move(failures_); }

 private:
  /// What the bundle's source makes of it, without the sender's signature: no secret is here.
  Result<void> arrive(const Json& told) {
    const auto name = text_or(told, "source", "");
    const auto source = rooms_.sources.find(default_tenant(), name);
    if (!source) {
      std::vector<std::string> names;
      for (const auto& one : rooms_.sources.of_tenant(default_tenant())) {
        names.push_back(one->name);
      }
      failures_.push_back(scenario_.error(
          "/arrival/source",
          fmt::format("there is no source '{}'{}", excerpt(name, 60), hint(name, names)), 1700));
      return {};
    }
    ingress::Arrival arrival;
    JsonObject seen = told.get_object();
    seen.erase("source");
    arrival.defaults = {{"id", "scenario"}, {"source", "/scenario"}};
    for (const char* whole : {"body", "record"}) {
      if (const Json* data = seen.if_contains(whole)) {
        arrival.defaults["data"] = *data;
      }
    }
    arrival.bytes = to_text(seen).size();
    arrival.seen = std::move(seen);
    auto delivery =
        ingress::delivery_of(*source, std::move(arrival), rooms_.executor.clock().now());
    found_["mapped"] = delivery.event.envelope;
    return take(rooms_.executor.run(
        rooms_.ingress->accept(ingress::source_context(*source), std::move(delivery))));
  }

  Result<void> send() {
    if (const Json* arrival = scenario_.member("arrival")) {
      return arrive(*arrival);
    }
    JsonObject envelope = scenario_.member("event")->get_object();
    for (const auto& [name, value] : {std::pair("specversion", "1.0"), std::pair("id", "scenario"),
                                      std::pair("source", "/scenario")}) {
      if (!envelope.contains(name)) {
        envelope[name] = value;
      }
    }
    const std::size_t bytes = to_text(envelope).size();
    auto event = ingress::event_from_envelope(std::move(envelope));
    if (!event.ok()) {
      failures_.push_back(scenario_.error("/event", event.error().message(), 1700));
      return {};
    }
    return take(rooms_.executor.run(
        rooms_.ingress->accept(rooms_.caller("sender", {"ingest"}), *std::move(event), bytes)));
  }

  Result<void> take(Result<ingress::Accepted> accepted) {
    if (!accepted.ok() && accepted.error().code() != Code::policy_denied) {
      return std::move(accepted).error();
    }
    if (!accepted.ok()) {
      found_["event"] = "refused";
      found_["reason"] = accepted.error().message();
      return {};
    }
    found_["event"] = accepted->status;
    if (!accepted->reason.empty()) {
      found_["reason"] = accepted->reason;
    }
    run_ = accepted->run;
    return {};
  }

  /// Until the run ended, waits with nobody left to answer, or the scenario's time is over.
  Result<void> drive() {
    const Json* within = scenario_.member("within");
    const Duration longest =
        within ? *parse_iso_duration(view(within->get_string())) : within_default;
    const Instant end = rooms_.executor.clock().instant() + longest;
    const Context ctx = rooms_.caller("viewer", {"admin"});
    Duration look = look_first;
    while (true) {
      const Instant next = std::min(end, rooms_.executor.clock().instant() + look);
      auto ended = rooms_.executor.run(rooms_.engine->wait(ctx.until(next), run_));
      auto asked = answer_questions();
      if (!asked.ok()) {
        return std::move(asked).error();
      }
      const bool over = rooms_.executor.clock().instant() >= end;
      if (ended.ok() || over || *asked == Asked::nobody_answers || !unscripted().empty()) {
        break;
      }
      look = *asked == Asked::answered ? look_first : std::min(look * 2, look_longest);
    }
    return view_run(ctx);
  }

  enum class Asked : std::uint8_t { nothing, answered, nobody_answers };

  Result<Asked> answer_questions() {
    const Context ctx = rooms_.caller("viewer", {"admin"});
    auto open = rooms_.executor.run(rooms_.reviews->list(ctx, "open", "", 100));
    auto proposed = rooms_.executor.run(rooms_.reviews->list(ctx, "approval", "", 100));
    if (!open.ok() || !proposed.ok()) {
      return open.ok() ? std::move(proposed).error() : std::move(open).error();
    }
    std::move(proposed->begin(), proposed->end(), std::back_inserter(*open));
    Asked out = Asked::nothing;
    for (const review::ReviewInfo& question : *open) {
      remember(question);
      const Json* people = scenario_.member("people");
      if (people == nullptr || answered_ >= people->get_array().size() ||
          answered_ >= answers_max) {
        return Asked::nobody_answers;
      }
      const std::size_t at = answered_++;
      if (auto given = answer(question, people->get_array()[at]); !given.ok()) {
        failures_.push_back(
            scenario_.error(fmt::format("/people/{}", at), given.error().message(), 1701));
        return Asked::nobody_answers;
      }
      out = Asked::answered;
    }
    return out;
  }

  void remember(const review::ReviewInfo& question) {
    if (std::find(asked_.begin(), asked_.end(), question.id) == asked_.end()) {
      asked_.push_back(question.id);
      questions_.push_back(question.to_json());
    }
  }

  Result<void> answer(const review::ReviewInfo& question, const Json& person) {
    const bool proposed = question.status == "approval";
    std::vector<std::string> roles = proposed ? question.approvers : question.assignees;
    if (const Json* own = find(person, "roles")) {
      roles.clear();
      for (const Json& role : own->get_array()) {
        roles.emplace_back(view(role.get_string()));
      }
    }
    const Context ctx = rooms_.caller(text_or(person, "by", "person"), roles);
    review::Said said;
    if (const Json* answer = find(person, "answer")) {
      said.answer = *answer;
    } else if (const Json* reason = find(person, "send_back")) {
      said.word = review::Said::Word::send_back;
      said.reason = view(reason->get_string());
    } else {
      said.word = review::Said::Word::approve;
    }
    return rooms_.executor.run(rooms_.engine->tell(ctx, question.id, std::move(said)));
  }

  Result<void> view_run(const Context& ctx) {
    auto run = rooms_.executor.run(rooms_.engine->get(ctx, run_));
    if (!run.ok()) {
      return std::move(run).error();
    }
    found_["status"] = run->status;
    if (run->status == "completed") {
      found_["output"] = run->output;
    }
    if (run->status == "faulted") {
      found_["error"] = run->error;
    }
    found_["attributes"] = run->attributes.is_null() ? Json(JsonObject()) : run->attributes;
    if (!run->waiting_for.empty()) {
      found_["waiting_for"] = run->waiting_for;
    }
    found_["questions"] = std::move(questions_);
    return {};
  }

  Result<void> list_leaves() {
    const Context ctx = rooms_.caller("viewer", {"admin"});
    auto leaves = rooms_.executor.run(rooms_.store->leaves(ctx, 0, leaves_max));
    if (!leaves.ok()) {
      return std::move(leaves).error();
    }
    JsonArray kinds;
    for (const std::string& leaf : *leaves) {
      auto parsed = parse_json(leaf);
      if (parsed.ok()) {
        kinds.push_back(Json(text_or(*parsed, "kind", "")));
      }
    }
    found_["leaves"] = std::move(kinds);
    return {};
  }

  const Scenario& scenario_;
  Rooms rooms_;
  std::string run_;
  JsonObject found_;
  JsonArray questions_;
  std::vector<std::string> asked_;
  std::size_t answered_ = 0;
  std::vector<Error> failures_;
};

/// Whether some workflow may call the function `retrieve`.
bool names_retrieve(const bundle::Files& files) {
  return std::any_of(files.begin(), files.end(), [](const auto& file) {
    return file.first.starts_with("workflows/") &&
           file.second.find("retrieve:") != std::string::npos;
  });
}

JsonObject parameters_of(const Scenario& scenario, const JsonObject& overrides) {
  JsonObject out = overrides;
  if (const Json* own = scenario.member("parameters")) {
    for (const auto& member : own->get_object()) {
      out[member.key()] = member.value();
    }
  }
  return out;
}

std::string name_of(std::string_view pointer) {
  std::string out;
  for (const std::string_view part : split(pointer.substr(pointer.empty() ? 0 : 1), '/')) {
    out += out.empty() ? "" : ".";
    for (std::size_t i = 0; i < part.size(); ++i) {  // RFC 6901: ~1 is '/', ~0 is '~'
      const bool escaped = part[i] == '~' && i + 1 < part.size();
      out += escaped ? (part[i + 1] == '1' ? '/' : '~') : part[i];
      i += escaped ? 1 : 0;
    }
  }
  return out;
}

/// What a difference in the status leaves open: why the run ended so.
std::string cause_of(std::string_view name, const JsonObject& found) {
  const Json* error = found.if_contains("error");
  if (name != "status" || error == nullptr) {
    return "";
  }
  return fmt::format(": {}", text_or(*error, "detail", text_or(*error, "title", "")));
}

/// Requests and questions: as many as expected, in that order.
void judge_member(const Scenario& scenario, const Json& expected, const JsonObject& found,
                  std::string_view name, std::vector<Error>* failures) {
  const std::string pointer = fmt::format("/expect/{}", name);
  const Json* value = found.if_contains(name);
  if (value == nullptr) {
    const Json* status = found.if_contains("status");
    failures->push_back(scenario.error(
        pointer,
        fmt::format("there is no '{}': {}", name,
                    status ? fmt::format("the run is {}", view(status->get_string()))
                           : fmt::format("the event was {}", view(found.at("event").get_string()))),
        1701));
    return;
  }
  for (const Difference& one : differences(expected, *value)) {
    failures->push_back(
        scenario.error(pointer + one.pointer,
                       fmt::format("{} {}{}", name_of("/" + std::string(name) + one.pointer),
                                   one.message, cause_of(name, found)),
                       1701));
  }
}

void judge_leaves(const Scenario& scenario, const JsonArray& expected, const JsonObject& found,
                  std::vector<Error>* failures) {
  const JsonArray& leaves = found.at("leaves").get_array();
  const std::size_t missing = first_missing(expected, leaves);
  if (missing < expected.size()) {
    failures->push_back(
        scenario.error(fmt::format("/expect/leaves/{}", missing),
                       fmt::format("no leaf {} in this place: found {}", to_text(expected[missing]),
                                   excerpt(to_text(leaves), 400)),
                       1701));
  }
}

void judge_reason(const Scenario& scenario, const Json& expected, const JsonObject& found,
                  std::vector<Error>* failures) {
  const Json* reason = found.if_contains("reason");
  const std::string_view text = reason ? view(reason->get_string()) : std::string_view();
  if (text.find(view(expected.get_string())) == std::string_view::npos) {
    failures->push_back(scenario.error(
        "/expect/reason",
        reason ? fmt::format("the reason is '{}', wanted one with {}", text, to_text(expected))
               : "there is no reason: the event was accepted",
        1701));
  }
}

/// Who says nothing of the event takes it for accepted: else "no request" held for a slip in its
/// type.
void judge_event(const Scenario& scenario, const JsonObject& expected, const JsonObject& found,
                 std::vector<Error>* failures) {
  const std::string_view event = view(found.at("event").get_string());
  if (!expected.contains("event") && !expected.contains("reason") && event != "accepted") {
    failures->push_back(scenario.error(
        scenario.member("arrival") ? "/arrival" : "/event",
        fmt::format("the event is {}: {}", event, to_text(found.at("reason"))), 1701));
  }
}

std::vector<Error> judge(const Scenario& scenario, const JsonObject& found) {
  std::vector<Error> failures;
  judge_event(scenario, scenario.member("expect")->get_object(), found, &failures);
  for (const auto& member : scenario.member("expect")->get_object()) {
    if (member.key() == "leaves") {
      judge_leaves(scenario, member.value().get_array(), found, &failures);
    } else if (member.key() == "reason") {
      judge_reason(scenario, member.value(), found, &failures);
    } else {
      judge_member(scenario, member.value(), found, member.key(), &failures);
    }
  }
  return failures;
}

}  // namespace

Result<Verdict> run_scenario(const Scenario& scenario, const bundle::Files& bundle,
                             const JsonObject& overrides, bundle::Learnt* learnt) {
  Play play(scenario, names_retrieve(bundle) ? learnt : nullptr);
  Verdict verdict;
  verdict.failures = play.deploy(bundle, parameters_of(scenario, overrides));
  if (!verdict.failures.empty()) {
    return verdict;
  }
  auto found = play.play();
  if (!found.ok()) {
    return std::move(found).error();
  }
  verdict.failures = play.take_failures();
  for (const std::string& asked : play.unscripted()) {
    verdict.failures.push_back(scenario.error("", asked, 1701));
  }
  auto broken = found->contains("event") ? judge(scenario, *found) : std::vector<Error>();
  std::move(broken.begin(), broken.end(), std::back_inserter(verdict.failures));
  verdict.found = *std::move(found);
  return verdict;
}

}  // namespace aios::scenario
