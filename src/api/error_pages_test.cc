// SPDX-License-Identifier: Apache-2.0
// The pages of errors: in the program as they are in the folder, and served to anyone.
#include "api/error_pages.h"
#include "api/test/house.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace aios::api {
namespace {

using test::House;
namespace fs = std::filesystem;

TEST_CASE("api: every page of the folder is in the program, letter by letter") {
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(std::string(AIOS_SOURCE_DIR) + "/docs/errors")) {
    const std::string stem = entry.path().stem().string();
    if (!stem.starts_with("AIOS-")) {
      continue;
    }
    ++files;
    CAPTURE(stem);
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    auto page = find_error_page(stem);
    REQUIRE(page.ok());
    CHECK(page->text == text.str());
    CHECK(page_text(page->number) == stem);
    CHECK(text.str().starts_with("# " + stem + ": " + std::string(page->title) + "\n"));
  }
  CHECK(files > 150);
  CHECK(error_pages().size() == files);
}

TEST_CASE("api: a code is found however it is written, an unknown one names the nearest") {
  for (const char* code : {"AIOS-0020", "aios-0020", "[AIOS-0020]", "0020", "20", " 20 "}) {
    CAPTURE(code);
    auto page = find_error_page(code);
    REQUIRE(page.ok());
    CHECK(page->number == 20);
  }
  auto unknown = find_error_page("9999");
  REQUIRE(!unknown.ok());
  CHECK(unknown.error().page() == 1304);
  CHECK(unknown.error().message().starts_with(
      "no error has the code AIOS-9999, the nearest is AIOS-1"));
  for (const char* code : {"", "AIOS-", "-20", "20x", "lease", "00020", "99999999999", "[20"}) {
    CAPTURE(code);
    auto none = find_error_page(code);
    REQUIRE(!none.ok());
    CHECK(none.error().message().find("is no error code, wanted one such as") != std::string::npos);
  }
}

TEST_CASE("api: the address that a problem gives as its type is answered without a key") {
  House house;
  Context nobody;
  const auto refused = house.send(nobody, "GET", "/api/v1/runs");
  REQUIRE(refused.status == 401);
  const Json problem = parse_json(refused.body).value();
  const std::string type(text_or(problem, "type", ""));
  CHECK(type == "/docs/errors/AIOS-0510");
  const auto page = house.send(nobody, "GET", type);
  CHECK(page.status == 200);
  CHECK(page.headers.get("content-type") == "text/plain; charset=utf-8");
  CHECK(page.body == find_error_page("0510")->text);
  const auto unknown = house.send(nobody, "GET", "/docs/errors/AIOS-9999");
  CHECK(unknown.status == 404);
  CHECK(unknown.headers.get("content-type") == "application/problem+json");
  CHECK(house.send(nobody, "GET", "/docs/errors").status == 404);
}

TEST_CASE("api: the document says that a page needs no key, and what a problem holds") {
  House house;
  const Json document = openapi_document(house.router);
  const Json* page = at_pointer(document, "/paths/~1docs~1errors~1{code}/get");
  REQUIRE(page != nullptr);
  CHECK(to_text(*find(*page, "security")) == "[]");
  const Json* members = at_pointer(document, "/components/schemas/Problem/properties");
  REQUIRE(members != nullptr);
  const auto sent =
      net::problem(Error(Code::rate_limited, "x", Retry::same_call).page(1301).at("a.yaml", 3, 7));
  const Json problem = parse_json(sent.body).value();
  for (const auto& member : problem.get_object()) {
    CAPTURE(std::string(member.key()));
    CHECK(members->get_object().contains(member.key()));
  }
  CHECK(problem.get_object().size() == 10);
}

}  // namespace
}  // namespace aios::api
