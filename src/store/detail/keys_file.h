// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/keys_file: an exported keystore: magic, salt, nonce, then the image sealed by a key from a
// passphrase.

#include "store/detail/keystore.h"

#include <string>

namespace aios::store::detail {

/// @param root_key  empty: not part of the file; who opens the restored store must bring it.
Result<void> write_keys_file(const std::string& path, const std::string& passphrase,
                             const KeyStoreImage& image, const std::string& root_key);

struct KeysFile {
  KeyStoreImage image;
  std::string root_key;
};
/// permission_denied when the passphrase does not fit; data_loss when it is not such a file.
Result<KeysFile> read_keys_file(const std::string& path, const std::string& passphrase);

}  // namespace aios::store::detail
