// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/crypto: the primitives, over OpenSSL 3 (its headers stay in crypto.cc). All functions are
// thread-safe.

#include "core/result.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace aios {

using Digest = std::array<unsigned char, 32>;
inline std::string_view view(const Digest& d) {
  return {reinterpret_cast<const char*>(d.data()), d.size()};
}

Digest sha256(std::string_view data);
/// SHA-256 of the concatenation a || b, without copying.
Digest sha256(std::string_view a, std::string_view b);
Digest hmac_sha256(std::string_view key, std::string_view data);

/// AES-256-GCM. @param key 32 bytes. @param nonce 12 bytes, never used twice with one key.
/// @return ciphertext followed by the 16-byte tag.
std::string aes_gcm_seal(std::string_view key, std::string_view nonce, std::string_view aad,
                         std::string_view clear);
/// @return data_loss when the tag does not fit (damaged, or another key).
Result<std::string> aes_gcm_open(std::string_view key, std::string_view nonce, std::string_view aad,
                                 std::string_view sealed);

struct Ed25519Key {
  std::string seed;        ///< 32 bytes, secret
  std::string public_key;  ///< 32 bytes
};
/// @param seed 32 random bytes.
Ed25519Key ed25519_from_seed(std::string_view seed);
std::string ed25519_sign(std::string_view seed, std::string_view message);
bool ed25519_verify(std::string_view public_key, std::string_view message,
                    std::string_view signature);

/// scrypt with N=2^15, r=8, p=1 (OWASP 2024), 32 bytes out: a key from a passphrase.
std::string scrypt_key(std::string_view passphrase, std::string_view salt);
/// From the operating system; for keys and nonces. Everything else takes runtime::Random, so that a
/// seed replays it.
std::string secure_random(std::size_t bytes);

}  // namespace aios
