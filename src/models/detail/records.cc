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
                                {"training_ns", info.training.count()}};
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
