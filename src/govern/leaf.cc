// SPDX-License-Identifier: Apache-2.0
#include "core/crypto.h"
#include "core/text.h"
#include "govern/audit.h"
#include "govern/detail/canonical.h"
#include "govern/opening.h"
#include "govern/tlog.h"

namespace aios::govern {
namespace {

// Far below what an entry can hold: a log is read by people and fetched in bundles of 256.
constexpr std::size_t part_bytes_max = 16 << 10;
constexpr std::size_t name_characters_max = 256;

// Longer contents are not kept beside the salt: whoever has them can still show them.
constexpr std::size_t content_bytes_max = 4 << 10;

/// What the leaf commits to; the salt is drawn when the first part comes.
class Commitments {
 public:
  std::string add(std::string_view part, std::string_view content) {
    const Digest digest = sha256(content);
    return add_digest(part, view(digest));
  }
  std::string add_digest(std::string_view part, std::string_view digest) {
    if (salt_.empty()) {
      salt_ = secure_random(16);
    }
    return to_hex(view(sha256(part_salt(salt_, part), digest)));
  }
  void name(std::string_view part, std::string_view content) { named_[part] = add(part, content); }
  void keep(std::string_view part, std::string_view content) {
    if (content.size() <= content_bytes_max && is_utf8(content)) {
      contents_[part] = content;
    }
  }

  /// The value, or what is left to say about one that is too long or that canonical JSON cannot
  /// hold.
  Json bounded(std::string_view part, Json value) {
    const auto canonical = detail::canonical_text(value);
    if (canonical.ok() && canonical->size() <= part_bytes_max) {
      return value;
    }
    const std::string text = canonical.ok() ? *canonical : to_text(value);
    name(part, text);
    keep(part, text);
    return JsonObject{{"omitted_bytes", text.size()}};
  }

  void finish(JsonObject& body, store::AuditLeaf& leaf) {
    if (!named_.empty()) {
      body["commitments"] = std::move(named_);
    }
    leaf.salt = std::move(salt_);
    if (!contents_.empty()) {
      leaf.contents = to_text(contents_);
    }
  }

 private:
  std::string salt_;
  JsonObject named_;
  JsonObject contents_;
};

JsonArray decisions_of(const LeafFacts& facts, Commitments& commitments) {
  JsonArray decisions;
  for (const Decision& decision : facts.decisions) {
    AIOS_ASSERT(!decision.id.empty());  // one that nobody made
    Json said = decision.to_json();
    if (decision.input) {
      auto digest = from_hex(decision.input_digest);
      AIOS_ASSERT(digest.ok());  // the guard made it
      said.get_object()["input"] = commitments.add_digest(decision.id, *digest);
      commitments.keep(decision.id, *decision.input);
    }
    if (const Json grounds = decision.grounds(); !grounds.is_null()) {
      const std::string text = content_of(grounds);
      const std::string part = decision.id + std::string(grounds_suffix);
      said.get_object()["grounds"] = commitments.add(part, text);
      said.get_object()["said"] = JsonObject{{"obligations", decision.obligations.size()},
                                             {"reasons", decision.reasons.size()}};
      commitments.keep(part, text);
    }
    decisions.push_back(std::move(said));
  }
  return decisions;
}

void put_text(JsonObject& object, std::string_view member, const std::string& text) {
  if (!text.empty()) {
    object[member] = excerpt(text, name_characters_max);
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

store::AuditLeaf make_leaf(const Context& ctx, Time now, const LeafFacts& facts) {
  Commitments commitments;
  JsonObject body;
  body["v"] = 2;
  body["time"] = to_rfc3339(now);
  put_context(body, ctx);
  body["kind"] = name_of(facts.kind);
  put_text(body, "stream", facts.stream);
  put_text(body, "step", facts.step);
  put_text(body, "outcome", facts.outcome);
  if (!facts.facts.empty()) {
    body["facts"] = commitments.bounded("facts", facts.facts);
  }
  if (!facts.decisions.empty()) {
    body["decisions"] = commitments.bounded("decisions", decisions_of(facts, commitments));
  }
  if (!facts.payload.empty()) {
    commitments.name("payload", facts.payload);
  }
  for (const auto& [part, content] : facts.contents) {
    commitments.name(part, content);
    commitments.keep(part, content);
  }
  store::AuditLeaf leaf;
  commitments.finish(body, leaf);
  auto text = detail::canonical_text(body);
  // Every part was made of text, small integers and values that passed bounded().
  AIOS_ASSERT(text.ok() && text->size() <= entry_bytes_max);
  leaf.bytes = std::move(*text);
  return leaf;
}

}  // namespace aios::govern
