// SPDX-License-Identifier: Apache-2.0
#pragma once
// gateway/detail/call: one call of a model from its first question to its leaf: the facts for the
// guard, what a policy demands of the input, and what the leaf says.

#include "core/context.h"
#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "gateway/detail/content.h"
#include "gateway/gateway.h"
#include "govern/guard.h"
#include "govern/leaf_kind.h"
#include "store/transition.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace aios::gateway::detail {

struct Target {
  Provider* provider = nullptr;
  std::string model;
  std::string version;
};

struct Call {
  InferRequest request;
  Content content;
  Target target;
  std::vector<govern::Decision> decisions;
  JsonObject more{};  ///< facts of the leaf beside the model's: attempt, cost
  std::map<std::string, std::string> contents{};  ///< what the next leaf commits to

  JsonObject before() const;                   ///< facts at pre_model_call
  JsonObject after(const Json& output) const;  ///< facts at post_model_call
  store::AuditLeaf leaf(const Context& ctx, Time now, govern::LeafKind kind,
                        std::string_view outcome, const Json& output) const;

 private:
  JsonObject model_facts() const;
};

/// Carries out what the policy demands of the input (null: it demands nothing that can be done any
/// more). @return policy_denied: [AIOS-0802] for what cannot be carried out, [AIOS-0517] for
/// personal data that is found still after masking.
Result<void> carry_out(const govern::Decision& decision, Json* input);

}  // namespace aios::gateway::detail
