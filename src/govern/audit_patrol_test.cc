// SPDX-License-Identifier: Apache-2.0
#include "govern/audit_patrol.h"

#include "govern/audit.h"
#include "govern/test/fixtures.h"
#include "runtime/sim.h"

#include <doctest/doctest.h>

#include <optional>

namespace aios::govern {
namespace {

struct Fixture {
  test::Folder folder;
  test::LeafStore store;
  runtime::SimExecutor loop;
  std::unique_ptr<AuditLog> log;
  std::unique_ptr<AuditPatrol> patrol;
  std::vector<std::string> told;

  Fixture() {
    log = AuditLog::open(folder.at("audit"), folder.at("audit.key"), "aios.example/audit").value();
    patrol = std::make_unique<AuditPatrol>(
        folder.at("audit"), log->verifier_key(), loop.clock(),
        [this](const TenantId& tenant, const Result<void>& found) {
          told.push_back(tenant.text() + ": " + (found.ok() ? "whole" : found.error().text()));
        });
  }
  void sign(std::size_t count, const TenantId& tenant = default_tenant()) {
    auto& leaves = store.held[tenant];
    for (std::size_t i = 0; i < count; ++i) {
      leaves.push_back("leaf number " + std::to_string(leaves.size()));
    }
    REQUIRE(loop.run(log->fold(store)).ok());
  }
  void look(int times) {
    for (int i = 0; i < times; ++i) {
      patrol->look();
      loop.advance(AuditPatrol::look_period);
    }
  }
  std::string at(const std::string& name) const { return folder.at("audit/default/" + name); }
  void flip(const std::string& name, std::size_t byte) const {
    std::string bytes = test::slurp(at(name));
    REQUIRE(byte < bytes.size());
    bytes[byte] ^= 1;
    test::spill(at(name), bytes);
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("patrol: 256 leaves a look, and all logs in a round, which an hour later begins again") {
  Fixture f;
  f.sign(600);
  f.sign(10, TenantId::parse("acme").value());
  const Time begun = f.loop.clock().now();
  f.look(1);
  CHECK(f.patrol->seen().under_way_of == 610);
  CHECK(f.patrol->seen().under_way > 0);
  f.look(3);
  AuditPatrol::Seen seen = f.patrol->seen();
  CHECK(seen.logs == 2);
  CHECK(seen.leaves == 610);
  CHECK(seen.under_way_of == 0);
  CHECK(seen.oldest - begun < std::chrono::seconds(5));
  CHECK(seen.altered.empty());
  f.sign(400);
  f.look(3'000);
  CHECK(f.patrol->seen().leaves == 610);
  f.look(700);
  CHECK(f.patrol->seen().leaves == 1'010);
  CHECK(f.told.empty());
}

TEST_CASE("patrol: one byte of an old tile is told of once, and once that it is right again") {
  for (const char* file : {"tile/entries/000", "tile/0/000", "tile/entries/002.p/88",
                           "tile/1/000.p/2", "checkpoint"}) {
    CAPTURE(file);
    Fixture f;
    f.sign(600);
    f.look(5);
    CHECK(f.patrol->seen().logs == 1);
    f.flip(file, 40);
    f.look(3'700);
    AuditPatrol::Seen seen = f.patrol->seen();
    CHECK(seen.logs == 0);
    REQUIRE(seen.altered.size() == 1);
    CHECK(has(seen.altered[0], "the log of 'default'"));
    CHECK(has(seen.altered[0], "[AIOS-052"));
    REQUIRE(f.told.size() == 1);
    CHECK(f.told[0].starts_with("default: "));
    f.flip(file, 40);
    f.look(120);
    CHECK(f.patrol->seen().altered.empty());
    CHECK(f.patrol->seen().logs == 1);
    REQUIRE(f.told.size() == 2);
    CHECK(f.told[1] == "default: whole");
  }
}

TEST_CASE("patrol: the doctor need not wait for the next round") {
  Fixture f;
  f.sign(600);
  f.patrol->hurry();
  CHECK(f.patrol->seen().leaves == 600);
  f.flip("tile/entries/001", 100);
  f.patrol->hurry();
  REQUIRE(f.patrol->seen().altered.size() == 1);
  CHECK(has(f.patrol->seen().altered[0], "tile/entries/001"));
  CHECK(has(f.patrol->seen().altered[0], "leaf 261"));
}

TEST_CASE("patrol: a log that grows, and one whose files are written again, are not altered") {
  Fixture f;
  f.sign(300);
  f.look(1);
  f.sign(500);  // the partial tiles of the walk's checkpoint are cleared away
  f.look(3);
  CHECK(f.patrol->seen().leaves == 300);
  std::filesystem::remove(f.at("tile/entries/000"));
  f.look(3'700);
  CHECK(f.patrol->seen().altered.empty());
  f.sign(1);  // finds it missing, and writes the folder again
  f.look(120);
  CHECK(f.patrol->seen().leaves == 802);
  CHECK(f.told.empty());
}

TEST_CASE("patrol: no log is nothing verified and nothing wrong") {
  Fixture f;
  f.look(2);
  f.patrol->hurry();
  CHECK(f.patrol->seen().logs == 0);
  CHECK(f.patrol->seen().altered.empty());
}

}  // namespace aios::govern
