// SPDX-License-Identifier: Apache-2.0
#include "core/standard_webhooks.h"

#include "core/text.h"

#include <doctest/doctest.h>

namespace aios {

TEST_CASE("standard webhooks: the signature that the specification's libraries publish") {
  for (const char* secret :
       {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}) {
    const auto key = standard_webhook_key(secret);
    REQUIRE(key.ok());
    const auto text = standard_webhook_text("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
                                            R"({"test": 2432232314})");
    CHECK(to_base64(view(hmac_sha256(*key, text))) ==
          "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  }
}

TEST_CASE("standard webhooks: what cannot be a secret is refused and not quoted") {
  for (const char* secret : {"", "whsec_", "whsec_no base64!", "whsec_YQ"}) {
    const auto key = standard_webhook_key(secret);
    REQUIRE_FALSE(key.ok());
    CHECK(key.error().text().find("base64!") == std::string::npos);
  }
}

}  // namespace aios
