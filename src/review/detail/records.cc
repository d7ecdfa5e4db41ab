// SPDX-License-Identifier: Apache-2.0
#include "review/detail/records.h"

#include "govern/opening.h"

#include <fmt/format.h>

namespace aios::review::detail {
namespace {

Json copy_of(const Json& json, std::string_view member) {
  const Json* value = find(json, member);
  return value == nullptr ? Json() : *value;
}

std::optional<Time> time_of(const Json& json, std::string_view member) {
  const Json* value = find(json, member);
  return value != nullptr && value->is_int64() ? std::optional<Time>(Time{value->get_int64()})
                                               : std::nullopt;
}

Json texts(const std::vector<std::string>& values) {
  JsonArray array;
  for (const std::string& value : values) {
    array.emplace_back(value);
  }
  return array;
}

JsonObject question_of(const ReviewInfo& info) {
  return {{"title", info.title},
          {"form", info.form},
          {"form_schema", info.form_schema},
          {"evidence", info.evidence},
          {"suggestion", info.suggestion}};
}

void read_question(const Json& question, ReviewInfo& info) {
  info.title = text_or(question, "title", "");
  info.form = text_or(question, "form", "");
  info.form_schema = copy_of(question, "form_schema");
  info.evidence = copy_of(question, "evidence");
  info.suggestion = copy_of(question, "suggestion");
}

JsonObject content_of(const Correction& row) {
  return {{"dataset", row.dataset}, {"text", row.text}, {"label", row.label}, {"was", row.was},
          {"review", row.review},   {"run", row.run},   {"by", row.by},       {"at", row.at.ns}};
}

Error unreadable(std::string_view what, std::string_view id) {
  return Error(Code::data_loss, fmt::format("the record of {} '{}' cannot be read", what, id))
      .page(607);
}

}  // namespace

std::string question_text(const ReviewInfo& info) { return govern::content_of(question_of(info)); }

std::string to_state(const Record& record) {
  const ReviewInfo& info = record.info;
  JsonObject state = {{"question", question_of(info)},
                      {"assignees", texts(info.assignees)},
                      {"dataset", info.dataset},
                      {"subject", record.subject},
                      {"run", info.run_id},
                      {"step", info.step},
                      {"created", info.created.ns}};
  if (info.due) {
    state["due"] = info.due->ns;
  }
  if (info.answered) {
    state["answer"] = info.answer;
    state["answered"] = info.answered->ns;
    state["answered_by"] = info.answered_by;
    state["corrected"] = info.corrected;
  }
  return to_text(state);
}

Result<Record> record_from(const store::StreamRow& row) {
  Record record;
  ReviewInfo& info = record.info;
  info.id = row.id;
  info.status = row.status;
  info.form = row.label;
  info.version = row.version;
  info.erased = row.erased;
  if (row.erased) {
    return record;
  }
  auto json = parse_json(row.state);
  const Json* question = json.ok() ? find(*json, "question") : nullptr;
  if (question == nullptr) {
    return unreadable("review", row.id);
  }
  read_question(*question, info);
  const Json* assignees = find(*json, "assignees");
  if (assignees != nullptr && assignees->is_array()) {
    for (const Json& role : assignees->get_array()) {
      info.assignees.emplace_back(role.is_string() ? view(role.get_string()) : "");
    }
  }
  info.dataset = text_or(*json, "dataset", "");
  record.subject = text_or(*json, "subject", "");
  info.run_id = text_or(*json, "run", "");
  info.step = text_or(*json, "step", "");
  info.created = time_of(*json, "created").value_or(Time{});
  info.due = time_of(*json, "due");
  info.answered = time_of(*json, "answered");
  info.answered_by = text_or(*json, "answered_by", "");
  info.corrected = bool_or(*json, "corrected", false);
  info.answer = copy_of(*json, "answer");
  return record;
}

std::string label_field(const Json& form_schema) {
  return std::string(text_or(form_schema, "x-label", "label"));
}

bool is_corrected(const Json& suggestion, const Json& answer) {
  if (suggestion.is_null()) {
    return false;
  }
  if (!suggestion.is_object()) {
    return suggestion != answer;
  }
  for (const auto& member : suggestion.get_object()) {
    const Json* given = find(answer, {member.key().data(), member.key().size()});
    const bool same = given != nullptr ? *given == member.value() : member.value().is_null();
    if (!same) {
      return true;
    }
  }
  return false;
}

std::string to_state(const Correction& row) { return to_text(content_of(row)); }

Result<Correction> correction_from(const store::StreamRow& row) {
  if (row.erased) {
    Correction gone;
    gone.id = row.id;
    gone.dataset = row.label;
    gone.erased = true;
    return gone;
  }
  auto json = parse_json(row.state);
  if (!json.ok() || text_or(*json, "label", "").empty()) {
    return unreadable("labelled row", row.id);
  }
  Correction found;
  found.id = row.id;
  found.dataset = text_or(*json, "dataset", "");
  found.text = text_or(*json, "text", "");
  found.label = text_or(*json, "label", "");
  found.was = text_or(*json, "was", "");
  found.review = text_or(*json, "review", "");
  found.run = text_or(*json, "run", "");
  found.by = text_or(*json, "by", "");
  found.at = time_of(*json, "at").value_or(Time{});
  return found;
}

}  // namespace aios::review::detail

namespace aios::review {

Json Correction::to_json() const {
  JsonObject out{{"id", id}, {"dataset", dataset}, {"erased", erased}};
  if (!erased) {
    out["correction"] = detail::content_of(*this);
  }
  return out;
}

Json ReviewInfo::to_json() const {
  JsonObject object = {{"id", id},
                       {"title", title},
                       {"form", form},
                       {"status", status},
                       {"run", run_id},
                       {"step", step},
                       {"assignees", detail::texts(assignees)},
                       {"created", to_rfc3339(created)},
                       {"form_schema", form_schema},
                       {"evidence", evidence},
                       {"suggestion", suggestion},
                       {"version", version}};
  if (due) {
    object["due"] = to_rfc3339(*due);
  }
  if (!dataset.empty()) {
    object["dataset"] = dataset;
  }
  if (answered) {
    object["answer"] = answer;
    object["answered"] = to_rfc3339(*answered);
    object["answered_by"] = answered_by;
    object["corrected"] = corrected;
  }
  if (erased) {
    object["erased"] = true;
  }
  return object;
}

}  // namespace aios::review
