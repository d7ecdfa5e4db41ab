// SPDX-License-Identifier: Apache-2.0
// aios runs show: one case whole, on a page.
#include "app/detail/run_commands.h"
#include "app/page.h"

#include "core/text.h"
#include "govern/budget.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::app {
namespace {

constexpr std::size_t exchange_characters_max = 600;  // the whole is in the history
constexpr std::size_t digest_characters = 12;

/// "0.0000327 EUR": as `aios budgets list` has money.
std::string cost_of(const Json& run) {
  std::string out;
  const Json* costs = find(run, "cost");
  if (costs == nullptr || !costs->is_array()) {
    return out;
  }
  for (const Json& one : costs->get_array()) {
    out +=
        fmt::format("{}{}{}", out.empty() ? "" : ", ",
                    govern::money_text(int_or(one, "nano", 0), text_or(one, "currency", "")),
                    bool_or(one, "estimated", false) ? " (at most; not all of it is known)" : "");
  }
  return out;
}

void print_head(const Json& run) {
  page_line("RUN", fmt::format("{}  {}", text_or(run, "id", ""), text_or(run, "status", "")));
  page_line("WORKFLOW", fmt::format("{} version {}", text_or(run, "workflow", ""),
                                    text_or(run, "version", "")));
  const auto created = text_or(run, "created", "");
  const auto updated = text_or(run, "updated", "");
  page_line("TIME", fmt::format("{} to {}, {}", seconds_text(created), seconds_text(updated),
                                took_text(created, updated)));
  page_line("WAITS FOR", text_or(run, "waiting_for", ""));
  page_line("STARTED BY", person_text(run, "starter"));
  page_line("TRACE", text_or(run, "trace_id", ""));
  page_line("COST", cost_of(run));
  if (const Json* attributes = find(run, "attributes"); attributes != nullptr) {
    page_members("FOUND BY", *attributes);
  }
}

/// An event's data, or what the run was started with.
void print_input(const Json& run) {
  const Json* input = find(run, "input");
  if (input == nullptr) {
    page_line("INPUT", "not shown: wants a key that reads payloads (role auditor or admin)");
    return;
  }
  const bool event = input->is_array() && !input->get_array().empty();
  const Json& first = event ? input->get_array().front() : *input;
  if (event) {
    page_line("EVENT", fmt::format("{} {} from {}", text_or(first, "type", ""),
                                   text_or(first, "id", ""), text_or(first, "source", "")));
  }
  const Json* data = event ? find(first, "data") : nullptr;
  page_members(event ? "DATA" : "INPUT", data == nullptr ? first : *data);
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

/// "refunds (fit 0.4210) in the articles 0c3f12ab34cd": what a step found where.
std::string found_text(const Json& retrieval) {
  std::vector<std::string> articles;
  if (const Json* found = find(retrieval, "articles"); found != nullptr && found->is_array()) {
    for (const Json& one : found->get_array()) {
      const Json* fit = find(one, "fit");
      articles.push_back(
          fmt::format("{}{}", text_or(one, "article", ""),
                      fit == nullptr ? std::string() : fmt::format(" (fit {})", rounded(*fit))));
    }
  }
  return fmt::format("{}in the articles {}", articles.empty() ? "" : join(articles, ", ") + " ",
                     text_or(retrieval, "corpus", "").substr(0, digest_characters));
}

void print_models(const Json& run) {
  if (const Json* all = find(run, "inferences"); all != nullptr && all->is_array()) {
    for (const Json& one : all->get_array()) {
      const Json* confidence = find(one, "confidence");
      const auto label = text_or(one, "label", "");
      page_line("MODEL",
                fmt::format("{} version {}{}{}{}", text_or(one, "alias", ""),
                            text_or(one, "version", ""), label.empty() ? "" : ": ", label,
                            confidence == nullptr ? std::string()
                                                  : fmt::format(" at {}", rounded(*confidence))));
      if (const auto words = words_of(one); !words.empty()) {
        page_line("", "decided by: " + words);
      }
    }
  }
  if (const Json* all = find(run, "retrievals"); all != nullptr && all->is_array()) {
    for (const Json& one : all->get_array()) {
      page_line("FOUND", found_text(one));
    }
  }
}

/// "erp.pay " where it is an operation of a connector.
std::string operation_of(const Json& effect) {
  const auto connector = text_or(effect, "connector", "");
  return connector.empty() ? ""
                           : fmt::format("{}.{} ", connector, text_or(effect, "operation", ""));
}

/// What went out and what came back, as far as its reader may see it.
void print_exchange(const Json& effect) {
  if (const Json* arguments = find(effect, "arguments"); arguments != nullptr) {
    page_line("", excerpt("with: " + value_text(*arguments), exchange_characters_max));
  }
  if (const Json* request = find(effect, "request"); request != nullptr) {
    const bool parts = request->is_object() && find(*request, "url") != nullptr;
    const auto text = parts
                          ? fmt::format("{} {} {}", text_or(*request, "method", ""),
                                        text_or(*request, "url", ""), text_or(*request, "body", ""))
                          : value_text(*request);
    page_line("", excerpt("sent: " + std::string(trim(text)), exchange_characters_max));
  }
  if (const Json* answer = find(effect, "answer"); answer != nullptr) {
    const bool parts = answer->is_object() && find(*answer, "status") != nullptr;
    const auto text =
        parts ? fmt::format("{} {}", int_or(*answer, "status", 0), text_or(*answer, "body", ""))
              : value_text(*answer);
    page_line("", excerpt("answered: " + std::string(trim(text)), exchange_characters_max));
  }
}

void print_effects(const Json& run) {
  for (const Json& effect : run.at("effects").as_array()) {
    if (text_or(effect, "outcome", "") == "refused") {
      page_line("EFFECT",
                fmt::format("{}: refused, nothing was sent", text_or(effect, "step", "")));
      page_line("", text_or(effect, "error", text_or(effect, "page", "")));
      continue;
    }
    const auto tries = int_or(effect, "attempts", 0);
    page_line("EFFECT",
              fmt::format("{}: {}{} after {} {}, {} ({})", text_or(effect, "step", ""),
                          operation_of(effect), text_or(effect, "outcome", ""), tries,
                          tries == 1 ? "attempt" : "attempts", text_or(effect, "effect", ""),
                          took_text(text_or(effect, "began", ""), text_or(effect, "ended", ""))));
    page_line("", text_or(effect, "error", ""));
    print_exchange(effect);
  }
  if (const Json* results = find(run, "results"); results != nullptr && results->is_array()) {
    for (const Json& one : results->get_array()) {
      const Json* result = find(one, "result");
      page_line("RESULT",
                fmt::format("{}.{}{}", text_or(one, "connector", ""), text_or(one, "operation", ""),
                            result == nullptr ? std::string() : ": " + value_text(*result)));
    }
  }
}

/// "answered by eve (key_...) after 2h, approved by ann (key_...)"
std::string said_by(const Json& review) {
  std::string out(text_or(review, "status", ""));
  if (!text_or(review, "answered_by", "").empty()) {
    out += fmt::format(" by {} after {}", person_text(review, "answered_by"),
                       took_text(text_or(review, "asked", ""), text_or(review, "answered", "")));
  }
  if (!text_or(review, "approved_by", "").empty()) {
    out += fmt::format(", approved by {}", person_text(review, "approved_by"));
  }
  return out;
}

void print_people(const Json& run) {
  for (const Json& review : run.at("people").as_array()) {
    page_line("PERSON", fmt::format("{} {} {}", text_or(review, "id", ""),
                                    text_or(review, "form", ""), said_by(review)));
    if (const Json* answer = find(review, "answer"); answer != nullptr && !answer->is_null()) {
      page_line(
          "", fmt::format("answer: {}{}", value_text(*answer),
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
    for (const std::string_view name : {"step", "outcome", "reason", "subject"}) {
      if (const auto text = text_or(entry, name, ""); !text.empty()) {
        about += fmt::format(" {}", text);
      }
    }
    if (const auto by = person_name(entry, "by"); !by.empty()) {
      about += fmt::format(" {}", by);
    }
    page_line(std::exchange(label, ""),
              fmt::format("{} {:>6} {}{}", seconds_text(time),
                          before.empty() ? "" : "+" + took_text(before, time),
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
    page_line(
        std::exchange(label, ""),
        fmt::format(
            "{} {} {}{}{}", int_or(leaf, "index", 0), text_or(leaf, "kind", ""),
            text_or(leaf, "outcome", ""),
            text_or(leaf, "step", "").empty() ? "" : fmt::format(" {}", text_or(leaf, "step", "")),
            decisions_of(leaf)));
  }
  if (!bool_or(*leaves, "complete", true)) {
    page_line("", "there may be more: aios audit leaves --stream finds all");
  }
  // To be copied: not wrapped.
  page_command("OPEN WITH",
               fmt::format("aios runs history {} --json > opening.json", text_or(run, "id", "")));
  page_command("", fmt::format("aios audit open <data>/audit/{} --key <verifier key> "
                               "--opening opening.json",
                               text_or(run, "tenant", "")));
}

void print_case(const Json& run) {
  print_head(run);
  print_input(run);
  print_models(run);
  print_people(run);
  print_effects(run);
  if (const Json* output = find(run, "output"); output != nullptr) {
    page_members("OUTPUT", *output);
  }
  if (const Json* error = find(run, "error"); error != nullptr) {
    page_members("ERROR", *error);
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
