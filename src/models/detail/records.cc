// SPDX-License-Identifier: Apache-2.0
#include "models/detail/records.h"

#include "core/json.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::models::detail {
namespace {

constexpr std::size_t name_bytes_max = 48;

Error damaged(std::string_view what) {
  return Error(Code::data_loss, fmt::format("the record of a {} cannot be read", what)).page(703);
}

Json evaluation_to_json(const Evaluation& evaluation) {
  JsonObject object = metrics_of(evaluation);
  JsonObject recalls;
  for (const auto& [label, recall] : evaluation.recall_by_label) {
    recalls[label] = recall;
  }
  object["recall_by_label"] = std::move(recalls);
  object["unmeasured"] = unmeasured_of(evaluation);
  return object;
}

Evaluation evaluation_from(const Json& json) {
  Evaluation evaluation;
  evaluation.examples = static_cast<std::uint64_t>(int_or(json, "examples", 0));
  evaluation.accuracy = number_or(json, "accuracy", 0);
  evaluation.macro_recall = number_or(json, "macro_recall", 0);
  evaluation.log_loss = number_or(json, "log_loss", 0);
  evaluation.calibration_error = number_or(json, "calibration_error", 0);
  const Json* recalls = find(json, "recall_by_label");
  if (recalls != nullptr && recalls->is_object()) {
    for (const auto& member : recalls->get_object()) {
      evaluation.recall_by_label[member.key()] =
          number_or(*recalls, {member.key().data(), member.key().size()}, 0);
    }
  }
  evaluation.unmeasured = texts_of(find(json, "unmeasured"));
  return evaluation;
}

Json gates_to_json(const CompareGates& gates) {
  return JsonObject{{"overall_loss_max", gates.overall_loss_max},
                    {"class_loss_max", gates.class_loss_max},
                    {"class_rows_min", gates.class_rows_min},
                    {"new_recall_min", gates.new_recall_min},
                    {"new_rows_min", gates.new_rows_min}};
}

CompareGates gates_from(const Json& json) {
  CompareGates gates;
  gates.overall_loss_max = number_or(json, "overall_loss_max", gates.overall_loss_max);
  gates.class_loss_max = number_or(json, "class_loss_max", gates.class_loss_max);
  gates.new_recall_min = number_or(json, "new_recall_min", gates.new_recall_min);
  gates.class_rows_min = static_cast<std::uint64_t>(int_or(json, "class_rows_min", 0));
  gates.new_rows_min = static_cast<std::uint64_t>(int_or(json, "new_rows_min", 0));
  return gates;
}

Lineage lineage_from(const Json& json) {
  const auto count = [&json](std::string_view name) {
    return static_cast<std::uint64_t>(int_or(json, name, 0));
  };
  Lineage lineage;
  lineage.parent = static_cast<std::uint32_t>(count("parent"));
  lineage.blob = text_or(json, "rows", "");
  lineage.frozen = text_or(json, "frozen", "");
  lineage.rows_digest = text_or(json, "rows_digest", "");
  lineage.learnt = count("learnt");
  lineage.kept_back = count("kept_back");
  lineage.refused = count("refused");
  lineage.held_out = count("held_out");
  lineage.leaked = count("leaked");
  lineage.waiting = texts_of(find(json, "waiting"));
  lineage.row_sets = texts_of(find(json, "row_sets"));
  lineage.sent_data = bool_or(json, "sent_data", false);
  const Json* labels = find(json, "learnt_by_label");
  if (labels != nullptr && labels->is_object()) {
    for (const auto& member : labels->get_object()) {
      lineage.learnt_by_label[member.key()] =
          static_cast<std::uint64_t>(int_or(*labels, member.key(), 0));
    }
  }
  return lineage;
}

Json to_json(const AliasInfo& info) {
  return JsonObject{{"alias", info.alias},
                    {"model", info.model},
                    {"version", info.version},
                    {"set_by", info.set_by},
                    {"since", info.since.ns}};
}

void read_texts(const Json& json, VersionInfo& info) {
  info.model = text_or(json, "model", "");
  info.engine = text_or(json, "engine", "");
  info.owner = text_or(json, "owner", "");
  info.intended_use = text_or(json, "intended_use", "");
  info.dataset_digest = text_or(json, "dataset_digest", "");
  info.heldout_digest = text_or(json, "heldout_digest", "");
  info.blob = text_or(json, "blob", "");
  info.trained_by = text_or(json, "trained_by", "");
  info.failure_modes = texts_of(find(json, "failure_modes"));
}

}  // namespace

std::string version_id(std::string_view model, std::uint32_t version) {
  return fmt::format("{}@{}", model, version);
}

std::string seal_subject(std::string_view model) { return fmt::format("model:{}", model); }

Result<void> check_name(std::string_view what, std::string_view name) {
  const bool fits =
      !name.empty() && name.size() <= name_bytes_max && name[0] >= 'a' && name[0] <= 'z' &&
      std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      });
  if (!fits) {
    return Error(Code::invalid_argument,
                 fmt::format("found the {} '{}', wanted 1 to {} of a-z, 0-9, '-' and '_', a letter "
                             "first",
                             what, excerpt(name, 60), name_bytes_max))
        .page(707);
  }
  return {};
}

store::StreamWrite to_write(const VersionInfo& info) {
  JsonArray modes;
  for (const std::string& mode : info.failure_modes) {
    modes.emplace_back(mode);
  }
  const Json state = JsonObject{{"model", info.model},
                                {"version", info.version},
                                {"engine", info.engine},
                                {"owner", info.owner},
                                {"intended_use", info.intended_use},
                                {"failure_modes", std::move(modes)},
                                {"seed", info.seed},
                                {"dataset_digest", info.dataset_digest},
                                {"heldout_digest", info.heldout_digest},
                                {"blob", info.blob},
                                {"trained_by", info.trained_by},
                                {"examples", info.examples},
                                {"heldout", evaluation_to_json(info.heldout)},
                                {"accuracy_min", info.accuracy_min},
                                {"created", info.created.ns},
                                {"training_ns", info.training.count()},
                                {"gates", gates_to_json(info.gates)},
                                {"lineage", lineage_to_json(info.lineage)}};
  store::StreamWrite write;
  write.kind = store::StreamKind::model;
  write.id = version_id(info.model, info.version);
  write.label = info.model;
  write.status = "registered";
  write.state = store::Payload{seal_subject(info.model), to_text(state)};
  write.end = store::StreamEnd::closed;
  return write;
}

Result<VersionInfo> version_from(std::string_view state) {
  auto json = parse_json(state);
  VersionInfo info;
  if (json.ok()) {
    read_texts(*json, info);
    info.version = static_cast<std::uint32_t>(int_or(*json, "version", 0));
  }
  if (info.model.empty() || info.version == 0) {
    return damaged("model version");
  }
  info.seed = static_cast<std::uint64_t>(int_or(*json, "seed", 0));
  info.examples = static_cast<std::uint64_t>(int_or(*json, "examples", 0));
  info.accuracy_min = number_or(*json, "accuracy_min", 0);
  info.created = {int_or(*json, "created", 0)};
  info.training = Duration(int_or(*json, "training_ns", 0));
  if (const Json* gates = find(*json, "gates"); gates != nullptr) {
    info.gates = gates_from(*gates);
  }
  if (const Json* lineage = find(*json, "lineage"); lineage != nullptr) {
    info.lineage = lineage_from(*lineage);
  }
  const Json* heldout = find(*json, "heldout");
  if (heldout != nullptr) {
    info.heldout = evaluation_from(*heldout);
  }
  return info;
}

store::StreamWrite to_write(const AliasInfo& info, std::uint64_t expected_version) {
  const store::Payload payload{seal_subject(info.model), to_text(to_json(info))};
  store::StreamWrite write;
  write.kind = store::StreamKind::model_alias;
  write.id = info.alias;
  write.expected_version = expected_version;
  write.history.push_back({alias_set_event, info.since, payload});
  write.state = payload;
  write.label = info.model;
  write.status = "serving";
  return write;
}

store::StreamWrite removal_write(const AliasInfo& info, std::uint64_t expected_version) {
  store::StreamWrite write = to_write(info, expected_version);
  write.history.front().type = alias_removed_event;
  write.status = alias_removed;
  return write;
}

Result<AliasInfo> alias_from(std::string_view state) {
  auto json = parse_json(state);
  AliasInfo info;
  if (json.ok()) {
    info.alias = text_or(*json, "alias", "");
    info.model = text_or(*json, "model", "");
    info.version = static_cast<std::uint32_t>(int_or(*json, "version", 0));
    info.set_by = text_or(*json, "set_by", "");
    info.since = {int_or(*json, "since", 0)};
  }
  if (info.alias.empty() || info.model.empty() || info.version == 0) {
    return damaged("model alias");
  }
  return info;
}

Json lineage_to_json(const Lineage& lineage) {
  JsonObject labels;
  for (const auto& [label, count] : lineage.learnt_by_label) {
    labels[label] = count;
  }
  JsonArray waiting(lineage.waiting.begin(), lineage.waiting.end());
  JsonArray sets(lineage.row_sets.begin(), lineage.row_sets.end());
  return JsonObject{{"parent", lineage.parent},      {"rows", lineage.blob},
                    {"frozen", lineage.frozen},      {"rows_digest", lineage.rows_digest},
                    {"learnt", lineage.learnt},      {"kept_back", lineage.kept_back},
                    {"refused", lineage.refused},    {"held_out", lineage.held_out},
                    {"leaked", lineage.leaked},      {"learnt_by_label", std::move(labels)},
                    {"waiting", std::move(waiting)}, {"row_sets", std::move(sets)},
                    {"sent_data", lineage.sent_data}};
}

store::StreamWrite note_write(const Note& note) {
  store::StreamWrite write;
  write.kind = store::StreamKind::model_note;
  write.id = note.id;
  write.expected_version = note.present;
  write.label = note.model;
  write.status = note.status;
  write.state = store::Payload{seal_subject(note.model), to_text(note.state)};
  return write;
}

std::string accepted_id(std::string_view model, std::string_view row) {
  return fmt::format("accepted/{}/{}", model, row);
}

std::string compared_id(std::string_view model, std::uint32_t challenger, std::uint32_t champion) {
  return fmt::format("compared/{}@{}/{}", model, challenger, champion);
}

std::string rows_text(const std::vector<RowVerdict>& verdicts) {
  JsonArray rows;
  for (const RowVerdict& verdict : verdicts) {
    rows.push_back(to_json(verdict));
  }
  return to_text(rows);
}

Result<std::vector<RowVerdict>> rows_from(std::string_view text) {
  const JsonLimits limits{.bytes_max = rows_bytes_max};
  auto json = parse_json(text, limits);
  if (!json.ok() || !json->is_array()) {
    return damaged("training's rows");
  }
  std::vector<RowVerdict> verdicts;
  for (const Json& row : json->get_array()) {
    RowVerdict verdict;
    verdict.id = text_or(row, "id", "");
    verdict.label = text_or(row, "label", "");
    verdict.by = text_or(row, "by", "");
    if (auto at = parse_rfc3339(text_or(row, "at", "")); at.ok()) {
      verdict.at = *at;
    }
    for (const RowUse use : {RowUse::kept_back, RowUse::refused, RowUse::held_out}) {
      verdict.use = text_or(row, "use", "") == name_of(use) ? use : verdict.use;
    }
    verdict.reason = text_or(row, "reason", "");
    verdict.instead = text_or(row, "instead", "");
    verdict.accepted_by = text_or(row, "accepted_by", "");
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

JsonArray unmeasured_of(const Evaluation& evaluation) {
  JsonArray labels;
  for (const std::string& label : evaluation.unmeasured) {
    labels.emplace_back(label);
  }
  return labels;
}

JsonObject metrics_of(const Evaluation& evaluation) {
  return {{"examples", evaluation.examples},
          {"accuracy", evaluation.accuracy},
          {"macro_recall", evaluation.macro_recall},
          {"log_loss", evaluation.log_loss},
          {"calibration_error", evaluation.calibration_error}};
}

}  // namespace aios::models::detail
