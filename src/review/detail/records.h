// SPDX-License-Identifier: Apache-2.0
#pragma once
// review/detail/records: what is kept of a review and of a labelled row, as JSON in the sealed
// state, and the writes that save it.

#include "core/json.h"
#include "core/result.h"
#include "govern/audit.h"
#include "review/review_info.h"
#include "store/store.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace aios::review::detail {

/// History events of a review; the numbers are on disk: never reuse one.
inline constexpr std::uint16_t opened_event = 1;
inline constexpr std::uint16_t answered_event = 2;
inline constexpr std::uint16_t cancelled_event = 3;
inline constexpr std::uint16_t claimed_event = 4;
inline constexpr std::uint16_t released_event = 5;
inline constexpr std::uint16_t due_event = 6;
inline constexpr std::uint16_t proposed_event = 7;
inline constexpr std::uint16_t sent_back_event = 8;
inline constexpr std::uint16_t assigned_event = 9;
inline constexpr std::uint16_t approved_event = 10;

/// The whole review. `question` never changes: the leaf of the opening commits to it.
struct Record {
  ReviewInfo info;
  std::string subject;
};

/// {title, form, form_schema, evidence, suggestion}, as the leaf of the opening commits to it.
std::string question_text(const ReviewInfo& info);
std::string to_state(const Record& record);
/// Of an erased one what is left; data_loss [AIOS-0607] when unreadable.
Result<Record> record_from(const store::StreamRow& row);
/// As it will be read when the write is committed.
Result<Record> record_from(const store::StreamWrite& write);
store::StreamWrite to_write(const Record& record, std::uint16_t event, Time now,
                            std::string event_data);
/// Without decisions; names run, step, review, form and data set.
govern::LeafFacts leaf_facts(const ReviewInfo& info, std::string_view outcome);

/// The member of the answer that is the label: the form's "x-label", else "label".
std::string label_field(const Json& form_schema);
/// See Prepared::result.
bool is_corrected(const Json& suggestion, const Json& answer);

std::string to_state(const Correction& row);
Result<Correction> correction_from(const store::StreamRow& row);
store::StreamWrite to_write(const Correction& row, const std::string& subject);

}  // namespace aios::review::detail
