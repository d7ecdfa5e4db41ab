// SPDX-License-Identifier: Apache-2.0
// What a run's state says of calls whose outcome nobody knows.
#include "workflow/detail/open_effect.h"
#include "workflow/detail/state.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace aios::workflow {
namespace {

EffectState effect(std::string_view id, std::string_view step, Json arguments = 1) {
  EffectState out;
  out.id = id;
  out.step = step;
  out.function = "f";
  out.origin = "o";
  out.arguments = std::move(arguments);
  return out;
}

Json large(char filling) { return Json(std::string(1'000, filling)); }

std::string ids(const OpenEffects& open) {
  std::string out;
  for (const auto& one : open.unknown()) {
    out += one.id + (one.given_up ? "! " : " ");
  }
  return out;
}

}  // namespace

TEST_CASE("open effects: they are saved and read with all their members, also of older programs") {
  OpenEffects open;
  open.keep(effect("a", "/do/0/x"));
  open.keep(effect("b", "/do/1/y"));
  open.keep(effect("c", "/do/2/z"));
  open.give_up("b");
  open.happened("c", nullptr);
  const auto saved = open.to_json();
  auto read = OpenEffects::from_json(saved);
  CHECK(to_text(read.to_json()) == to_text(saved));
  CHECK(ids(read) == "a b! ");
  CHECK(read.unasked()->id == "a");
  const auto taken = read.take(effect("", "/do/2/z"));
  REQUIRE(taken);
  CHECK(taken->result);
  CHECK(taken->origin == "o");
  CHECK_FALSE(read.take(effect("", "/do/0/x", 2)));  // another call
  auto older =
      OpenEffects::from_json({{"/do/0/x", "run-1"}, {"/do/1/y abc", JsonObject{{"id", "run-2"}}}});
  CHECK(ids(older) == "run-1 run-2 ");
  CHECK(older.unasked()->step == "/do/0/x");
  CHECK(older.take(effect("", "/do/0/x"))->id == "run-1");
  CHECK(older.unasked()->step == "/do/1/y");
}

TEST_CASE("open effects: the last try of a call counts") {
  OpenEffects open;
  auto call = effect("a", "/do/0/x");
  open.keep(call);
  open.give_up("a");
  CHECK(open.unasked() == nullptr);
  open.keep(call);
  CHECK(open.unasked() != nullptr);
  call.given_up = true;
  open.keep(call);
  CHECK(ids(open) == "a! ");
  open.never_happened("a");
  CHECK(ids(open).empty());
}

TEST_CASE("open effects: a branch has the word on its own calls alone") {
  OpenEffects parent;
  parent.keep(effect("own", "/do/0/x"));
  parent.keep(effect("left", "/do/1/f/fork/branches/1/a"));
  parent.keep(effect("other", "/do/1/f/fork/branches/10/a"));
  OpenEffects branch = parent;
  branch.never_happened("left");
  branch.never_happened("own");
  branch.never_happened("other");
  branch.keep(effect("new", "/do/1/f/fork/branches/1/b/do/0/c"));
  parent.take_over(branch, "/do/1/f/fork/branches/1");
  CHECK(ids(parent) == "own other new ");
}

TEST_CASE("open effects: of a run that is too large each is kept, without what it was made with") {
  OpenEffects open;
  for (int i = 0; i < 3; ++i) {
    open.keep(effect(fmt::format("e{}", i), "/do/0/x", large(static_cast<char>('a' + i))));
  }
  open.shed(10'000);
  CHECK_FALSE(open.unasked()->arguments.is_null());
  open.happened("e2", "it is there");
  open.shed(2'000);
  CHECK(ids(open) == "e0 e1 ");
  CHECK(open.unasked()->arguments.is_null());
  CHECK(open.take(effect("", "/do/0/x", large('b')))->id == "e1");
  CHECK(open.take(effect("", "/do/0/x", large('c')))->result);
  for (int i = 0; i < 3'000; ++i) {
    open.keep(effect(fmt::format("n{}", i), "/do/0/x", i));
  }
  open.shed(2'000);
  CHECK(open.unknown().size() == 2'000);
  CHECK(open.unasked()->id == "e0");
}

}  // namespace aios::workflow
