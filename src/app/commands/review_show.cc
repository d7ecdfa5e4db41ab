// SPDX-License-Identifier: Apache-2.0
// aios review show: one question on a page, with what an answer must look like.
#include "app/detail/review_commands.h"
#include "app/page.h"

#include "core/text.h"
#include "net/http.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::app {
namespace {

/// "refund | case | none", "true | false", or the type.
std::string choices_of(const Json& schema) {
  const Json* choices = find(schema, "enum");
  if (choices == nullptr || !choices->is_array()) {
    const auto type = text_or(schema, "type", "anything");
    return type == "boolean" ? "true | false" : std::string(type);
  }
  std::vector<std::string> words;
  for (const Json& choice : choices->get_array()) {
    words.push_back(value_text(choice));
  }
  return join(words, " | ");
}

/// A line each member that the form asks for; a form without members: itself.
void print_form(const Json& form) {
  const Json* members = find(form, "properties");
  if (members == nullptr || !members->is_object()) {
    page_line("ANSWER", value_text(form));
    return;
  }
  const auto required = texts_of(find(form, "required"));
  std::string_view label = "ANSWER";
  for (const auto& member : members->get_object()) {
    const std::string_view name = member.key();
    const bool must = std::find(required.begin(), required.end(), name) != required.end();
    const auto title = text_or(member.value(), "title", text_or(member.value(), "description", ""));
    page_line(std::exchange(label, ""),
              fmt::format("{}: {}{}{}", name, choices_of(member.value()), must ? "" : " (optional)",
                          title.empty() ? "" : fmt::format("; {}", title)));
  }
}

void print_state(const Json& review) {
  page_line("REVIEW", fmt::format("{} {}{}, version {}", text_or(review, "id", ""),
                                  text_or(review, "status", ""),
                                  bool_or(review, "overdue", false) ? ", overdue" : "",
                                  int_or(review, "version", 0)));
  page_line("TITLE", text_or(review, "title", ""));
  page_line("RUN",
            fmt::format("{} of {}", text_or(review, "run", ""), text_or(review, "workflow", "")));
  page_line("ASKED", seconds_text(text_or(review, "created", "")));
  page_line("DUE", seconds_text(text_or(review, "due", "")));
  page_line("FOR", join(texts_of(find(review, "assignees")), ", "));
  if (const auto by = person_text(review, "claimed_by"); !by.empty()) {
    page_line("CLAIMED BY",
              fmt::format("{} until {}", by, seconds_text(text_or(review, "claimed_until", ""))));
  }
}

/// What was said so far.
void print_said(const Json& review) {
  if (const Json* back = find(review, "sent_back"); back != nullptr && back->is_object()) {
    page_line("SENT BACK", text_or(*back, "reason", ""));
  }
  if (const Json* proposal = find(review, "proposal"); proposal != nullptr) {
    page_line("PROPOSED",
              fmt::format("{} by {}", value_text(*proposal), person_text(review, "proposed_by")));
    page_line("APPROVERS", join(texts_of(find(review, "approvers")), ", "));
  }
  if (const Json* answer = find(review, "answer"); answer != nullptr) {
    page_line("ANSWERED",
              fmt::format("{} by {}", value_text(*answer), person_text(review, "answered_by")));
  }
  page_line("APPROVED", person_text(review, "approved_by"));
}

void print_review(const Json& review) {
  const auto id = text_or(review, "id", "");
  const auto status = text_or(review, "status", "");
  print_state(review);
  if (find(review, "title") == nullptr) {
    page_line("", "what it asks is not shown: wants a key that answers or reads payloads");
  }
  if (const Json* evidence = find(review, "evidence"); evidence != nullptr) {
    page_members("EVIDENCE", *evidence);
  }
  if (const Json* suggestion = find(review, "suggestion"); suggestion != nullptr) {
    page_members("SUGGESTED", *suggestion);
  }
  print_said(review);
  if (status == "open") {
    if (const Json* form = find(review, "form_schema"); form != nullptr) {
      print_form(*form);
    }
    page_command("NEXT", fmt::format("aios review answer {} JSON", id));
  } else if (status == "approval") {
    page_command("NEXT", fmt::format("aios review approve {}", id));
    page_command("", fmt::format("aios review send-back {} --reason TEXT", id));
  }
}

}  // namespace

Result<void> show_review(const Session& session, const std::string& id) {
  auto review = session.call({"GET", "/api/v1/reviews/" + net::percent_encode(id), nullptr});
  if (!review.ok()) {
    return std::move(review).error();
  }
  print(session, *review, print_review);
  return {};
}

}  // namespace aios::app
