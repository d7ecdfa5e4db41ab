// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/jq_regex: compiled regular expressions of one evaluation. (Oniguruma, as jq uses it.)

#include "core/result.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::expr::detail {

class Regex;

class RegexCache {
 public:
  RegexCache();
  ~RegexCache();
  RegexCache(const RegexCache&) = delete;
  RegexCache& operator=(const RegexCache&) = delete;

  /// @param options  Oniguruma's option bits.
  /// @return the error's message is Oniguruma's.
  Result<Regex*> get(std::string_view pattern, unsigned options);

 private:
  struct Entry {
    std::string pattern;
    unsigned options = 0;
    std::unique_ptr<Regex> regex;
  };
  std::vector<Entry> entries_;
};

}  // namespace aios::expr::detail
