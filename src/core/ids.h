// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/ids: the tenant's name, a type of its own, and time-ordered identifiers ("run_" + 26
// characters), which are texts.

#include "core/result.h"
#include "core/time.h"

#include <array>
#include <string>
#include <string_view>

namespace aios {

/// A tenant's name: 1 to 63 of [a-z0-9-], not starting or ending with '-'. A type of its own so
/// that no call can forget it or swap it for another text; first in every key.
class TenantId {
 public:
  TenantId() = default;  ///< empty: no tenant; refused by every store and guard call
  static Result<TenantId> parse(std::string_view text);
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const TenantId&) const = default;

 private:
  std::string text_;
};
/// The tenant of a single-tenant installation: "default".
const TenantId& default_tenant();

/// prefix + "_" + 10 characters of milliseconds + 16 of randomness, Crockford base32, lower case:
/// sorts by time.
/// @param random 10 bytes from runtime::Random.
std::string make_id(std::string_view prefix, Time time,
                    const std::array<unsigned char, 10>& random);
/// True when the text has the form make_id gives for that prefix.
bool is_id(std::string_view prefix, std::string_view text);

}  // namespace aios
