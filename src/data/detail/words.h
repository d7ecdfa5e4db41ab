// SPDX-License-Identifier: Apache-2.0
#pragma once
// data/detail/words: the words of a text, folded (NFKC, no case) and cut to their stems.

#include "core/result.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::data::detail {

/// Belongs to one thread.
class Stemmer {
 public:
  /// @param language  a Snowball name ("english"), or "none". invalid_argument [AIOS-1603].
  static Result<Stemmer> open(const std::string& language);
  Stemmer(Stemmer&&) noexcept;
  ~Stemmer();
  /// Of the first 8,192 bytes, in their order; runs of more than 64 bytes are left out.
  std::vector<std::string> words(std::string_view text) const;

 private:
  struct Impl;
  explicit Stemmer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::data::detail
