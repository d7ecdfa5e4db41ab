// SPDX-License-Identifier: Apache-2.0
#include "govern/personal_data.h"

#include <doctest/doctest.h>

#include <limits>

namespace aios::govern {
namespace {

Json json(std::string_view text) {
  auto parsed = parse_json(text);
  REQUIRE(parsed.ok());
  return std::move(*parsed);
}

// "kind=value, kind=value", sorted.
std::string found_in(std::string_view text) {
  const auto looked = find_personal_data_in(json(text));
  REQUIRE(looked.ok());
  std::string all;
  for (const auto& [kind, value] : looked->found) {
    all += (all.empty() ? "" : ", ") + kind + "=" + value;
  }
  return all;
}

std::string masked(std::string_view text) {
  Json value = json(text);
  REQUIRE(mask_personal_data(&value).ok());
  return to_text(value);
}

}  // namespace

TEST_CASE("personal data: found in texts, names of members and numbers, at any depth") {
  const std::string_view text =
      R"({"text": "mail bo@example.org", "anna@example.org": 1, "a": [{"n": 4111111111111111}]})";
  CHECK(found_in(text) == "card=4111111111111111, email=anna@example.org, email=bo@example.org");
  const auto looked = find_personal_data_in(json(text));
  CHECK(looked->kinds() == std::vector<std::string>{"card", "email"});
  CHECK(find_personal_data_in(json("\"\xc3\xa4\xc3\xb6\""))->characters == 2);
  CHECK(find_personal_data_in(json(R"({"ab": "c", "d": 5})"))->characters == 4);
}

TEST_CASE("personal data: masked in texts, names of members and numbers, one mark for one value") {
  CHECK(
      masked(R"({"text":"mail anna@example.org","anna@example.org":1,"card":4111111111111111})") ==
      R"({"text":"mail [EMAIL_1]","[EMAIL_1]":1,"card":"[CARD_1]"})");
  CHECK(masked(R"({"a@x.org":1,"b@x.org":2,"c":["b@x.org","a@x.org"]})") ==
        R"({"[EMAIL_1]":1,"[EMAIL_2]":2,"c":["[EMAIL_2]","[EMAIL_1]"]})");
  CHECK(masked(R"(4111111111111111)") == R"("[CARD_1]")");
  CHECK(masked(R"("to a@x.org")") == R"("to [EMAIL_1]")");
  CHECK(masked(R"({"a":[1,null,true,"none"]})") == R"({"a":[1,null,true,"none"]})");
}

TEST_CASE("personal data: a mark that is there already stands for somebody else") {
  CHECK(masked(R"({"[EMAIL_1]":"first","b@x.org":"second"})") ==
        R"({"[EMAIL_1]":"first","[EMAIL_2]":"second"})");
  CHECK(masked(R"(["see [EMAIL_7] and [CARD_x]","b@x.org",4111111111111111])") ==
        R"(["see [EMAIL_7] and [CARD_x]","[EMAIL_8]","[CARD_1]"])");
  CHECK(holds_mark("to [NATIONAL_ID_12]."));
  for (const char* text :
       {"", "[EMAIL_]", "[EMAIL_1", "[_1]", "[email_1]", "EMAIL_1", "[EMAIL1]"}) {
    CHECK_FALSE_MESSAGE(holds_mark(text), text);
  }
}

TEST_CASE("personal data: numbers are cards by check digit and by the lengths that issuers use") {
  CHECK(found_in("4111111111111111") == "card=4111111111111111");
  CHECK(found_in("-4111111111111111") == "card=4111111111111111");
  CHECK(found_in("4111111111111111.0") == "card=4111111111111111");
  CHECK(found_in("4.111111111111111e15") == "card=4111111111111111");
  CHECK(found_in("378282246310005") == "card=378282246310005");
  CHECK(found_in("2223003122003222") == "card=2223003122003222");
  CHECK(found_in("6304000000000000000") == "card=6304000000000000000");
  CHECK(found_in("86095742719") == "national_id=86095742719");  // a tax id with its check digit
  CHECK(found_in("4111111111111112").empty());
  CHECK(found_in("41111.11111111111").empty());
}

TEST_CASE("personal data: amounts, order numbers, times and coordinates stay numbers") {
  const std::string_view plain =
      R"({"amount_cents":1299,"total_cents":123456789012,"order_id":20250001,"item":12345678,)"
      R"("at":1763740800,"at_ms":1763740800123,"at_us":1763740800123456,"lat":52.520008,)"
      R"("call_id":12345678,"office":12345678,"mobile_orders":1234567,"phone_price":129900000,)"
      R"("phone_type":12345678,"size":-1,"zero":0,"rate":1e-7})";
  CHECK(found_in(plain).empty());
  CHECK(masked(plain) == to_text(json(plain)));
  // Every time in milliseconds that begins with 1800 fits some length of a card, one in ten its
  // check digit.
  for (std::int64_t at = 1'800'000'000'000; at < 1'800'000'000'100; ++at) {
    CHECK(find_personal_data_in(Json(at))->found.empty());
    CHECK(find_personal_data_in(Json(at + 200'000'000'000))->found.empty());
    CHECK(find_personal_data_in(Json(at * 1000))->found.empty());
  }
  CHECK(find_personal_data_in(Json(std::numeric_limits<std::int64_t>::min())).ok());
  CHECK(find_personal_data_in(Json(std::numeric_limits<std::uint64_t>::max())).ok());
  CHECK(find_personal_data_in(Json(std::numeric_limits<double>::infinity())).ok());
  CHECK(find_personal_data_in(Json(std::numeric_limits<double>::quiet_NaN())).ok());
  CHECK(find_personal_data_in(Json(1e300)).ok());
}

TEST_CASE("personal data: digits are a phone where the member's name says so") {
  for (const char* name : {"phone", "phoneNumber", "mobile", "fax_no", "contact_phone", "tel",
                           "phone1", "Telefonnummer", "MOBILE_NUMBER"}) {
    const std::string number = std::string("{\"") + name + R"(":15112345678})";
    const std::string text = std::string("{\"") + name + R"(":"15112345678"})";
    CHECK_MESSAGE(found_in(number) == "phone=15112345678", name);
    CHECK_MESSAGE(found_in(text) == "phone=15112345678", name);
  }
  CHECK(masked(R"({"phones":[15112345678,"15112345679",{"number":15112345678}]})") ==
        R"({"phones":["[PHONE_1]","[PHONE_2]",{"number":"[PHONE_1]"}]})");
  CHECK(found_in(R"({"phone":{"id":12345678},"number":12345678})").empty());
  CHECK(found_in(R"({"phone":112,"mobile":"no","fax":1234567890123456})").empty());
}

TEST_CASE("personal data: an IBAN is none without its letters, so no number is one") {
  CHECK(found_in("[\"DE89370400440532013000\", 370400440532013000]") ==
        "iban=DE89370400440532013000");
}

TEST_CASE("personal data: what is longer or deeper than the bounds is refused, not passed over") {
  Json deep = 4111111111111111;
  for (int i = 0; i < 10; ++i) {
    deep = JsonArray{std::move(deep)};
  }
  const PersonalBounds shallow{.bytes_max = 100, .depth_max = 9};
  const PersonalBounds enough{.bytes_max = 100, .depth_max = 10};
  CHECK(find_personal_data_in(deep, enough)->kinds() == std::vector<std::string>{"card"});
  const auto refused = find_personal_data_in(deep, shallow);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code() == Code::invalid_argument);
  CHECK(refused.error().page() == 516);
  CHECK_FALSE(mask_personal_data(&deep, shallow).ok());
  Json wide = JsonObject{{std::string(60, 'a'), std::string(41, 'b')}};
  CHECK_FALSE(find_personal_data_in(wide, enough).ok());
  CHECK(find_personal_data_in(wide, {.bytes_max = 101, .depth_max = 1}).ok());
}

TEST_CASE("personal data: what is masked holds nothing that a second look finds") {
  const std::string_view texts[] = {
      "Dear Anna Schmidt anna@example.com 4111111111111111 DE89370400440532013000 +49 30 123456",
      "4111 1111 1111 1111 4111 1111 1111 1111 4111111111111111,4111111111111111",
      "phone 0171 234 56 78 0171 234 56 78, a@x.org.b@x.org a@x.org@y.org",
      "I am Eva Novak. The account of Eva Novak is locked. Kind regards,\nEva Novak",
  };
  for (const std::string_view text : texts) {
    Json value = JsonObject{{"text", text}, {std::string(text), 1}};
    REQUIRE(mask_personal_data(&value).ok());
    CHECK_MESSAGE(find_personal_data_in(value)->found.empty(), to_text(value));
    CHECK(value.get_object().size() == 2);
  }
}

}  // namespace aios::govern
