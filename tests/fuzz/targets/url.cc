// SPDX-License-Identifier: Apache-2.0
// A URL: its parts put together are the same URL, and none of them can be taken for another.
#include "net/detail/url.h"
#include "core/text.h"
#include "net/client.h"
#include "net/detail/grammar.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {

void url(std::string_view input) {
  using namespace net::detail;
  const auto whole = parse_url(input);
  const auto parts = net::split_url(input);
  AIOS_ASSERT(net::check_url(input).ok() == parts.ok());
  net::is_private_host(input);
  if (!whole.ok()) {
    AIOS_ASSERT(!parts.ok() && whole.error().page() == 311);
    return;
  }
  AIOS_ASSERT(whole->port != 0 && !whole->host.empty() && whole->target.starts_with('/'));
  AIOS_ASSERT(skip(target_set, whole->target, 0) == whole->target.size());
  AIOS_ASSERT(whole->host.find_first_of("/?#@[]\\ ") == std::string::npos);
  AIOS_ASSERT(is_host(whole->authority) && whole->host == ascii_lower(whole->host));
  const auto again = parse_url(whole->origin() + whole->target);
  AIOS_ASSERT(again.ok());
  AIOS_ASSERT(again->tls == whole->tls && again->host == whole->host);
  AIOS_ASSERT(again->port == whole->port && again->target == whole->target);
  if (parts.ok()) {
    AIOS_ASSERT(parts->origin == whole->origin() && parts->target == whole->target);
    AIOS_ASSERT(parts->host == whole->host);
  }
}

}  // namespace aios::fuzz
