// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/name_lists: what single words say about a run of words with capitals.

#include <string_view>

namespace aios::govern::detail {

/// A given name as it is written, with its capital: "Anna", "Jean-Pierre", "Åsa".
bool is_given_name(std::string_view word);
/// Part of the names of firms, places, products and days, in any case: "Street", "monday".
bool is_of_things(std::string_view word);
/// Of these, one that may follow a given name: "Peter King".
bool is_also_surname(std::string_view word);
/// A firm or a title that is called like a person: "Hugo Boss".
bool is_firm(std::string_view words);

}  // namespace aios::govern::detail
