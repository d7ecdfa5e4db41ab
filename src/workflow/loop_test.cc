// SPDX-License-Identifier: Apache-2.0
// The task `for`: a turn for each item, durable where a turn acts.
#include "workflow/test/documents.h"
#include "workflow/test/world.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace aios::workflow {
namespace {

using test::document;
using test::has;
using test::World;

RunView run_one(World& world, const std::string& text, Json input) {
  world.add_document(document("loop", text));
  world.start();
  const auto id = world.run_workflow("loop", std::move(input));
  return world.finish(id);
}

std::string refused(const std::string& text) {
  test::OutsideSystem system;
  FunctionRegistry registry;
  test::register_system(registry, system);
  std::string out;
  for (const auto& error : Engine::check({{"w.yaml", document("loop", text)}}, registry)) {
    out += error.text() + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("for: each turn has the item, the index and what the turn before gave") {
  World world;
  const auto view = run_one(world, R"(do:
  - loop:
      for: {each: color, in: .colors, at: place}
      do:
        - mark: {set: {seen: '${ (.seen // []) + [{color: $color, place: $place}] }'}}
)",
                            {{"colors", {"red", "green"}}});
  CHECK(view.status == "completed");
  CHECK(to_text(view.output) ==
        R"({"seen":[{"color":"red","place":0},{"color":"green","place":1}]})");
}

TEST_CASE("for: without names the arguments are item and index, and an array may stand there") {
  World world;
  const auto view = run_one(world, R"(do:
  - loop:
      for: {in: [{n: 1}, {n: '${ .two }'}]}
      do:
        - mark: {set: {two: '${ .two }', sum: '${ (.sum // 0) + $item.n * ($index + 1) }'}}
)",
                            {{"two", 2}});
  CHECK(int_or(view.output, "sum", 0) == 5);
}

TEST_CASE(
    "for: nothing to go through gives the input, and so does a condition that fails at once") {
  World world;
  const auto view = run_one(world, R"(do:
  - none: {for: {in: .empty}, do: [{a: {set: {n: 1}}}]}
  - never: {for: {in: '${ [1, 2] }'}, while: .go, do: [{a: {set: {n: 2}}}]}
)",
                            {{"empty", JsonArray()}, {"go", false}});
  CHECK(to_text(view.output) == R"({"empty":[],"go":false})");
}

TEST_CASE("for: while is asked before each turn, with that turn's item and data") {
  World world;
  const auto view = run_one(world, R"(do:
  - loop:
      for: {each: n, in: '${ [1, 2, 3, 4] }'}
      while: '${ .sum + $n <= 6 and $index < 9 }'
      do: [{add: {set: {sum: '${ .sum + $n }'}}}]
)",
                            {{"sum", 0}});
  CHECK(to_text(view.output) == R"({"sum":6})");
}

TEST_CASE("for: an inner loop sees the outer one's item, and its own names hide it") {
  World world;
  const auto view = run_one(world, R"(do:
  - outer:
      for: {each: row, in: '${ [[1, 2], [3]] }'}
      do:
        - inner:
            for: {in: '${ $row }'}
            do: [{add: {set: {all: '${ .all + [[$index, $item]] }'}}}]
)",
                            {{"all", JsonArray()}});
  CHECK(to_text(view.output) == R"({"all":[[0,1],[1,2],[0,3]]})");
}

TEST_CASE("for: 'exit' ends a turn, and the loop goes on with the next") {
  World world;
  const auto view = run_one(world, R"(do:
  - loop:
      for: {in: '${ [1, 2, 3] }'}
      do:
        - skip: {if: '$item == 2', set: {sum: '${ .sum }'}, then: exit}
        - add: {set: {sum: '${ .sum + $item }'}}
)",
                            {{"sum", 0}});
  CHECK(to_text(view.output) == R"({"sum":4})");
}

TEST_CASE("for: what is no array is an error of the step, and may be caught") {
  World world;
  const auto view = run_one(world, R"(do:
  - guarded:
      try: [{loop: {for: {in: .pets}, do: [{a: {set: {n: 1}}}]}}]
      catch: {as: problem, do: [{tell: {set: {said: '${ $problem.detail }'}}}]}
)",
                            {{"pets", 7}});
  CHECK(view.status == "completed");
  CHECK(has(to_text(view.output), "wanted an array [AIOS-1050]"));
}

TEST_CASE("for: a collection with too many items faults the run before its first turn") {
  World world;
  const auto view = run_one(world, R"(do:
  - loop: {for: {in: '${ [range(100001)] }'}, do: [{a: {set: {n: 1}}}]}
)",
                            JsonObject());
  CHECK(view.status == "faulted");
  CHECK(has(to_text(view.error), "AIOS-1051"));
  CHECK(view.steps < 10);
}

TEST_CASE("for: a long loop of pure turns ends, and lets others run meanwhile") {
  World world;
  const auto view = run_one(world, R"(do:
  - loop: {for: {in: '${ [range(5000)] }'}, do: [{add: {set: {n: '${ .n + 1 }'}}}]}
)",
                            {{"n", 0}});
  CHECK(view.status == "completed");
  CHECK(int_or(view.output, "n", 0) == 5'000);
}

TEST_CASE("for: names that cannot be read, or are taken, are refused where they stand") {
  CHECK(has(refused("do:\n  - a: {for: {each: my-pet, in: .x}, do: [{b: {set: {n: 1}}}]}\n"),
            "w.yaml:3:"));
  CHECK(has(refused("do:\n  - a: {for: {each: context, in: .x}, do: [{b: {set: {n: 1}}}]}\n"),
            "stands for something else"));
  CHECK(has(refused("do:\n  - a: {for: {each: index, in: .x}, do: [{b: {set: {n: 1}}}]}\n"),
            "both named 'index'"));
  CHECK(has(refused("do:\n  - a: {for: {in: .x}, do: [{b: {set: {n: '${ $pet }'}}}]}\n"), "$pet"));
  CHECK(has(refused("do:\n  - a: {for: {each: pet}, do: [{b: {set: {n: 1}}}]}\n"),
            "'in' is missing"));
}

TEST_CASE("for: a power cut at any turn repeats no effect and skips none") {
  for (int cut = 1; cut < 12; ++cut) {
    CAPTURE(cut);
    World world;
    world.add_document(document("loop", R"(do:
  - loop:
      for: {in: '${ [10, 20, 30] }'}
      do:
        - act: {call: 'system:1.0.0@default', with: {class: key, value: '${ $item }'}}
        - rest: {wait: {seconds: 1}}
)"));
    world.start();
    const auto id = world.run_workflow("loop", JsonObject());
    const auto rested =
        world.executor.run(runtime::sleep_for(Context(), std::chrono::milliseconds(300 * cut)));
    REQUIRE(rested.ok());
    world.crash();
    world.start();
    const auto view = world.finish(id);
    CHECK(view.status == "completed");
    CHECK(int_or(view.output, "value", 0) == 30);
    CHECK(world.system.done.size() == 3);
    for (const auto& [effect, times] : world.system.done) {
      CHECK(times == 1);
    }
  }
}

}  // namespace aios::workflow
