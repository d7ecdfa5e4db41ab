// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/leaf_kind: what an audit leaf can be about. The words are in leaves for ever: never change
// or reuse one. docs/guide/audit.md lists them; a test holds the two equal.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace aios::govern {

enum class LeafKind : std::uint8_t {
  event,
  run,
  effect_intent,
  effect_outcome,
  effect_lookup,
  delivery_intent,
  delivery_outcome,
  model_intent,
  model_call,
  policy_query,
  retrieval,
  review,
  deployment,
  model,
  promotion,
  key,
  backup,
  audit_rebuilt,
  tenant,
};

struct LeafKindWord {
  LeafKind kind;
  std::string_view word;
};

inline constexpr std::array leaf_kinds = {
    LeafKindWord{LeafKind::event, "event"},
    LeafKindWord{LeafKind::run, "run"},
    LeafKindWord{LeafKind::effect_intent, "effect_intent"},
    LeafKindWord{LeafKind::effect_outcome, "effect_outcome"},
    LeafKindWord{LeafKind::effect_lookup, "effect_lookup"},
    LeafKindWord{LeafKind::delivery_intent, "delivery_intent"},
    LeafKindWord{LeafKind::delivery_outcome, "delivery_outcome"},
    LeafKindWord{LeafKind::model_intent, "model_intent"},
    LeafKindWord{LeafKind::model_call, "model_call"},
    LeafKindWord{LeafKind::policy_query, "policy_query"},
    LeafKindWord{LeafKind::retrieval, "retrieval"},
    LeafKindWord{LeafKind::review, "review"},
    LeafKindWord{LeafKind::deployment, "deployment"},
    LeafKindWord{LeafKind::model, "model"},
    LeafKindWord{LeafKind::promotion, "promotion"},
    LeafKindWord{LeafKind::key, "key"},
    LeafKindWord{LeafKind::backup, "backup"},
    LeafKindWord{LeafKind::audit_rebuilt, "audit.rebuilt"},
    LeafKindWord{LeafKind::tenant, "tenant"},
};
static_assert(leaf_kinds.size() == static_cast<std::size_t>(LeafKind::tenant) + 1);
static_assert(
    [] {
      for (std::size_t at = 0; at < leaf_kinds.size(); ++at) {
        if (leaf_kinds[at].kind != static_cast<LeafKind>(at)) {
          return false;
        }
      }
      return true;
    }(),
    "a kind's place in the table is its number");

constexpr std::string_view name_of(LeafKind kind) {
  return leaf_kinds[static_cast<std::size_t>(kind)].word;
}

}  // namespace aios::govern
