// SPDX-License-Identifier: Apache-2.0
#include "app/secrets.h"

#include "core/text.h"
#include "store/file_io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace aios::app {
namespace {

constexpr std::size_t secret_bytes_max = std::size_t{64} << 10;
constexpr std::size_t secret_bytes_usual = 1024;  // each webhook reads one: more is not cleared

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

/// Never waits: who opened a FIFO would, for a writer.
/// @return why there is none; empty: it is in *secret
std::string_view read_secret(const std::string& path, std::string* secret) {
  const store::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    return errno == ENOENT ? "is not there" : "cannot be opened";
  }
  if (!store::is_regular(file.get())) {
    return "is no regular file";
  }
  std::string text;
  ssize_t got = 0;
  for (const std::size_t room : {secret_bytes_usual, secret_bytes_max + 1}) {
    text.resize(room);
    got = ::pread(file.get(), text.data(), room, 0);
    if (got < 0) {
      return "cannot be read";
    }
    if (static_cast<std::size_t>(got) < room) {
      break;
    }
  }
  if (static_cast<std::size_t>(got) > secret_bytes_max) {
    return "has more than 64 KiB";
  }
  text.resize(static_cast<std::size_t>(got));
  *secret = std::string(trim(text));
  return secret->empty() ? "is empty" : "";
}

/// The environment is the first tenant's: the names of two tenants could meet there.
Result<std::string> look_up(const std::string& directory, const TenantId& tenant,
                            std::string_view name) {
  if (!is_secret_name(name)) {
    return Error(Code::invalid_argument,
                 fmt::format("secret name '{}' is not made of a-z, 0-9 and '-'", excerpt(name, 40)))
        .page(1402);
  }
  const bool first = tenant == default_tenant();
  const std::string variable = environment_name(name);
  const char* value = first ? std::getenv(variable.c_str()) : nullptr;
  if (value != nullptr && *value != '\0') {
    return std::string(value);
  }
  const std::string path =
      fmt::format("{}/secrets/{}{}", directory, first ? "" : tenant.text() + "/", name);
  std::string text;
  const std::string_view why = read_secret(path, &text);
  if (why.empty()) {
    return text;
  }
  const std::string places =
      first ? fmt::format("neither in the environment ({}) nor in the file {}", variable, path)
            : fmt::format("not in the file {}", path);
  return Error(Code::not_found, fmt::format("secret '{}' is {}, which {}", name, places, why))
      .page(1402);
}

}  // namespace

connectors::SecretSource secret_source(const std::string& data_directory) {
  return [data_directory](const TenantId& tenant, std::string_view name) {
    return look_up(data_directory, tenant, name);
  };
}

void warn_missing_secrets(const std::vector<Error>& missing, const TenantId& tenant,
                          const observe::Log& log) {
  const Context ctx = system_context(tenant, "start");
  for (const Error& error : missing) {
    log.write(observe::Level::warn, "secrets", error.text(), {}, &ctx);
  }
}

}  // namespace aios::app
