// SPDX-License-Identifier: Apache-2.0
#include "app/bundle_round.h"

#include "app/sources.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace aios::app {

Result<CheckedFolder> check_folder(const std::string& directory, const JsonObject& overrides) {
  auto files = bundle::read_bundle_directory(directory);
  if (!files.ok()) {
    return std::move(files).error();
  }
  workflow::FunctionRegistry functions;
  workflow::register_all_functions(functions);
  CheckedFolder out;
  out.files = *std::move(files);
  out.checked = bundle::check_bundle(out.files, overrides, functions, check_sources);
  if (out.checked.bundle) {
    auto tests = govern::Guard::test(out.checked.bundle->policies, out.checked.bundle->parameters);
    if (!tests.ok()) {
      out.checked.errors.push_back(std::move(tests).error());
    }
  }
  auto strays = bundle::stray_names(directory);
  std::move(strays.begin(), strays.end(), std::back_inserter(out.checked.warnings));
  return out;
}

Result<JsonObject> settings_in(const std::vector<std::string>& given) {
  JsonObject out;
  for (const std::string& setting : given) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error(Code::invalid_argument, fmt::format("--set '{}' is not NAME=VALUE", setting))
          .page(1409);
    }
    out[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return out;
}

Json error_json(const Error& error) {
  return JsonObject{{"file", error.file()},
                    {"line", error.line()},
                    {"column", error.column()},
                    {"message", error.message()},
                    {"page", error.page()}};
}

}  // namespace aios::app
