// SPDX-License-Identifier: Apache-2.0
#pragma once
// api/detail/run_filter: which runs of a list are meant, by what of them stands in clear.

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "workflow/attribute.h"
#include "workflow/run_view.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::api {

struct RunFilter {
  std::optional<Time> since, until;        ///< of the run's last change: a faulted one's fault
  std::string error;                       ///< page of its error, "AIOS-0904"; empty: any
  std::vector<workflow::Condition> where;  ///< of its search attributes, all of them

  /// @param since, until  RFC 3339, empty: none. @param error  "AIOS-0904", "904"; empty: any.
  /// @return invalid_argument [AIOS-1341].
  static Result<RunFilter> parse(std::string_view since, std::string_view until,
                                 std::string_view error);
  bool takes(const workflow::RunView& run) const;
};

}  // namespace aios::api
