// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/holder: who holds a key, by the name it was made with. Keys of one name are one person's,
// however the name is written: large or small, with more blanks or with signs nobody sees.

#include <string>
#include <string_view>

namespace aios::govern {

/// The same text for each way to write the name: Unicode's NFKC with folded case (which leaves out
/// what is not seen), blanks run together and none at the ends.
std::string folded_holder(std::string_view name);
/// Both are the name of somebody, and the same one.
bool same_holder(std::string_view one, std::string_view other);
/// Whether a name is UTF-8 without controls, line ends, and signs that nobody sees or that turn the
/// direction of what stands around them.
bool is_readable_name(std::string_view name);

}  // namespace aios::govern
