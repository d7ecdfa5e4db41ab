// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/pem: certificates and keys out of files. OpenSSL's types are named here, so it is
// included by .cc files of TLS only.

#include "core/result.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::net::detail {

struct FreeTls {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using PemKey = std::unique_ptr<EVP_PKEY, FreeTls>;
using PemCertificate = std::unique_ptr<X509, FreeTls>;

inline constexpr std::size_t pem_bytes_max = std::size_t{1} << 20;

/// Of a regular file. invalid_argument [AIOS-0340] naming it.
Result<std::string> read_pem_file(const std::string& path, std::string_view what);
/// At least one, in the file's order. invalid_argument [AIOS-0341] naming the file.
Result<std::vector<PemCertificate>> certificates_of(const std::string& pem,
                                                    const std::string& path);
/// The first key. invalid_argument [AIOS-0341] naming the file.
Result<PemKey> key_of(const std::string& pem, const std::string& path);
/// SHA-256 of its DER, as 64 digits.
std::string fingerprint_of(const X509* certificate);

}  // namespace aios::net::detail
