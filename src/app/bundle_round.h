// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/bundle_round: a bundle's folder looked through once: read, checked, its policies' tests run.

#include "bundle/bundle.h"
#include "core/json.h"
#include "core/result.h"

#include <string>
#include <vector>

namespace aios::app {

struct CheckedFolder {
  bundle::Files files;
  bundle::Checked checked;  ///< with the policies' tests, and names that are nearly a part's
};

/// @return what read_bundle_directory() says of a folder that is none.
Result<CheckedFolder> check_folder(const std::string& directory, const JsonObject& overrides);

/// NAME=VALUE of --set as values by name. invalid_argument [AIOS-1409].
Result<JsonObject> settings_in(const std::vector<std::string>& given);

Json error_json(const Error& error);  ///< {file, line, column, message, page}

}  // namespace aios::app
