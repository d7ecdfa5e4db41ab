// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/context_words.h"

#include "core/text.h"
#include "govern/detail/word_list.h"

#include <string>

namespace aios::govern::detail {
namespace {

// Who somebody is.
constexpr const auto& roles = words<
    "accountant actor actress agent analyst applicant architect artist assistant attorney author "
    "baker beneficiary buyer caller candidate captain cashier ceo chef clerk client coach "
    "colleague consultant contractor courier customer dentist designer detective developer "
    "director doctor driver editor electrician employee engineer fahrer fahrerin farmer founder "
    "gardener guardian guest heir judge kollege kollegen kollegin kund kunde kunden kundin "
    "landlord lawyer manager mechanic mieter mieterin minister mitarbeiter mitarbeiterin "
    "musician neighbor neighbour nurse nutzer nutzerin officer owner passenger patient "
    "pharmacist pilot plumber president professor receptionist reporter secretary seller singer "
    "soldier student supervisor surgeon teacher technician techniker technikerin tenant "
    "therapist trainer user vet waiter waitress widow writer">;

// What people do, and now and then firms.
constexpr const auto& verbs = words<
    "added admitted agreed answered antwortete asked asks believes bestellte called calls "
    "complained cried died e-mailed emailed explained feels fragt fragte frågade insisted knows "
    "laughed listed lived lives married mentioned noted ordered phoned pointed points promised "
    "rang recommended replied replies requested ringde sade sagt sagte said says schreibt "
    "schrieb shouted signed skrev smiled suggested svarade säger tells texted thinks thought "
    "told wants wished wohnt wohnte works writes wrote">;

// What only people do.
constexpr const auto& verbs_of_people =
    words<"cried laughed lived lives married smiled wohnt wohnte">;

// May stand between a name and the verb.
constexpr const auto& adverbs =
    words<"already also always had has hat have just kindly later never often then">;

// What only people are.
constexpr const auto& states = words<
    "ill|krank|married|on holiday|on leave|on maternity leave|pregnant|retired|sick|verheiratet",
    '|'>;

// What people have, and what a desk keeps of them.
constexpr const auto& possessions = words<
    "account address age birthday booking boss boyfriend brother card child children complaint "
    "daughter death doctor e-mail email family father flight girlfriend house husband invoice "
    "kid kids lawyer mother name number order orders parcel parents passport payment phone "
    "refund salary sister son subscription ticket wedding wife">;

// What is done to or by people, and labels of their names.
constexpr const auto& before_people = words<
    "appointment with|asked|attention of|attn|between her and|between him and|between me and|"
    "between them and|between us and|bill to:|contact person:|deliver to:|directed by|empfänger:|"
    "follow up with|following up with|interview with|introduced to|kund:|kunde:|married|"
    "married to|meeting with|met|mottagare:|played by|recipient:|said|ship to:|signed by|"
    "spoke to|spoke with|sung by|talk to|talk with|talked to|talked with|thanked|told|written by",
    '|'>;

// Enough before a known given name.
constexpr const auto& before_given =
    words<"add|ask|by|call|contact|email|for|för|für|invite|med|mit|remove|tell|with", '|'>;

// People in the plural, before the first name of a list.
constexpr const auto& groups = words<
    "applicants attendees children colleagues customers directors drivers employees founders "
    "friends guests kids members owners parents participants partners passengers people students "
    "teachers tenants writers">;

// Makes a thing of what looks like a whole name: "Karl Marx allee".
constexpr const auto& things_behind = words<
    "album allee avenue award bag book books concert edition film foundation gatan jeans "
    "magazine mattress movie museum novel park perfume plats platz prize road school shirt shoes "
    "song square store strasse straße street sunglasses torg tour university vägen watch weg">;

// Before a thing; people are not counted or owned.
constexpr const auto& articles = words<
    "a an another das dein dem den der det die din ditt each ein eine einem einen einer en ett "
    "every her his ihr its mein meine meinen min my no our that the their these this unser your">;

// Parts of addresses that name a desk: "returns@example.com".
constexpr const auto& mailboxes = words<
    "accounts admin bestellung billing care contact customer feedback hello help info kontakt "
    "kundenservice mail news noreply office orders press rechnung refunds reply returns sales "
    "service services shop store support team">;

constexpr std::size_t phrase_bytes_max = 24;
constexpr std::size_t adverbs_max = 3;

// Calls back with the last word, the last two, and the last three of a text, until one is right.
template <class Right>
bool ends_with_phrase(std::string_view left, Right right) {
  if (!left.ends_with(' ')) {
    return false;
  }
  left.remove_suffix(1);
  const std::string lower =
      ascii_lower(left.substr(left.size() - std::min(left.size(), phrase_bytes_max)));
  std::size_t begin = lower.size();
  for (int words = 0; words < 3 && begin != std::string::npos && begin > 0; ++words) {
    begin = lower.find_last_of(" \t\n,;(\"", begin - 1);
    if (right(std::string_view(lower).substr(begin + 1))) {
      return true;
    }
  }
  return false;
}

// The word behind one blank; empty when there is none.
std::string_view next_word(std::string_view right) {
  if (!right.starts_with(' ')) {
    return {};
  }
  right.remove_prefix(1);
  return right.substr(0, right.find_first_of(" \t\r\n.,;:!?)\""));
}

// "as guardian", "as our new manager".
bool is_named_as(std::string_view right) {
  for (int i = 0; i < 3; ++i) {
    const std::string_view word = next_word(right);
    if (word.empty() || has(roles, word)) {
      return !word.empty();
    }
    right.remove_prefix(1 + word.size());
  }
  return false;
}

// Past ", the buyer" and the comma behind it.
std::string_view past_apposition(std::string_view right) {
  for (const std::string_view article : {", the ", ", a ", ", an ", ", our ", ", your ", ", my "}) {
    const std::size_t comma = right.find_first_of(",.;!?\n", article.size());
    if (right.starts_with(article) && comma != std::string_view::npos && right[comma] == ',') {
      return right.substr(comma + 1);
    }
  }
  return right;
}

}  // namespace

bool tells_role(std::string_view word) { return has(roles, ascii_lower(word)); }

bool follows_role(std::string_view left) {
  return ends_with_phrase(left, [](std::string_view phrase) { return has(roles, phrase); });
}

Deed deed_behind(std::string_view right) {
  right = past_apposition(right);
  std::string_view word = next_word(right);
  for (std::size_t i = 0; i < adverbs_max && has(adverbs, word); ++i) {
    right.remove_prefix(1 + word.size());
    word = next_word(right);
  }
  if (has(verbs_of_people, word)) {
    return Deed::of_people;
  }
  if (has(verbs, word)) {
    return Deed::of_many;
  }
  if (word == "as") {
    return is_named_as(right.substr(1 + word.size())) ? Deed::of_people : Deed::none;
  }
  if (word != "is" && word != "ist") {
    return Deed::none;
  }
  right.remove_prefix(1 + word.size());
  const bool state = std::any_of(states.begin(), states.end(), [&](std::string_view phrase) {
    return right.starts_with(' ') && right.substr(1).starts_with(phrase) &&
           (right.size() == phrase.size() + 1 ||
            std::string_view(" .,;!?\r\n").find(right[phrase.size() + 1]) !=
                std::string_view::npos);
  });
  return state ? Deed::of_people : Deed::none;
}

bool owns_behind(std::string_view right) {
  for (const std::string_view ending : {"'s", "\u2019s"}) {
    if (right.starts_with(ending)) {
      right.remove_prefix(ending.size());
      const std::string_view word = next_word(right);
      return has(possessions, word) ||
             (!word.empty() && has(possessions, next_word(right.substr(1 + word.size()))));
    }
  }
  return false;
}

bool follows_deed(std::string_view left) {
  return ends_with_phrase(left, [](std::string_view phrase) { return has(before_people, phrase); });
}

bool follows_group(std::string_view left) {
  return ends_with_phrase(left, [](std::string_view phrase) {
    phrase = phrase.substr(0, phrase.find_last_not_of(':') + 1);
    for (const std::string_view verb : {" are", " were"}) {
      if (phrase.ends_with(verb)) {
        phrase.remove_suffix(verb.size());
      }
    }
    return has(groups, phrase);
  });
}

bool may_precede_given(std::string_view left) {
  return ends_with_phrase(left, [](std::string_view phrase) { return has(before_given, phrase); });
}

bool follows_article(std::string_view left) {
  return ends_with_phrase(left, [](std::string_view phrase) { return has(articles, phrase); });
}

bool is_thing_behind(std::string_view right) {
  return has(things_behind, ascii_lower(next_word(right)));
}

bool is_mailbox(std::string_view word) { return has(mailboxes, word); }

}  // namespace aios::govern::detail
