// SPDX-License-Identifier: Apache-2.0
#include "workflow/detail/explain_review.h"

#include "core/json.h"
#include "core/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <utility>
#include <vector>

namespace aios::workflow {
namespace {

/// In capitals: it stands in the place of an answer, and is none.
std::string_view word_for(std::string_view type) {
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"boolean", "true|false"},   {"string", "TEXT"}, {"number", "NUMBER"},
      {"integer", "WHOLE NUMBER"}, {"array", "LIST"},  {"object", "OBJECT"}};
  for (const auto& [known, word] : words) {
    if (type == known) {
      return word;
    }
  }
  return "ANYTHING";
}

/// "refund|case|none" of a member's schema, else a word for its type.
std::string choices_of(const Json& schema) {
  const auto* choices = find(schema, "enum");
  if (choices == nullptr || !choices->is_array()) {
    return std::string(word_for(text_or(schema, "type", "")));
  }
  std::vector<std::string> words;
  for (const auto& choice : choices->get_array()) {
    words.push_back(choice.is_string() ? std::string(view(choice.get_string())) : to_text(choice));
  }
  return join(words, "|");
}

/// What a form asks for: an answer with a word in the place of each member that must be there, and
/// the names of those that may be.
struct Asked {
  std::vector<std::string> answer;  ///< "\"action\": \"refund|case\""
  std::vector<std::string> optional;
};

Asked asked_by(const Json& form) {
  Asked out;
  const auto* properties = find(form, "properties");
  const auto* required = find(form, "required");
  if (properties == nullptr || !properties->is_object()) {
    return out;
  }
  for (const auto& property : properties->get_object()) {
    const bool must = required != nullptr && required->is_array() &&
                      std::find(required->get_array().begin(), required->get_array().end(),
                                Json(property.key())) != required->get_array().end();
    if (must) {
      const bool quoted = find(property.value(), "enum") != nullptr ||
                          text_or(property.value(), "type", "") == "string";
      const auto choices = choices_of(property.value());
      out.answer.push_back(fmt::format("{}: {}", to_text(Json(property.key())),
                                       quoted ? to_text(Json(choices)) : choices));
    } else {
      out.optional.push_back(
          fmt::format("{} ({})", std::string_view(property.key()), choices_of(property.value())));
    }
  }
  return out;
}

}  // namespace

void explain_review(const review::ReviewInfo& review, std::string* out) {
  if (review.status == "approval" && review.proposal) {
    *out += fmt::format(
        "  answered by: {}, which another person has to approve\n"
        "  who may approve: {}\n"
        "  what to do: look with aios review show {}, then one of\n"
        "    aios review approve {}\n"
        "    aios review send-back {} --reason TEXT\n",
        review.proposal->by, join(review.approvers, ", "), review.id, review.id, review.id);
    return;
  }
  const auto asked = asked_by(review.form_schema);
  *out += fmt::format("  who may answer: {}\n", join(review.assignees, ", "));
  if (review.due) {
    *out += fmt::format("  due: {}\n", to_rfc3339(*review.due));
  }
  *out += fmt::format(
      "  what to do: look with aios review show {}, then\n"
      "    aios review answer {} '{{{}}}'\n",
      review.id, review.id, join(asked.answer, ", "));
  if (!asked.optional.empty()) {
    *out += fmt::format("    the answer may also have: {}\n", join(asked.optional, ", "));
  }
}

}  // namespace aios::workflow
