// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/model_version: "intent@3" as the command line takes it.

#include "core/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace aios::app {

struct ModelVersion {
  std::string name;
  std::uint32_t version = 0;  ///< 0: none was given
};
enum class VersionPart : std::uint8_t { needed, optional };
/// NAME@VERSION, or NAME alone where the version is optional; invalid_argument [AIOS-1407].
Result<ModelVersion> model_version(std::string_view text, VersionPart part);

}  // namespace aios::app
