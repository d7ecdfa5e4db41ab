// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/secret_file: a new file for a secret that is shown once. Made before the secret is, so that
// none is made that cannot be kept; goes away again unless it was filled.

#include "core/result.h"

#include <string>
#include <string_view>

namespace aios::app {

class SecretFile {
 public:
  SecretFile() = default;
  SecretFile(const SecretFile&) = delete;
  SecretFile& operator=(const SecretFile&) = delete;
  ~SecretFile();
  /// For its owner alone. already_exists or permission_denied [AIOS-1403].
  Result<void> open(const std::string& path);
  /// One line, durable when it returns; permission_denied [AIOS-1403].
  Result<void> fill(std::string_view secret);

 private:
  Error failed(int number) const;
  int fd_ = -1;
  std::string path_;
};

}  // namespace aios::app
