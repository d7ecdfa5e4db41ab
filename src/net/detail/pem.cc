// SPDX-License-Identifier: Apache-2.0
#include "net/detail/pem.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace aios::net::detail {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

Bio bio_of(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

/// Nobody is there to type one in.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Error wrong_file(const std::string& path, std::string_view what, std::string_view why) {
  return Error(Code::invalid_argument, fmt::format("{} '{}' {}", what, path, why)).page(340);
}

Error wrong_content(const std::string& path, std::string_view found_and_wanted) {
  return Error(Code::invalid_argument, fmt::format("'{}' {}", path, found_and_wanted)).page(341);
}

}  // namespace

Result<std::string> read_pem_file(const std::string& path, std::string_view what) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    return wrong_file(path, what, fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode)) {
    return wrong_file(path, what, "is no file");
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(pem_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return wrong_file(path, what, fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > pem_bytes_max) {
    return wrong_file(path, what, "is larger than 1 MiB");
  }
  return text;
}

Result<std::vector<PemCertificate>> certificates_of(const std::string& pem,
                                                    const std::string& path) {
  const Bio bio = bio_of(pem);
  std::vector<PemCertificate> out;
  ERR_clear_error();
  for (;;) {
    PemCertificate next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!next) {
      break;
    }
    out.push_back(std::move(next));
  }
  const bool only_the_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (out.empty()) {
    return wrong_content(path,
                         "has no certificate that can be read, wanted PEM: a part that "
                         "begins with -----BEGIN CERTIFICATE-----");
  }
  if (!only_the_end) {
    return wrong_content(path, fmt::format("is damaged behind its certificate {}", out.size()));
  }
  return out;
}

Result<PemKey> key_of(const std::string& pem, const std::string& path) {
  const Bio bio = bio_of(pem);
  bool asked = false;
  PemKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &asked));
  ERR_clear_error();
  if (asked) {
    return wrong_content(path, "holds an encrypted key, wanted one without a passphrase");
  }
  if (!key) {
    return wrong_content(path,
                         "has no private key that can be read, wanted PEM: a part that "
                         "begins with -----BEGIN PRIVATE KEY-----");
  }
  return key;
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  std::string out;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1) {
    for (unsigned int i = 0; i < size; ++i) {
      out += fmt::format("{:02x}", digest[i]);
    }
  }
  return out;
}

}  // namespace aios::net::detail
