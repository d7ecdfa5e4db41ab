// SPDX-License-Identifier: Apache-2.0
#include "app/dev_step.h"

#include "app/bundle_round.h"
#include "app/terminal.h"

#include "core/text.h"
#include "scenario/scenario.h"
#include "scenario/step.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

constexpr int page_value = 1427;

/// JSON itself, or the file that has it.
Result<Json> value_of(std::string_view option, const std::string& given) {
  const std::string_view text = trim(given);
  const bool is_json = !text.empty() && std::string_view("{[\"-0123456789").find(text.front()) !=
                                            std::string_view::npos;
  if (is_json || text == "null" || text == "true" || text == "false") {
    auto parsed = parse_json(text);
    if (!parsed.ok()) {
      return std::move(parsed)
          .error()
          .page(page_value)
          .with(fmt::format("reading {} as JSON", option));
    }
    return parsed;
  }
  auto file = read_file(given);
  if (!file.ok()) {
    return std::move(file)
        .error()
        .page(page_value)
        .with(fmt::format("reading {}, which is no JSON, as the name of a file", option));
  }
  auto parsed = parse_json(*file);
  if (!parsed.ok()) {
    Error error = std::move(parsed).error();
    const auto line = error.line();
    const auto column = error.column();
    return std::move(error).page(page_value).at(given, line, column);
  }
  return parsed;
}

/// What models and systems answer in the first scenario that is meant.
Result<void> take_answers(const std::string& directory, const std::string& wanted,
                          scenario::StepRequest* request) {
  auto files = scenario::read_scenario_files(directory);
  if (!files.ok()) {
    return std::move(files).error();
  }
  const auto read = scenario::read_scenarios(*files);
  if (!read.errors.empty()) {
    return read.errors.front();
  }
  for (const scenario::Scenario& one : read.scenarios) {
    if (one.name.find(wanted) == std::string::npos) {
      continue;
    }
    for (const auto& [name, place] :
         {std::pair("models", &request->models), std::pair("systems", &request->systems)}) {
      if (const Json* told = one.member(name)) {
        *place = *told;
      }
    }
    return {};
  }
  return Error(Code::not_found,
               fmt::format("no scenario of '{}' has '{}' in its name", directory, wanted))
      .page(1421);
}

Result<scenario::StepRequest> request_of(const std::string& directory, const StepOptions& options) {
  const std::size_t slash = options.name.rfind('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == options.name.size()) {
    return Error(Code::invalid_argument,
                 fmt::format("--step '{}' is not WORKFLOW/TASK", options.name))
        .page(page_value);
  }
  scenario::StepRequest request;
  request.workflow = options.name.substr(0, slash);
  request.task = options.name.substr(slash + 1);
  request.input = JsonObject();
  if (!options.input.empty()) {
    auto input = value_of("--input", options.input);
    if (!input.ok()) {
      return std::move(input).error();
    }
    request.input = *std::move(input);
  }
  request.context = request.input;
  if (!options.context.empty()) {
    auto context = value_of("--context", options.context);
    if (!context.ok()) {
      return std::move(context).error();
    }
    request.context = *std::move(context);
  }
  if (!options.scenario.empty()) {
    if (auto taken = take_answers(directory, options.scenario, &request); !taken.ok()) {
      return std::move(taken).error();
    }
  }
  return request;
}

void print_member(const Json& found, std::string_view member, std::string_view title) {
  const Json* value = find(found, member);
  if (value != nullptr && !value->is_null()) {
    fmt::print("{}: {}\n", title, to_pretty_text(*value));
  }
}

void print_list(const Json& found, std::string_view member, std::string_view title) {
  const Json* list = find(found, member);
  if (list == nullptr || !list->is_array()) {
    return;
  }
  for (const Json& one : list->get_array()) {
    fmt::print("{}: {}\n", title,
               one.is_string() ? std::string(view(one.get_string())) : to_text(one));
  }
}

void print_decisions(const Json& found) {
  for (const Json& one : found.at("decisions").as_array()) {
    const std::vector<std::string> reasons = texts_of(find(one, "reasons"));
    fmt::print("policy {}: {}{}\n", text_or(one, "point", ""), text_or(one, "verdict", ""),
               reasons.empty() ? "" : ": " + join(reasons, "; "));
  }
}

void print_found(const Json& found) {
  fmt::print("status: {}\n", text_or(found, "status", ""));
  print_member(found, "output", "output");
  print_member(found, "context", "context");
  print_member(found, "error", "error");
  print_member(found, "waiting_for", "waits for");
  print_decisions(found);
  print_list(found, "requests", "would send");
  print_list(found, "questions", "would ask");
  print_list(found, "unscripted", "no answer");
  if (const std::string_view next = text_or(found, "next", ""); !next.empty()) {
    fmt::print("goes on at: {}\n", next);
  }
}

}  // namespace

Result<void> run_one_step(const Session& session, const std::string& directory,
                          const JsonObject& overrides, const StepOptions& options) {
  auto looked = check_folder(directory, overrides);
  if (!looked.ok()) {
    return std::move(looked).error();
  }
  if (!looked->checked.errors.empty()) {
    for (const Error& error : looked->checked.errors) {
      tell("{}\n", shown_text(error.text()));
    }
    return Error(Code::invalid_argument,
                 fmt::format("'{}' has problems, and no step is run before they are mended",
                             directory))
        .page(1410);
  }
  auto request = request_of(directory, options);
  if (!request.ok()) {
    return std::move(request).error();
  }
  auto found = scenario::run_step(*request, looked->files, overrides);
  if (!found.ok() && found.error().page() == 0) {
    return std::move(found).error().page(1426);
  }
  if (!found.ok()) {
    return std::move(found).error();
  }
  print(session, *found, print_found);
  const std::string_view status = text_or(*found, "status", "");
  const bool asks = !found->at("unscripted").as_array().empty();
  if (status == "faulted" || asks) {
    return Error(Code::failed_precondition,
                 fmt::format("the step '{}' {}", options.name,
                             asks ? "asked for what no scenario answers; name one with --scenario"
                                  : "ended with an error"))
        .page(1428);
  }
  return {};
}

}  // namespace aios::app
