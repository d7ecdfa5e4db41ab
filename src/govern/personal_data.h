// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/personal_data: personal data in a JSON value: in texts, in the names of members and in
// whole numbers. Everything that looks at a value before it leaves the process, or masks it, does
// it here. Texts are searched by govern/redaction. A number is a card or a national id when its
// digits pass the checks of one; it is a phone only under a member whose name says so ("phone",
// "mobile_number"), as are bare digits in a text there. So amounts, order numbers and times stay.
// Thread-safe, no state; time is linear in the value.

#include "core/json.h"
#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace aios::govern {

/// How much is looked through.
struct PersonalBounds {
  std::size_t bytes_max = std::size_t{4} << 20;  ///< of all texts and names together
  std::size_t depth_max = 256;                   ///< of arrays and objects within each other
};

struct PersonalData {
  /// Kind (see govern/redaction) and what was found, as it stands there. Never log the second.
  std::set<std::pair<std::string, std::string>> found;
  std::uint64_t characters = 0;  ///< code points of all texts and names together

  std::vector<std::string> kinds() const;  ///< sorted, each once
};

/// @return invalid_argument [AIOS-0516] for a value beyond the bounds.
Result<PersonalData> find_personal_data_in(const Json& value, const PersonalBounds& bounds = {});

/// Puts marks ("[EMAIL_1]") in the place of personal data and looks again. The same value has the
/// same mark throughout, no mark is one that the value held before, and a number becomes the text
/// of its mark.
/// @return invalid_argument [AIOS-0516] beyond the bounds; policy_denied [AIOS-0517] when something
///         is found still. The value is then not to be used.
Result<void> mask_personal_data(Json* value, const PersonalBounds& bounds = {});

/// True when a mark, as masking makes them, stands in the text.
bool holds_mark(std::string_view text);

}  // namespace aios::govern
