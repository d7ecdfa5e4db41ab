// SPDX-License-Identifier: Apache-2.0
#include "workflow/function.h"

namespace aios::workflow {

const FunctionEntry* FunctionRegistry::find(std::string_view name) const {
  for (const auto& entry : entries_) {
    if (entry.name == name) {
      return &entry;
    }
  }
  return nullptr;
}

Task<Result<PreparedCall>> Function::prepare(Context /*ctx*/, CallRequest /*request*/,
                                             std::vector<store::AuditLeaf>* /*refused*/) {
  co_return PreparedCall();
}

Task<LookupOutcome> Function::lookup(Context /*ctx*/, PreparedCall /*prepared*/,
                                     CallRequest /*request*/) {
  LookupOutcome out;
  out.error = Error(Code::unimplemented, "this function cannot be asked whether it happened");
  co_return out;
}

}  // namespace aios::workflow
