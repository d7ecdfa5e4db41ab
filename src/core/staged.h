// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/staged: something that was checked and made ready, and only has to be put in place. What
// belongs together is staged first, recorded, and then put in place: nothing that can fail is left
// when the first part goes live.

#include "core/result.h"

#include <functional>
#include <vector>

namespace aios {

struct Staged {
  std::vector<Error> errors;  ///< all of them; with one, there is nothing to put in place
  /// Puts it in place at once and cannot fail; run it at most once, while its maker lives. Empty
  /// with errors.
  std::function<void()> put;
};

}  // namespace aios
