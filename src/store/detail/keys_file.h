// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/keys_file: an exported keystore: magic, salt, nonce, then the image sealed by a key from a
// passphrase. "AIOSKEY2" also holds secret files of the data directory that cannot be made again;
// "AIOSKEY1", without them, is still read.

#include "store/detail/keystore.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace aios::store::detail {

struct KeptFile {
  std::string name;  ///< one of kept_secrets
  std::string bytes;
};
struct KeysFile {
  KeyStoreImage image;
  std::string root_key;  ///< empty: who opens the restored store must bring it
  std::vector<KeptFile> files;
};
Result<void> write_keys_file(const std::string& path, const std::string& passphrase,
                             const KeysFile& keys);
/// permission_denied when the passphrase does not fit; data_loss when it is not such a file.
Result<KeysFile> read_keys_file(const std::string& path, const std::string& passphrase);

/// Names of the directory's files, of other modules, that go with the exported keys. The signing
/// key of the audit log is the log's identity: with another one nobody who pinned the old key could
/// check what follows.
constexpr std::array<std::string_view, 1> kept_secrets = {"audit-signing.key"};
/// Those that are there. @param directory  empty: none.
Result<std::vector<KeptFile>> read_kept_secrets(const std::string& directory);
/// Mode 0600.
Result<void> write_kept_secrets(const std::string& directory, const std::vector<KeptFile>& files);

}  // namespace aios::store::detail
