// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/money: what of a bundle costs money: models of somebody else's (models/*.yaml with
// `provider`), and the budgets of aios.yaml.

#include "bundle/bundle.h"
#include "bundle/detail/parse.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::bundle {

/// Whether a file of models/ is about a model that runs elsewhere.
bool names_provider(const std::string& path, std::string_view text);
/// Fills bundle->hosted from the files of models/. The other models must have been read: a hosted
/// one may take its labels from them.
void read_hosted_models(Bundle* bundle, Checked* checked);
/// Fills bundle->budgets from aios.yaml. Hosted models whose price no budget can cover are errors.
void read_budgets(Bundle* bundle, Checked* checked);
/// Secrets that hosted models name, with their places.
std::vector<Named> secrets_of_models(const Bundle& bundle);

/// Told of what is wrong, and at which JSON pointer into the value.
using Complain = std::function<void(const std::string& pointer, std::string message)>;
/// A value with each `${params.NAME}` replaced: a text that is nothing else becomes the parameter's
/// value, whatever its type.
Json with_parameters(const Json& value, const JsonObject& parameters, const Complain& complain);
/// Complains of all that does not fit; true: it fits.
bool fits_schema(std::string_view schema, const Json& value, const Complain& complain);

}  // namespace aios::bundle
