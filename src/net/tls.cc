// SPDX-License-Identifier: Apache-2.0
#include "net/tls.h"

#include "core/crypto.h"
#include "net/detail/pem.h"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <ctime>
#include <utility>

namespace aios::net {
namespace {

/// TLS 1.2: with forward secrecy and authenticated encryption. TLS 1.3 has nothing else.
constexpr const char* ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::string_view protocol = "http/1.1";

/// A client that offers protocols and not ours is told so (RFC 7301 section 3.2).
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int size, void*) {
  for (unsigned int at = 0; at < size; at += 1U + offered[at]) {
    const std::string_view name(reinterpret_cast<const char*>(offered) + at + 1, offered[at]);
    if (name == protocol) {
      *out = offered + at + 1;
      *out_size = offered[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

Time time_of(const ASN1_TIME* text) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(text, &parts) != 1) {
    return {};
  }
  return Time{static_cast<std::int64_t>(::timegm(&parts)) * 1'000'000'000};
}

Error mismatch(const TlsFiles& files) {
  ERR_clear_error();
  return Error(Code::invalid_argument,
               fmt::format("the key in '{}' is not that of the first certificate in '{}'",
                           files.key, files.certificate))
      .page(342);
}

}  // namespace

struct TlsIdentity::Loaded {
  std::shared_ptr<void> context;
  Digest digest{};  ///< of both files
  Time from, until;
  std::string fingerprint;
};

TlsIdentity::TlsIdentity(TlsFiles files) : files_(std::move(files)) {}

Result<TlsIdentity::Loaded> TlsIdentity::read(const TlsFiles& files) {
  auto chain_text = detail::read_pem_file(files.certificate, "certificate file");
  if (!chain_text.ok()) {
    return std::move(chain_text).error();
  }
  auto key_text = detail::read_pem_file(files.key, "key file");
  if (!key_text.ok()) {
    return std::move(key_text).error();
  }
  auto chain = detail::certificates_of(*chain_text, files.certificate);
  if (!chain.ok()) {
    return std::move(chain).error();
  }
  auto key = detail::key_of(*key_text, files.key);
  if (!key.ok()) {
    return std::move(key).error();
  }
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  AIOS_ASSERT(context != nullptr);
  SSL_CTX* const tls = context.get();
  AIOS_ASSERT(SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1);
  AIOS_ASSERT(SSL_CTX_set_cipher_list(tls, ciphers) == 1);
  // A peer that closes without a farewell has closed: what is cut, HTTP itself tells.
  SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  // Sessions are resumed by tickets, which cost the server no memory.
  SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(tls, choose_protocol, nullptr);
  X509* const own = chain->front().get();
  if (SSL_CTX_use_certificate(tls, own) != 1) {
    const unsigned long reason = ERR_peek_last_error();
    const char* text = ERR_reason_error_string(reason);
    ERR_clear_error();
    return Error(Code::invalid_argument,
                 fmt::format("the certificate in '{}' cannot be used: {}", files.certificate,
                             text == nullptr ? "unknown reason" : text))
        .page(341);
  }
  if (SSL_CTX_use_PrivateKey(tls, key->get()) != 1 || SSL_CTX_check_private_key(tls) != 1) {
    return mismatch(files);
  }
  for (std::size_t i = 1; i < chain->size(); ++i) {
    AIOS_ASSERT(SSL_CTX_add1_chain_cert(tls, (*chain)[i].get()) == 1);
  }
  Loaded loaded;
  loaded.context = context;
  loaded.digest = sha256(view(sha256(*chain_text)), view(sha256(*key_text)));
  loaded.from = time_of(X509_get0_notBefore(own));
  loaded.until = time_of(X509_get0_notAfter(own));
  loaded.fingerprint = detail::fingerprint_of(own);
  return loaded;
}

Result<std::shared_ptr<TlsIdentity>> TlsIdentity::load(const TlsFiles& files) {
  auto loaded = read(files);
  if (!loaded.ok()) {
    return std::move(loaded).error();
  }
  std::shared_ptr<TlsIdentity> identity(new TlsIdentity(files));
  identity->loaded_ = std::make_shared<const Loaded>(std::move(*loaded));
  return identity;
}

Result<bool> TlsIdentity::reload() {
  auto loaded = read(files_);
  if (!loaded.ok()) {
    return std::move(loaded).error();
  }
  std::lock_guard lock(mutex_);
  if (loaded->digest == loaded_->digest) {
    return false;
  }
  loaded_ = std::make_shared<const Loaded>(std::move(*loaded));
  return true;
}

Time TlsIdentity::good_until() const {
  std::lock_guard lock(mutex_);
  return loaded_->until;
}
Time TlsIdentity::good_from() const {
  std::lock_guard lock(mutex_);
  return loaded_->from;
}
std::string TlsIdentity::fingerprint() const {
  std::lock_guard lock(mutex_);
  return loaded_->fingerprint;
}
std::shared_ptr<void> TlsIdentity::context() const {
  std::lock_guard lock(mutex_);
  return loaded_->context;
}

Result<std::string> read_authorities(const std::string& path) {
  auto text = detail::read_pem_file(path, "authorities' file");
  if (!text.ok()) {
    return text;
  }
  auto certificates = detail::certificates_of(*text, path);
  return certificates.ok() ? std::move(text) : Result<std::string>(std::move(certificates).error());
}

}  // namespace aios::net
