// SPDX-License-Identifier: Apache-2.0
// Files of a log that were signed and are gone.
#include "core/json.h"
#include "core/text.h"
#include "govern/audit.h"
#include "govern/audit_verify.h"
#include "govern/test/fixtures.h"
#include "runtime/sim.h"

#include <doctest/doctest.h>

#include <unistd.h>

namespace aios::govern {
namespace {

struct Fixture {
  test::Folder folder;
  test::LeafStore store;
  runtime::SimExecutor loop;
  std::unique_ptr<AuditLog> log;
  TenantId tenant = default_tenant();
  std::vector<std::string> told;

  Fixture() { reopen(); }
  void reopen() {
    log.reset();
    log = AuditLog::open(folder.at("audit"), folder.at("audit.key"), "aios.example/audit", nullptr,
                         [this](const Error& error) { told.push_back(error.text()); })
              .value();
  }
  Result<std::uint64_t> fold() { return loop.run(log->fold(store)); }
  void add(std::size_t count) {
    auto& leaves = store.held[tenant];
    for (std::size_t i = 0; i < count; ++i) {
      leaves.push_back("leaf number " + std::to_string(leaves.size()));
    }
  }
  /// A log of that many leaves, signed and closed.
  void sign(std::size_t count) {
    add(count);
    REQUIRE(fold().ok());
    log.reset();
  }
  std::string at(const std::string& name) const {
    return folder.at("audit/" + tenant.text() + "/" + name);
  }
  void remove(const std::string& name) const { REQUIRE(std::filesystem::remove_all(at(name)) > 0); }
  std::string checkpoint() const { return test::slurp(at("checkpoint")); }
  std::string complaint(const std::string& older) const {
    LogCheck check{folder.at("audit/" + tenant.text()), log->verifier_key(), {}, nullptr};
    if (!older.empty()) {
      check.kept.push_back({"kept", older});
    }
    const auto report = verify_log(std::move(check));
    return report.ok() ? std::string("verified") : report.error().text();
  }
  /// Leaves that tell of a log that was written again.
  std::vector<Json> tales() {
    std::vector<Json> found;
    for (const std::string& leaf : store.held[tenant]) {
      auto parsed = parse_json(leaf);
      if (parsed.ok() && text_or(*parsed, "kind", "") == "audit.rebuilt") {
        found.push_back(std::move(*parsed));
      }
    }
    return found;
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("audit: a log whose files were removed is written again, told of and says so itself") {
  for (const char* gone : {"", "checkpoint", "tile", "tile/0", "tile/0/000", "tile/entries/001",
                           "tile/entries/002.p/88", "tile/1/000.p/2"}) {
    CAPTURE(gone);
    Fixture f;
    f.sign(600);
    const std::string kept = f.checkpoint();
    CHECK(f.told.empty());
    f.remove(gone);
    f.reopen();
    const auto folded = f.fold();
    REQUIRE_MESSAGE(folded.ok(), folded.error().text());
    CHECK(f.log->size(f.tenant) == 601);
    CHECK(f.complaint(kept) == "verified");
    REQUIRE(f.told.size() == 1);
    CHECK(has(f.told[0], "AIOS-0529"));
    const auto tales = f.tales();
    REQUIRE(tales.size() == 1);
    CHECK(text_or(tales[0], "outcome", "") == "same");
    CHECK(int_or(*find(tales[0], "facts"), "size", 0) == 600);
    CHECK(int_or(*find(tales[0], "facts"), "had", -1) == 0);
    CHECK(has(kept, to_base64(from_hex(text_or(*find(tales[0], "facts"), "root", "")).value())));
    f.reopen();
    f.add(1);
    CHECK(f.fold().value() == 1);
    CHECK(f.told.size() == 1);
  }
}

TEST_CASE("audit: that files went while the log was open is noticed by the next fold") {
  for (const char* gone : {"", "checkpoint", "tile", "tile/0", "tile/0/000", "tile/entries/000",
                           "tile/entries/002.p/88", "tile/1/000.p/2"}) {
    for (const std::size_t more : {std::size_t{0}, std::size_t{500}}) {
      CAPTURE(gone);
      CAPTURE(more);
      Fixture f;
      f.add(600);
      REQUIRE(f.fold().ok());
      const std::string kept = f.checkpoint();
      f.remove(gone);
      f.add(more);
      const auto folded = f.fold();
      REQUIRE_MESSAGE(folded.ok(), folded.error().text());
      CHECK(f.told.size() == 1);
      CHECK(f.tales().size() == 1);
      CHECK(f.log->size(f.tenant) == 601 + more);
      CHECK(f.complaint(kept) == "verified");
      CHECK(f.fold().value() == 0);
      CHECK(f.told.size() == 1);
    }
  }
}

TEST_CASE("audit: that one of many files went while the log was open is noticed in the end") {
  Fixture f;
  f.add(20'000);
  REQUIRE(f.fold().ok());
  f.remove("tile/entries/040");
  for (int folds = 0; f.told.empty() && folds < 5; ++folds) {  // 78 bundles, some at each fold
    REQUIRE(f.fold().ok());
  }
  CHECK(f.told.size() == 1);
  CHECK(f.complaint("") == "verified");
}

TEST_CASE("audit: a folder that was put back while the log was open is told of") {
  Fixture f;
  f.add(40);
  REQUIRE(f.fold().ok());
  std::filesystem::copy(f.folder.at("audit"), f.folder.at("older"),
                        std::filesystem::copy_options::recursive);
  f.add(300);
  REQUIRE(f.fold().ok());
  f.remove("");
  std::filesystem::copy(f.folder.at("older"), f.folder.at("audit"),
                        std::filesystem::copy_options::recursive);
  REQUIRE(f.fold().ok());
  REQUIRE(f.told.size() == 1);
  CHECK(int_or(*find(f.tales().at(0), "facts"), "had", 0) == 40);
  CHECK(f.complaint("") == "verified");
}

TEST_CASE("audit: a folder that was put back to an older state is told of") {
  Fixture f;
  f.sign(40);
  std::filesystem::copy(f.folder.at("audit"), f.folder.at("older"),
                        std::filesystem::copy_options::recursive);
  f.reopen();
  f.sign(300);
  const std::string kept = f.checkpoint();
  f.remove("");
  std::filesystem::copy(f.folder.at("older"), f.folder.at("audit"),
                        std::filesystem::copy_options::recursive);
  f.reopen();
  REQUIRE(f.fold().ok());
  REQUIRE(f.told.size() == 1);
  CHECK(int_or(*find(f.tales().at(0), "facts"), "had", 0) == 40);
  CHECK(int_or(*find(f.tales().at(0), "facts"), "size", 0) == 340);
  CHECK(f.complaint(kept) == "verified");
}

TEST_CASE("audit: a store whose leaves lead elsewhere is not signed when the folder is gone") {
  Fixture f;
  f.sign(600);
  const std::string leaf = f.store.held[f.tenant][300];
  f.store.held[f.tenant][300] = "another leaf";
  f.remove("");
  for (int start = 0; start < 2; ++start) {
    f.reopen();
    for (int turn = 0; turn < 2; ++turn) {
      const auto folded = f.fold();
      REQUIRE_FALSE(folded.ok());
      CHECK(folded.error().code() == Code::data_loss);
      CHECK(folded.error().page() == 532);
    }
  }
  CHECK_FALSE(test::exists(f.at("checkpoint")));
  CHECK(f.told.empty());
  CHECK(f.tales().empty());

  f.store.held[f.tenant][300] = leaf;  // the right store is put back
  CHECK(f.fold().ok());
  CHECK(f.told.size() == 1);
}

TEST_CASE("audit: a store whose leaves lead elsewhere leaves the tiles that are there alone") {
  Fixture f;
  f.sign(600);
  f.store.held[f.tenant][3] = "another leaf";
  f.remove("tile/0/001");
  const std::string entries = test::slurp(f.at("tile/entries/000"));
  const std::string kept = f.checkpoint();
  f.reopen();
  CHECK(f.log->size(f.tenant) == 600);
  CHECK(f.fold().error().page() == 532);
  CHECK(test::slurp(f.at("tile/entries/000")) == entries);
  CHECK(f.checkpoint() == kept);
}

TEST_CASE("audit: a store with fewer leaves than it remembers to have signed is refused") {
  Fixture f;
  f.sign(30);
  f.store.held[f.tenant].resize(20);
  f.remove("");
  f.reopen();
  const auto folded = f.fold();
  REQUIRE_FALSE(folded.ok());
  CHECK(has(folded.error().text(), "the store has 20 leaves, 30 were signed"));
}

TEST_CASE("audit: a log of other leaves under the same key in the folder's place is not gone on") {
  Fixture honest;
  honest.sign(50);
  Fixture forged;
  forged.log.reset();
  std::filesystem::copy_file(honest.folder.at("audit.key"), forged.folder.at("audit.key"),
                             std::filesystem::copy_options::overwrite_existing);
  forged.reopen();
  forged.add(50);
  forged.store.held[forged.tenant][7] = "another leaf";
  forged.sign(10);
  honest.remove("");
  std::filesystem::copy(forged.folder.at("audit"), honest.folder.at("audit"),
                        std::filesystem::copy_options::recursive);
  honest.store.held = forged.store.held;
  honest.reopen();
  const auto folded = honest.fold();
  REQUIRE_FALSE(folded.ok());
  CHECK(folded.error().page() == 532);
}

TEST_CASE("audit: under a new key a log of other leaves may begin, and says that it does") {
  Fixture f;
  f.sign(30);
  f.store.held[f.tenant][9] = "another leaf";
  f.remove("");
  REQUIRE(::unlink(f.folder.at("audit.key").c_str()) == 0);
  f.reopen();
  REQUIRE(f.fold().ok());
  CHECK(f.told.size() == 1);
  REQUIRE(f.tales().size() == 1);
  CHECK(text_or(f.tales()[0], "outcome", "") == "other");
  CHECK(find(*find(f.tales()[0], "facts"), "new_key")->get_bool());
  CHECK(f.complaint("") == "verified");
  f.reopen();
  f.add(1);
  CHECK(f.fold().ok());
  CHECK(f.told.size() == 1);
}

TEST_CASE("audit: what was signed is remembered once, and a log from before is remembered too") {
  Fixture f;
  f.sign(10);
  CHECK(f.store.commits == 1);
  f.reopen();
  CHECK(f.fold().value() == 0);
  CHECK(f.fold().value() == 0);
  CHECK(f.store.commits == 1);
  f.store.signed_rows.clear();  // a store from before it remembered
  f.reopen();
  CHECK(f.fold().value() == 0);
  CHECK(f.store.commits == 2);
  f.log.reset();
  f.remove("");
  f.reopen();
  REQUIRE(f.fold().ok());
  CHECK(f.told.size() == 1);
}

TEST_CASE("audit: what was signed after the store last remembered is no loss") {
  Fixture f;
  f.sign(10);
  const auto earlier = f.store.signed_rows;
  f.reopen();
  f.sign(300);
  f.store.signed_rows = earlier;  // the process ended between checkpoint and commit
  f.reopen();
  CHECK(f.fold().value() == 0);
  CHECK(f.told.empty());
  CHECK(f.tales().empty());
}

}  // namespace aios::govern
