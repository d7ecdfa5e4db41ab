// SPDX-License-Identifier: Apache-2.0
#include "ingress/signature.h"

#include "core/standard_webhooks.h"
#include "core/text.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace aios::ingress {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;
constexpr std::int64_t seconds_max = INT64_MAX / ns_per_second;

/// What a message claims of itself.
struct Claim {
  std::string signed_text;
  std::vector<std::string> digests;  ///< as bytes
  std::optional<std::int64_t> seconds;
};

/// Digits alone: neither sign nor fraction.
std::optional<std::int64_t> seconds_of(std::string_view text) {
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, value);
  const bool whole = !text.empty() && text.front() != '-' && rest == end && failed == std::errc();
  return whole && value < seconds_max ? std::optional(value) : std::nullopt;
}

void add_digest(Result<std::string> digest, Claim* claim) {
  if (digest.ok() && digest->size() == sizeof(Digest) && claim->digests.size() < signatures_max) {
    claim->digests.push_back(std::move(*digest));
  }
}

/// One header that must be there once: of two, who knows which one was meant.
std::string_view sole(const net::Headers& headers, std::string_view name) {
  return headers.count(name) == 1 ? headers.get(name) : std::string_view();
}

std::optional<Claim> standard_claim(const net::Headers& headers, std::string_view body) {
  const auto id = sole(headers, "webhook-id");
  const auto time = sole(headers, "webhook-timestamp");
  Claim claim;
  claim.seconds = seconds_of(time);
  if (id.empty() || !claim.seconds) {
    return std::nullopt;
  }
  for (const auto part : split(sole(headers, "webhook-signature"), ' ')) {
    if (part.starts_with(standard_webhook_mark)) {
      add_digest(from_base64(part.substr(standard_webhook_mark.size())), &claim);
    }
  }
  claim.signed_text = standard_webhook_text(id, time, body);
  return claim;
}

std::optional<Claim> github_claim(const net::Headers& headers, std::string_view body) {
  const auto value = sole(headers, "x-hub-signature-256");
  Claim claim;
  if (value.starts_with("sha256=")) {
    add_digest(from_hex(value.substr(7)), &claim);
  }
  claim.signed_text = std::string(body);
  return claim;
}

std::optional<Claim> stripe_claim(const net::Headers& headers, std::string_view body) {
  Claim claim;
  std::string_view time;
  for (const auto part : split(sole(headers, "stripe-signature"), ',')) {
    if (part.starts_with("t=")) {
      time = part.substr(2);
    } else if (part.starts_with("v1=")) {
      add_digest(from_hex(part.substr(3)), &claim);
    }
  }
  claim.seconds = seconds_of(time);
  if (!claim.seconds) {
    return std::nullopt;
  }
  claim.signed_text = fmt::format("{}.{}", time, body);
  return claim;
}

std::optional<Claim> slack_claim(const net::Headers& headers, std::string_view body) {
  const auto time = sole(headers, "x-slack-request-timestamp");
  const auto value = sole(headers, "x-slack-signature");
  Claim claim;
  claim.seconds = seconds_of(time);
  if (!claim.seconds) {
    return std::nullopt;
  }
  if (value.starts_with("v0=")) {
    add_digest(from_hex(value.substr(3)), &claim);
  }
  claim.signed_text = fmt::format("v0:{}:{}", time, body);
  return claim;
}

std::optional<Claim> claim_of(Scheme scheme, const net::Headers& headers, std::string_view body) {
  switch (scheme) {
    case Scheme::standard: return standard_claim(headers, body);
    case Scheme::github: return github_claim(headers, body);
    case Scheme::stripe: return stripe_claim(headers, body);
    case Scheme::slack: return slack_claim(headers, body);
  }
  return std::nullopt;
}

Result<std::string> key_of(Scheme scheme, std::string_view secret) {
  return scheme == Scheme::standard ? standard_webhook_key(secret)
                                    : Result<std::string>(std::string(secret));
}

bool same_digest(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0U : 1U;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

}  // namespace

std::optional<Scheme> parse_scheme(std::string_view name) {
  constexpr std::pair<std::string_view, Scheme> schemes[] = {{"standard", Scheme::standard},
                                                             {"github", Scheme::github},
                                                             {"stripe", Scheme::stripe},
                                                             {"slack", Scheme::slack}};
  for (const auto& [known, scheme] : schemes) {
    if (known == name) {
      return scheme;
    }
  }
  return std::nullopt;
}

bool is_secret(Scheme scheme, std::string_view secret) {
  const auto key = key_of(scheme, secret);
  return key.ok() && !key->empty();
}

Signed check_signature(Scheme scheme, const net::Headers& headers, std::string_view body,
                       const std::vector<std::string>& secrets, Time now, Duration tolerance) {
  auto claim = claim_of(scheme, headers, body);
  if (!claim) {
    claim.emplace();
    claim->signed_text = std::string(body);
  }
  bool good = false;
  for (const auto& secret : secrets) {
    const auto key = key_of(scheme, secret);
    if (!key.ok() || key->empty()) {
      continue;
    }
    const Digest wanted = hmac_sha256(*key, claim->signed_text);
    for (const auto& digest : claim->digests) {
      good = same_digest(digest, view(wanted)) || good;
    }
  }
  if (secrets.empty()) {  // nobody learns from the time it took whether there is such a source
    (void)hmac_sha256("none", claim->signed_text);
  }
  if (!good) {
    return Signed::bad;
  }
  if (claim->seconds) {
    const Duration off = now - Time{*claim->seconds * ns_per_second};
    return off <= tolerance && -off <= tolerance ? Signed::good : Signed::late;
  }
  return Signed::good;
}

}  // namespace aios::ingress
