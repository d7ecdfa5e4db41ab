// SPDX-License-Identifier: Apache-2.0
#include "app/secrets.h"

#include "core/text.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace aios::app {
namespace {

std::string environment_name(std::string_view name) {
  std::string out = "AIOS_SECRET_";
  for (const char c : name) {
    const bool lower = c >= 'a' && c <= 'z';
    out.push_back(lower ? static_cast<char>(c - 'a' + 'A') : c == '-' ? '_' : c);
  }
  return out;
}

bool is_secret_name(std::string_view name) {
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
      return false;
    }
  }
  return !name.empty() && name.size() <= 64;
}

Result<std::string> look_up(const std::string& directory, std::string_view name) {
  if (!is_secret_name(name)) {
    return Error(Code::invalid_argument,
                 fmt::format("secret name '{}' is not made of a-z, 0-9 and '-'", excerpt(name, 40)))
        .page(1402);
  }
  const std::string variable = environment_name(name);
  if (const char* value = std::getenv(variable.c_str()); value != nullptr && *value != '\0') {
    return std::string(value);
  }
  const std::string path = fmt::format("{}/secrets/{}", directory, name);
  std::ifstream file(path);
  if (!file) {
    return Error(Code::not_found, fmt::format("secret '{}' is neither in the environment ({}) nor "
                                              "in the file {}",
                                              name, variable, path))
        .page(1402);
  }
  std::ostringstream text;
  text << file.rdbuf();
  return std::string(trim(text.str()));
}

}  // namespace

connectors::SecretSource secret_source(const std::string& data_directory) {
  return [data_directory](const TenantId&, std::string_view name) {
    return look_up(data_directory, name);
  };
}

void warn_missing_secrets(const connectors::Connectors& connectors,
                          const std::vector<TenantId>& tenants, const observe::Log& log) {
  for (const TenantId& tenant : tenants) {
    const Context ctx = system_context(tenant, "start");
    for (const Error& missing : connectors.missing_secrets(tenant)) {
      log.write(observe::Level::warn, "connectors", missing.text(), {}, &ctx);
    }
  }
}

}  // namespace aios::app
