// SPDX-License-Identifier: Apache-2.0
#include "expr/schema.h"

#include "aios_bridge.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace aios::expr {
namespace {

aios_text text_of(std::string_view text) { return {text.data(), text.size()}; }

/// What the bridge answered; gives the bytes back.
struct Answer {
  explicit Answer(aios_bytes raw) : bytes(raw) {}
  ~Answer() { aios_bytes_free(bytes); }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  std::string_view text() const { return {bytes.ptr, bytes.len}; }
  aios_bytes bytes;
};

constexpr int refused = 1;
constexpr std::size_t choices_named_max = 12;

Error defect(const Answer& answer) {
  return Error(Code::internal,
               fmt::format("the schema library failed: {}", excerpt(answer.text(), 300)))
      .page(111);
}

std::vector<SchemaIssue> issues_in(std::string_view list) {
  std::vector<SchemaIssue> issues;
  auto parsed = parse_json(list);
  if (parsed.ok() && parsed->is_array()) {
    for (const auto& item : parsed->get_array()) {
      issues.push_back({std::string(text_or(item, "instance_path", "")),
                        std::string(text_or(item, "schema_path", "")),
                        std::string(text_or(item, "evaluation_path", "")),
                        std::string(text_or(item, "keyword", "")),
                        std::string(text_or(item, "message", ""))});
    }
  }
  return issues;
}

std::string described(const std::vector<SchemaIssue>& issues, std::size_t shown_max) {
  std::string text;
  for (std::size_t i = 0; i < issues.size() && i < shown_max; ++i) {
    const auto& issue = issues[i];
    text += fmt::format("{}{}: {}", i == 0 ? "" : "; ",
                        issue.instance_path.empty() ? "the document" : issue.instance_path,
                        excerpt(issue.message, 300));
  }
  if (issues.size() > shown_max) {
    text += fmt::format("; and {} more", issues.size() - shown_max);
  }
  return text;
}

/// The library names two of the values that there are to choose from; a person needs them all, and
/// the nearest. Where the list is not in this document the issue stays as it is.
void name_choices(const Json& schema, const Json& document, SchemaIssue* issue) {
  const Json* choices = issue->keyword == "enum" ? at_pointer(schema, issue->schema_path) : nullptr;
  const Json* value = at_pointer(document, issue->instance_path);
  if (choices == nullptr || !choices->is_array() || value == nullptr) {
    return;
  }
  std::vector<std::string> all, names;
  for (const Json& choice : choices->get_array()) {
    all.push_back(to_text(choice));
    if (choice.is_string()) {
      names.emplace_back(view(choice.get_string()));
    }
  }
  const std::size_t count = all.size();
  all.resize(std::min(count, choices_named_max));
  issue->message =
      fmt::format("{} is not one of {}", excerpt(to_text(*value), 80), join(all, ", "));
  if (count > all.size()) {
    issue->message += fmt::format(" and {} more", count - all.size());
  }
  if (value->is_string()) {
    issue->message += did_you_mean(view(value->get_string()), names);
  }
}

}  // namespace

struct Schema::Handle {
  explicit Handle(const Json& given) : schema(given) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { aios_schema_free(raw); }
  const Json schema;
  aios_schema* raw = nullptr;
};

Result<Schema> Schema::compile(const Json& schema, const SchemaOptions& options) {
  std::vector<std::string> texts;
  texts.reserve(options.documents.size());
  std::vector<aios_text> uris;
  std::vector<aios_text> documents;
  for (const auto& [uri, document] : options.documents) {
    texts.push_back(to_text(document));
    uris.push_back(text_of(uri));
    documents.push_back(text_of(texts.back()));
  }
  aios_schema_options raw{};
  raw.base_uri = text_of(options.base_uri);
  raw.uris = uris.data();
  raw.documents = documents.data();
  raw.documents_count = documents.size();
  raw.check_formats = options.formats == SchemaOptions::Formats::check ? 1 : 0;
  auto handle = std::make_shared<Handle>(schema);
  auto text = to_text(schema);
  Answer answer(aios_schema_compile(text_of(text), &raw, &handle->raw));
  if (answer.bytes.err == 0) {
    return Schema(std::move(handle));
  }
  if (answer.bytes.err != refused) {
    return defect(answer);
  }
  return Error(Code::invalid_argument,
               fmt::format("the schema is not valid: {}", described(issues_in(answer.text()), 3)))
      .page(105);
}

Result<std::vector<SchemaIssue>> Schema::issues(const Json& document,
                                                std::size_t issues_max) const {
  auto text = to_text(document);
  Answer answer(aios_schema_validate(handle_->raw, text_of(text), issues_max));
  if (answer.bytes.err == 0) {
    return std::vector<SchemaIssue>();
  }
  if (answer.bytes.err != refused) {
    return defect(answer);
  }
  auto found = issues_in(answer.text());
  for (SchemaIssue& issue : found) {
    name_choices(handle_->schema, document, &issue);
  }
  return found;
}

Result<void> Schema::validate(const Json& document) const {
  auto found = issues(document, 20);
  if (!found.ok()) {
    return std::move(found).error();
  }
  if (found->empty()) {
    return {};
  }
  return Error(Code::invalid_argument,
               fmt::format("does not match its schema: {}", described(*found, 3)))
      .page(106);
}

}  // namespace aios::expr
