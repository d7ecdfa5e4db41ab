// SPDX-License-Identifier: Apache-2.0
#include "ingress/signature.h"

#include "core/crypto.h"
#include "core/text.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace aios::ingress {
namespace {

constexpr Duration window = std::chrono::minutes(5);

Time at(std::int64_t seconds) { return Time{seconds * 1'000'000'000}; }

/// Null where the data is absent, which is said.
Json pack(const char* name) {
  const char* folder = std::getenv("AIOS_CONFORMANCE_DIR");
  std::ifstream file(fmt::format("{}/webhooks/{}", folder == nullptr ? "" : folder, name));
  if (!file) {
    MESSAGE("SKIPPED: webhooks/", std::string(name), " is not in $AIOS_CONFORMANCE_DIR");
    return nullptr;
  }
  std::stringstream text;
  text << file.rdbuf();
  return parse_json(text.str()).value();
}

net::Headers headers_of(const Json& members) {
  net::Headers out;
  for (const auto& member : members.as_object()) {
    out.add(std::string_view(member.key()), view(member.value().as_string()));
  }
  return out;
}

std::string text(const Json& value, std::string_view member) {
  return std::string(text_or(value, member, ""));
}

std::string signing_secret() { return "whsec_" + to_base64("a key of twenty-four by"); }
std::string signature(std::string_view id, std::int64_t seconds, std::string_view body) {
  return "v1," + to_base64(view(hmac_sha256("a key of twenty-four by",
                                            fmt::format("{}.{}.{}", id, seconds, body))));
}
net::Headers signed_headers(std::string_view id, std::int64_t seconds, std::string_view body) {
  net::Headers headers;
  headers.add("webhook-id", id);
  headers.add("webhook-timestamp", std::to_string(seconds));
  headers.add("webhook-signature", signature(id, seconds, body));
  return headers;
}

TEST_CASE("signature: the Standard Webhooks vectors") {
  const Json vectors = pack("standard-webhooks-vectors.json");
  if (vectors.is_null()) {
    return;
  }
  int cases = 0;
  for (const Json& one : vectors.at("verify").as_array()) {
    CAPTURE(text(one, "name"));
    const auto verdict =
        check_signature(Scheme::standard, headers_of(one.at("headers")), text(one, "body"),
                        {text(one, "secret")}, at(int_or(one, "now", 0)), window);
    CHECK((verdict == Signed::good) == bool_or(one, "valid", false));
    ++cases;
  }
  CHECK(cases == 26);
  for (const Json& bad : vectors.at("invalid_secrets").as_array()) {
    CHECK_FALSE(is_secret(Scheme::standard, view(bad.as_string())));
  }
}

TEST_CASE("signature: the vectors of GitHub, Slack and Stripe") {
  const Json vectors = pack("vendor-signatures.json");
  if (vectors.is_null()) {
    return;
  }
  int cases = 0;
  const std::pair<const char*, Scheme> vendors[] = {
      {"github", Scheme::github}, {"slack", Scheme::slack}, {"stripe", Scheme::stripe}};
  for (const auto& [vendor, scheme] : vendors) {
    for (const Json& one : vectors.at(vendor).at("cases").as_array()) {
      CAPTURE(vendor);
      CAPTURE(to_text(one));
      net::Headers headers;
      const std::string name = scheme == Scheme::github  ? "X-Hub-Signature-256"
                               : scheme == Scheme::slack ? "X-Slack-Signature"
                                                         : "Stripe-Signature";
      if (one.at("header").is_string()) {
        headers.add(name, text(one, "header"));
      }
      headers.add("X-Slack-Request-Timestamp", text(one, "timestamp"));
      const auto verdict =
          check_signature(scheme, headers, text(one, "body"), {text(one, "secret")},
                          at(int_or(one, "now", 0)), window);
      if (one.at("valid").is_bool()) {
        CHECK((verdict == Signed::good) == one.at("valid").as_bool());
      }
      ++cases;
    }
  }
  CHECK(cases == 17);
}

TEST_CASE("signature: while a secret is replaced either signs") {
  const auto headers = signed_headers("m", 1000, "{}");
  const std::string other = "whsec_" + to_base64("another one");
  CHECK(check_signature(Scheme::standard, headers, "{}", {other, signing_secret()}, at(1000),
                        window) == Signed::good);
  CHECK(check_signature(Scheme::standard, headers, "{}", {other}, at(1000), window) == Signed::bad);
  CHECK(check_signature(Scheme::standard, headers, "{}", {}, at(1000), window) == Signed::bad);
  CHECK(check_signature(Scheme::standard, headers, "{}", {"not base64!"}, at(1000), window) ==
        Signed::bad);
}

TEST_CASE("signature: only who holds the secret is told that the message is late") {
  const auto headers = signed_headers("m", 1000, "{}");
  CHECK(check_signature(Scheme::standard, headers, "{}", {signing_secret()}, at(1300), window) ==
        Signed::good);
  CHECK(check_signature(Scheme::standard, headers, "{}", {signing_secret()}, at(1301), window) ==
        Signed::late);
  CHECK(check_signature(Scheme::standard, headers, "{}", {signing_secret()}, at(699), window) ==
        Signed::late);
  CHECK(check_signature(Scheme::standard, headers, "{ }", {signing_secret()}, at(9000), window) ==
        Signed::bad);
}

TEST_CASE("signature: a header that comes twice signs nothing") {
  auto headers = signed_headers("m", 1000, "{}");
  headers.add("webhook-id", "m");
  CHECK(check_signature(Scheme::standard, headers, "{}", {signing_secret()}, at(1000), window) ==
        Signed::bad);
}

TEST_CASE("signature: no more than sixteen signatures of a message are looked at") {
  std::string many;
  for (std::size_t i = 0; i < signatures_max; ++i) {
    many += signature("other", 1000, "{}") + " ";
  }
  auto headers = signed_headers("m", 1000, "{}");
  const std::string good(headers.get("webhook-signature"));
  headers.set("webhook-signature", many + good);
  CHECK(check_signature(Scheme::standard, headers, "{}", {signing_secret()}, at(1000), window) ==
        Signed::bad);
  headers.set("webhook-signature", good + " " + many);
  CHECK(check_signature(Scheme::standard, headers, "{}", {signing_secret()}, at(1000), window) ==
        Signed::good);
}

}  // namespace
}  // namespace aios::ingress
