// SPDX-License-Identifier: Apache-2.0
// try: runs a list of tasks; an error of theirs that fits the filter is retried by the policy, then
// handled. Counters stand in the frame's memory, so a back-off survives a crash.
#include "workflow/detail/problem_type.h"
#include "workflow/task_kind.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace aios::workflow {
namespace {

enum class Growth : std::uint8_t { constant, linear, exponential };

struct RetryPolicy {
  Expression when, except_when;
  std::optional<DurationValue> delay, jitter_from, jitter_to, attempt_duration, duration;
  Growth growth = Growth::constant;
  std::optional<std::int64_t> count;
};

struct Filter {
  std::optional<std::string> type, instance, title, detail;
  std::optional<std::int64_t> status;
  bool fits(const Problem& problem) const {
    return (!type || same_type(*type, problem.type)) &&
           (!instance || *instance == problem.instance) && (!title || *title == problem.title) &&
           (!detail || *detail == problem.detail) && (!status || *status == problem.status);
  }
};

struct Catch {
  Filter filter;
  std::string as = "error";
  Expression when, except_when;
  std::optional<RetryPolicy> retry;
  std::optional<std::uint32_t> handler;
  std::optional<Directive> then;
};

/// One day: the longest pause between two tries.
constexpr Duration pause_max = std::chrono::hours(24);

class Try final : public TaskBody {
 public:
  Try(std::uint32_t list, Catch handling) : list_(list), catch_(std::move(handling)) {}

  Step start(TaskScope& scope) const override { return attempt(scope); }
  Step resumed(TaskScope& scope) const override { return attempt(scope); }
  Step child_done(TaskScope& scope, Json output) const override {
    const bool handled = scope.memory().contains("caught");
    return Done{std::move(output), handled ? catch_.then : std::nullopt};
  }

  std::optional<Step> caught(TaskScope& scope, const Problem& problem) const override {
    if (scope.memory().contains("caught") || !catch_.filter.fits(problem)) {
      return {};  // an error of the handler itself is not ours
    }
    const Json error = problem.to_json();
    auto fits = chosen(scope, catch_.when, catch_.except_when, error);
    if (!fits.ok()) {
      return scope.expression_failed(fits.error());
    }
    if (!*fits) {
      return {};
    }
    if (catch_.retry) {
      auto pause = next_pause(scope, *catch_.retry, error);
      if (!pause.ok()) {
        return scope.expression_failed(pause.error());
      }
      if (*pause) {
        return Sleep{**pause};
      }
      if (!catch_.handler) {
        return {};  // tries used up and nobody to handle it: the error goes on
      }
    }
    scope.memory()["caught"] = true;
    if (!catch_.handler) {
      return Done{scope.input(), catch_.then};
    }
    JsonObject variables;
    variables[catch_.as] = error;
    return Enter{*catch_.handler, scope.input(), std::move(variables)};
  }

 private:
  Step attempt(TaskScope& scope) const {
    if (catch_.retry) {
      scope.memory()["attempt_at"] = scope.now().ns;
    }
    return Enter{list_, scope.input(), {}};
  }

  Result<bool> chosen(TaskScope& scope, const Expression& when, const Expression& except_when,
                      const Json& error) const {
    for (const auto* condition : {&when, &except_when}) {
      if (!condition->present()) {
        continue;
      }
      auto holds = scope.evaluate(*condition, scope.input(), {{catch_.as, error}});
      if (!holds.ok()) {
        return std::move(holds).error();
      }
      if (is_true(*holds) != (condition == &when)) {
        return false;
      }
    }
    return true;
  }

  static Result<Duration> value_of(TaskScope& scope, const std::optional<DurationValue>& value) {
    if (!value) {
      return Duration(0);
    }
    return value->evaluate(scope);
  }

  /// True when a limit of the policy is reached.
  Result<bool> used_up(TaskScope& scope, const RetryPolicy& policy, std::int64_t retries) const {
    if (policy.count && retries >= *policy.count) {
      return true;
    }
    const Json memory = scope.memory();
    const Time now = scope.now();
    if (policy.duration) {
      auto limit = policy.duration->evaluate(scope);
      if (!limit.ok()) {
        return std::move(limit).error();
      }
      if (now - Time{int_or(memory, "first_at", now.ns)} >= *limit) {
        return true;
      }
    }
    if (policy.attempt_duration) {
      auto limit = policy.attempt_duration->evaluate(scope);
      if (!limit.ok()) {
        return std::move(limit).error();
      }
      return now - Time{int_or(memory, "attempt_at", now.ns)} >= *limit;
    }
    return false;
  }

  /// The pause before the next try; nothing when there is none.
  Result<std::optional<Duration>> next_pause(TaskScope& scope, const RetryPolicy& policy,
                                             const Json& error) const {
    auto wanted = chosen(scope, policy.when, policy.except_when, error);
    if (!wanted.ok()) {
      return std::move(wanted).error();
    }
    auto& memory = scope.memory();
    if (!memory.contains("first_at")) {
      memory["first_at"] = memory["attempt_at"];
    }
    const auto retries = int_or(memory, "retries", 0);
    auto finished = used_up(scope, policy, retries);
    if (!finished.ok()) {
      return std::move(finished).error();
    }
    if (!*wanted || *finished) {
      return std::optional<Duration>();
    }
    memory["retries"] = retries + 1;
    auto pause = value_of(scope, policy.delay);
    auto from = value_of(scope, policy.jitter_from);
    auto to = value_of(scope, policy.jitter_to);
    for (const auto* part : {&pause, &from, &to}) {
      if (!part->ok()) {
        return part->error();
      }
    }
    return std::optional<Duration>(spread(scope, policy.growth, *pause, retries, *from, *to));
  }

  static Duration spread(TaskScope& scope, Growth growth, Duration pause, std::int64_t retries,
                         Duration from, Duration to) {
    double factor = 1;
    if (growth == Growth::linear) {
      factor = static_cast<double>(retries + 1);
    } else if (growth == Growth::exponential) {
      factor = std::pow(2.0, static_cast<double>(std::min<std::int64_t>(retries, 60)));
    }
    const auto whole = static_cast<double>(pause_max.count());
    const auto grown = std::min(static_cast<double>(pause.count()) * factor, whole);
    const auto range = to > from ? static_cast<double>((to - from).count()) : 0;
    const auto jitter = static_cast<double>(from.count()) + range * scope.random().unit();
    return Duration(static_cast<std::int64_t>(std::min(grown + jitter, whole)));
  }

  std::uint32_t list_;
  Catch catch_;
};

Filter load_filter(TaskLoader& loader, const Json& handling, const std::string& pointer) {
  Filter out;
  const auto* errors = loader.member(handling, pointer, "errors", "object", false);
  if (errors == nullptr) {
    return out;
  }
  loader.only(*errors, pointer + "/errors", {"with"});
  const auto* with = loader.member(*errors, pointer + "/errors", "with", "object", false);
  if (with == nullptr) {
    return out;
  }
  const auto at = pointer + "/errors/with";
  loader.only(*with, at, {"type", "status", "instance", "title", "detail"});
  const auto text = [&](std::string_view name, std::optional<std::string>& into) {
    if (const auto* found = loader.member(*with, at, name, "string", false); found != nullptr) {
      into = std::string(view(found->get_string()));
    }
  };
  text("type", out.type);
  text("instance", out.instance);
  text("title", out.title);
  text("detail", out.detail);
  if (loader.member(*with, at, "status", "integer", false) != nullptr) {
    out.status = int_or(*with, "status", 0);
  }
  return out;
}

Expression load_condition(TaskLoader& loader, const Json& node, const std::string& pointer,
                          std::string_view name, const std::string& variable) {
  const auto* text = loader.member(node, pointer, name, "string", false);
  if (text == nullptr) {
    return {};
  }
  return loader.expression(*text, pointer + "/" + std::string(name), BareText::expression,
                           {variable});
}

std::optional<DurationValue> load_duration(TaskLoader& loader, const Json& node,
                                           const std::string& pointer, std::string_view name) {
  const auto* value = loader.member(node, pointer, name, "object or string", false);
  if (value == nullptr) {
    return {};
  }
  return loader.duration(*value, pointer + "/" + std::string(name));
}

void load_limits(TaskLoader& loader, const Json& node, const std::string& at, RetryPolicy* out) {
  const auto* limit = loader.member(node, at, "limit", "object", false);
  if (limit == nullptr) {
    return;
  }
  loader.only(*limit, at + "/limit", {"attempt", "duration"});
  out->duration = load_duration(loader, *limit, at + "/limit", "duration");
  const auto* attempt = loader.member(*limit, at + "/limit", "attempt", "object", false);
  if (attempt == nullptr) {
    return;
  }
  loader.only(*attempt, at + "/limit/attempt", {"count", "duration"});
  if (loader.member(*attempt, at + "/limit/attempt", "count", "integer", false) != nullptr) {
    out->count = int_or(*attempt, "count", 0);
  }
  out->attempt_duration = load_duration(loader, *attempt, at + "/limit/attempt", "duration");
}

RetryPolicy load_retry(TaskLoader& loader, const Json& node, const std::string& at,
                       const std::string& variable) {
  RetryPolicy out;
  loader.only(node, at, {"when", "exceptWhen", "delay", "backoff", "limit", "jitter"});
  out.when = load_condition(loader, node, at, "when", variable);
  out.except_when = load_condition(loader, node, at, "exceptWhen", variable);
  out.delay = load_duration(loader, node, at, "delay");
  if (const auto* backoff = loader.member(node, at, "backoff", "object", false);
      backoff != nullptr) {
    loader.only(*backoff, at + "/backoff", {"constant", "linear", "exponential"});
    if (backoff->get_object().size() != 1) {
      loader.fail(at + "/backoff", "wanted one of constant, linear, exponential", 1001);
    } else if (find(*backoff, "linear") != nullptr) {
      out.growth = Growth::linear;
    } else if (find(*backoff, "exponential") != nullptr) {
      out.growth = Growth::exponential;
    }
  }
  if (const auto* jitter = loader.member(node, at, "jitter", "object", false); jitter != nullptr) {
    loader.only(*jitter, at + "/jitter", {"from", "to"});
    out.jitter_from = load_duration(loader, *jitter, at + "/jitter", "from");
    out.jitter_to = load_duration(loader, *jitter, at + "/jitter", "to");
  }
  load_limits(loader, node, at, &out);
  return out;
}

Catch load_catch(TaskLoader& loader, const Json& node, const std::string& at) {
  Catch out;
  loader.only(node, at, {"errors", "as", "when", "exceptWhen", "retry", "do", "then"});
  out.filter = load_filter(loader, node, at);
  if (const auto* as = loader.member(node, at, "as", "string", false); as != nullptr) {
    out.as = std::string(view(as->get_string()));
  }
  out.when = load_condition(loader, node, at, "when", out.as);
  out.except_when = load_condition(loader, node, at, "exceptWhen", out.as);
  if (const auto* retry = loader.member(node, at, "retry", "object or string", false);
      retry != nullptr) {
    std::string place = at + "/retry";
    const auto* policy = loader.referable(*retry, place, "retries", &place);
    if (policy != nullptr) {
      out.retry = load_retry(loader, *policy, place, out.as);
    }
  }
  if (const auto* list = loader.member(node, at, "do", "array", false); list != nullptr) {
    out.handler = loader.tasks(*list, at + "/do", {out.as});
  }
  if (const auto* then = loader.member(node, at, "then", "string", false); then != nullptr) {
    out.then = loader.directive(*then, at + "/then");
  }
  return out;
}

std::unique_ptr<TaskBody> load(TaskLoader& loader, const Json& node, const std::string& pointer) {
  const auto* list = loader.member(node, pointer, "try", "array", true);
  const auto* handling = loader.member(node, pointer, "catch", "object", true);
  std::uint32_t tried = 0;
  if (list != nullptr) {
    tried = loader.tasks(*list, pointer + "/try", {});
  }
  Catch caught;
  if (handling != nullptr) {
    caught = load_catch(loader, *handling, pointer + "/catch");
  }
  return std::make_unique<Try>(tried, std::move(caught));
}

}  // namespace

void register_task_try(TaskRegistry& registry) {
  registry.add({"try", "Handles and retries errors.", {"try", "catch"}, load});
}

}  // namespace aios::workflow
