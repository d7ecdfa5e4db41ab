// SPDX-License-Identifier: Apache-2.0
// aios runs show: one case whole, on a page.
#include "app/detail/run_commands.h"
#include "app/help.h"
#include "app/terminal.h"

#include "core/text.h"
#include "core/time.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::app {
namespace {

constexpr std::size_t label_width = 11;
constexpr std::size_t columns_min = 40;
constexpr std::size_t text_characters_max = 2'000;

std::size_t columns() {
  const auto found = terminal_columns();
  return found == 0 ? 80 : std::max(found, columns_min);
}

/// "LABEL      text", wrapped under the text.
void line(std::string_view label, std::string_view text) {
  if (text.empty()) {
    return;
  }
  const auto cut = excerpt(text, text_characters_max);
  fmt::print("{:<{}}{}\n", label, label_width, wrapped(cut, columns(), label_width));
}

std::string value_text(const Json& value) {
  return value.is_string() ? std::string(view(value.get_string())) : to_text(value);
}

/// A line each member, two deep: a ticket reads as people write it.
void members(std::string_view label, const Json& value) {
  if (!value.is_object()) {
    line(label, value.is_null() ? std::string() : value_text(value));
    return;
  }
  std::string_view first = label;
  for (const auto& member : value.get_object()) {
    line(std::exchange(first, ""),
         fmt::format("{}: {}", std::string_view(member.key()), value_text(member.value())));
  }
}

std::string took(std::string_view from, std::string_view to) {
  const auto begin = parse_rfc3339(from);
  const auto end = parse_rfc3339(to);
  return begin.ok() && end.ok() && *end >= *begin ? to_short_duration(*end - *begin) : "";
}

void print_head(const Json& run) {
  line("RUN", fmt::format("{}  {}", text_or(run, "id", ""), text_or(run, "status", "")));
  line("WORKFLOW",
       fmt::format("{} version {}", text_or(run, "workflow", ""), text_or(run, "version", "")));
  const auto created = text_or(run, "created", "");
  const auto updated = text_or(run, "updated", "");
  line("TIME", fmt::format("{} to {}, {}", seconds_text(created), seconds_text(updated),
                           took(created, updated)));
  line("WAITS FOR", text_or(run, "waiting_for", ""));
  line("STARTED BY", text_or(run, "starter", ""));
  line("TRACE", text_or(run, "trace_id", ""));
  if (const Json* cost = find(run, "cost"); cost != nullptr) {
    members("COST", *cost);
  }
  if (const Json* attributes = find(run, "attributes"); attributes != nullptr) {
    members("FOUND BY", *attributes);
  }
}

/// An event's data, or what the run was started with.
void print_input(const Json& run) {
  const Json* input = find(run, "input");
  if (input == nullptr) {
    line("INPUT", "not shown: wants a key that reads payloads (role auditor or admin)");
    return;
  }
  const bool event = input->is_array() && !input->get_array().empty();
  const Json& first = event ? input->get_array().front() : *input;
  if (event) {
    line("EVENT", fmt::format("{} {} from {}", text_or(first, "type", ""), text_or(first, "id", ""),
                              text_or(first, "source", "")));
  }
  const Json* data = event ? find(first, "data") : nullptr;
  members(event ? "TICKET" : "INPUT", data == nullptr ? first : *data);
}

std::string rounded(const Json& number) {
  return number.is_double() ? fmt::format("{:.4f}", number.get_double()) : value_text(number);
}

std::string words_of(const Json& inference) {
  const Json* reasons = find(inference, "reasons");
  std::string out;
  if (reasons == nullptr || !reasons->is_array()) {
    return out;
  }
  for (const Json& reason : reasons->get_array()) {
    std::string word = value_text(reason);
    for (const std::string_view name : {"word", "feature", "term", "text"}) {
      if (reason.is_object() && find(reason, name) != nullptr) {
        word = value_text(*find(reason, name));
      }
    }
    out += (out.empty() ? "" : ", ") + word;
  }
  return out;
}

void print_models(const Json& run) {
  if (const Json* all = find(run, "inferences"); all != nullptr && all->is_array()) {
    for (const Json& one : all->get_array()) {
      const Json* confidence = find(one, "confidence");
      const auto label = text_or(one, "label", "");
      line("MODEL",
           fmt::format("{} version {}{}{}{}", text_or(one, "alias", ""),
                       text_or(one, "version", ""), label.empty() ? "" : ": ", label,
                       confidence == nullptr ? std::string()
                                             : fmt::format(" at {}", rounded(*confidence))));
      if (const auto words = words_of(one); !words.empty()) {
        line("", "decided by: " + words);
      }
    }
  }
  if (const Json* all = find(run, "retrievals"); all != nullptr && all->is_array()) {
    for (const Json& one : all->get_array()) {
      line("FOUND", value_text(one));
    }
  }
}

void print_effects(const Json& run) {
  for (const Json& effect : run.at("effects").as_array()) {
    const auto tries = int_or(effect, "attempts", 0);
    line("EFFECT", fmt::format("{}: {} after {} {}, {} ({})", text_or(effect, "step", ""),
                               text_or(effect, "outcome", ""), tries,
                               tries == 1 ? "attempt" : "attempts", text_or(effect, "effect", ""),
                               took(text_or(effect, "began", ""), text_or(effect, "ended", ""))));
    line("", text_or(effect, "error", ""));
  }
  if (const Json* results = find(run, "results"); results != nullptr && results->is_array()) {
    for (const Json& one : results->get_array()) {
      const Json* result = find(one, "result");
      line("RESULT",
           fmt::format("{}.{}{}", text_or(one, "connector", ""), text_or(one, "operation", ""),
                       result == nullptr ? std::string() : ": " + value_text(*result)));
    }
  }
}

void print_people(const Json& run) {
  for (const Json& review : run.at("people").as_array()) {
    const auto by = text_or(review, "answered_by", "");
    line("PERSON",
         fmt::format("{} {} {}{}{}", text_or(review, "id", ""), text_or(review, "form", ""),
                     text_or(review, "status", ""), by.empty() ? "" : fmt::format(" by {}", by),
                     by.empty() ? ""
                                : fmt::format(" after {}", took(text_or(review, "asked", ""),
                                                                text_or(review, "answered", "")))));
    if (const Json* answer = find(review, "answer"); answer != nullptr && !answer->is_null()) {
      line("",
           fmt::format("answer: {}{}", value_text(*answer),
                       bool_or(review, "corrected", false) ? " (corrects the suggestion)" : ""));
    }
  }
}

void print_timeline(const Json& run) {
  std::string before;
  std::string_view label = "STEPS";
  for (const Json& entry : run.at("timeline").as_array()) {
    const std::string time(text_or(entry, "time", ""));
    std::string about;
    for (const std::string_view name : {"step", "outcome", "reason", "subject", "by"}) {
      if (const auto text = text_or(entry, name, ""); !text.empty()) {
        about += fmt::format(" {}", text);
      }
    }
    line(std::exchange(label, ""), fmt::format("{} {:>6} {}{}", seconds_text(time),
                                               before.empty() ? "" : "+" + took(before, time),
                                               text_or(entry, "type", ""), about));
    before = time;
  }
}

/// "allow post_model_call dec_...": the policy's word with the id that its opening is under.
std::string decisions_of(const Json& leaf) {
  std::string out;
  const Json* decisions = find(leaf, "decisions");
  if (decisions == nullptr || !decisions->is_array()) {
    return out;
  }
  for (const Json& one : decisions->get_array()) {
    const Json* reasons = find(one, "reasons");
    out += fmt::format("; {} {} {}{}", text_or(one, "point", ""), text_or(one, "verdict", ""),
                       text_or(one, "id", ""),
                       reasons == nullptr || reasons->as_array().empty()
                           ? std::string()
                           : fmt::format(" ({})", to_text(*reasons)));
  }
  return out;
}

void print_leaves(const Json& run) {
  const Json* leaves = find(run, "leaves");
  if (leaves == nullptr) {
    return;
  }
  std::string_view label = "LEAVES";
  for (const Json& leaf : leaves->at("items").as_array()) {
    line(std::exchange(label, ""),
         fmt::format(
             "{} {} {}{}{}", int_or(leaf, "index", 0), text_or(leaf, "kind", ""),
             text_or(leaf, "outcome", ""),
             text_or(leaf, "step", "").empty() ? "" : fmt::format(" {}", text_or(leaf, "step", "")),
             decisions_of(leaf)));
  }
  if (!bool_or(*leaves, "complete", true)) {
    line("", "there may be more: aios audit leaves --stream finds all");
  }
  // To be copied: not wrapped.
  fmt::print("{:<{}}aios runs history {} --json > opening.json\n", "OPEN WITH", label_width,
             text_or(run, "id", ""));
  fmt::print("{:<{}}aios audit open <data>/audit/{} --key <verifier key> --opening opening.json\n",
             "", label_width, text_or(run, "tenant", ""));
}

void print_case(const Json& run) {
  print_head(run);
  print_input(run);
  print_models(run);
  print_people(run);
  print_effects(run);
  if (const Json* output = find(run, "output"); output != nullptr) {
    members("OUTPUT", *output);
  }
  if (const Json* error = find(run, "error"); error != nullptr) {
    members("ERROR", *error);
  }
  print_timeline(run);
  print_leaves(run);
}

}  // namespace

Result<void> show_run(const Session& session, const std::string& id) {
  auto run = session.call({"GET", run_path(id, "/case"), nullptr});
  if (!run.ok()) {
    return std::move(run).error();
  }
  print(session, *run, print_case);
  return {};
}

}  // namespace aios::app
