// SPDX-License-Identifier: Apache-2.0
#include "core/crypto.h"
#include "core/text.h"
#include "govern/audit.h"
#include "govern/detail/canonical.h"
#include "govern/tlog.h"

namespace aios::govern {
namespace {

// Far below what an entry can hold: a log is read by people and fetched in bundles of 256.
constexpr std::size_t kPartBytesMax = 16 << 10;
constexpr std::size_t kNameCharactersMax = 256;

// The value, or what is left to say about one that is too long or that canonical JSON cannot hold.
Json bounded(Json value) {
  const auto canonical = detail::canonical_text(value);
  if (canonical.ok() && canonical->size() <= kPartBytesMax) {
    return value;
  }
  const std::string text = canonical.ok() ? *canonical : to_text(value);
  return JsonObject{{"omitted_bytes", text.size()}, {"sha256", to_hex(view(sha256(text)))}};
}

void put_text(JsonObject& object, std::string_view member, const std::string& text) {
  if (!text.empty()) {
    object[member] = excerpt(text, kNameCharactersMax);
  }
}

void put_context(JsonObject& leaf, const Context& ctx) {
  put_text(leaf, "tenant", ctx.tenant.text());
  if (ctx.principal) {
    JsonObject principal;
    put_text(principal, "id", ctx.principal->id);
    put_text(principal, "kind", ctx.principal->kind);
    leaf["principal"] = std::move(principal);
  }
  if (ctx.trace.valid()) {
    leaf["trace"] = ctx.trace.trace_id_hex();
  }
}

}  // namespace

store::AuditLeaf make_leaf(const Context& ctx, Time now, const LeafFacts& facts,
                           Commitment* commitment) {
  JsonObject leaf;
  leaf["v"] = 1;
  leaf["time"] = to_rfc3339(now);
  put_context(leaf, ctx);
  put_text(leaf, "kind", facts.kind);
  put_text(leaf, "stream", facts.stream);
  put_text(leaf, "step", facts.step);
  put_text(leaf, "outcome", facts.outcome);
  if (!facts.facts.empty()) {
    leaf["facts"] = bounded(facts.facts);
  }
  if (!facts.decisions.empty()) {
    JsonArray decisions;
    for (const Decision& decision : facts.decisions) {
      decisions.push_back(decision.to_json());
    }
    leaf["decisions"] = bounded(std::move(decisions));
  }
  if (commitment != nullptr && !facts.payload.empty()) {
    commitment->salt = secure_random(16);
    commitment->digest = view(sha256(commitment->salt, facts.payload));
    leaf["payload"] = to_hex(commitment->digest);
  }
  auto text = detail::canonical_text(leaf);
  // Every part was made of text, small integers and values that passed bounded().
  AIOS_ASSERT(text.ok() && text->size() <= kEntryBytesMax);
  return {std::move(*text)};
}

}  // namespace aios::govern
