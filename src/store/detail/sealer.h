// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/sealer: bytes in, sealed bytes out and back. Form: one byte (form | zstd flag), key id,
// 12-byte random nonce, ciphertext and tag. What the bytes belong to (tenant, stream, use) is
// authenticated, so a row that was moved to another place does not open. Threading: any.

#include "core/result.h"
#include "store/detail/keyring.h"

#include <memory>
#include <string>
#include <string_view>

namespace aios::store::detail {

/// What sealed bytes are for; part of what is authenticated. The letters are on disk.
enum class Use : char { state = 's', event = 'h', closed_history = 'H', message = 'o', blob = 'b' };

struct Opened {
  std::string bytes;
  bool erased = false;  ///< the key was destroyed
};

class Sealer {
 public:
  explicit Sealer(Keyring& keyring);
  ~Sealer();
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;

  /// Compresses when that makes it smaller, then seals. @param owner  what the bytes belong to (a
  /// stream key).
  std::string seal(const Keyring::Grant& grant, Use use, std::string_view owner,
                   std::string_view bytes);
  /// data_loss when the bytes are damaged or belong elsewhere. No bytes open as no bytes.
  Result<Opened> open(Use use, std::string_view owner, std::string_view sealed);
  /// The key that sealed the bytes; 0 when they are not sealed bytes.
  static std::uint64_t key_id(std::string_view sealed);
  Keyring& keyring() { return keyring_; }

 private:
  class Pool;
  std::string nonce();
  Keyring& keyring_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace aios::store::detail
