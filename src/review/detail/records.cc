// SPDX-License-Identifier: Apache-2.0
#include "review/detail/records.h"

#include "core/text.h"
#include "govern/opening.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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
  JsonObject out{{"dataset", row.dataset}, {"text", row.text},     {"label", row.label},
                 {"was", row.was},         {"review", row.review}, {"run", row.run},
                 {"by", row.by},           {"at", row.at.ns}};
  for (const auto& [name, value] :
       {std::pair("approved_by", &row.approved_by), std::pair("event", &row.event),
        std::pair("event_source", &row.event_source), std::pair("workflow", &row.workflow),
        std::pair("model", &row.model), std::pair("model_version", &row.model_version),
        std::pair("input_digest", &row.input_digest)}) {
    if (!value->empty()) {
      out[name] = *value;
    }
  }
  if (!row.suggested.is_null()) {
    out["suggested"] = row.suggested;
  }
  return out;
}

JsonArray to_json(const std::vector<Escalation>& escalation) {
  JsonArray out;
  for (const Escalation& step : escalation) {
    out.push_back(JsonObject{{"after", step.after.count()}, {"assignees", texts(step.assignees)}});
  }
  return out;
}

std::vector<Escalation> escalation_from(const Json* list) {
  std::vector<Escalation> out;
  if (list == nullptr || !list->is_array()) {
    return out;
  }
  for (const Json& one : list->get_array()) {
    out.push_back({Duration(int_or(one, "after", 0)), texts_of(find(one, "assignees"))});
  }
  return out;
}

/// What people did with it since it was asked.
void put_handling(const ReviewInfo& info, JsonObject& state) {
  if (info.claim) {
    state["claim"] = JsonObject{{"by", info.claim->by}, {"until", info.claim->until.ns}};
  }
  if (!info.approvers.empty()) {
    state["approvers"] = texts(info.approvers);
  }
  if (info.proposal) {
    state["proposal"] = JsonObject{
        {"answer", info.proposal->answer}, {"by", info.proposal->by}, {"at", info.proposal->at.ns}};
  }
  if (info.sent_back) {
    state["sent_back"] = JsonObject{{"by", info.sent_back->by},
                                    {"reason", info.sent_back->reason},
                                    {"at", info.sent_back->at.ns}};
  }
  if (info.answered) {
    state["answer"] = info.answer;
    state["answered"] = info.answered->ns;
    state["answered_by"] = info.answered_by;
    state["corrected"] = info.corrected;
  }
  if (info.approved) {
    state["approved"] = info.approved->ns;
    state["approved_by"] = info.approved_by;
  }
}

void put_times(const ReviewInfo& info, JsonObject& state) {
  if (info.due) {
    state["due"] = info.due->ns;
  }
  if (info.overdue) {
    state["overdue"] = true;
  }
  if (info.on_timeout == OnTimeout::fail) {
    state["on_timeout"] = "fail";
  }
  if (!info.escalation.empty()) {
    state["escalation"] = to_json(info.escalation);
    state["escalations_done"] = info.escalations_done;
    state["escalated_to"] = texts(info.escalated_to);
  }
}

void read_handling(const Json& state, ReviewInfo& info) {
  if (const Json* claim = find(state, "claim")) {
    info.claim =
        Claim{std::string(text_or(*claim, "by", "")), time_of(*claim, "until").value_or(Time{})};
  }
  info.approvers = texts_of(find(state, "approvers"));
  if (const Json* proposal = find(state, "proposal")) {
    info.proposal =
        Proposal{copy_of(*proposal, "answer"), std::string(text_or(*proposal, "by", "")),
                 time_of(*proposal, "at").value_or(Time{})};
  }
  if (const Json* back = find(state, "sent_back")) {
    info.sent_back =
        SentBack{std::string(text_or(*back, "by", "")), std::string(text_or(*back, "reason", "")),
                 time_of(*back, "at").value_or(Time{})};
  }
  info.answered = time_of(state, "answered");
  info.answered_by = text_or(state, "answered_by", "");
  info.corrected = bool_or(state, "corrected", false);
  info.answer = copy_of(state, "answer");
  info.approved = time_of(state, "approved");
  info.approved_by = text_or(state, "approved_by", "");
}

void read_times(const Json& state, ReviewInfo& info) {
  info.created = time_of(state, "created").value_or(Time{});
  info.due = time_of(state, "due");
  info.overdue = bool_or(state, "overdue", false);
  info.on_timeout = text_or(state, "on_timeout", "") == "fail" ? OnTimeout::fail : OnTimeout::keep;
  info.escalation = escalation_from(find(state, "escalation"));
  info.escalations_done = static_cast<std::uint32_t>(int_or(state, "escalations_done", 0));
  info.escalated_to = texts_of(find(state, "escalated_to"));
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
                      {"workflow", info.workflow},
                      {"priority", info.priority},
                      {"created", info.created.ns}};
  put_times(info, state);
  put_handling(info, state);
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
  info.assignees = texts_of(find(*json, "assignees"));
  info.dataset = text_or(*json, "dataset", "");
  record.subject = text_or(*json, "subject", "");
  info.run_id = text_or(*json, "run", "");
  info.step = text_or(*json, "step", "");
  info.workflow = text_or(*json, "workflow", "");
  info.priority = static_cast<int>(int_or(*json, "priority", priority_normal));
  read_times(*json, info);
  read_handling(*json, info);
  return record;
}

Result<Record> record_from(const store::StreamWrite& write) {
  store::StreamRow row;
  row.id = write.id;
  row.version = write.expected_version + 1;
  row.status = write.status;
  row.label = write.label;
  row.erased = !write.state;
  if (write.state) {
    row.state = write.state->bytes;
  }
  return record_from(row);
}

store::StreamWrite to_write(const Record& record, std::uint16_t event, Time now,
                            std::string event_data) {
  store::StreamWrite write;
  write.kind = store::StreamKind::review;
  write.id = record.info.id;
  write.expected_version = record.info.version;
  write.history.push_back({event, now, {record.subject, std::move(event_data)}});
  write.state = store::Payload{record.subject, to_state(record)};
  write.status = record.info.status;
  write.label = record.info.form;
  write.end = record.info.waits() ? store::StreamEnd::open : store::StreamEnd::closed;
  return write;
}

govern::LeafFacts leaf_facts(const ReviewInfo& info, std::string_view outcome) {
  govern::LeafFacts facts(govern::LeafKind::review);
  facts.stream = info.run_id;
  facts.step = info.step;
  facts.outcome = outcome;
  facts.facts = {{"form", info.form}};
  if (!info.id.empty()) {
    facts.facts["review"] = info.id;
  }
  if (!info.dataset.empty()) {
    facts.facts["dataset"] = info.dataset;
  }
  return facts;
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
  found.approved_by = text_or(*json, "approved_by", "");
  found.event = text_or(*json, "event", "");
  found.event_source = text_or(*json, "event_source", "");
  found.workflow = text_or(*json, "workflow", "");
  found.model = text_or(*json, "model", "");
  found.model_version = text_or(*json, "model_version", "");
  found.input_digest = text_or(*json, "input_digest", "");
  found.suggested = copy_of(*json, "suggested");
  return found;
}

store::StreamWrite to_write(const Correction& row, const std::string& subject) {
  store::StreamWrite write;
  write.kind = store::StreamKind::correction;
  write.id = row.id;
  write.label = row.dataset;
  write.status = row.was.empty() ? "labelled" : row.was == row.label ? "confirmed" : "corrected";
  write.state = store::Payload{subject, to_state(row)};
  write.end = store::StreamEnd::closed;
  return write;
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

}  // namespace aios::review
