// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/array_codec: arrays of numbers in the bytes of a model, little-endian, as they lie.

#include "core/codec.h"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <vector>

namespace aios::models::detail {

static_assert(std::endian::native == std::endian::little, "arrays are written as they lie");

template <class T>
void write_array(Writer& out, const std::vector<T>& values) {
  static_assert(std::is_arithmetic_v<T>);
  out.bytes({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

/// False when there are not exactly `count` of them.
template <class T>
bool read_array(Reader& in, std::size_t count, std::vector<T>& values) {
  const std::string_view bytes = in.bytes();
  if (!in.ok() || bytes.size() != count * sizeof(T)) {
    return false;
  }
  values.resize(count);
  if (count > 0) {  // an empty vector may have no address
    std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  return true;
}

inline bool all_finite(const std::vector<float>& values) {
  for (const float value : values) {
    if (!std::isfinite(value)) {
      return false;
    }
  }
  return true;
}

}  // namespace aios::models::detail
