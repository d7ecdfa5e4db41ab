// SPDX-License-Identifier: Apache-2.0
// The document around the tasks: its head, what it reuses, what starts it, and the functions it
// calls.
#include "workflow/detail/loader.h"

#include "core/crypto.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace aios::workflow {
namespace {

bool is_name(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), plain);
}

bool is_version(std::string_view text) {
  const auto core = text.substr(0, text.find_first_of("-+"));
  const auto parts = split(core, '.');
  const auto number = [](std::string_view part) {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return !part.empty() && part.size() <= 9 && (part.size() == 1 || part.front() != '0') &&
           std::all_of(part.begin(), part.end(), digit);
  };
  return parts.size() == 3 && std::all_of(parts.begin(), parts.end(), number);
}

std::vector<std::string> members_of(const Json* object) {
  std::vector<std::string> out;
  if (object != nullptr && object->is_object()) {
    for (const auto& member : object->get_object()) {
      out.emplace_back(member.key());
    }
  }
  return out;
}

/// For a call by a bare name that only the catalog has: how it is written in full.
std::string catalog_hint(std::string_view name, const FunctionRegistry& functions) {
  std::vector<std::string> names;
  for (const auto& entry : functions.entries()) {
    names.push_back(entry.name);
  }
  const auto* entry = functions.find(nearest_name(name, names));
  return entry == nullptr
             ? ""
             : fmt::format("; did you mean '{}:{}@default'?", entry->name, entry->version);
}

}  // namespace

std::shared_ptr<const Definition> load_definition(const DefinitionFile& file,
                                                  const FunctionRegistry& functions,
                                                  std::vector<Error>* errors) {
  return Loader(file, functions).load(errors);
}

Loader::Loader(const DefinitionFile& file, const FunctionRegistry& functions)
    : file_(file),
      functions_(functions) {
  register_all_tasks(kinds_);
}

std::shared_ptr<const Definition> Loader::load(std::vector<Error>* errors) {
  auto parsed = expr::parse_yaml(file_.text, file_.path);
  if (!parsed.ok()) {
    errors->push_back(std::move(parsed).error());
    return nullptr;
  }
  yaml_ = std::move(*parsed);
  definition_->text = file_.text;
  definition_->document = yaml_.value;
  definition_->info.digest = to_hex(view(sha256(file_.text)));
  const auto& root = definition_->document;
  if (!root.is_object()) {
    fail("", fmt::format("found {}, wanted a workflow document", type_name(root)), 1000);
  } else {
    only(root, "", {"document", "input", "use", "do", "timeout", "output", "schedule", "evaluate"});
    load_document(root);
    load_use(root);
    load_schedule(root);
    load_frame(root);
  }
  if (!errors_.empty()) {
    std::sort(errors_.begin(), errors_.end(), [](const Error& a, const Error& b) {
      return std::tuple(a.line(), a.column(), a.message()) <
             std::tuple(b.line(), b.column(), b.message());
    });
    errors->insert(errors->end(), errors_.begin(), errors_.end());
    return nullptr;
  }
  return definition_;
}

void Loader::load_document(const Json& root) {
  const auto* head = member(root, "", "document", "object", true);
  if (head == nullptr) {
    return;
  }
  only(*head, "/document",
       {"dsl", "namespace", "name", "version", "title", "summary", "tags", "metadata"});
  auto& info = definition_->info;
  const auto text = [&](std::string_view name, bool required) {
    const auto* found = member(*head, "/document", name, "string", required);
    return found == nullptr ? std::string() : std::string(view(found->get_string()));
  };
  const auto dsl = text("dsl", true);
  info.workflow_namespace = text("namespace", true);
  info.name = text("name", true);
  info.version = text("version", true);
  info.title = text("title", false);
  text("summary", false);
  if (!dsl.empty() && !dsl.starts_with("1.0.")) {
    fail("/document/dsl", fmt::format("found DSL version '{}', wanted 1.0.x", dsl), 1001);
  }
  for (const auto& [name, value] :
       {std::pair("namespace", info.workflow_namespace), std::pair("name", info.name)}) {
    if (!value.empty() && !is_name(value)) {
      fail(fmt::format("/document/{}", name),
           fmt::format("found '{}', wanted 1 to 63 letters, digits or '-', not at an end",
                       excerpt(value, 70)),
           1001);
    }
  }
  if (!info.version.empty() && !is_version(info.version)) {
    fail("/document/version",
         fmt::format("found '{}', wanted a semantic version such as 1.0.0",
                     excerpt(info.version, 40)),
         1001);
  }
  load_attributes(*head);
}

void Loader::load_use(const Json& root) {
  const auto* use = member(root, "", "use", "object", false);
  if (use == nullptr) {
    return;
  }
  const std::vector<std::string> known = {"errors", "retries", "timeouts", "functions",
                                          "authentications"};
  for (const auto* absent : {"catalogs", "extensions"}) {
    if (find(*use, absent) != nullptr) {
      fail(fmt::format("/use/{}", absent),
           fmt::format("'use.{}' is not supported; supported: {}, secrets", absent,
                       join(known, ", ")),
           1002);
    }
  }
  only(*use, "/use",
       {"errors", "retries", "timeouts", "functions", "authentications", "catalogs", "extensions",
        "secrets"});
  for (const auto& section : known) {
    member(*use, "/use", section, "object", false);
  }
  member(*use, "/use", "secrets", "array", false);
}

void Loader::load_schedule(const Json& root) {
  const auto* schedule = member(root, "", "schedule", "object", false);
  if (schedule == nullptr) {
    return;
  }
  for (const auto* absent : {"every", "cron", "after"}) {
    if (find(*schedule, absent) != nullptr) {
      fail(fmt::format("/schedule/{}", absent),
           fmt::format("'schedule.{}' is not supported; supported: on", absent), 1002);
    }
  }
  only(*schedule, "/schedule", {"on", "read", "every", "cron", "after"});
  if (text_or(*schedule, "read", "envelope") != "envelope") {
    fail("/schedule/read",
         "only 'read: envelope' is supported: $workflow.input is a list of whole "
         "CloudEvents",
         1002);
  }
  const auto* on = member(*schedule, "/schedule", "on", "object", false);
  if (on == nullptr) {
    return;
  }
  if (find(*on, "all") != nullptr || find(*on, "until") != nullptr) {
    fail("/schedule/on", "waiting for several events is not supported; supported: one, any", 1002);
    return;
  }
  only(*on, "/schedule/on", {"one", "any"});
  if (const auto* one = member(*on, "/schedule/on", "one", "object", false); one != nullptr) {
    load_filter(*one, "/schedule/on/one");
  }
  if (const auto* any = member(*on, "/schedule/on", "any", "array", false); any != nullptr) {
    std::size_t index = 0;
    for (const auto& filter : any->get_array()) {
      load_filter(filter, fmt::format("/schedule/on/any/{}", index++));
    }
  }
}

void Loader::load_filter(const Json& filter, const std::string& pointer) {
  only(filter, pointer, {"with"});
  const auto* with = member(filter, pointer, "with", "object", true);
  if (with == nullptr) {
    return;
  }
  const auto at = pointer + "/with";
  for (const auto& one : with->get_object()) {
    if (one.key() != "type") {
      fail(at + "/" + std::string(one.key()),
           fmt::format("filtering events by '{}' is not supported; supported: type",
                       std::string_view(one.key().data(), one.key().size())),
           1002);
    }
  }
  const auto* type = member(*with, at, "type", "string", true);
  if (type != nullptr) {
    definition_->info.trigger_types.emplace_back(view(type->get_string()));
  }
}

void Loader::load_frame(const Json& root) {
  if (const auto* evaluate = member(root, "", "evaluate", "object", false); evaluate != nullptr) {
    only(*evaluate, "/evaluate", {"language", "mode"});
    if (text_or(*evaluate, "language", "jq") != "jq") {
      fail("/evaluate/language", "only 'jq' is supported", 1002);
    }
    if (text_or(*evaluate, "mode", "strict") != "strict") {
      fail("/evaluate/mode", "only 'strict' is supported: expressions stand in ${ }", 1002);
    }
  }
  definition_->input = shape(root, "", "input", "from", {"workflow", "runtime"});
  definition_->output = shape(root, "", "output", "as", {"context", "workflow", "runtime"});
  definition_->timeout = timeout(root, "");
  if (const auto* list = member(root, "", "do", "array", true); list != nullptr) {
    tasks(*list, "/do", {});
  }
}

const Json* Loader::referable(const Json& value, const std::string& pointer,
                              std::string_view section, std::string* resolved_pointer) {
  if (value.is_object()) {
    *resolved_pointer = pointer;
    return &value;
  }
  const std::string name(view(value.get_string()));
  const auto* entries = at_pointer(definition_->document, fmt::format("/use/{}", section));
  const auto* found = entries == nullptr ? nullptr : find(*entries, name);
  if (found == nullptr || !found->is_object()) {
    const auto names = members_of(entries);
    auto near = did_you_mean(name, names);
    if (near.empty() && section == "functions") {
      near = catalog_hint(name, functions_);
    }
    fail(pointer,
         fmt::format("found '{}', which 'use.{}' does not define (it has {}){}", name, section,
                     names.empty() ? "nothing" : join(names, ", "), near),
         1004);
    return nullptr;
  }
  *resolved_pointer = fmt::format("/use/{}", section);
  expr::append_pointer(*resolved_pointer, name);
  return found;
}

void Loader::secret(const std::string& name, const std::string& pointer) {
  const auto names = texts_of(at_pointer(definition_->document, "/use/secrets"));
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    fail(pointer,
         fmt::format("found the secret '{}', which 'use.secrets' does not list (it has {}){}", name,
                     names.empty() ? "nothing" : join(names, ", "), did_you_mean(name, names)),
         1004);
  }
}

std::string Loader::function(const std::string& call, const Json* arguments,
                             const std::string& pointer) {
  std::vector<std::string> known;
  for (const auto& entry : functions_.entries()) {
    known.push_back(fmt::format("{}:{}@default", entry.name, entry.version));
  }
  const auto name = call.substr(0, call.find(':'));
  const auto* entry = functions_.find(name);
  const bool address = call.find('@') == std::string::npos || call.find('/') != std::string::npos;
  if (entry == nullptr && (address || name == "http")) {
    fail(pointer + "/call",
         fmt::format("found 'call: {}', which is not supported: describe the system as a connector "
                     "and use 'call: connector:1.0.0@default'",
                     excerpt(call, 100)),
         1002);
    return {};
  }
  if (entry == nullptr || call != fmt::format("{}:{}@default", entry->name, entry->version)) {
    const auto near = did_you_mean(call, known);
    fail(pointer + "/call",
         fmt::format("found the function '{}', the default catalog has {}{}", call,
                     join(known, ", "), near.empty() ? catalog_hint(name, functions_) : near),
         1004);
    return {};
  }
  check_arguments(*entry, arguments != nullptr ? *arguments : Json(JsonObject()),
                  pointer + "/with");
  return entry->name;
}

void Loader::check_arguments(const FunctionEntry& entry, const Json& arguments,
                             const std::string& pointer) {
  auto known = argument_schemas_.find(entry.name);
  if (known == argument_schemas_.end()) {
    auto text = parse_json(entry.arguments_schema);
    AIOS_ASSERT(text.ok());
    auto compiled = expr::Schema::compile(*text);
    AIOS_ASSERT(compiled.ok());
    known = argument_schemas_.emplace(entry.name, std::move(*compiled)).first;
  }
  auto issues = known->second.issues(arguments, 20);
  if (!issues.ok()) {
    fail(pointer, issues.error().message(), 1006);
    return;
  }
  for (const auto& issue : *issues) {
    fail(pointer + issue.instance_path,
         fmt::format("arguments of '{}': {}", entry.name, issue.message), 1006);
  }
}

const TaskList* Definition::list_at(std::string_view pointer, std::uint32_t* index) const {
  for (std::size_t i = 0; i < lists.size(); ++i) {
    if (lists[i]->pointer == pointer) {
      *index = static_cast<std::uint32_t>(i);
      return lists[i].get();
    }
  }
  return nullptr;
}

}  // namespace aios::workflow
