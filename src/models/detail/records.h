// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/records: what the registry keeps in the store. A version is a stream of kind model,
// id "<model>@<version>", label the model; an alias a stream of kind model_alias whose id is the
// alias and whose history has one event for each version it was given.

#include "core/result.h"
#include "models/learning.h"
#include "models/models.h"
#include "store/transition.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace aios::models::detail {

/// History event of a model_alias: its data is the alias as it is from then on.
inline constexpr std::uint16_t alias_set_event = 1;
/// It serves no more: its data is what it served last, and who took it away when.
inline constexpr std::uint16_t alias_removed_event = 2;
inline constexpr std::string_view alias_removed = "removed";  ///< status of such a stream

std::string version_id(std::string_view model, std::uint32_t version);
/// Models are sealed by a key of their own, which does not end with a week: "model:<name>".
std::string seal_subject(std::string_view model);
/// 1 to 48 of [a-z0-9_-], starting with a letter; invalid_argument [AIOS-0707].
Result<void> check_name(std::string_view what, std::string_view name);

store::StreamWrite to_write(const VersionInfo& info);
Result<VersionInfo> version_from(std::string_view state);
store::StreamWrite to_write(const AliasInfo& info, std::uint64_t expected_version);
store::StreamWrite removal_write(const AliasInfo& info, std::uint64_t expected_version);
Result<AliasInfo> alias_from(std::string_view state);
/// {accuracy, macro_recall, log_loss, calibration_error, examples}
JsonObject metrics_of(const Evaluation& evaluation);
Json lineage_to_json(const Lineage& lineage);

/// What else is kept of a model: a row that somebody accepted, a comparison of two versions.
inline constexpr std::string_view note_accepted = "accepted";
inline constexpr std::string_view note_compared = "compared";
struct Note {
  std::string id, model, status;
  std::uint64_t present = 0;  ///< the stream's version
  Json state;
};
store::StreamWrite note_write(const Note& note);
std::string accepted_id(std::string_view model, std::string_view row);
std::string compared_id(std::string_view model, std::uint32_t challenger, std::uint32_t champion);

inline constexpr std::size_t rows_bytes_max = std::size_t{8} << 20;
std::string rows_text(const std::vector<RowVerdict>& verdicts);
Result<std::vector<RowVerdict>> rows_from(std::string_view text);
JsonArray unmeasured_of(const Evaluation& evaluation);

}  // namespace aios::models::detail
