// SPDX-License-Identifier: Apache-2.0
#include "scenario/step.h"

#include "core/text.h"
#include "expr/yaml.h"
#include "scenario/detail/rooms.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace aios::scenario {
namespace {

constexpr Duration within = std::chrono::hours(1);
constexpr std::uint32_t leaves_max = 1'000;
constexpr std::size_t depth_max = 100;  // of lists in lists, as YAML nests
constexpr std::string_view first_name = "aios-step-context";
constexpr std::string_view mark_next = "aios-step-next";
constexpr std::string_view mark_context = "aios-step-kept";

/// The name of a list's entry: its only member.
std::string entry_name(const Json& entry) {
  return entry.is_object() && entry.get_object().size() == 1
             ? std::string(entry.get_object().begin()->key())
             : std::string();
}

bool is_task_list(const Json& value) {
  return value.is_array() && !value.get_array().empty() &&
         !entry_name(value.get_array().front()).empty();
}

/// The list that holds a task of that name, the outermost first; all names that are seen go to
/// `names`.
const JsonArray* list_with(const Json& value, const std::string& task, std::size_t depth,
                           std::vector<std::string>* names) {
  if (depth > depth_max) {
    return nullptr;
  }
  if (is_task_list(value)) {
    for (const Json& entry : value.get_array()) {
      names->push_back(entry_name(entry));
      if (names->back() == task) {
        return &value.get_array();
      }
    }
  }
  const JsonArray* found = nullptr;
  if (value.is_array()) {
    for (const Json& item : value.get_array()) {
      found = found != nullptr ? found : list_with(item, task, depth + 1, names);
    }
  } else if (value.is_object()) {
    for (const auto& member : value.get_object()) {
      // the arguments of a call may hold lists of their own
      const bool data = member.key() == "with" || member.key() == "set";
      found = found != nullptr || data ? found : list_with(member.value(), task, depth + 1, names);
    }
  }
  return found;
}

/// In a sibling's place: says that it was reached, and ends.
Json passed_over(const std::string& name) {
  const std::string kept =
      fmt::format("${{ {{\"{}\": \"{}\", \"{}\": $context}} }}", mark_next, name, mark_context);
  return JsonObject{{"set", "${ . }"}, {"export", JsonObject{{"as", kept}}}, {"then", "end"}};
}

Json first_task(const std::string& task) {
  return JsonObject{{"set", "${ $workflow.input.input }"}, {"then", task}};
}

struct Found {
  std::string path;
  Json document;
};

Result<Found> find_document(const StepRequest& request, const bundle::Files& files) {
  std::optional<Found> found;
  std::vector<std::string> names;
  for (const auto& [path, text] : files) {
    if (!path.starts_with("workflows/") || !path.ends_with(".yaml")) {
      continue;
    }
    auto parsed = expr::parse_yaml(text, path);
    if (!parsed.ok()) {
      return std::move(parsed).error();
    }
    const Json* head = find(parsed->value, "document");
    const std::string name(head ? text_or(*head, "name", "") : "");
    const std::string whole =
        fmt::format("{}/{}", head ? text_or(*head, "namespace", "") : "", name);
    names.push_back(whole);
    if (request.workflow == name || request.workflow == whole) {
      found = Found{path, std::move(parsed->value)};
    }
  }
  if (!found) {
    return Error(Code::not_found, fmt::format("the bundle has no workflow '{}'{}", request.workflow,
                                              hint(request.workflow, names)));
  }
  return *std::move(found);
}

/// The bundle with nothing but that document among its workflows.
bundle::Files with_document(const bundle::Files& bundle, const std::string& path,
                            const Json& document) {
  bundle::Files out;
  for (const auto& [name, text] : bundle) {
    if (!name.starts_with("workflows/")) {
      out[name] = text;
    }
  }
  out[path] = to_text(document);
  return out;
}

bool retrieves(const Json& document) {
  return to_text(document).find("\"retrieve:") != std::string::npos;
}

/// What a task that is passed over, or the task itself, left as the context.
void put_context(const Json& kept, JsonObject* found) {
  const Json* next = find(kept, mark_next);
  const Json* own = find(kept, mark_context);
  const bool reached = next != nullptr && own != nullptr && kept.get_object().size() == 2;
  (*found)["next"] = reached ? *next : Json(nullptr);
  (*found)["context"] = reached ? *own : kept;
}

class Step {
 public:
  explicit Step(const StepRequest& request, bundle::Learnt* learnt)
      : rooms_(request.models.is_null() ? nullptr : &request.models,
               request.systems.is_null() ? nullptr : &request.systems, learnt) {
    rooms_.guard.set_region(default_tenant(), request.region);
  }

  Result<Json> run(const bundle::Files& files, const JsonObject& overrides,
                   const std::string& workflow, JsonObject input) {
    if (auto errors = rooms_.deploy(files, overrides); !errors.empty()) {
      return std::move(errors.front());
    }
    const Context ctx = rooms_.caller("developer", {"admin"});
    workflow::StartRequest start;
    start.workflow = workflow;
    start.input = std::move(input);
    auto id = rooms_.executor.run(rooms_.engine->start(ctx, std::move(start)));
    if (!id.ok()) {
      return std::move(id).error();
    }
    if (auto watched = watch(ctx, *id); !watched.ok()) {
      return std::move(watched).error();
    }
    if (auto told = tell(ctx, *id); !told.ok()) {
      return std::move(told).error();
    }
    return Json(std::move(found_));
  }

 private:
  /// Until it ended, waits for a person, or asked for what nobody scripted.
  Result<void> watch(const Context& ctx, const std::string& id) {
    const Instant end = rooms_.executor.clock().instant() + within;
    Duration look = std::chrono::milliseconds(100);
    while (rooms_.executor.clock().instant() < end && rooms_.unscripted.empty()) {
      const Instant next = std::min(end, rooms_.executor.clock().instant() + look);
      auto ended = rooms_.executor.run(rooms_.engine->wait(ctx.until(next), id));
      auto open = rooms_.executor.run(rooms_.reviews->list(ctx, "open", "", 100));
      if (!open.ok()) {
        return std::move(open).error();
      }
      if (ended.ok() || !open->empty()) {
        JsonArray questions;
        for (const review::ReviewInfo& question : *open) {
          questions.push_back(question.to_json());
        }
        found_["questions"] = std::move(questions);
        return {};
      }
      look *= 2;
    }
    return {};
  }

  Result<void> tell(const Context& ctx, const std::string& id) {
    auto run = rooms_.executor.run(rooms_.engine->get(ctx, id));
    if (!run.ok()) {
      return std::move(run).error();
    }
    found_["status"] = run->status;
    if (run->status == "completed") {
      const Json* output = find(run->output, "output");
      const Json* kept = find(run->output, "context");
      found_["output"] = output ? *output : Json();
      put_context(kept ? *kept : Json(), &found_);
    } else if (run->status == "faulted") {
      found_["error"] = run->error;
    }
    if (!run->waiting_for.empty()) {
      found_["waiting_for"] = run->waiting_for;
    }
    found_["requests"] = std::move(rooms_.systems.requests);
    JsonArray unscripted(rooms_.unscripted.begin(), rooms_.unscripted.end());
    found_["unscripted"] = std::move(unscripted);
    return decisions(ctx);
  }

  Result<void> decisions(const Context& ctx) {
    auto leaves = rooms_.executor.run(rooms_.store->leaves(ctx, 0, leaves_max));
    if (!leaves.ok()) {
      return std::move(leaves).error();
    }
    JsonArray said;
    for (const std::string& leaf : *leaves) {
      auto parsed = parse_json(leaf);
      const Json* list = parsed.ok() ? find(*parsed, "decisions") : nullptr;
      if (list == nullptr || !list->is_array()) {
        continue;
      }
      for (const Json& one : list->get_array()) {
        const Json* reasons = find(one, "reasons");
        said.push_back(JsonObject{{"point", text_or(one, "point", "")},
                                  {"verdict", text_or(one, "verdict", "")},
                                  {"reasons", reasons ? *reasons : Json(JsonArray())}});
      }
    }
    found_["decisions"] = std::move(said);
    return {};
  }

  Rooms rooms_;
  JsonObject found_;
};

}  // namespace

Result<Json> document_of_step(const Json& document, const std::string& task) {
  std::vector<std::string> names;
  const Json* whole = find(document, "do");
  const JsonArray* list = whole ? list_with(*whole, task, 0, &names) : nullptr;
  if (list == nullptr) {
    return Error(Code::not_found,
                 fmt::format("the workflow has no task '{}'{}", task, hint(task, names)));
  }
  JsonArray tasks = {JsonObject{{first_name, first_task(task)}}};
  for (const Json& entry : *list) {
    const std::string name = entry_name(entry);
    tasks.push_back(name == task ? entry : Json(JsonObject{{name, passed_over(name)}}));
  }
  JsonObject out{{"document", document.at("document")},
                 {"input", JsonObject{{"from", "${ .context }"}}},
                 {"output", JsonObject{{"as", "${ {output: ., context: $context} }"}}},
                 {"do", std::move(tasks)}};
  if (const Json* use = find(document, "use")) {
    out["use"] = *use;
  }
  return Json(std::move(out));
}

Result<Json> run_step(const StepRequest& request, const bundle::Files& bundle,
                      const JsonObject& overrides) {
  auto found = find_document(request, bundle);
  if (!found.ok()) {
    return std::move(found).error();
  }
  auto document = document_of_step(found->document, request.task);
  if (!document.ok()) {
    return std::move(document).error();
  }
  const Json& head = found->document.at("document");
  const std::string whole =
      fmt::format("{}/{}", text_or(head, "namespace", ""), text_or(head, "name", ""));
  bundle::Learnt learnt;
  Step step(request, retrieves(*document) ? &learnt : nullptr);
  return step.run(with_document(bundle, found->path, *document), overrides, whole,
                  JsonObject{{"input", request.input}, {"context", request.context}});
}

}  // namespace aios::scenario
