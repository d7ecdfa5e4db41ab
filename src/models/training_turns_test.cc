// SPDX-License-Identifier: Apache-2.0
#include "models/detail/training_turns.h"

#include "runtime/sim.h"
#include "runtime/task_group.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aios::models {
namespace {

struct Line {
  /// Asks for a turn in the tenant's name.
  void ask(std::string tenant, Duration patience = std::chrono::hours(1)) {
    group.spawn(wait(this, std::move(tenant), patience));
    loop.advance(Duration(0));
  }
  /// Its training ends.
  void end(const std::string& tenant) {
    passes.erase(tenant);
    loop.advance(Duration(0));
  }
  static Task<void> wait(Line* line, std::string tenant, Duration patience) {
    Context ctx = system_context(TenantId::parse(tenant).value(), "test");
    ctx.deadline = line->loop.clock().instant() + patience;
    auto pass = co_await TrainingTurns::take(line->turns, std::move(ctx));
    if (pass.ok()) {
      line->began.push_back(tenant);
      line->passes[tenant] = std::move(*pass);
    } else {
      line->refused.push_back(tenant + " " + std::string(name_of(pass.error().code())));
    }
  }
  ~Line() {
    while (!passes.empty()) {
      end(passes.begin()->first);
    }
    loop.run(group.join());
  }

  runtime::SimExecutor loop;
  runtime::TaskGroup group{loop};
  std::shared_ptr<TrainingTurns> turns = std::make_shared<TrainingTurns>();
  std::map<std::string, TrainingTurns::Pass> passes;
  std::vector<std::string> began, refused;
};

using Names = std::vector<std::string>;

TEST_CASE("training turns: tenants train one after the other, in the order in which they asked") {
  Line line;
  line.ask("a");
  line.ask("b");
  line.ask("c");
  CHECK(line.began == Names{"a"});
  line.end("a");
  CHECK(line.began == Names{"a", "b"});
  line.ask("a");  // behind c
  line.end("b");
  line.end("c");
  CHECK(line.began == Names{"a", "b", "c", "a"});
  CHECK(line.refused.empty());
}

TEST_CASE("training turns: a second training of a tenant is refused while one runs or waits") {
  Line line;
  line.ask("a");
  line.ask("a");
  line.ask("b");
  line.ask("b");
  CHECK(line.began == Names{"a"});
  CHECK(line.refused == Names{"a resource_exhausted", "b resource_exhausted"});
  line.end("a");
  CHECK(line.began == Names{"a", "b"});
}

TEST_CASE("training turns: who goes away keeps no place in the line") {
  Line line;
  line.ask("a");
  line.ask("b", std::chrono::seconds(1));
  line.ask("c");
  line.loop.advance(std::chrono::seconds(2));
  CHECK(line.refused == Names{"b deadline_exceeded"});
  line.end("a");
  CHECK(line.began == Names{"a", "c"});
  line.end("c");
  line.ask("b");
  CHECK(line.began == Names{"a", "c", "b"});
}

}  // namespace
}  // namespace aios::models
