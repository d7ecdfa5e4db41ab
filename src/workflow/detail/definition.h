// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/definition: a document after loading: checked, every expression and schema
// compiled. Immutable; shared by all runs of it and by all threads.

#include "core/json.h"
#include "expr/schema.h"
#include "workflow/engine.h"
#include "workflow/task_kind.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::workflow {

/// input, output or export of a task or of the workflow: an expression and a schema, both optional.
struct Shape {
  Expression expression;
  std::optional<expr::Schema> schema;
};

struct LoadedTask {
  std::string name;
  std::string reference;  ///< JSON pointer: /do/0/name
  std::string keyword;    ///< "set", "call", ...
  Expression condition;
  Shape input, output, exported;
  std::optional<DurationValue> timeout;
  Directive then;
  std::unique_ptr<TaskBody> body;
};

struct TaskList {
  std::string pointer;  ///< "/do"
  std::vector<LoadedTask> tasks;
};

/// A workflow that the document runs, and where it says so.
struct RunReference {
  std::string workflow, version;  ///< namespace/name; empty version: the newest
  std::uint32_t line = 0, column = 0;
};

/// A search attribute, and what gives its value.
struct LoadedAttribute {
  AttributeInfo info;
  Expression value;
};

struct Definition {
  DefinitionInfo info;
  std::string text;  ///< as installed; kept so that a run finds the version it started with
  Json document;
  std::vector<std::unique_ptr<TaskList>> lists;  ///< [0] is the document's `do`
  Shape input, output;
  std::optional<DurationValue> timeout;
  std::vector<RunReference> runs;
  std::vector<LoadedAttribute> attributes;

  std::string full_name() const { return info.workflow_namespace + "/" + info.name; }
  const TaskList* list_at(std::string_view pointer, std::uint32_t* index) const;
};

}  // namespace aios::workflow
