// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/codec: little binary writer and reader for our own records (journal, keystore, leaves):
// unsigned LEB128 integers and length-prefixed bytes. Every record starts with a version byte of
// its owner.

#include "core/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace aios {

class Writer {
 public:
  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void varint(std::uint64_t value);
  void zigzag(std::int64_t value);
  void bytes(std::string_view value);  ///< length, then the bytes
  const std::string& data() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

/// Reads what Writer wrote. After a short or malformed read every call returns zero or empty and
/// ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view data) : data_(data) {}
  std::uint8_t u8();
  std::uint64_t varint();
  std::int64_t zigzag();
  std::string_view bytes();  ///< borrowed from the data given to the constructor
  bool ok() const { return ok_; }
  bool at_end() const { return data_.empty(); }

 private:
  std::string_view data_;
  bool ok_ = true;
};

}  // namespace aios
