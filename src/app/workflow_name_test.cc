// SPDX-License-Identifier: Apache-2.0
#include "app/workflow_name.h"

#include <doctest/doctest.h>

namespace aios::app {
namespace {

Json page() {
  return JsonObject{{"items", JsonArray{JsonObject{{"namespace", "support"}, {"name", "ticket"}},
                                        JsonObject{{"namespace", "support"}, {"name", "parcel"}},
                                        JsonObject{{"namespace", "shop"}, {"name", "parcel"}}}}};
}

TEST_CASE("workflow name: the name alone and the whole one lead to the same") {
  CHECK(find_workflow(page(), "ticket")->whole_name == "support/ticket");
  CHECK(find_workflow(page(), "support/ticket")->whole_name == "support/ticket");
  CHECK(find_workflow(page(), "shop/parcel")->whole_name == "shop/parcel");
}

TEST_CASE("workflow name: what is unknown gets the nearest, what is several names them") {
  CHECK(find_workflow(page(), "tickt").error().message().find("did you mean 'ticket'") !=
        std::string::npos);
  CHECK(find_workflow(page(), "support/tickt").error().message().find("'support/ticket'") !=
        std::string::npos);
  CHECK(find_workflow(page(), "zzzzzzzz").error().code() == Code::not_found);
  CHECK(find_workflow(page(), "parcel").error().message().find("shop/parcel, support/parcel") !=
        std::string::npos);
}

TEST_CASE("workflow name: a whole name that resembles none may be of a workflow that is gone") {
  CHECK(past_or_present_name(page(), "ticket").value() == "support/ticket");
  CHECK(past_or_present_name(page(), "billing/invoice").value() == "billing/invoice");
  CHECK_FALSE(past_or_present_name(page(), "support/tickt").ok());
  CHECK_FALSE(past_or_present_name(page(), "invoice").ok());
}

}  // namespace
}  // namespace aios::app
