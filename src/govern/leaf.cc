// SPDX-License-Identifier: Apache-2.0
// A leaf is written as text at once, its members in the order of RFC 8785: by way of a tree of
// values that is only printed it takes three times as long, hashes apart.
#include "core/crypto.h"
#include "core/json_text.h"
#include "core/text.h"
#include "govern/audit.h"
#include "govern/opening.h"
#include "govern/tlog.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace aios::govern {
namespace {

// Far below what an entry can hold: a log is read by people and fetched in bundles of 256.
constexpr std::size_t part_bytes_max = 16 << 10;
constexpr std::size_t name_characters_max = 256;

// Longer contents are not kept beside the salt: whoever has them can still show them.
constexpr std::size_t content_bytes_max = 4 << 10;

constexpr std::size_t usual_bytes = 1 << 10;

/// Texts by their part's name; where a name comes twice, the last one counts.
using Parts = std::vector<std::pair<std::string, std::string>>;

void put(Parts* parts, std::string_view name, std::string text) {
  const auto at = std::find_if(parts->begin(), parts->end(),
                               [name](const auto& part) { return part.first == name; });
  if (at != parts->end()) {
    at->second = std::move(text);
  } else {
    parts->emplace_back(name, std::move(text));
  }
}

/// @param parts  at least one
void append_parts(const Parts& parts, std::string* out) {
  char before = '{';
  for (const auto& [name, text] : parts) {
    out->push_back(std::exchange(before, ','));
    append_json_text(name, out);
    out->push_back(':');
    append_json_text(text, out);
  }
  out->push_back('}');
}

void append_texts(const std::vector<std::string>& texts, std::string* out) {
  char before = '[';
  for (const std::string& text : texts) {
    out->push_back(std::exchange(before, ','));
    append_json_text(text, out);
  }
  out->push_back(']');
}

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
  void name(std::string_view part, std::string_view content) {
    put(&named_, part, add(part, content));
  }
  void keep(std::string_view part, std::string_view content) {
    if (content.size() <= content_bytes_max && is_utf8(content)) {
      put(&contents_, part, std::string(content));
    }
  }

  /// What is left to say about a text that is too long for the leaf.
  std::string omit(std::string_view part, std::string_view text) {
    name(part, text);
    keep(part, text);
    return to_text(JsonObject{{"omitted_bytes", text.size()}});
  }
  /// Canonical JSON, or of what is too long or has none, how much it was.
  std::string bounded_facts(const JsonObject& facts) {
    std::string text;
    if (!append_canonical(facts, &text).ok()) {
      return omit("facts", to_text(facts));
    }
    return text.size() <= part_bytes_max ? text : omit("facts", text);
  }

  /// The leaf's first member, so after all parts were named.
  void append_named(ObjectText& leaf) {
    if (!named_.empty()) {
      std::sort(named_.begin(), named_.end(),
                [](const auto& a, const auto& b) { return comes_before(a.first, b.first); });
      append_parts(named_, leaf.member("commitments"));
    }
  }
  void finish(store::AuditLeaf& leaf) {
    leaf.salt = std::move(salt_);
    if (!contents_.empty()) {
      append_parts(contents_, &leaf.contents);
    }
  }

 private:
  std::string salt_;
  Parts named_;
  Parts contents_;
};

/// What Decision::to_json() says, and its commitments.
void append_decision(const Decision& decision, Commitments& commitments, std::string* out) {
  AIOS_ASSERT(!decision.id.empty());  // one that nobody made
  std::string input;
  if (decision.input) {
    auto digest = from_hex(decision.input_digest);
    AIOS_ASSERT(digest.ok());  // the guard made it
    input = commitments.add_digest(decision.id, *digest);
    commitments.keep(decision.id, *decision.input);
  }
  std::string grounds;
  if (const Json why = decision.grounds(); !why.is_null()) {
    const std::string text = content_of(why);
    const std::string part = decision.id + std::string(grounds_suffix);
    grounds = commitments.add(part, text);
    commitments.keep(part, text);
  }
  ObjectText said(out);
  if (!decision.bundle_digest.empty()) {
    said.text("bundle", decision.bundle_digest);
  }
  if (!grounds.empty()) {
    said.text("grounds", grounds);
  }
  said.text("id", decision.id);
  if (!input.empty()) {
    said.text("input", input);
  }
  said.text("point", name_of(decision.point));
  if (!decision.fixed_reasons.empty()) {
    append_texts(decision.fixed_reasons, said.member("reasons"));
  }
  if (!grounds.empty()) {
    const JsonObject counts{{"obligations", decision.obligations.size()},
                            {"reasons", decision.reasons.size()}};
    *said.member("said") += to_text(counts);
  }
  said.text("verdict", name_of(decision.verdict));
  said.end();
}

std::string decisions_text(const std::vector<Decision>& decisions, Commitments& commitments) {
  std::string text;
  for (const Decision& decision : decisions) {
    text.push_back(text.empty() ? '[' : ',');
    append_decision(decision, commitments, &text);
  }
  text.push_back(']');
  return text.size() <= part_bytes_max ? text : commitments.omit("decisions", text);
}

void put_name(ObjectText& leaf, std::string_view member, const std::string& text) {
  if (!text.empty()) {
    leaf.text(member, excerpt(text, name_characters_max));
  }
}

void put_principal(ObjectText& leaf, const Principal* principal) {
  if (principal != nullptr) {
    ObjectText said(leaf.member("principal"));
    put_name(said, "id", principal->id);
    put_name(said, "kind", principal->kind);
    said.end();
  }
}

}  // namespace

store::AuditLeaf make_leaf(const Context& ctx, Time now, const LeafFacts& facts) {
  Commitments commitments;
  const std::string said = facts.facts.empty() ? "" : commitments.bounded_facts(facts.facts);
  const std::string decisions =
      facts.decisions.empty() ? "" : decisions_text(facts.decisions, commitments);
  if (!facts.payload.empty()) {
    commitments.name("payload", facts.payload);
  }
  for (const auto& [part, content] : facts.contents) {
    commitments.name(part, content);
    commitments.keep(part, content);
  }
  store::AuditLeaf leaf;
  leaf.bytes.reserve(usual_bytes);
  ObjectText body(&leaf.bytes);
  commitments.append_named(body);
  if (!decisions.empty()) {
    *body.member("decisions") += decisions;
  }
  if (!said.empty()) {
    *body.member("facts") += said;
  }
  body.text("kind", name_of(facts.kind));
  put_name(body, "outcome", facts.outcome);
  put_principal(body, ctx.principal.get());
  put_name(body, "step", facts.step);
  put_name(body, "stream", facts.stream);
  put_name(body, "tenant", ctx.tenant.text());
  body.text("time", to_rfc3339(now));
  if (ctx.trace.valid()) {
    body.text("trace", ctx.trace.trace_id_hex());
  }
  *body.member("v") += '2';
  body.end();
  commitments.finish(leaf);
  // Each part is a name or a text of its bound.
  AIOS_ASSERT(leaf.bytes.size() <= entry_bytes_max);
  return leaf;
}

}  // namespace aios::govern
