// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/correction_rows: people's labelled rows (review/) as models/ learns from them; neither of the
// two knows the other.

#include "models/models.h"
#include "review/review.h"

namespace aios::app {

/// The latest row of each run, oldest first; those of erased subjects are left out. Reads at most
/// twice models::correction_rows_max rows a set. `reviews` must outlive the source.
models::RowSource correction_rows(review::Reviews* reviews);

}  // namespace aios::app
