// SPDX-License-Identifier: Apache-2.0
#include "workflow/personal_attribute.h"

#include "govern/redaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace aios::workflow {
namespace {

/// Parts of names: of "customerName" the last two. What stands with a blank are two parts in a row.
constexpr std::array<std::string_view, 34> personal = {
    "name",     "firstname", "lastname", "surname", "fullname", "email",     "mail",
    "from",     "sender",    "phone",    "mobile",  "tel",      "telephone", "fax",
    "address",  "street",    "postcode", "zip",     "iban",     "account",   "card",
    "birthday", "birthdate", "birth",    "dob",     "ssn",      "passport",  "ip",
    "body",     "text",      "message",  "subject", "title",    "person"};

/// Lower-case parts of the names in a text: "$context.customerEmail" is context, customer, email.
std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> out(1);
  bool was_lower = false;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool lower = c >= 'a' && c <= 'z';
    if ((!upper && !lower) || (upper && was_lower)) {
      out.emplace_back();
    }
    if (upper || lower) {
      out.back() += static_cast<char>(upper ? c - 'A' + 'a' : c);
    }
    was_lower = lower;
  }
  return out;
}

/// Members that an expression reads: what follows a point, without texts in quotes.
std::string members_in(std::string_view expression) {
  std::string out;
  bool quoted = false;
  bool member = false;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    const bool name =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
    quoted = c == '"' && (i == 0 || expression[i - 1] != '\\') ? !quoted : quoted;
    member = !quoted && (c == '.' || (member && name));
    out += member ? c : ' ';
  }
  return out;
}

std::string personal_part(std::string_view names) {
  for (const std::string& part : parts_of(names)) {
    if (std::find(personal.begin(), personal.end(), part) != personal.end()) {
      return part;
    }
  }
  return "";
}

}  // namespace

std::optional<Error> looks_personal(std::string_view name, std::string_view value) {
  std::string why = personal_part(name);
  why = why.empty() ? personal_part(members_in(value)) : std::move(why);
  if (const auto found = govern::find_personal_data(value); why.empty() && !found.empty()) {
    why = found.front().kind;
  }
  if (why.empty()) {
    return std::nullopt;
  }
  return Error(Code::failed_precondition,
               fmt::format("the search attribute '{}' looks personal ('{}'): its values are kept "
                           "in clear, also in backups, and shown to all who may read runs",
                           name, why))
      .page(1076);
}

}  // namespace aios::workflow
