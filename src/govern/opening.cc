// SPDX-License-Identifier: Apache-2.0
#include "govern/opening.h"

#include "core/json_text.h"
#include "core/text.h"
#include "govern/detail/bundle_policy.h"
#include "govern/merkle.h"

#include <fmt/format.h>

namespace aios::govern {
namespace {

constexpr std::size_t leaf_salt_bytes = 16;
constexpr std::size_t part_salt_bytes = 32;

/// The decision of this id; null when the leaf has none.
const Json* decision_in(const Json& leaf, std::string_view id) {
  const Json* decisions = find(leaf, "decisions");
  if (decisions == nullptr || !decisions->is_array()) {
    return nullptr;
  }
  for (const Json& decision : decisions->get_array()) {
    if (text_or(decision, "id", "") == id) {
      return &decision;
    }
  }
  return nullptr;
}

std::string_view commitment_in(const Json& leaf, std::string_view part) {
  if (part.ends_with(grounds_suffix)) {
    const Json* decision = decision_in(leaf, part.substr(0, part.size() - grounds_suffix.size()));
    return decision == nullptr ? "" : text_or(*decision, "grounds", "");
  }
  if (const Json* decision = decision_in(leaf, part); decision != nullptr) {
    return text_or(*decision, "input", "");
  }
  if (const Json* named = find(leaf, "commitments"); named != nullptr) {
    return text_or(*named, part, "");
  }
  return part == "payload" ? text_or(leaf, "payload", "") : std::string_view();
}

/// As leaves of version 1 did.
Digest first_version(const Json& leaf, std::string_view part, std::string_view salt,
                     std::string_view content) {
  return decision_in(leaf, part) != nullptr ? sha256(content) : sha256(salt, content);
}

}  // namespace

std::string part_salt(std::string_view leaf_salt, std::string_view part) {
  return std::string(view(hmac_sha256(leaf_salt, part)));
}

Digest commitment_of(std::string_view part_salt, std::string_view content) {
  return sha256(part_salt, view(sha256(content)));
}

std::vector<std::string> parts_of(const Json& leaf) {
  std::vector<std::string> parts;
  if (!text_or(leaf, "payload", "").empty()) {
    parts.emplace_back("payload");
  }
  if (const Json* named = find(leaf, "commitments"); named != nullptr && named->is_object()) {
    for (const auto& member : named->get_object()) {
      parts.emplace_back(member.key());
    }
  }
  if (const Json* decisions = find(leaf, "decisions");
      decisions != nullptr && decisions->is_array()) {
    for (const Json& decision : decisions->get_array()) {
      if (!text_or(decision, "input", "").empty()) {
        parts.emplace_back(text_or(decision, "id", ""));
      }
      if (!text_or(decision, "grounds", "").empty()) {
        parts.push_back(std::string(text_or(decision, "id", "")) + std::string(grounds_suffix));
      }
    }
  }
  return parts;
}

Result<void> check_opening(const Json& leaf, std::string_view part, std::string_view salt,
                           std::string_view content) {
  const std::string_view wanted = commitment_in(leaf, part);
  if (wanted.empty()) {
    return Error(Code::not_found, fmt::format("the leaf does not commit to '{}', wanted one of: {}",
                                              excerpt(part, 60), join(parts_of(leaf), ", ")))
        .page(527);
  }
  if (salt.size() != leaf_salt_bytes && salt.size() != part_salt_bytes) {
    return Error(Code::invalid_argument,
                 fmt::format("found a salt of {} bytes, wanted the leaf's ({}) or the part's ({})",
                             salt.size(), leaf_salt_bytes, part_salt_bytes))
        .page(527);
  }
  Digest found;
  if (int_or(leaf, "v", 0) == 1) {
    found = first_version(leaf, part, salt, content);
  } else if (salt.size() == leaf_salt_bytes) {
    found = commitment_of(part_salt(salt, part), content);
  } else {
    found = commitment_of(salt, content);
  }
  if (to_hex(view(found)) != wanted) {
    return Error(Code::failed_precondition,
                 fmt::format("content and salt lead to {}..., the leaf commits to {}... as '{}'",
                             to_hex(view(found)).substr(0, 16), wanted.substr(0, 16), part))
        .page(527);
  }
  return {};
}

std::string content_of(const Json& value) { return detail::image_of(value); }

// What make_leaf wrote is JSON already, and stands in the text as it is.
void append_opening(const store::AuditLeaf& leaf, std::string* out) {
  ObjectText opening(out);
  opening.text("leaf", to_hex(view(leaf_hash(leaf.bytes))));
  opening.text("salt", to_hex(leaf.salt));
  if (!leaf.contents.empty()) {
    *opening.member("contents") += leaf.contents;
  }
  opening.end();
}

JsonObject opening_json(const store::AuditLeaf& leaf) {
  JsonObject opening{{"leaf", to_hex(view(leaf_hash(leaf.bytes)))}, {"salt", to_hex(leaf.salt)}};
  if (!leaf.contents.empty()) {
    auto contents = parse_json(leaf.contents);
    AIOS_ASSERT(contents.ok());  // make_leaf wrote it
    opening["contents"] = std::move(*contents);
  }
  return opening;
}

}  // namespace aios::govern
