// SPDX-License-Identifier: Apache-2.0
#include "core/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <cstring>
#include <memory>

namespace aios {
namespace {

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using HashContext = std::unique_ptr<EVP_MD_CTX, Free>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;

constexpr std::size_t tag_bytes = 16;

// Fetched once: EVP_sha256() and its like make OpenSSL 3 look the algorithm up in its providers at
// every Init, under a lock. Never freed, so that they outlive every thread.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  AIOS_ASSERT(fetched != nullptr);
  return fetched;
}
const EVP_CIPHER* aes_gcm_algorithm() {
  static const EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  AIOS_ASSERT(fetched != nullptr);
  return fetched;
}

/// To make a context, and what OpenSSL hangs on it, takes longer than to hash a short text.
EVP_MD_CTX* hash_context() {
  thread_local const HashContext context(EVP_MD_CTX_new());  // tidy: each thread frees its own
  AIOS_ASSERT(context != nullptr);
  return context.get();
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
int length(std::string_view text) {
  AIOS_ASSERT(text.size() <= INT32_MAX);
  return static_cast<int>(text.size());
}

/// One for each thread and direction: to make one takes longer than to seal a short text. Given the
/// algorithm a second time OpenSSL would make all of it anew, so that is done here, once; and what
/// it makes of a key stays, for those that are sealed together mostly have the same.
enum class Direction : int { open = 0, seal = 1 };
class Cipher {
 public:
  explicit Cipher(Direction direction) : context_(EVP_CIPHER_CTX_new()) {
    AIOS_ASSERT(context_ != nullptr &&
                EVP_CipherInit_ex(context_.get(), aes_gcm_algorithm(), nullptr, nullptr, nullptr,
                                  static_cast<int>(direction)) == 1);
  }
  ~Cipher() { OPENSSL_cleanse(key_.data(), key_.size()); }
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;

  /// Ready for one text under this key and nonce.
  EVP_CIPHER_CTX* begin(std::string_view key, std::string_view nonce) {
    AIOS_ASSERT(key.size() == key_.size() && nonce.size() == 12);
    const bool known = keyed_ && CRYPTO_memcmp(key.data(), key_.data(), key_.size()) == 0;
    keyed_ = false;  // until it is done
    AIOS_ASSERT(EVP_CipherInit_ex(context_.get(), nullptr, nullptr, known ? nullptr : bytes(key),
                                  bytes(nonce), -1) == 1);
    std::memcpy(key_.data(), key.data(), key_.size());
    keyed_ = true;
    return context_.get();
  }

 private:
  CipherContext context_;
  std::array<unsigned char, 32> key_{};
  bool keyed_ = false;
};

template <Direction direction>
Cipher& cipher() {
  thread_local Cipher one(direction);  // tidy: each thread frees its own
  return one;
}

/// Random bytes cost more one by one than by the page: each thread has one, of which what was given
/// out is wiped.
class RandomPage {
 public:
  RandomPage() = default;
  ~RandomPage() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  RandomPage(const RandomPage&) = delete;
  RandomPage& operator=(const RandomPage&) = delete;
  static constexpr std::size_t most = 64;  ///< more are drawn for themselves

  void take(std::string* out) {
    AIOS_ASSERT(out->size() <= most);
    if (left_ < out->size()) {
      AIOS_ASSERT(RAND_bytes(bytes_.data(), static_cast<int>(bytes_.size())) == 1);
      left_ = bytes_.size();
    }
    left_ -= out->size();
    std::memcpy(out->data(), bytes_.data() + left_, out->size());
    OPENSSL_cleanse(bytes_.data() + left_, out->size());
  }

 private:
  std::array<unsigned char, 2048> bytes_{};
  std::size_t left_ = 0;
};

}  // namespace

Digest sha256(std::string_view data) { return sha256(data, {}); }

Digest sha256(std::string_view a, std::string_view b) {
  Digest digest{};
  EVP_MD_CTX* context = hash_context();
  AIOS_ASSERT(EVP_DigestInit_ex(context, sha256_algorithm(), nullptr) == 1);
  AIOS_ASSERT(EVP_DigestUpdate(context, a.data(), a.size()) == 1);
  AIOS_ASSERT(EVP_DigestUpdate(context, b.data(), b.size()) == 1);
  AIOS_ASSERT(EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1);
  return digest;
}

// RFC 2104. Written out because HMAC() looks up both the MAC and the digest at every call, which
// takes four times as long as the hashing.
Digest hmac_sha256(std::string_view key, std::string_view data) {
  constexpr std::size_t block_bytes = 64;
  Digest hashed{};
  if (key.size() > block_bytes) {
    hashed = sha256(key);
    key = view(hashed);
  }
  std::array<char, block_bytes> inner{};
  std::array<char, block_bytes> outer{};
  for (std::size_t i = 0; i < block_bytes; ++i) {
    const char byte = i < key.size() ? key[i] : '\0';
    inner[i] = static_cast<char>(byte ^ 0x36);
    outer[i] = static_cast<char>(byte ^ 0x5c);
  }
  const Digest first = sha256({inner.data(), inner.size()}, data);
  const Digest digest = sha256({outer.data(), outer.size()}, view(first));
  OPENSSL_cleanse(inner.data(), inner.size());
  OPENSSL_cleanse(outer.data(), outer.size());
  return digest;
}

std::string aes_gcm_seal(std::string_view key, std::string_view nonce, std::string_view aad,
                         std::string_view clear) {
  EVP_CIPHER_CTX* context = cipher<Direction::seal>().begin(key, nonce);
  std::string sealed(clear.size() + tag_bytes, '\0');
  int written = 0;
  AIOS_ASSERT(EVP_EncryptUpdate(context, nullptr, &written, bytes(aad), length(aad)) == 1);
  AIOS_ASSERT(EVP_EncryptUpdate(context, bytes(sealed), &written, bytes(clear), length(clear)) ==
              1);
  AIOS_ASSERT(EVP_EncryptFinal_ex(context, bytes(sealed) + clear.size(), &written) == 1);
  AIOS_ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, tag_bytes,
                                  bytes(sealed) + clear.size()) == 1);
  return sealed;
}

Result<std::string> aes_gcm_open(std::string_view key, std::string_view nonce, std::string_view aad,
                                 std::string_view sealed) {
  if (sealed.size() < tag_bytes) {
    return Error(Code::data_loss, "sealed data is shorter than its tag").page(20);
  }
  const std::string_view body = sealed.substr(0, sealed.size() - tag_bytes);
  std::string tag(sealed.substr(body.size()));
  EVP_CIPHER_CTX* context = cipher<Direction::open>().begin(key, nonce);
  std::string clear(body.size() + tag_bytes, '\0');
  int written = 0;
  AIOS_ASSERT(EVP_DecryptUpdate(context, nullptr, &written, bytes(aad), length(aad)) == 1);
  AIOS_ASSERT(EVP_DecryptUpdate(context, bytes(clear), &written, bytes(body), length(body)) == 1);
  AIOS_ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(context, bytes(clear) + body.size(), &written) != 1) {
    return Error(Code::data_loss, "sealed data does not open: it is damaged or the key is another")
        .page(20);
  }
  clear.resize(body.size());
  return clear;
}

Ed25519Key ed25519_from_seed(std::string_view seed) {
  AIOS_ASSERT(seed.size() == 32);
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes(seed), seed.size()));
  Ed25519Key out{std::string(seed), std::string(32, '\0')};
  std::size_t size = out.public_key.size();
  AIOS_ASSERT(key != nullptr &&
              EVP_PKEY_get_raw_public_key(key.get(), bytes(out.public_key), &size) == 1);
  return out;
}

std::string ed25519_sign(std::string_view seed, std::string_view message) {
  AIOS_ASSERT(seed.size() == 32);
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes(seed), seed.size()));
  const HashContext context(EVP_MD_CTX_new());
  std::string signature(64, '\0');
  std::size_t size = signature.size();
  AIOS_ASSERT(key != nullptr && context != nullptr);
  AIOS_ASSERT(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  AIOS_ASSERT(
      EVP_DigestSign(context.get(), bytes(signature), &size, bytes(message), message.size()) == 1);
  return signature;
}

bool ed25519_verify(std::string_view public_key, std::string_view message,
                    std::string_view signature) {
  if (public_key.size() != 32 || signature.size() != 64) {
    return false;
  }
  const Key key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(public_key), public_key.size()));
  const HashContext context(EVP_MD_CTX_new());
  return key != nullptr && context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(message),
                          message.size()) == 1;
}

std::string scrypt_key(std::string_view passphrase, std::string_view salt) {
  constexpr std::uint64_t memory_max = std::uint64_t{64} << 20;  // 128 * N * r = 32 MiB, and room
  std::string key(32, '\0');
  AIOS_ASSERT(EVP_PBE_scrypt(passphrase.data(), passphrase.size(), bytes(salt), salt.size(),
                             1U << 15, 8, 1, memory_max, bytes(key), key.size()) == 1);
  return key;
}

std::string secure_random(std::size_t count) {
  std::string out(count, '\0');
  if (count <= RandomPage::most) {
    thread_local RandomPage page;  // tidy: each thread has its own
    page.take(&out);
  } else {
    AIOS_ASSERT(RAND_bytes(bytes(out), length(out)) == 1);
  }
  return out;
}

}  // namespace aios
