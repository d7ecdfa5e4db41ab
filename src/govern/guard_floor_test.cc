// SPDX-License-Identifier: Apache-2.0
#include "govern/guard.h"

#include "core/text.h"

#include <doctest/doctest.h>

namespace aios::govern {

TEST_CASE("guard: personal data may go abroad only where the policy has it masked") {
  Guard guard;
  REQUIRE(guard
              .load(default_tenant(), {{"m.rego", R"(package aios.pre_model_call
import rego.v1
default allow := false
allow if input.model.alias != "never"
obligations contains {"type": "redact"} if input.model.alias != "bold"
obligations contains {"type": "cap"} if input.model.alias == "bold"
)"}},
                    JsonObject())
              .ok());
  guard.set_region(default_tenant(), "eu");
  const auto abroad = [&](const char* alias, const Json& personal) {
    JsonObject content;
    if (!personal.is_null()) {
      content["personal"] = personal;
    }
    JsonObject facts{{"model", {{"alias", alias}, {"region", "us"}}}, {"content", content}};
    return guard.ask(system_context(default_tenant(), "test"), GuardPoint::pre_model_call,
                     std::move(facts));
  };
  const auto masked = abroad("second", JsonArray{"email"});
  REQUIRE(masked.allowed());
  REQUIRE(masked.decision.obligations.size() == 1);
  CHECK(masked.permit->decision().obligations.size() == 1);
  const auto bold = abroad("bold", JsonArray{"email"});
  CHECK(!bold.allowed());
  CHECK(bold.decision.verdict == Verdict::deny);
  CHECK(bold.decision.obligations.empty());
  CHECK(join(bold.decision.reasons, "; ").find("must not leave region 'eu'") != std::string::npos);
  CHECK(!abroad("never", JsonArray{"email"}).allowed());
  CHECK(!abroad("second", nullptr).allowed());  // what is not known cannot be known to be masked
  CHECK(abroad("bold", JsonArray()).allowed());
}

}  // namespace aios::govern
