// SPDX-License-Identifier: Apache-2.0
#include "app/audit_key.h"

#include "core/test/folder.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace aios;
using namespace aios::app;

TEST_CASE("audit key: one that is lost is refused, or the old log is kept beside") {
  const test::Folder folder;
  const std::string data = folder.at("");
  CHECK(settle_audit_key(data, false, LostAuditKey::refuse).ok());
  CHECK(settle_audit_key(data, true, LostAuditKey::refuse).error().page() == 528);
  std::filesystem::create_directories(audit_folder(data) + "/default");
  CHECK(settle_audit_key(data, true, LostAuditKey::refuse).error().page() == 528);
  CHECK(std::filesystem::exists(audit_folder(data)));
  CHECK(settle_audit_key(data, true, LostAuditKey::make_new).ok());
  CHECK_FALSE(std::filesystem::exists(audit_folder(data)));
  std::filesystem::path kept;
  for (const auto& entry : std::filesystem::directory_iterator(data)) {
    kept = entry.path();
  }
  CHECK(kept.filename().string().starts_with("audit.before-"));
  CHECK(std::filesystem::exists(kept / "default"));
}

TEST_CASE("audit key: the log of a key that is there is left alone") {
  const test::Folder folder;
  const std::string data = folder.at("");
  std::filesystem::create_directories(audit_folder(data));
  std::ofstream(audit_key_file(data)) << "key";
  CHECK(settle_audit_key(data, true, LostAuditKey::refuse).ok());
  CHECK(settle_audit_key(data, true, LostAuditKey::make_new).ok());
  CHECK(std::filesystem::exists(audit_folder(data)));
}

TEST_CASE("audit key: two installations' logs have different names") {
  const std::string origin = new_audit_origin();
  CHECK(origin.starts_with("aios.local/"));
  CHECK(origin.ends_with("/audit"));
  CHECK(origin != new_audit_origin());
}
