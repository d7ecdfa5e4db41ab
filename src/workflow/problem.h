// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/problem: the errors a workflow document sees: RFC 7807 objects with the standard types
// of the Open Workflow Specification. `try` matches them; an uncaught one is the error of the
// faulted run.

#include "core/json.h"
#include "core/result.h"

#include <string>
#include <string_view>

namespace aios::workflow {

/// The standard error types (dsl-reference.md, "Standard Error Types").
enum class ProblemType : std::uint8_t {
  configuration,
  validation,
  expression,
  authentication,
  authorization,
  timeout,
  communication,
  runtime,
};

struct Problem {
  std::string type;  ///< a URI
  std::int64_t status = 500;
  std::string title;
  std::string detail;    ///< empty: absent
  std::string instance;  ///< JSON pointer of the task it came from
  Json to_json() const;
  static Problem from_json(const Json& value);
};

/// "https://open-workflow-specification.org/spec/1.0.0/errors/<name>".
std::string uri_of(ProblemType type);
/// With the type's usual status and title.
Problem make_problem(ProblemType type, std::string detail, std::string instance);
/// What a failed call looks like to the document: the code decides type and status; the text
/// becomes the detail.
Problem problem_of(const Error& error, std::string instance);

}  // namespace aios::workflow
