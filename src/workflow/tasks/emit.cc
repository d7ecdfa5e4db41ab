// SPDX-License-Identifier: Apache-2.0
// emit: a CloudEvent that leaves through the outbox with the next fence. What the specification
// lets the runtime make (id, source, time) is made here; the event is the task's output.
#include "core/cloud_event.h"
#include "core/ids.h"
#include "workflow/detail/reserved.h"
#include "workflow/task_kind.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

/// A workflow that emits what starts it, twice, would fill the store: so long may a chain be.
constexpr std::int64_t hops_max = 8;

class Emit final : public TaskBody {
 public:
  explicit Emit(Expression event) : event_(std::move(event)) {}
  Step start(TaskScope& scope) const override {
    const auto hops = scope.event_hops();
    if (hops >= hops_max) {
      return Raise{make_problem(
          ProblemType::runtime,
          fmt::format("{} runs already started one another by events, at most {} may [AIOS-1033]",
                      hops, hops_max),
          scope.reference())};
    }
    auto made = scope.evaluate(event_);
    if (!made.ok()) {
      return scope.expression_failed(made.error());
    }
    AIOS_ASSERT(made->is_object());  // what `with` is
    if (const auto refused = refusal_of_subject(text_or(*made, "subject", ""))) {
      return Raise{make_problem(ProblemType::validation, refused->text(), scope.reference())};
    }
    auto& event = made->get_object();
    event["specversion"] = "1.0";
    if (!event.contains("id")) {
      event["id"] = make_id("evt", scope.now(), scope.random().id_bytes());
    }
    if (!event.contains("source")) {
      event["source"] = scope.source();
    }
    if (!event.contains("time")) {
      event["time"] = to_rfc3339(scope.now());
    }
    event[hops_attribute] = hops + 1;
    if (const auto valid = check_cloud_event(event); !valid.ok()) {
      return Raise{
          make_problem(ProblemType::validation,
                       fmt::format("what is to be emitted is no CloudEvent: {} [AIOS-1038]",
                                   valid.error().message()),
                       scope.reference())};
    }
    scope.emit(*made);
    return Done{std::move(*made), {}};
  }

 private:
  Expression event_;
};

std::unique_ptr<TaskBody> load(TaskLoader& loader, const Json& node, const std::string& pointer) {
  const auto* emit = loader.member(node, pointer, "emit", "object", true);
  if (emit == nullptr) {
    return nullptr;
  }
  const auto place = pointer + "/emit";
  loader.only(*emit, place, {"event"});
  const auto* event = loader.member(*emit, place, "event", "object", true);
  const auto* with =
      event == nullptr ? nullptr : loader.member(*event, place + "/event", "with", "object", true);
  if (with == nullptr) {
    return nullptr;
  }
  const auto at = place + "/event/with";
  loader.member(*with, at, "type", "string", true);
  return std::make_unique<Emit>(loader.expression(*with, at, BareText::literal, {}));
}

}  // namespace

void register_task_emit(TaskRegistry& registry) {
  registry.add({"emit", "Sends a CloudEvent.", {"emit"}, load});
}

}  // namespace aios::workflow
