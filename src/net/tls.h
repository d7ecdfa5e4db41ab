// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/tls: what a listener shows of itself over TLS, and whom a client trusts. Threading: any.

#include "core/result.h"
#include "core/time.h"

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace aios::net {

/// Both in PEM. The certificate file has the server's own first, then those that lead from it to
/// its authority; the key is not encrypted.
struct TlsFiles {
  std::string certificate;
  std::string key;
};

/// A listener's certificate and key: TLS 1.2 or newer with forward secrecy, "http/1.1" by ALPN.
class TlsIdentity {
 public:
  /// Blocks for the files. @return invalid_argument: no file to be read, or larger than 1 MiB
  /// [AIOS-0340], no certificate or no key in it, or one that is encrypted [AIOS-0341], a key that
  /// is not that of the certificate [AIOS-0342].
  static Result<std::shared_ptr<TlsIdentity>> load(const TlsFiles& files);
  /// Looks whether the files have changed; handshakes that begin from then on use what they hold
  /// now. Blocks. @return whether they changed; load()'s errors, and then what was used before
  /// stays in use: files are renewed one after the other.
  Result<bool> reload();
  /// When the certificate ends to be good.
  Time good_until() const;
  Time good_from() const;
  /// SHA-256 of the server's certificate (DER), 64 digits: what a client may pin.
  std::string fingerprint() const;
  /// An SSL_CTX, for the sockets.
  std::shared_ptr<void> context() const;

 private:
  struct Loaded;
  static Result<Loaded> read(const TlsFiles& files);
  explicit TlsIdentity(TlsFiles files);

  const TlsFiles files_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Loaded> loaded_;
};

/// Certificates of authorities (PEM) that a client trusts besides the system's. Blocks.
/// @return invalid_argument [AIOS-0340] or [AIOS-0341] as above.
Result<std::string> read_authorities(const std::string& path);

}  // namespace aios::net
