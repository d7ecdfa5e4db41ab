// SPDX-License-Identifier: Apache-2.0
#include "core/codec.h"

namespace aios {

void Writer::varint(std::uint64_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<char>(value));
}

void Writer::zigzag(std::int64_t value) {
  varint(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
}

void Writer::bytes(std::string_view value) {
  varint(value.size());
  out_.append(value);
}

std::uint8_t Reader::u8() {
  if (!ok_ || data_.empty()) {
    ok_ = false;
    return 0;
  }
  const auto value = static_cast<std::uint8_t>(data_.front());
  data_.remove_prefix(1);
  return value;
}

std::uint64_t Reader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = u8();
    if (!ok_ || (shift == 63 && byte > 1)) {
      break;
    }
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) {
      return value;
    }
  }
  ok_ = false;
  return 0;
}

std::int64_t Reader::zigzag() {
  const std::uint64_t value = varint();
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

std::string_view Reader::bytes() {
  const std::uint64_t size = varint();
  if (!ok_ || size > data_.size()) {
    ok_ = false;
    return {};
  }
  const std::string_view value = data_.substr(0, size);
  data_.remove_prefix(size);
  return value;
}

}  // namespace aios
