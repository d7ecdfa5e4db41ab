// SPDX-License-Identifier: Apache-2.0
// Whatever is done to the files of a log, the verifier sees it and names what was done it to.
#include "core/text.h"
#include "govern/audit.h"
#include "govern/audit_verify.h"
#include "govern/merkle.h"
#include "govern/test/fixtures.h"
#include "govern/tlog.h"
#include "govern/tlog_proof.h"
#include "runtime/sim.h"

#include <doctest/doctest.h>

#include <filesystem>

namespace aios::govern {
namespace {

using Kind = LogFault::Kind;

struct Log {
  test::Folder folder;
  test::LeafStore store;
  runtime::SimExecutor loop;
  std::unique_ptr<AuditLog> log;
  std::vector<KeptCheckpoint> kept;

  Log() {
    log = AuditLog::open(folder.at("audit"), folder.at("audit.key"), "aios.example/audit").value();
    for (const std::uint64_t size : {40ULL, 256ULL, 700ULL, 1'300ULL}) {
      grow(size);
    }
  }
  void grow(std::uint64_t size) {
    auto& all = store.held[default_tenant()];
    while (all.size() < size) {
      all.push_back(fmt::format("leaf {} {}", all.size(), std::string(all.size() % 90, 'x')));
    }
    REQUIRE(loop.run(log->fold(store)).ok());
    kept.push_back({fmt::format("at-{}", size), test::slurp(at("checkpoint"))});
  }
  std::string at(const std::string& name) const { return folder.at("audit/default/" + name); }
  Result<VerifyReport> verify(LogFault* fault, std::vector<KeptCheckpoint> with = {}) const {
    return verify_log({at(""), log->verifier_key(), std::move(with), nullptr}, fault);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> found;
    const std::string base = at("");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(base)) {
      if (entry.is_regular_file()) {
        found.push_back(entry.path().string().substr(base.size()));
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }
};

std::size_t below(runtime::Random& random, std::size_t bound) {
  return static_cast<std::size_t>(random.next() % bound);
}

std::string joined(const std::vector<std::string>& entries) {
  std::string bundle;
  for (const auto& entry : entries) {
    append_entry(bundle, entry);
  }
  return bundle;
}

std::vector<std::string> entries_in(const std::string& bundle) {
  const auto views = split_entries(bundle).value();
  return {views.begin(), views.end()};
}

/// One byte changed, added or taken away, or the end cut off.
std::string mutated(std::string bytes, runtime::Random& random) {
  const std::size_t where = below(random, bytes.size());
  switch (below(random, 4)) {
    case 0: bytes[where] = static_cast<char>(bytes[where] ^ (1 << below(random, 8))); break;
    case 1: bytes.insert(where, 1, static_cast<char>(bytes[where] + 1)); break;
    case 2: bytes.erase(where, 1); break;
    default: bytes.resize(where);
  }
  return bytes;
}

/// Leaves of one bundle edited, taken out, put in or moved. @return the first that is another now
std::uint64_t rearrange(std::vector<std::string>& entries, runtime::Random& random) {
  const std::size_t at = below(random, entries.size() - 1);
  switch (below(random, 4)) {
    case 0: entries[at] += "!"; break;
    case 1: entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(at)); break;
    case 2: entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(at), "put in"); break;
    default: std::swap(entries[at], entries[at + 1 + below(random, entries.size() - at - 1)]);
  }
  return at;
}

std::uint64_t index_in(const std::string& path) { return parse_tile_path(path).value().index; }

}  // namespace

TEST_CASE("audit: any byte of any file that is changed, added or lost names that file") {
  const Log log;
  const auto files = log.files();
  // Checkpoint, bundles, tiles, the tile above and two narrower ones that it replaced.
  REQUIRE(files.size() == 1 + 6 + 6 + 1 + 2);
  LogFault fault;
  REQUIRE(log.verify(&fault, log.kept).ok());
  CHECK(fault.kind == Kind::none);
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    runtime::SimExecutor world(seed);
    auto& random = world.random();
    const std::string& file = files[seed % files.size()];
    const std::string good = test::slurp(log.at(file));
    const std::string bad = mutated(good, random);
    if (bad == good) {
      continue;
    }
    test::spill(log.at(file), bad);
    const auto report = log.verify(&fault);
    INFO("seed ", seed, ", file ", file, ": ",
         report.ok() ? std::string("verified") : report.error().text());
    REQUIRE_FALSE(report.ok());
    CHECK(fault.file == file);
    CHECK((report.error().page() == 522 || file == "checkpoint"));
    test::spill(log.at(file), good);
  }
  CHECK(log.verify(&fault).ok());
}

TEST_CASE("audit: leaves edited, taken out, put in or moved are named by the first of them") {
  const Log log;
  std::size_t cases = 0;
  for (const std::string& file : log.files()) {
    if (!file.starts_with("tile/entries/")) {
      continue;
    }
    const std::string good = test::slurp(log.at(file));
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      runtime::SimExecutor world(seed * 1'000 + cases);
      auto& random = world.random();
      auto entries = entries_in(good);
      const std::uint64_t leaf = index_in(file) * 256 + rearrange(entries, random);
      test::spill(log.at(file), joined(entries));
      LogFault fault;
      const auto report = log.verify(&fault);
      INFO("seed ", seed, ", file ", file);
      REQUIRE_FALSE(report.ok());
      CHECK(fault.kind == Kind::leaf);
      CHECK(fault.file == file);
      CHECK(fault.leaf == leaf);
      CHECK(report.error().text().find(fmt::format("leaf {}", leaf)) != std::string::npos);
      ++cases;
    }
    test::spill(log.at(file), good);
  }
  CHECK(cases == 360);
}

TEST_CASE("audit: a hash that was changed is told from the leaf that was not") {
  const Log log;
  const std::string good = test::slurp(log.at("tile/0/003"));
  for (std::size_t slot = 0; slot < 256; slot += 5) {
    std::string bad = good;
    bad[slot * 32 + slot % 32] = static_cast<char>(bad[slot * 32 + slot % 32] ^ 4);
    test::spill(log.at("tile/0/003"), bad);
    LogFault fault;
    CHECK_FALSE(log.verify(&fault).ok());
    CHECK(fault.kind == Kind::file);
    CHECK(fault.file == "tile/0/003");
    CHECK(fault.leaf == 3 * 256 + slot);
  }
}

TEST_CASE("audit: files that are gone or exchanged are named") {
  const Log log;
  for (const std::string& file : log.files()) {
    if (file == "tile/1/000.p/1" || file == "tile/1/000.p/2") {
      continue;  // replaced by a wider one: nobody needs them
    }
    const std::string good = test::slurp(log.at(file));
    std::filesystem::remove(log.at(file));
    LogFault fault;
    CHECK_FALSE(log.verify(&fault).ok());
    CHECK(fault.file == file);
    test::spill(log.at(file), good);
  }
  for (const auto& [one, other, first] : {std::tuple("tile/entries/001", "tile/entries/003", 256),
                                          std::tuple("tile/0/002", "tile/0/004", 512)}) {
    const std::string bytes = test::slurp(log.at(one));
    const std::string others = test::slurp(log.at(other));
    test::spill(log.at(one), others);
    test::spill(log.at(other), bytes);
    LogFault fault;
    CHECK_FALSE(log.verify(&fault).ok());
    CHECK(fault.file == one);
    CHECK(fault.leaf == static_cast<std::uint64_t>(first));
    test::spill(log.at(one), bytes);
    test::spill(log.at(other), others);
  }
}

TEST_CASE("audit: leaves rewritten together with their hashes are narrowed down to their tile") {
  const Log log;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    runtime::SimExecutor world(seed);
    auto& random = world.random();
    const std::uint64_t bundle = seed % 5;
    const std::string entries_file = log.at(fmt::format("tile/entries/{:03}", bundle));
    const std::string hashes_file = log.at(fmt::format("tile/0/{:03}", bundle));
    const std::string good = test::slurp(entries_file);
    const std::string good_hashes = test::slurp(hashes_file);
    auto entries = entries_in(good);
    std::string& edited = entries[below(random, 256)];
    edited += "!";
    std::string hashes;
    for (const auto& entry : entries) {
      hashes += view(leaf_hash(entry));
    }
    test::spill(entries_file, joined(entries));
    test::spill(hashes_file, hashes);
    LogFault fault;
    CHECK_FALSE(log.verify(&fault).ok());
    CHECK(fault.kind == Kind::rewritten);
    CHECK(fault.file == fmt::format("tile/0/{:03}", bundle));
    CHECK(fault.leaf == bundle * 256);
    test::spill(entries_file, good);
    test::spill(hashes_file, good_hashes);
  }
}

TEST_CASE(
    "audit: an older directory is told by every checkpoint kept since, and a fork by where it "
    "begins") {
  Log log;
  LogFault fault;
  const std::string newest = test::slurp(log.at("checkpoint"));
  test::spill(log.at("checkpoint"), log.kept[2].note);  // the folder of then, with the files of now
  CHECK(log.verify(&fault, {log.kept[0], log.kept[1], log.kept[2]}).ok());
  auto report = log.verify(&fault, log.kept);
  REQUIRE_FALSE(report.ok());
  CHECK(report.error().page() == 523);
  CHECK(fault.kind == Kind::truncated);
  CHECK(report.error().text().find(
            "the log has 700 leaves, the checkpoint at-1300 has 1300: 600 leaves are gone") !=
        std::string::npos);
  test::spill(log.at("checkpoint"), newest);

  const auto kept = log.kept;
  std::filesystem::remove_all(log.folder.at("audit"));
  log.log.reset();
  log.store.signed_rows.clear();  // who forges the store with all its keys
  log.store.held[default_tenant()][500] = "another history";
  log.log = AuditLog::open(log.folder.at("audit"), log.folder.at("audit.key"), "aios.example/audit")
                .value();
  log.grow(1'300);
  CHECK(log.verify(&fault).ok());
  CHECK(log.verify(&fault, {kept[0], kept[1]}).ok());
  report = log.verify(&fault, kept);
  REQUIRE_FALSE(report.ok());
  CHECK(fault.kind == Kind::forked);
  CHECK_MESSAGE(report.error().text().find("the first 256 leaves are those of at-256, so the first "
                                           "other leaf is one of 256 to 699") != std::string::npos,
                report.error().text());
  report = log.verify(&fault, {kept[3]});  // as long as the log
  REQUIRE_FALSE(report.ok());
  CHECK(fault.kind == Kind::forked);
  report = log.verify(&fault, {kept[3], log.kept.back()});
  REQUIRE_FALSE(report.ok());
  CHECK(report.error().text().find("both have 1300 leaves") != std::string::npos);
}

TEST_CASE("audit: the report proves to whoever has two checkpoints that one continues the other") {
  const Log log;
  const auto report = log.verify(nullptr, log.kept);
  REQUIRE(report.ok());
  REQUIRE(report->continued.size() == 4);
  const auto digest = [](const std::string& hex) {
    Digest out{};
    const std::string bytes = from_hex(hex).value();
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
  };
  for (const Continued& one : report->continued) {
    CHECK(verify_consistency({one.size, digest(one.root_hex)},
                             {report->size, digest(report->root_hex)}, one.proof)
              .ok());
  }
  CHECK(report->continued[0].proof.size() > 3);
}

TEST_CASE("tlog: a proof from tiles is the one from all leaf hashes, for every pair of sizes") {
  std::vector<Digest> hashes;
  for (std::uint64_t i = 0; i < 600; ++i) {
    hashes.push_back(leaf_hash(std::to_string(i)));
  }
  for (const std::uint64_t size : {1ULL, 2ULL, 255ULL, 256ULL, 257ULL, 511ULL, 512ULL, 600ULL}) {
    std::vector<Digest> above;
    for (std::uint64_t tile = 0; tile < size / 256; ++tile) {
      const auto begin = hashes.begin() + static_cast<std::ptrdiff_t>(tile * 256);
      above.push_back(root_of({begin, begin + 256}));
    }
    const ReadTile read = [&](const TileId& id) -> Result<std::string> {
      const auto& level = id.level == 0 ? hashes : above;
      std::string bytes;
      for (std::uint64_t i = 0; i < id.width; ++i) {
        bytes += view(level.at(id.index * 256 + i));
      }
      return bytes;
    };
    const std::vector<Digest> all(hashes.begin(),
                                  hashes.begin() + static_cast<std::ptrdiff_t>(size));
    for (std::uint64_t older = 1; older <= size; ++older) {
      CHECK(prove_consistency(size, older, read).value() == prove_consistency(all, older));
    }
  }
  const ReadTile none = [](const TileId&) { return Result<std::string>(std::string("short")); };
  CHECK(prove_consistency(300, 5, none).error().page() == 522);
}

}  // namespace aios::govern
