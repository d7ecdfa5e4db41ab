// SPDX-License-Identifier: Apache-2.0
#include "app/doctor.h"

#include "core/test/folder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

namespace aios::app {
namespace {

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;
constexpr Time noon{1'800'000'000'000'000'000};

Symptoms healthy() {
  Symptoms out;
  out.now = noon;
  out.disk_size = 100 * gibibyte;
  out.disk_free = 60 * gibibyte;
  out.data_bytes = gibibyte;
  out.delta_bytes_max = gibibyte / 4;
  out.clock_synchronised = true;
  out.newest_commit = noon;
  out.admins = 2;
  out.descriptors = 65'536;
  out.listening = true;
  out.listener = "127.0.0.1:8787";
  return out;
}

Finding found(const Symptoms& symptoms, std::string_view part) {
  const auto all = examine(symptoms);
  const auto at =
      std::find_if(all.begin(), all.end(), [part](const Finding& one) { return one.part == part; });
  REQUIRE(at != all.end());
  return *at;
}

/// What every finding owes to who reads it.
void check_all(const Symptoms& symptoms) {
  for (const Finding& one : examine(symptoms)) {
    CHECK_FALSE(one.found.empty());
    CHECK((one.health == Health::good) == one.next.empty());
  }
}

}  // namespace

TEST_CASE("doctor: a healthy server has nothing to be done") {
  const Json report = to_json(examine(healthy()));
  CHECK(text_or(report, "health", "") == "good");
  check_all(healthy());
}

TEST_CASE("doctor: a disk that grows says when it is full") {
  Symptoms it = healthy();
  it.growth = {{noon - std::chrono::hours(24), gibibyte}, {noon, 11 * gibibyte}};
  it.disk_free = 90 * gibibyte;
  CHECK(found(it, "disk").found.find("+10.0 GiB a day, full in 9 days") != std::string::npos);
  CHECK(found(it, "disk").health == Health::watch);
  it.disk_free = 15 * gibibyte;
  CHECK(found(it, "disk").health == Health::bad);
  it.growth.pop_back();
  CHECK(found(it, "disk").health == Health::good);
  it.disk_free = gibibyte / 4;
  CHECK(found(it, "disk").health == Health::bad);
  check_all(it);
}

TEST_CASE("doctor: a model that serves and cannot be read is named") {
  Symptoms it = healthy();
  CHECK(found(it, "models").health == Health::good);
  it.models_unread = {"alias 'triage': blob file 'x' is missing", "alias 'score': damaged"};
  CHECK(found(it, "models").health == Health::bad);
  CHECK(found(it, "models").found.find("'triage'") != std::string::npos);
  CHECK(found(it, "models").found.find("'score'") != std::string::npos);
  check_all(it);
}

TEST_CASE("doctor: a disk that fails is not taken for damage of the tables") {
  Symptoms it = healthy();
  it.damaged = true;
  CHECK(found(it, "store").next.find("0410") != std::string::npos);
  it.fold_error = "the disk failed to read 'tables.db': Input/output error (SQLite 11) [AIOS-0421]";
  CHECK(found(it, "store").found.find("Input/output error") != std::string::npos);
  CHECK(found(it, "store").next.find("0421") != std::string::npos);
  check_all(it);
}

TEST_CASE("doctor: keys that others may read, or that lie about, are told of") {
  Symptoms it = healthy();
  it.admins = 1;
  CHECK(found(it, "keys").health == Health::watch);
  it.first_key_lies_there = true;
  CHECK(found(it, "keys").found.find("first key") != std::string::npos);
  it.readable_by_others = {"root.key"};
  CHECK(found(it, "keys").health == Health::bad);
  CHECK(found(it, "keys").found.find("root.key") != std::string::npos);
  check_all(it);
}

TEST_CASE("doctor: an audit log that takes up nothing is bad, and not the store's fault") {
  Symptoms it = healthy();
  it.not_signing = "the store has 3 leaves, the log has signed 9 [AIOS-0524]";
  CHECK(found(it, "audit").health == Health::bad);
  CHECK(found(it, "audit").found.find("AIOS-0524") != std::string::npos);
  CHECK(found(it, "store").health == Health::good);
  check_all(it);
}

TEST_CASE(
    "doctor: how far the audit log's files are verified is said, and where they are altered") {
  Symptoms it = healthy();
  it.patrol.under_way = 256;
  it.patrol.under_way_of = 70'000;
  CHECK(found(it, "audit").found ==
        "0 leaves wait for a signed checkpoint; not verified yet, 256 of 70000 leaves are");
  it.patrol.logs = 1;
  it.patrol.leaves = 512;
  it.patrol.oldest = noon - std::chrono::hours(1);
  CHECK(found(it, "audit").found.ends_with("; verified to leaf 511 at 2027-01-15T07:00:00Z"));
  CHECK(found(it, "audit").health == Health::good);
  it.patrol.logs = 2;
  CHECK(found(it, "audit").found.find("2 logs verified, 512 leaves") != std::string::npos);
  it.patrol.altered = {"the log of 'acme': leaf 3 is another [AIOS-0522]"};
  CHECK(found(it, "audit").health == Health::bad);
  CHECK(found(it, "audit").found.find("'acme'") != std::string::npos);
  check_all(it);
}

TEST_CASE("doctor: a clock behind the data, or that nobody sets, is told of") {
  Symptoms it = healthy();
  it.clock_synchronised = false;
  CHECK(found(it, "clock").health == Health::watch);
  it.newest_commit = noon + std::chrono::hours(1);
  CHECK(found(it, "clock").health == Health::bad);
  it.clock_synchronised = true;
  it.newest_commit = noon;
  it.ahead = 3;
  it.ahead_most = noon + std::chrono::hours(24 * 9);
  CHECK(found(it, "clock").health == Health::watch);
  CHECK(found(it, "clock").found.find("3 runs or deliveries") != std::string::npos);
  check_all(it);
  it.ahead = 0;
  it.clock_synchronised = std::nullopt;
  CHECK(found(it, "clock").health == Health::good);
}

TEST_CASE("doctor: a listener for all without TLS is bad, a certificate that ends is watched") {
  Symptoms it = healthy();
  it.loopback = false;
  CHECK(found(it, "listener").health == Health::bad);
  it.tls = true;
  it.certificate_until = noon + std::chrono::hours(24 * 90);
  CHECK(found(it, "listener").health == Health::good);
  it.certificate_until = noon + std::chrono::hours(24 * 5);
  CHECK(found(it, "listener").health == Health::watch);
  it.certificate_until = noon - std::chrono::hours(1);
  CHECK(found(it, "listener").health == Health::bad);
  check_all(it);
}

TEST_CASE("doctor: store, limits, bundle, people and audit each have a word of their own") {
  Symptoms it = healthy();
  it.read_only = true;
  it.descriptors = 1024;
  it.source_troubles = {"no folder"};
  CHECK(found(it, "bundle").health == Health::watch);
  CHECK(found(it, "bundle").next.find("--watch-root") != std::string::npos);
  it.missing_secrets = {"secret 'desk' is missing"};
  it.incidents = 1;
  it.unsigned_leaves = 1'000'000;
  CHECK(found(it, "store").health == Health::bad);
  CHECK(found(it, "limits").health == Health::watch);
  CHECK(found(it, "bundle").health == Health::bad);
  CHECK(found(it, "people").health == Health::watch);
  CHECK(found(it, "audit").health == Health::watch);
  CHECK(found(it, "runs").health == Health::good);
  CHECK(found(it, "deliveries").health == Health::good);
  it.faulted = 5;
  it.dead_deliveries = 2;
  CHECK(found(it, "runs").found == "5 faulted in the last day");
  CHECK(found(it, "runs").next.find("aios runs retry") != std::string::npos);
  CHECK(found(it, "deliveries").found == "2 given up");
  CHECK(found(it, "deliveries").health == Health::watch);
  CHECK(text_or(to_json(examine(it)), "health", "") == "bad");
  check_all(it);
}

TEST_CASE(
    "growth: samples are kept over a restart, an hour apart, and a damaged file begins anew") {
  const aios::test::Folder folder;
  const std::string file = folder.at("disk-growth.jsonl");
  Growth growth(file);
  CHECK(growth.is_due(noon));
  REQUIRE(growth.add({noon, 100}).ok());
  CHECK_FALSE(growth.is_due(noon + std::chrono::minutes(59)));
  CHECK(growth.is_due(noon + std::chrono::hours(1)));
  REQUIRE(growth.add({noon + std::chrono::hours(12), 700}).ok());
  Growth again(file);
  REQUIRE(again.samples().size() == 2);
  CHECK(growth_per_day(again.samples()).value() == doctest::Approx(1200));
  REQUIRE(again.add({noon - std::chrono::hours(1), 50}).ok());  // the clock was set back
  CHECK(again.samples().size() == 1);
  std::ofstream(file) << "not json\n{\"at\": -5}\n";
  CHECK(Growth(file).samples().empty());
}

TEST_CASE("growth: the file has a bound") {
  const aios::test::Folder folder;
  Growth growth(folder.at("disk-growth.jsonl"));
  for (std::size_t at = 0; at < Growth::samples_max + 10; ++at) {
    REQUIRE(growth.add({noon + std::chrono::hours(at), at}).ok());
  }
  CHECK(growth.samples().size() == Growth::samples_max);
  CHECK(growth.samples().front().bytes == 10);
}

}  // namespace aios::app
