// SPDX-License-Identifier: Apache-2.0
// What a run is found by. Its search attributes are made anew at each fence and are a part of its
// state; a value that is new gets an entry in the index, a stream of its own, in the same commit.
// An entry says that the run had that value once: what it has now, its state says (search.cc). So
// nothing is ever taken back, and an entry can be neither missing nor wrong after a crash.
#include "workflow/detail/engine_impl.h"
#include "workflow/detail/search.h"

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

/// False: the run had too many values to be found by one more.
bool index(RunState& state, const AttributeInfo& info, const Json& value) {
  auto key = attribute_index_key(info.name, attribute_key(info.type, value));
  if (std::find(state.indexed.begin(), state.indexed.end(), key) != state.indexed.end()) {
    return true;
  }
  if (state.indexed.size() >= indexed_max) {
    return false;
  }
  state.indexed.push_back(std::move(key));
  return true;
}

/// The value may be a person's: it is not told.
void warn(const EngineServices& services, const LiveRun& run, const std::string& name) {
  if (services.log != nullptr) {
    services.log->write(observe::Level::debug, "workflow",
                        "a search attribute is left out: its value has another type, or none",
                        {{"run", run.id}, {"workflow", run.state.workflow}, {"attribute", name}},
                        &run.ctx);
  }
}

}  // namespace

void Engine::Impl::renew_attributes(LiveRun& run) {
  auto& state = run.state;
  if (!run.definition || run.definition->attributes.empty() || run.attributes_fixed ||
      state.is_branch()) {
    return;  // what a branch exports comes back to its run
  }
  const JsonObject more{{"output", state.output}};
  auto evaluator = machine(run);
  JsonObject fresh;
  for (const auto& one : run.definition->attributes) {
    const auto& name = one.info.name;
    const auto made = evaluator.evaluate(one.value, state.input, more);
    const auto value = made.ok() ? attribute_value(one.info.type, *made) : std::nullopt;
    if (!value) {
      const bool meant = !made.ok() || !(made->is_null() || *made == Json(""));
      if (meant && state.ended()) {
        warn(services, run, name);
      }
    } else if (index(state, one.info, *value)) {
      fresh[name] = *value;
    } else if (const Json* before = state.attributes.if_contains(name); before != nullptr) {
      fresh[name] = *before;
    }
  }
  state.attributes = std::move(fresh);
}

void tell_attributes(const LiveRun& run, std::vector<store::StreamWrite>* streams) {
  const auto& indexed = run.state.indexed;
  for (std::size_t i = run.indexed_durable; i < indexed.size(); ++i) {
    store::StreamWrite write;
    write.kind = store::StreamKind::search_attribute;
    write.id = attribute_entry_id(indexed[i], run.id);
    write.label = run.id;
    write.state = store::Payload{run.state.subject, "1"};  // goes when the subject is erased
    write.end = store::StreamEnd::closed;
    streams->push_back(std::move(write));
  }
}

}  // namespace aios::workflow
