// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/egress: where `call: http` of a bundle's workflows may go, and whether it goes
// there only. docs/guide/http.md.

#include "bundle/bundle.h"
#include "bundle/detail/parse.h"

#include <vector>

namespace aios::bundle {

/// Fills bundle->egress from `needs.egress` of aios.yaml.
void read_egress(Bundle* bundle, Checked* checked);
/// Every call's origin, where it stands in the text, is declared; what is declared is called.
void check_http_calls(const Bundle& bundle, Checked* checked);
/// Secrets that workflows list in `use.secrets`, with their places.
std::vector<Named> secrets_of_calls(const Bundle& bundle);

}  // namespace aios::bundle
