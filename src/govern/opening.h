// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/opening: how a leaf commits to what it does not show, and how somebody who is shown the
// content checks it. Facts and payloads are often guessable (an address, an amount), so each leaf
// has a random salt of its own, kept sealed beside the content: destroying that key closes the leaf
// for good. Pure functions; any thread.
//   part salt   HMAC-SHA256(key: leaf salt, message: part name)
//   commitment  SHA-256(part salt || SHA-256(content))
// Parts are the members of the leaf's "commitments", and of each decision its "input" under the
// decision's id and its "grounds" under "<id>/grounds". A leaf of version 1 has the part "payload",
// SHA-256(leaf salt || content), and plain digests of its decisions' inputs, which no salt
// protects.

#include "core/crypto.h"
#include "core/json.h"
#include "core/result.h"
#include "store/transition.h"

#include <string>
#include <string_view>
#include <vector>

namespace aios::govern {

/// The part of a decision's reasons and obligations: its id and this.
inline constexpr std::string_view grounds_suffix = "/grounds";

/// 32 bytes: opens this part and no other one of the leaf.
std::string part_salt(std::string_view leaf_salt, std::string_view part);
/// @param part_salt  of 32 bytes, see part_salt().
Digest commitment_of(std::string_view part_salt, std::string_view content);

/// Names of what a leaf commits to, in its order.
std::vector<std::string> parts_of(const Json& leaf);
/// @param salt  the leaf's (16 bytes) or the part's own (32 bytes).
/// @param content  exact bytes; of a decision's input and grounds, facts and decisions: canonical
///        JSON.
/// @return not_found [AIOS-0527] when the leaf has no such part; failed_precondition [AIOS-0527]
///         when it commits to something else or the salt is another.
Result<void> check_opening(const Json& leaf, std::string_view part, std::string_view salt,
                           std::string_view content);

/// A JSON value as a part's content: canonical JSON (plain JSON where that cannot hold it).
std::string content_of(const Json& value);

/// What to keep sealed with the leaf's transition: {"leaf": hex RFC 6962 leaf hash, "salt": hex,
/// "contents": {part: text}}; contents only when there are any.
JsonObject opening_json(const store::AuditLeaf& leaf);
/// The same as text, without a tree of values that would only be printed.
void append_opening(const store::AuditLeaf& leaf, std::string* out);

}  // namespace aios::govern
