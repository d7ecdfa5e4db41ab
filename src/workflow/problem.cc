// SPDX-License-Identifier: Apache-2.0
#include "workflow/problem.h"

#include "workflow/detail/problem_type.h"

#include <utility>

namespace aios::workflow {
namespace {

struct TypeFacts {
  std::string_view name;
  std::int64_t status = 500;
  std::string_view title;
};

TypeFacts facts_of(ProblemType type) {
  switch (type) {
    case ProblemType::configuration: return {"configuration", 400, "Configuration Error"};
    case ProblemType::validation: return {"validation", 400, "Validation Error"};
    case ProblemType::expression: return {"expression", 400, "Expression Error"};
    case ProblemType::authentication: return {"authentication", 401, "Authentication Error"};
    case ProblemType::authorization: return {"authorization", 403, "Authorization Error"};
    case ProblemType::timeout: return {"timeout", 408, "Timeout Error"};
    case ProblemType::communication: return {"communication", 500, "Communication Error"};
    case ProblemType::runtime: return {"runtime", 500, "Runtime Error"};
  }
  return {"runtime", 500, "Runtime Error"};
}

std::pair<ProblemType, std::int64_t> kind_of(Code code) {
  switch (code) {
    case Code::invalid_argument: return {ProblemType::validation, 400};
    case Code::deadline_exceeded: return {ProblemType::timeout, 408};
    case Code::not_found: return {ProblemType::communication, 404};
    case Code::already_exists:
    case Code::aborted:
    case Code::failed_precondition: return {ProblemType::communication, 409};
    case Code::policy_denied:
    case Code::permission_denied: return {ProblemType::authorization, 403};
    case Code::budget_exceeded: return {ProblemType::authorization, 402};
    case Code::unauthenticated: return {ProblemType::authentication, 401};
    case Code::resource_exhausted:
    case Code::rate_limited: return {ProblemType::communication, 429};
    case Code::unavailable: return {ProblemType::communication, 503};
    case Code::unimplemented: return {ProblemType::configuration, 501};
    case Code::cancelled:
    case Code::internal:
    case Code::data_loss: return {ProblemType::runtime, 500};
  }
  return {ProblemType::runtime, 500};
}

}  // namespace

std::string uri_of(ProblemType type) {
  return "https://open-workflow-specification.org/spec/1.0.0/errors/" +
         std::string(facts_of(type).name);
}

bool same_type(std::string_view one, std::string_view other) {
  const auto name_in = [](std::string_view type) {
    for (const std::string_view prefix :
         {"https://open-workflow-specification.org/spec/1.0.0/errors/",
          "https://open-workflow-specification.org/dsl/errors/types/",
          "https://serverlessworkflow.io/spec/1.0.0/errors/"}) {
      if (type.starts_with(prefix)) {
        return type.substr(prefix.size());
      }
    }
    return std::string_view();
  };
  return one == other || (!name_in(one).empty() && name_in(one) == name_in(other));
}

Problem make_problem(ProblemType type, std::string detail, std::string instance) {
  const auto facts = facts_of(type);
  return {uri_of(type), facts.status, std::string(facts.title), std::move(detail),
          std::move(instance)};
}

Problem problem_of(const Error& error, std::string instance) {
  const auto [type, status] = kind_of(error.code());
  auto problem = make_problem(type, error.text(), std::move(instance));
  problem.status = status;
  return problem;
}

Json Problem::to_json() const {
  JsonObject out;
  out["type"] = type;
  out["status"] = status;
  if (!title.empty()) {
    out["title"] = title;
  }
  if (!detail.empty()) {
    out["detail"] = detail;
  }
  out["instance"] = instance;
  return out;
}

Problem Problem::from_json(const Json& value) {
  return {std::string(text_or(value, "type", "")), int_or(value, "status", 500),
          std::string(text_or(value, "title", "")), std::string(text_or(value, "detail", "")),
          std::string(text_or(value, "instance", ""))};
}

}  // namespace aios::workflow
