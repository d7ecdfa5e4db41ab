// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/canonical: canonical JSON of values that C++ code put together.

#include "core/json.h"
#include "core/result.h"

#include <string>

namespace aios::govern::detail {

/// RFC 8785 as to_canonical_text, but an unsigned number (a size, a count) is the number it is.
Result<std::string> canonical_text(Json value);

}  // namespace aios::govern::detail
