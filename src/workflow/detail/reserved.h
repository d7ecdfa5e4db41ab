// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/reserved: what is told of a run or an event whose subject is no person's.

#include "core/result.h"
#include "core/text.h"
#include "store/subject.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

namespace aios::workflow {

/// invalid_argument [AIOS-1036]; nothing where anybody may name it.
inline std::optional<Error> refusal_of_subject(std::string_view subject) {
  if (!store::is_reserved_subject(subject)) {
    return std::nullopt;
  }
  return Error(Code::invalid_argument,
               fmt::format("subject '{}' is this installation's own, no person's: wanted one that "
                           "does not begin with '{}'",
                           excerpt(subject, 60), store::reserved_subjects))
      .page(1036);
}

}  // namespace aios::workflow
