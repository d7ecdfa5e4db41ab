// SPDX-License-Identifier: Apache-2.0
#include "app/model_version.h"

#include <fmt/format.h>

#include <charconv>

namespace aios::app {

Result<ModelVersion> model_version(std::string_view text, VersionPart part) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos && part == VersionPart::optional && !text.empty()) {
    return ModelVersion{std::string(text), 0};
  }
  ModelVersion found;
  const char* end = text.data() + text.size();
  if (at == std::string_view::npos || at == 0 ||
      std::from_chars(text.data() + at + 1, end, found.version).ptr != end || found.version == 0) {
    return Error(Code::invalid_argument,
                 fmt::format("'{}' is not NAME@VERSION, such as intent@3", text))
        .page(1407);
  }
  found.name = text.substr(0, at);
  return found;
}

}  // namespace aios::app
