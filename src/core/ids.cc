// SPDX-License-Identifier: Apache-2.0
#include "core/ids.h"

#include "core/text.h"

#include <fmt/format.h>

namespace aios {
namespace {

constexpr std::string_view crockford = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t id_characters = 26;

bool is_tenant_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

}  // namespace

Result<TenantId> TenantId::parse(std::string_view text) {
  bool good = !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-';
  for (const char c : text) {
    good = good && is_tenant_character(c);
  }
  if (!good) {
    return Error(Code::invalid_argument,
                 fmt::format("tenant name '{}' is not 1 to 63 of a-z, 0-9 and '-' (not at an end)",
                             excerpt(text, 70)))
        .page(10);
  }
  TenantId tenant;
  tenant.text_ = text;
  return tenant;
}

const TenantId& default_tenant() {
  static const TenantId* const tenant = new TenantId(*TenantId::parse("default"));
  return *tenant;
}

std::string make_id(std::string_view prefix, Time time,
                    const std::array<unsigned char, 10>& random) {
  std::string id(prefix);
  id.push_back('_');
  const auto ms = static_cast<std::uint64_t>(time.ns / 1'000'000);
  for (int shift = 45; shift >= 0; shift -= 5) {
    id.push_back(crockford[ms >> shift & 31]);
  }
  std::uint64_t bits = 0;
  int count = 0;
  for (const unsigned char byte : random) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 5; count -= 5) {
      id.push_back(crockford[bits >> (count - 5) & 31]);
    }
  }
  return id;
}

bool is_id(std::string_view prefix, std::string_view text) {
  if (text.size() != prefix.size() + 1 + id_characters || !text.starts_with(prefix) ||
      text[prefix.size()] != '_') {
    return false;
  }
  return text.substr(prefix.size() + 1).find_first_not_of(crockford) == std::string_view::npos;
}

}  // namespace aios
