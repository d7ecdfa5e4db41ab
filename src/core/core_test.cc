// SPDX-License-Identifier: Apache-2.0
#include "core/codec.h"
#include "core/context.h"
#include "core/crypto.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/text.h"

#include <doctest/doctest.h>

#include <set>
#include <thread>

namespace aios {
namespace {

TEST_CASE("error: text has place, message, what was being done and the page") {
  const Error error = Error(Code::invalid_argument, "found x, wanted y")
                          .with("while reading a")
                          .with("starting")
                          .page(412)
                          .at("a.yaml", 3, 7);
  CHECK(error.text() ==
        "a.yaml:3:7: found x, wanted y, while reading a, while starting  [AIOS-0412]");
  const Error copy = error;
  CHECK(copy.page() == 412);
  CHECK(name_of(Code::rate_limited) == "rate_limited");
  CHECK(name_of(Code::cancelled) == "cancelled");
}

TEST_CASE("result: holds a value or an error") {
  Result<std::string> good(std::string("x"));
  CHECK(good.ok());
  CHECK(*std::move(good) == "x");
  const Result<int> bad(Error(Code::not_found, "no"));
  CHECK(!bad);
  CHECK(bad.error().code() == Code::not_found);
  CHECK(Result<void>().ok());
}

TEST_CASE("codec: what is written is read, and a cut record is noticed") {
  Writer out;
  out.u8(7);
  out.varint(UINT64_MAX);
  out.zigzag(INT64_MIN);
  out.zigzag(-1);
  out.bytes("abc");
  const std::string data = out.take();
  Reader in(data);
  CHECK(in.u8() == 7);
  CHECK(in.varint() == UINT64_MAX);
  CHECK(in.zigzag() == INT64_MIN);
  CHECK(in.zigzag() == -1);
  CHECK(in.bytes() == "abc");
  CHECK(in.ok());
  CHECK(in.at_end());
  Reader cut(std::string_view(data).substr(0, data.size() - 1));
  cut.u8();
  cut.varint();
  cut.zigzag();
  cut.zigzag();
  CHECK(cut.bytes().empty());
  CHECK(!cut.ok());
  Reader endless(std::string_view("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 11));
  CHECK(endless.varint() == 0);
  CHECK(!endless.ok());
}

TEST_CASE("ids: sort by time and have one form") {
  const std::string early = make_id("run", {1'000'000}, {});
  const std::string late =
      make_id("run", {2'000'000}, {255, 255, 255, 255, 255, 255, 255, 255, 255, 255});
  CHECK(early == "run_00000000010000000000000000");
  CHECK(late == "run_0000000002zzzzzzzzzzzzzzzz");
  CHECK(is_id("run", late));
  CHECK(!is_id("rev", late));
  CHECK(!is_id("run", late + "0"));
  CHECK(!is_id("run", "run_000000000200000000000000U0"));
}

TEST_CASE("ids: a tenant's name is short, lower case and plain") {
  CHECK(TenantId::parse("acme-2")->text() == "acme-2");
  for (const char* name : {"", "-a", "a-", "A", "a_b", "a/b"}) {
    CHECK_MESSAGE(!TenantId::parse(name).ok(), name);
  }
  CHECK(TenantId::parse(std::string(63, 'a')).ok());
  CHECK(!TenantId::parse(std::string(64, 'a')).ok());
  CHECK(default_tenant().text() == "default");
}

TEST_CASE("context: a trace header comes back, a bad one is no trace") {
  const std::string header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  CHECK(Trace::parse(header).traceparent() == header);
  CHECK(!Trace::parse("00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").valid());
  CHECK(!Trace::parse("00-00000000000000000000000000000000-00f067aa0ba902b7-01").valid());
  CHECK(!Trace::parse("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").valid());
  CHECK(!Trace::parse(header + "-x").valid());
  CHECK(!Trace::parse("").valid());
}

TEST_CASE("context: a cancellation calls each callback once, and none that was removed") {
  CancelState state;
  int calls = 0, removed = 0, late = 0;
  state.on_cancel([&calls] { ++calls; });
  state.remove(state.on_cancel([&removed] { ++removed; }));
  state.cancel();
  state.cancel();
  CHECK(calls == 1);
  CHECK(removed == 0);
  CHECK(state.on_cancel([&late] { ++late; }) == 0);
  CHECK(late == 1);
}

TEST_CASE("result: pages and codes are read as they are written, and nothing else is") {
  CHECK(page_text(0).empty());
  CHECK(page_text(42) == "AIOS-0042");
  CHECK(parse_page("AIOS-1419") == 1419);
  for (const char* bad : {"", "AIOS-", "AIOS-42", "AIOS-00042", "AIOS-004x", "AIOS--042",
                          "aios-0042", "[AIOS-0042]", "AIOS-0042 "}) {
    CHECK_MESSAGE(parse_page(bad) == 0, bad);
  }
  for (int code = 0; code <= static_cast<int>(Code::rate_limited); ++code) {
    CHECK(parse_code(name_of(static_cast<Code>(code))) == static_cast<Code>(code));
  }
  CHECK(!parse_code("").has_value());
  CHECK(!parse_code("Cancelled").has_value());
}

TEST_CASE("text: encodings go there and back and refuse what is not canonical") {
  CHECK(to_base64("fooba") == "Zm9vYmE=");
  CHECK(*from_base64("Zm9vYmE=") == "fooba");
  CHECK(to_base64url("\xFB\xFF") == "-_8");
  CHECK(!from_base64("Zm9vYmF=").ok());
  CHECK(!from_base64("Zm9v=mE=").ok());
  std::string all(256, '\0');
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<char>(i);
  }
  CHECK(*from_base64(to_base64(all)) == all);
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (const char c : all) {
    const bool digit = digits.find(c) != std::string_view::npos;
    CHECK(from_base64(std::string("AAA") + c).ok() == (digit || c == '='));
  }
  CHECK(*from_hex("00ffA0") == std::string("\0\xFF\xA0", 3));
  CHECK(!from_hex("0").ok());
}

TEST_CASE("text: UTF-8 is checked as RFC 3629 says") {
  CHECK(is_utf8("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"));
  for (const char* text : {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80"}) {
    CHECK(!is_utf8(text));
    for (std::size_t before = 0; before < 20; ++before) {
      CHECK(!is_utf8(std::string(before, 'x') + text + std::string(20 - before, 'x')));
      CHECK(!is_utf8("\xC3\xA9" + std::string(before, 'x') + text));
    }
  }
  for (std::size_t before = 0; before < 20; ++before) {
    CHECK(is_utf8(std::string(before, 'x') + "\xE2\x82\xAC" + std::string(20 - before, 'x')));
  }
  CHECK(excerpt("a\nb\xC3\xA9 long", 4) == "a?b\xC3\xA9...");
}

TEST_CASE("text: the nearest name is near") {
  CHECK(nearest_name("swich", {"switch", "set", "raise"}) == "switch");
  CHECK(nearest_name("chekc", {"switch", "check"}) == "check");  // two letters changed places
  CHECK(nearest_name("elephant", {"switch", "set"}).empty());
}

TEST_CASE("text: a message about a wrong name ends with the nearest right one or with all") {
  CHECK(did_you_mean("swich", {"switch", "set"}) == "; did you mean 'switch'?");
  CHECK(did_you_mean("elephant", {"switch", "set"}).empty());
  CHECK(hint("swich", {"switch", "set"}) == "; did you mean 'switch'?");
  CHECK(hint("elephant", {"switch", "set"}) == "; there are: switch, set");
  CHECK(hint("elephant", {}) == "; there is none");
  const std::vector<std::string> many(14, "set");
  CHECK(hint("elephant", many)
            .ends_with(": " + join(std::vector<std::string>(12, "set"), ", ") + " and 2 more"));
}

TEST_CASE("crypto: published vectors") {
  // FIPS 180-4 "abc"; RFC 4231 case 2; RFC 8032 section 7.1 test 1
  CHECK(to_hex(view(sha256("abc"))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("a", "bc") == sha256("abc"));
  CHECK(to_hex(view(hmac_sha256("Jefe", "what do ya want for nothing?"))) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(to_hex(view(hmac_sha256(std::string(131, '\xaa'),
                                "Test Using Larger Than Block-Size Key - Hash Key First"))) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  const std::string seed =
      *from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  const Ed25519Key key = ed25519_from_seed(seed);
  CHECK(to_hex(key.public_key) ==
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const std::string signature = ed25519_sign(seed, "");
  CHECK(to_hex(signature).starts_with("e5564300c360ac729086e2cc806e828a"));
  CHECK(ed25519_verify(key.public_key, "", signature));
  CHECK(!ed25519_verify(key.public_key, "x", signature));
}

TEST_CASE("crypto: sealed data opens with its key, nonce and context only") {
  const std::string key(32, 'k');
  const std::string nonce(12, 'n');
  const std::string sealed = aes_gcm_seal(key, nonce, "run_1", "secret");
  CHECK(sealed.size() == 6 + 16);
  CHECK(*aes_gcm_open(key, nonce, "run_1", sealed) == "secret");
  CHECK(!aes_gcm_open(key, nonce, "run_2", sealed).ok());
  CHECK(!aes_gcm_open(std::string(32, 'x'), nonce, "run_1", sealed).ok());
  CHECK(aes_gcm_open(key, nonce, "run_1", "short").error().code() == Code::data_loss);
  CHECK(*aes_gcm_open(key, nonce, "", aes_gcm_seal(key, nonce, "", "")) == "");
  CHECK(secure_random(16) != secure_random(16));
  CHECK(scrypt_key("a", "salt").size() == 32);
}

TEST_CASE("crypto: keys that take turns seal and open as each does alone") {
  const std::string keys[] = {std::string(32, 'a'), std::string(32, 'b'),
                              std::string(31, 'a') + 'b'};
  const auto seal = [&](int turn) {
    const std::string nonce = std::string(11, 'n') + static_cast<char>(turn);
    return aes_gcm_seal(keys[turn % 3], nonce, "owner", std::string(100 + turn, 'x'));
  };
  for (const int turn : {0, 1, 1, 0, 2, 0, 3, 3, 6, 1}) {
    std::string alone;
    std::thread([&] { alone = seal(turn); }).join();  // a thread that has met no key yet
    const std::string sealed = seal(turn);
    CHECK(sealed == alone);
    const std::string nonce = std::string(11, 'n') + static_cast<char>(turn);
    CHECK(*aes_gcm_open(keys[turn % 3], nonce, "owner", sealed) == std::string(100 + turn, 'x'));
    CHECK(!aes_gcm_open(keys[(turn + 1) % 3], nonce, "owner", sealed).ok());
  }
}

TEST_CASE("crypto: random bytes do not come twice, however many are asked for") {
  std::set<std::string> seen;
  std::size_t count = 0;
  for (int round = 0; round < 200; ++round) {
    for (const std::size_t size : {12, 16, 32, 64, 65, 1000}) {
      const std::string drawn = secure_random(size);
      REQUIRE(drawn.size() == size);
      for (std::size_t at = 0; at + 12 <= size; at += 12) {
        seen.insert(drawn.substr(at, 12));
        ++count;
      }
    }
  }
  CHECK(seen.size() == count);
  CHECK(!seen.contains(std::string(12, '\0')));
}

}  // namespace
}  // namespace aios
