// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/context_words: what the words beside a run of capitals say about it. `left` is the
// text up to the run, `right` the text behind it.

#include <cstdint>
#include <string_view>

namespace aios::govern::detail {

/// "customer", "driver", "Kunde", in any case.
bool tells_role(std::string_view word);
bool follows_role(std::string_view left);

/// What the run is said to do: "said" fits firms too, "lives in" and "is on holiday" people only.
enum class Deed : std::uint8_t { none, of_many, of_people };
Deed deed_behind(std::string_view right);

/// "'s order", "'s new address".
bool owns_behind(std::string_view right);
/// "spoke with", "signed by", "recipient:".
bool follows_deed(std::string_view left);
/// "the owners", "guests are:".
bool follows_group(std::string_view left);
/// "for", "ask": enough before a known given name.
bool may_precede_given(std::string_view left);
/// "the", "my", "eine": what comes is a thing, though it may be called like a person.
bool follows_article(std::string_view left);
/// A thing that is called like a person: "street", "magazine".
bool is_thing_behind(std::string_view right);
/// Part of an e-mail address that names a desk, in small letters: "returns".
bool is_mailbox(std::string_view word);

}  // namespace aios::govern::detail
