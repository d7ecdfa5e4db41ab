// SPDX-License-Identifier: Apache-2.0
// The headers of a signed webhook. Nobody can sign without the secret, so the first half never is
// good; the second signs what came, and takes it as it is and in no other form.
#include "ingress/signature.h"

#include "core/crypto.h"
#include "core/standard_webhooks.h"
#include "core/text.h"
#include "ingress/detail/webhook_body.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/message.h"

#include <array>

namespace aios::fuzz {
namespace {

using ingress::check_signature;
using ingress::Scheme;
using ingress::Signed;

constexpr std::array schemes = {Scheme::standard, Scheme::github, Scheme::stripe, Scheme::slack};
constexpr Time now{1'700'000'000'000'000'000};
constexpr Duration tolerance = std::chrono::minutes(5);

void check_own(std::string_view id, std::string_view body) {
  const std::string secret = "whsec_" + to_base64("a secret of some thirty bytes...");
  const std::string time = "1700000000";
  const auto key = standard_webhook_key(secret);
  AIOS_ASSERT(key.ok());
  net::Headers headers;
  headers.add("webhook-id", id);
  headers.add("webhook-timestamp", time);
  const auto digest = hmac_sha256(*key, standard_webhook_text(id, time, body));
  headers.add("webhook-signature", "v1," + to_base64(view(digest)));
  const auto said = check_signature(Scheme::standard, headers, body, {secret}, now, tolerance);
  AIOS_ASSERT(said == (id.empty() ? Signed::bad : Signed::good));
  const std::string longer = std::string(body) + " ";
  AIOS_ASSERT(check_signature(Scheme::standard, headers, longer, {secret}, now, tolerance) ==
              Signed::bad);
  if (!id.empty()) {
    const Time later = now + std::chrono::hours(1);
    AIOS_ASSERT(check_signature(Scheme::standard, headers, body, {secret}, later, tolerance) ==
                Signed::late);
  }
}

}  // namespace

void signature(std::string_view input) {
  const auto request = request_of(input);
  for (const Scheme scheme : schemes) {
    for (const Time at : {now, Time{0}, Time{INT64_MAX}}) {
      AIOS_ASSERT(check_signature(scheme, request.headers, request.body, {}, at, tolerance) ==
                  Signed::bad);
      AIOS_ASSERT(check_signature(scheme, request.headers, request.body,
                                  {"whsec_bm90IGtub3duIHRvIGFueWJvZHk=", "another"}, at,
                                  tolerance) == Signed::bad);
    }
    ingress::is_secret(scheme, request.body);
  }
  const auto [id, body] = cut(input, "\n");
  check_own(id, body);
}

}  // namespace aios::fuzz
