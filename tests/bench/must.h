// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/bench/must: a benchmark that cannot go on says why and ends with 1: half a measurement is
// none.

#include "core/result.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <type_traits>
#include <utility>

namespace aios::bench {

[[noreturn]] inline void give_up(std::string_view why) {
  fmt::print(stderr, "{}: {}\n", program_invocation_short_name, why);
  std::exit(1);
}

/// What stands in the result; where that is an error, its end.
template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    give_up(result.error().text());
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(*result);
  }
}

}  // namespace aios::bench
