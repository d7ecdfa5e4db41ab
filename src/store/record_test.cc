// SPDX-License-Identifier: Apache-2.0
#include "store/detail/record.h"
#include "core/codec.h"

#include <doctest/doctest.h>

namespace aios::store::detail {
namespace {

/// A record's beginning: version, tenant, epoch; what is not written is none of.
Writer begun(std::string_view tenant) {
  Writer out;
  out.u8(1);
  out.bytes(tenant);
  out.varint(4);
  return out;
}

std::string ended(Writer out, int counts) {
  for (; counts > 0; --counts) {
    out.varint(0);
  }
  return out.take();
}

}  // namespace

TEST_CASE("journal: a record that claims more than a record holds is damaged, not empty there") {
  CHECK(decode(ended(begun("default"), 7)).ok());
  Writer claims = begun("default");
  claims.varint(0);      // streams
  claims.varint(5'000);  // keys, of which none follows
  const auto record = decode(ended(std::move(claims), 5));
  REQUIRE_FALSE(record.ok());
  CHECK(record.error().page() == 410);
}

TEST_CASE("journal: a record whose tenant no key could hold is damaged") {
  using namespace std::string_view_literals;
  CHECK_FALSE(decode(ended(begun("a\0b"sv), 7)).ok());
}

}  // namespace aios::store::detail
