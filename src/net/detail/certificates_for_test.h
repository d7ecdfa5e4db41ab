// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/certificates_for_test: certificates made on the spot, each with one wrong thing at
// most.

#include <doctest/doctest.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>

namespace aios::net::test {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* tls) const { SSL_free(tls); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

struct Identity {
  Key key;
  Certificate certificate;
};

struct Wanted {
  std::string names;  ///< subjectAltName, as OpenSSL writes it; empty: an authority
  const char* authority_name = "an authority for tests";
  long valid_from = -3600;  ///< seconds from now
  long valid_until = 3600;
};

inline void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  REQUIRE(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// Signed by `issuer`, or by itself.
inline Identity make_identity(const Wanted& wanted, const Identity* issuer) {
  Identity made{Key(EVP_EC_gen("P-256")), Certificate(X509_new())};
  X509* certificate = made.certificate.get();
  X509* signer = issuer != nullptr ? issuer->certificate.get() : certificate;
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), issuer != nullptr ? 2 : 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wanted.valid_from);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wanted.valid_until);
  X509_set_pubkey(certificate, made.key.get());
  const char* name = issuer != nullptr ? "a server" : wanted.authority_name;
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  if (wanted.names.empty()) {
    extend(certificate, signer, NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate, signer, NID_key_usage, "critical,keyCertSign");
  } else {
    extend(certificate, signer, NID_subject_alt_name, wanted.names);
  }
  EVP_PKEY* signing = issuer != nullptr ? issuer->key.get() : made.key.get();
  REQUIRE(X509_sign(certificate, signing, EVP_sha256()) != 0);
  return made;
}

inline void write_certificate(const std::string& path, const Identity& identity) {
  FILE* file = std::fopen(path.c_str(), "w");
  REQUIRE(file != nullptr);
  CHECK(PEM_write_X509(file, identity.certificate.get()) == 1);
  CHECK(std::fclose(file) == 0);
}

/// @param passphrase  null: not encrypted
inline void write_key(const std::string& path, const Identity& identity,
                      const char* passphrase = nullptr) {
  FILE* file = std::fopen(path.c_str(), "w");
  REQUIRE(file != nullptr);
  CHECK(PEM_write_PKCS8PrivateKey(file, identity.key.get(),
                                  passphrase == nullptr ? nullptr : EVP_aes_256_cbc(), nullptr, 0,
                                  nullptr, const_cast<char*>(passphrase)) == 1);
  CHECK(std::fclose(file) == 0);
}

}  // namespace aios::net::test
