// SPDX-License-Identifier: Apache-2.0
#include "store/detail/keys_file.h"

#include "core/codec.h"
#include "core/crypto.h"
#include "core/test/folder.h"
#include "store/detail/files.h"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace aios;
using namespace aios::store::detail;

namespace {

KeysFile some_keys() {
  KeysFile keys;
  keys.root_key = "root";
  keys.image.root_check = "check";
  keys.image.next_id = 7;
  keys.image.keys.push_back({3, "default", "wrapped"});
  return keys;
}

}  // namespace

TEST_CASE("keys file: the audit log's signing key goes with the keys and comes back 0600") {
  const test::Folder folder;
  const std::string path = folder.at("audit-signing.key");
  REQUIRE(write_file_durably(path, "PRIVATE+KEY+...").ok());
  REQUIRE(write_file_durably(folder.at("other.key"), "somebody's").ok());
  KeysFile keys = some_keys();
  keys.files = read_kept_secrets(folder.at("")).value();
  REQUIRE(write_keys_file(folder.at("sealed"), "a long passphrase", keys).ok());
  CHECK(read_file(folder.at("sealed"), 1 << 20).value().find("PRIVATE") == std::string::npos);

  const test::Folder other;
  const auto read = read_keys_file(folder.at("sealed"), "a long passphrase").value();
  CHECK(read.image.next_id == 7);
  REQUIRE(read.files.size() == 1);
  REQUIRE(write_kept_secrets(other.at(""), read.files).ok());
  CHECK(read_file(other.at("audit-signing.key"), 1 << 20).value() == "PRIVATE+KEY+...");
  struct stat info{};
  REQUIRE(::stat(other.at("audit-signing.key").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("keys file: a name that leads out of the directory is refused") {
  const test::Folder folder;
  CHECK(write_kept_secrets(folder.at(""), {{"../audit-signing.key", "x"}}).error().page() == 416);
  CHECK(write_kept_secrets(folder.at(""), {{"journal.db", "x"}}).error().page() == 416);
}

TEST_CASE("keys file: one of the first form, without files, is still read") {
  const test::Folder folder;
  const std::string magic = "AIOSKEY1";
  const std::string salt(16, 's');
  const std::string nonce(12, 'n');
  Writer out;
  out.bytes("root");
  out.bytes("check");
  out.varint(7);
  out.varint(0);
  out.varint(0);
  const std::string sealed =
      aes_gcm_seal(scrypt_key("a long passphrase", salt), nonce, magic, out.data());
  REQUIRE(write_file_durably(folder.at("old"), magic + salt + nonce + sealed).ok());
  const auto read = read_keys_file(folder.at("old"), "a long passphrase").value();
  CHECK(read.root_key == "root");
  CHECK(read.image.next_id == 7);
  CHECK(read.files.empty());
  CHECK(read_keys_file(folder.at("old"), "another passphrase").error().page() == 416);
}
