// SPDX-License-Identifier: Apache-2.0
#include "govern/audit.h"

#include "core/crypto.h"
#include "core/text.h"
#include "govern/audit_verify.h"
#include "govern/test/fixtures.h"
#include "govern/tlog.h"
#include "runtime/sim.h"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

namespace aios::govern {
namespace {

constexpr const char* log_origin = "aios.example/audit";

// A log of one tenant over a store that a test may change.
struct Fixture {
  test::Folder folder;
  test::LeafStore store;
  runtime::SimExecutor loop;
  std::unique_ptr<AuditLog> log;
  TenantId tenant = default_tenant();

  Fixture() { reopen(); }
  void reopen() {
    log.reset();
    log = AuditLog::open(folder.at("audit"), folder.at("audit.key"), log_origin).value();
  }
  Result<std::uint64_t> fold() { return loop.run(log->fold(store)); }
  void add(std::size_t count) {
    auto& leaves = store.held[tenant];
    for (std::size_t i = 0; i < count; ++i) {
      leaves.push_back("leaf number " + std::to_string(leaves.size()));
    }
  }
  std::string at(const std::string& name) const {
    return folder.at("audit/" + tenant.text() + "/" + name);
  }
  std::string checkpoint() const { return test::slurp(at("checkpoint")); }
  Result<VerifyReport> verify(const std::string& older = "") const {
    LogCheck check{folder.at("audit/" + tenant.text()), log->verifier_key(), {}, nullptr};
    if (!older.empty()) {
      check.kept.push_back({"kept", older});
    }
    return verify_log(std::move(check));
  }
  std::string complaint(const std::string& older = "") const {
    const auto report = verify(older);
    return report.ok() ? std::string("verified") : report.error().text();
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Replaces the entry of that number in a bundle.
std::string with_entry(const std::string& bundle, std::size_t number, const std::string& entry) {
  std::string changed;
  const auto entries = split_entries(bundle).value();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    append_entry(changed, i == number ? std::string_view(entry) : entries[i]);
  }
  return changed;
}

}  // namespace

TEST_CASE("audit: leaves become a log that verifies, also across full tiles and restarts") {
  Fixture f;
  for (const std::size_t count : {1, 2, 250, 3, 1, 600, 5}) {
    f.add(count);
    CHECK(f.fold().value() == count);
    const auto report = f.verify();
    REQUIRE(report.ok());
    CHECK(report->size == f.store.held[f.tenant].size());
    CHECK(report->leaves_checked == report->size);
    CHECK(report->origin == std::string(log_origin) + "/default");
    f.reopen();
    CHECK(f.log->size(f.tenant) == report->size);
  }
  CHECK(f.fold().value() == 0);
  CHECK(test::exists(f.at("tile/entries/000")));
  CHECK_FALSE(test::exists(f.at("tile/0/000.p")));
  CHECK(test::exists(f.at("tile/1/000.p/3")));
  CHECK_FALSE(test::exists(f.at("tile/0/000.tmp")));
}

TEST_CASE("audit: each tenant has a log of its own, signed by the same key") {
  Fixture f;
  f.add(3);
  f.store.held[TenantId::parse("acme").value()] = {"theirs"};
  CHECK(f.fold().value() == 4);
  const auto other = verify_log({f.folder.at("audit/acme"), f.log->verifier_key(), {}, nullptr});
  REQUIRE(other.ok());
  CHECK(other->origin == std::string(log_origin) + "/acme");
  CHECK(f.verify()->size == 3);
}

TEST_CASE("audit: an older checkpoint is continued by every later log") {
  Fixture f;
  std::vector<std::string> older;
  for (int i = 0; i < 6; ++i) {
    f.add(111);
    REQUIRE(f.fold().ok());
    older.push_back(f.checkpoint());
  }
  for (const std::string& checkpoint : older) {
    CHECK(f.complaint(checkpoint) == "verified");
  }
}

TEST_CASE("audit: an edited leaf is named") {
  Fixture f;
  f.add(600);
  REQUIRE(f.fold().ok());
  const std::string path = f.at("tile/entries/001");
  test::spill(path, with_entry(test::slurp(path), 44, "leaf number 999"));
  const std::string complaint = f.complaint();
  CHECK(has(complaint, "leaf 300 in tile/entries/001 is not the one that was signed"));
  CHECK(has(complaint, "AIOS-0522"));
}

TEST_CASE("audit: a deleted and a swapped leaf are named") {
  Fixture f;
  f.add(300);
  REQUIRE(f.fold().ok());
  const std::string path = f.at("tile/entries/000");
  const std::string good = test::slurp(path);
  const auto entries = split_entries(good).value();
  std::string shorter;
  std::string swapped;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i != 10) {
      append_entry(shorter, entries[i]);
    }
    append_entry(swapped, i == 20 ? entries[21] : i == 21 ? entries[20] : entries[i]);
  }
  test::spill(path, shorter);
  CHECK(has(f.complaint(), "leaf 10 in tile/entries/000"));
  test::spill(path, swapped);
  CHECK(has(f.complaint(), "leaf 20 in tile/entries/000"));
  test::spill(path, good.substr(0, good.size() - entries.back().size() - 2));
  CHECK(has(f.complaint(), "tile/entries/000 has 255 entries, wanted 256"));
  test::spill(path, good.substr(0, good.size() - 1));
  CHECK(has(f.complaint(), "tile/entries/000: entry 255 says"));
  test::spill(path, good);
  CHECK(f.complaint() == "verified");
}

TEST_CASE("audit: changed, missing and exchanged tiles are named") {
  Fixture f;
  f.add(600);
  REQUIRE(f.fold().ok());
  const std::string zero = f.at("tile/0/001");
  const std::string one = f.at("tile/1/000.p/2");
  const std::string good_zero = test::slurp(zero);
  const std::string good_one = test::slurp(one);
  std::string bad = good_zero;
  bad[40] = static_cast<char>(bad[40] ^ 1);
  test::spill(zero, bad);
  CHECK(has(f.complaint(), "the hash of leaf 257 in tile/0/001 is not the one that was signed"));
  test::spill(zero, good_zero);
  bad = good_one;
  bad[33] = static_cast<char>(bad[33] ^ 1);
  test::spill(one, bad);
  CHECK(has(f.complaint(), "hash 1 of tile/1/000.p/2 is not that of tile/0/001"));
  std::filesystem::remove(one);
  CHECK(has(f.complaint(), "tile/1/000.p/2 cannot be read"));
  test::spill(one, good_one);
  std::filesystem::remove(f.at("tile/entries/000"));
  CHECK(has(f.complaint(), "tile/entries/000 cannot be read"));
}

TEST_CASE("audit: leaves rewritten together with all their tiles do not lead to the signed root") {
  Fixture honest;
  honest.add(300);
  REQUIRE(honest.fold().ok());
  Fixture forged;
  forged.add(300);
  forged.store.held[forged.tenant][7] = "something else";
  REQUIRE(forged.fold().ok());
  std::filesystem::remove_all(honest.at("tile"));
  std::filesystem::copy(forged.at("tile"), honest.at("tile"),
                        std::filesystem::copy_options::recursive);
  CHECK(has(honest.complaint(), "leaves were rewritten together with their tiles"));
}

TEST_CASE("audit: a checkpoint signed by another key, changed, or of another log is refused") {
  Fixture f;
  f.add(5);
  REQUIRE(f.fold().ok());
  Fixture stranger;
  stranger.add(5);
  REQUIRE(stranger.fold().ok());
  CHECK(has(stranger.complaint(), "verified"));
  const std::string good = f.checkpoint();
  test::spill(f.at("checkpoint"), stranger.checkpoint());
  CHECK(has(f.complaint(), "no signature by a known key"));
  std::string changed = good;
  changed.replace(changed.find("\n5\n"), 3, "\n4\n");
  test::spill(f.at("checkpoint"), changed);
  CHECK(has(f.complaint(), "is false"));
  std::filesystem::remove(f.at("checkpoint"));
  CHECK(f.verify().error().code() == Code::not_found);
  CHECK(verify_log({f.at(""), "no key", {}, nullptr}).error().page() == 526);
}

TEST_CASE("audit: truncation and roll-back show against a checkpoint kept elsewhere") {
  Fixture f;
  f.add(40);
  REQUIRE(f.fold().ok());
  const std::string early = f.checkpoint();
  f.add(60);
  REQUIRE(f.fold().ok());
  const std::string late = f.checkpoint();
  test::spill(f.at("checkpoint"), early);  // the log of yesterday, as from an old backup
  CHECK(f.complaint() == "verified");
  const auto report = f.verify(late);
  REQUIRE_FALSE(report.ok());
  CHECK(report.error().code() == Code::failed_precondition);
  CHECK(has(report.error().text(),
            "the log has 40 leaves, the checkpoint kept has 100: 60 leaves are gone"));
}

TEST_CASE("audit: a fork signed with the same key shows against a checkpoint kept elsewhere") {
  Fixture f;
  f.add(50);
  REQUIRE(f.fold().ok());
  const std::string kept = f.checkpoint();
  std::filesystem::remove_all(f.folder.at("audit"));
  f.reopen();
  f.store.signed_rows.clear();  // who forges the store's leaves, with all its keys
  f.store.held[f.tenant][49] = "another history";
  f.add(50);
  REQUIRE(f.fold().ok());
  CHECK(f.complaint() == "verified");
  const auto report = f.verify(kept);
  REQUIRE_FALSE(report.ok());
  CHECK(report.error().code() == Code::failed_precondition);
  CHECK(has(report.error().text(), "is not its continuation but a fork"));
}

TEST_CASE("audit: a store with fewer or other leaves than were signed is not signed again") {
  Fixture f;
  f.add(30);
  REQUIRE(f.fold().ok());
  const std::string before = f.checkpoint();
  f.reopen();
  f.store.held[f.tenant].resize(20);
  auto folded = f.fold();
  REQUIRE_FALSE(folded.ok());
  CHECK(folded.error().page() == 524);
  f.add(15);
  f.store.held[f.tenant][29] = "another leaf";
  folded = f.fold();
  REQUIRE_FALSE(folded.ok());
  CHECK_MESSAGE(has(folded.error().text(), "leaf 29 in the store is not the one that was signed"),
                folded.error().text());
  CHECK(f.checkpoint() == before);
}

TEST_CASE(
    "audit: after a crash between tiles and checkpoint the log is written again to the same "
    "bytes") {
  Fixture f;
  f.add(200);
  REQUIRE(f.fold().ok());
  const std::string before = f.checkpoint();
  const auto remembered = f.store.signed_rows;
  f.add(400);
  REQUIRE(f.fold().ok());
  const std::string after = f.checkpoint();
  const std::string tile = test::slurp(f.at("tile/0/000"));
  // The state a crash leaves: new tiles, a half-written one, the old checkpoint.
  test::spill(f.at("checkpoint"), before);
  test::spill(f.at("tile/0/001.tmp"), "half");
  std::filesystem::remove(f.at("tile/entries/001"));
  f.store.signed_rows = remembered;
  f.reopen();
  CHECK(f.log->size(f.tenant) == 200);
  CHECK(f.fold().value() == 400);
  CHECK(f.checkpoint() == after);
  CHECK(test::slurp(f.at("tile/0/000")) == tile);
  CHECK(f.complaint(before) == "verified");
}

TEST_CASE("audit: a tenant whose log cannot go on does not hold up the others") {
  Fixture f;
  const TenantId acme = TenantId::parse("acme").value();  // folded before "default"
  f.store.held[acme] = {"one", "two"};
  f.add(3);
  REQUIRE(f.fold().ok());
  f.reopen();
  f.store.held[acme].pop_back();
  f.add(3);
  CHECK(f.fold().error().page() == 524);
  CHECK(f.log->size(f.tenant) == 6);
  CHECK(f.log->size(acme) == 2);
}

TEST_CASE("audit: a log whose tiles do not lead to its checkpoint is not continued") {
  Fixture f;
  f.add(10);
  REQUIRE(f.fold().ok());
  const std::string path = f.at("tile/entries/000.p/10");
  test::spill(path, with_entry(test::slurp(path), 3, "edited"));
  const auto opened = AuditLog::open(f.folder.at("audit"), f.folder.at("audit.key"), log_origin);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().page() == 522);
}

TEST_CASE("audit: a log keeps the origin it began with, whatever a new one would be called") {
  Fixture f;
  f.add(3);
  REQUIRE(f.fold().ok());
  const std::string key = f.log->verifier_key();
  const std::string older = f.checkpoint();
  f.log.reset();
  f.log =
      AuditLog::open(f.folder.at("audit"), f.folder.at("audit.key"), "other.example/audit").value();
  f.add(4);
  REQUIRE(f.fold().ok());
  CHECK(f.log->verifier_key() == key);
  CHECK(f.checkpoint().starts_with(std::string(log_origin) + "/default\n7\n"));
  CHECK(f.complaint(older) == "verified");
}

TEST_CASE("audit: a signing key that is gone is not made anew beside a signed log") {
  Fixture f;
  f.add(3);
  REQUIRE(f.fold().ok());
  REQUIRE(::unlink(f.folder.at("audit.key").c_str()) == 0);
  const auto opened = AuditLog::open(f.folder.at("audit"), f.folder.at("audit.key"), log_origin);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().page() == 528);
  CHECK(::access(f.folder.at("audit.key").c_str(), F_OK) != 0);
}

TEST_CASE(
    "audit: the signing key is made for its owner alone and a readable or damaged one is refused") {
  Fixture f;
  struct stat info{};
  REQUIRE(::stat(f.folder.at("audit.key").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  const std::string key = f.log->verifier_key();
  f.reopen();
  CHECK(f.log->verifier_key() == key);
  CHECK(VerifierKey::parse(key).ok());
  const auto open = [&](const std::string& origin) {
    return AuditLog::open(f.folder.at("audit"), f.folder.at("audit.key"), origin);
  };
  const std::string text = test::slurp(f.folder.at("audit.key"));
  for (const std::string& other :
       {std::string(), text.substr(8), std::string("PRIVATE+KEY+"), text.substr(0, 40),
        "PRIVATE+KEY+other" + text.substr(text.find('+', 12))}) {
    test::spill(f.folder.at("audit.key"), other);
    CHECK(open(log_origin).error().page() == 520);
  }
  test::spill(f.folder.at("audit.key"), text);
  CHECK(open(log_origin).ok());
  CHECK(open("two words").error().code() == Code::invalid_argument);
  REQUIRE(::chmod(f.folder.at("audit.key").c_str(), 0644) == 0);
  CHECK(open(log_origin).error().code() == Code::permission_denied);
}

}  // namespace aios::govern
