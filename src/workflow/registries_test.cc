// SPDX-License-Identifier: Apache-2.0
// What must hold for every function and every task type, by running over the entries.
#include "core/test/plugins.h"
#include "expr/schema.h"
#include "workflow/engine.h"
#include "workflow/function.h"
#include "workflow/task_kind.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

namespace aios::workflow {
namespace {

FunctionRegistry all_functions() {
  FunctionRegistry registry;
  register_all_functions(registry);
  return registry;
}

TaskRegistry all_tasks() {
  TaskRegistry registry;
  register_all_tasks(registry);
  return registry;
}

/// What loading a document with one task says.
std::string refusal_of(const std::string& task, const FunctionRegistry& functions) {
  const std::string text = fmt::format(
      R"({{"document": {{"dsl": "1.0.3", "namespace": "test", "name": "one", "version": "1.0.0"}},
          "do": [{{"only": {}}}]}})",
      task);
  std::string out;
  for (const Error& error : Engine::check({{"w.yaml", text}}, functions)) {
    CHECK(error.code() == Code::invalid_argument);
    CHECK(error.line() > 0);
    out += error.text() + "\n";
  }
  return out;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("functions: each is called like its file, and says in a sentence what it does") {
  std::set<std::string> names;
  const FunctionRegistry registry = all_functions();
  for (const FunctionEntry& entry : registry.entries()) {
    CAPTURE(entry.name);
    CHECK(names.insert(entry.name).second);
    CHECK(registry.find(entry.name) != nullptr);
    CHECK(entry.summary.ends_with('.'));
    CHECK(entry.summary.find('\n') == std::string::npos);
    CHECK(std::count(entry.version.begin(), entry.version.end(), '.') == 2);
    CHECK(entry.make(FunctionServices()) != nullptr);
  }
  CHECK(names == aios::test::plugin_files("workflow/functions"));
}

/// The reference of functions is made of these sentences.
void check_described(const Json& properties) {
  for (const auto& member : properties.as_object()) {
    CAPTURE(std::string(member.key()));
    CHECK(text_or(member.value(), "description", "").ends_with('.'));
  }
}

TEST_CASE("functions: the schemas of each are schemas, and name arguments that are described") {
  const FunctionRegistry registry = all_functions();
  for (const FunctionEntry& entry : registry.entries()) {
    CAPTURE(entry.name);
    const auto result = parse_json(entry.result_schema);
    REQUIRE(result.ok());
    CHECK(expr::Schema::compile(*result).ok());
    const auto arguments = parse_json(entry.arguments_schema);
    REQUIRE(arguments.ok());
    const auto schema = expr::Schema::compile(*arguments);
    REQUIRE(schema.ok());
    CHECK_FALSE(schema->validate(Json("a text")).ok());
    const Json* properties = find(*arguments, "properties");
    REQUIRE(properties != nullptr);
    check_described(*properties);
    const Json* outputs = find(*result, "properties");
    CHECK((outputs != nullptr || find(*result, "description") != nullptr));
    check_described(outputs == nullptr ? Json(JsonObject()) : *outputs);
    for (const std::string& name : texts_of(find(*result, "required"))) {
      CAPTURE(name);
      CHECK(find(*outputs, name) != nullptr);
    }
    if (const Json* needed = find(*arguments, "required"); needed != nullptr) {
      CHECK_FALSE(schema->validate(Json(JsonObject())).ok());
      for (const Json& name : needed->get_array()) {
        CHECK(find(*properties, view(name.get_string())) != nullptr);
      }
    }
  }
}

TEST_CASE("functions: each refuses an argument that it does not know, by name and place") {
  const FunctionRegistry registry = all_functions();
  for (const FunctionEntry& entry : registry.entries()) {
    CAPTURE(entry.name);
    const std::string call =
        fmt::format(R"({{"call": "{}:{}@default", "with": {{"no_such_argument": 1}}}})", entry.name,
                    entry.version);
    const std::string refusal = refusal_of(call, registry);
    CAPTURE(refusal);
    CHECK(has(refusal, "no_such_argument"));
    CHECK(has(refusal, "w.yaml:"));
    CHECK(has(refusal, fmt::format("arguments of '{}'", entry.name)));
  }
}

TEST_CASE("tasks: each is called like its file, says what it does, and has a member of its name") {
  std::set<std::string> names;
  const TaskRegistry registry = all_tasks();
  std::set<std::string> members;
  for (const TaskKind& kind : registry.kinds()) {
    CAPTURE(kind.keyword);
    CHECK(names.insert(kind.keyword).second);
    CHECK(kind.summary.ends_with('.'));
    CHECK((kind.load != nullptr));
    CHECK(std::count(kind.members.begin(), kind.members.end(), kind.keyword) == 1);
    CHECK(std::set<std::string>(kind.members.begin(), kind.members.end()).size() ==
          kind.members.size());
  }
  CHECK(names == aios::test::plugin_files("workflow/tasks"));
}

TEST_CASE("tasks: each refuses a member that it does not know, and a keyword of the wrong type") {
  const FunctionRegistry functions = all_functions();
  const TaskRegistry registry = all_tasks();
  for (const TaskKind& kind : registry.kinds()) {
    CAPTURE(kind.keyword);
    const std::string odd =
        refusal_of(fmt::format(R"({{"{}": [], "no_such_member": 1}})", kind.keyword), functions);
    CAPTURE(odd);
    CHECK(has(odd, "no_such_member"));
    CHECK(has(odd, "w.yaml:"));
    const std::string wrong = refusal_of(fmt::format(R"({{"{}": 5}})", kind.keyword), functions);
    CAPTURE(wrong);
    CHECK(has(wrong, "w.yaml:"));
  }
}

}  // namespace aios::workflow
