// SPDX-License-Identifier: Apache-2.0
#pragma once
// review/detail/records: what is kept of a review and of a labelled row, as JSON in the sealed
// state.

#include "core/json.h"
#include "core/result.h"
#include "review/review.h"
#include "store/store.h"

#include <cstdint>
#include <string>

namespace aios::review::detail {

/// History events of a review; never reuse a number.
inline constexpr std::uint16_t opened_event = 1;
inline constexpr std::uint16_t answered_event = 2;
inline constexpr std::uint16_t cancelled_event = 3;

/// The whole review. `question` never changes: the leaf of the opening commits to it.
struct Record {
  ReviewInfo info;
  std::string subject;
};

/// {title, form, form_schema, evidence, suggestion}, as the leaf of the opening commits to it.
std::string question_text(const ReviewInfo& info);
std::string to_state(const Record& record);
/// not_found [AIOS-0600] when the data subject was erased, data_loss [AIOS-0607] when unreadable.
Result<Record> record_from(const store::StreamRow& row);

/// The member of the answer that is the label: the form's "x-label", else "label".
std::string label_field(const Json& form_schema);
/// See Answered::result.
bool is_corrected(const Json& suggestion, const Json& answer);

std::string to_state(const Correction& row);
Result<Correction> correction_from(const store::StreamRow& row);

}  // namespace aios::review::detail
