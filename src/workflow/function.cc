// SPDX-License-Identifier: Apache-2.0
#include "workflow/function.h"

#include <utility>

namespace aios::workflow {

const FunctionEntry* FunctionRegistry::find(std::string_view name) const {
  for (const auto& entry : entries_) {
    if (entry.name == name) {
      return &entry;
    }
  }
  return nullptr;
}

Task<govern::Refusable<PreparedCall>> Function::prepare(Context /*ctx*/, CallRequest /*request*/) {
  co_return PreparedCall();
}

CallOutcome outcome_of(govern::Refusal refusal) {
  CallOutcome out;
  out.outcome = Outcome::failed;
  out.error = std::move(refusal.error);
  out.leaves = std::move(refusal.leaves);
  return out;
}

Task<LookupOutcome> Function::lookup(Context /*ctx*/, PreparedCall /*prepared*/,
                                     CallRequest /*request*/) {
  LookupOutcome out;
  out.error = Error(Code::unimplemented, "this function cannot be asked whether it happened");
  co_return out;
}

Result<JsonObject> Function::check_result(const Context& /*ctx*/, const CallRequest& /*request*/,
                                          const Json& /*result*/) {
  return JsonObject();
}

}  // namespace aios::workflow
