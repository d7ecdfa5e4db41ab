// SPDX-License-Identifier: Apache-2.0
// E-mail addresses whose sign or dots are written otherwise.
#include "govern/redaction.h"

#include <doctest/doctest.h>

#include <string>

namespace aios::govern {
namespace {

// "kind=value, kind=value" of all findings.
std::string found_in(std::string_view text) {
  std::string all;
  for (const Finding& finding : find_personal_data(text)) {
    all += all.empty() ? "" : ", ";
    all +=
        finding.kind + "=" + std::string(text.substr(finding.begin, finding.end - finding.begin));
  }
  return all;
}

}  // namespace

TEST_CASE("redaction: e-mail addresses that are written so that they are none") {
  for (const char* address : {"anna.adler(at)example.com",
                              "anna.adler (at) example.com",
                              "anna.adler [at] example.com",
                              "anna.adler [at] example [dot] com",
                              "anna.adler{AT}example.co.uk",
                              "anna<at>example.com",
                              "anna [dot] adler [at] example [dot] com",
                              "anna(\u00e4t)b\u00fccher.de",
                              "anna.adler(@)example(punkt)com",
                              "anna.adler%40example.com",
                              "anna%2540example.com",
                              "anna.adler&#64;example.com",
                              "anna.adler&#064;example&#46;com",
                              "anna&#x40;example.com",
                              "anna.adler&commat;example&period;com",
                              "anna\\u0040example.com",
                              "anna.adler @ example.com",
                              "ANNA @ EXAMPLE.COM",
                              "anna.adler @example.com",
                              "anna@ example.com",
                              "12345(at)qq.com"}) {
    CHECK(found_in(address) == std::string("email=") + address);
    CHECK(found_in(std::string("Mail: <b>") + address + "</b>, or call.") ==
          std::string("email=") + address);
    CHECK(redact(std::string("to ") + address + " today").text == "to [EMAIL_1] today");
  }
  CHECK(found_in("https://x.example/?mail=anna%40example.com&n=1") == "email=anna%40example.com");
}

TEST_CASE("redaction: an address that is written without its sign tells a name as any other does") {
  for (const char* address : {"zyta.quill@example.com", "zyta.quill (at) example.com",
                              "zyta.quill%40example.com", "zyta.quill&#64;example.com",
                              "zyta.quill\\u0040example.com", "zyta.quill[at]example.com"}) {
    const std::string text = std::string("The parcel of Zyta Quill is late. Write to ") + address;
    CAPTURE(text);
    CHECK(redact(text).text == "The parcel of [NAME_1] is late. Write to [EMAIL_1]");
  }
}

TEST_CASE("redaction: an at sign between other words makes no address of them") {
  for (const char* text :
       {"3 @ 4.50 each, 5 items @ 12.50", "tickets @ St.Pauli", "thanks @example.com",
        "meet us @ example.com", "call me @ 9.am please", "see (at) page 4.", "look at example.com",
        "50%40 off.", "the price (at the shop) example.com", "list[at] and list[dot]", "R&#64;D",
        "a%40b", "anna (at) example", "up to 100%40mm.", "dear anna at example dot com",
        "we met (at) 10.30 today", "&commat;example.com"}) {
    CHECK_MESSAGE(found_in(text).empty(), text << ": " << found_in(text));
  }
}

}  // namespace aios::govern
