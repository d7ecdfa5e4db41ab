// SPDX-License-Identifier: Apache-2.0
#pragma once
// scenario/detail/compare: what was expected against what was found.

#include "core/json.h"

#include <string>
#include <vector>

namespace aios::scenario {

struct Difference {
  std::string pointer;  ///< into what was expected
  std::string message;  ///< "is 3, wanted 4", without the name of the place
};

/// Every member that is expected must be there with that value; an object may have more. Lists have
/// the same length and order. Numbers are equal by value: 1 is 1.0.
std::vector<Difference> differences(const Json& expected, const Json& found);

/// The words that are not found in that order, others between them allowed: the first that is
/// missing, or the size of `expected`.
std::size_t first_missing(const JsonArray& expected, const JsonArray& found);

}  // namespace aios::scenario
