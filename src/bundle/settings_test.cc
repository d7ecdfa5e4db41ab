// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/settings.h"

#include <doctest/doctest.h>

namespace aios::bundle {
namespace {

Files declaring(std::string_view parameters) {
  return {{"aios.yaml", "name: app\nversion: 1.0.0\nparameters:\n" + std::string(parameters)}};
}

Files both() {
  return declaring("  limit: {type: integer, default: 5}\n  url: {type: string, default: here}\n");
}

TEST_CASE("settings: what is not given keeps what was set before, as far as it is declared") {
  const JsonObject before{{"limit", 7}, {"url", "there"}};
  CHECK(settings_of(both(), before, {}) == before);
  CHECK(settings_of(both(), before, {{"limit", 9}}) == JsonObject{{"limit", 9}, {"url", "there"}});
  const Files less = declaring("  limit: {type: integer, default: 5}\n");
  CHECK(settings_of(less, before, {}) == JsonObject{{"limit", 7}});
  CHECK(settings_of(both(), {}, {}).empty());
}

TEST_CASE(
    "settings: null takes a parameter back, and a name that is not declared is kept to be told "
    "of") {
  const JsonObject before{{"limit", 7}, {"url", "there"}};
  CHECK(settings_of(both(), before, {{"url", nullptr}}) == JsonObject{{"limit", 7}});
  CHECK(settings_of(both(), {}, {{"lmit", nullptr}}).contains("lmit"));
}

TEST_CASE("settings: changes name what it was and what it is") {
  const auto changes =
      changes_between({{"a", 1}, {"b", 2}, {"c", 3}}, {{"a", 1}, {"b", 4}, {"d", 5}});
  REQUIRE(changes.size() == 3);
  CHECK(changes[0].name == "b");
  CHECK(changes[0].from == Json(2));
  CHECK(changes[0].to == Json(4));
  CHECK(changes[1].to.is_null());
  CHECK(changes[2].from.is_null());
}

}  // namespace
}  // namespace aios::bundle
