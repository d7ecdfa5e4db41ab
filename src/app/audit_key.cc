// SPDX-License-Identifier: Apache-2.0
#include "app/audit_key.h"

#include "core/crypto.h"
#include "core/text.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

namespace aios::app {
namespace {

constexpr std::size_t origin_bytes = 8;

}  // namespace

std::string audit_key_file(const std::string& data) { return data + "/audit-signing.key"; }

std::string audit_folder(const std::string& data) { return data + "/audit"; }

std::string new_audit_origin() {
  return fmt::format("aios.local/{}/audit", to_hex(secure_random(origin_bytes)));
}

Result<void> settle_audit_key(const std::string& data, bool has_leaves, LostAuditKey lost) {
  std::error_code failed;
  const std::string key = audit_key_file(data);
  if (!has_leaves || std::filesystem::exists(key, failed)) {
    return {};
  }
  if (lost == LostAuditKey::refuse) {
    return Error(
               Code::failed_precondition,
               fmt::format("the audit signing key '{}' is missing and the store holds leaves", key))
        .page(528);
  }
  const std::string folder = audit_folder(data);
  if (!std::filesystem::exists(folder, failed)) {
    return {};
  }
  const std::string aside = fmt::format("{}.before-{}", folder, to_hex(secure_random(4)));
  std::filesystem::rename(folder, aside, failed);
  if (failed) {
    return Error(Code::permission_denied,
                 fmt::format("cannot rename {} to {}: {}", folder, aside, failed.message()))
        .page(1403);
  }
  return {};
}

}  // namespace aios::app
