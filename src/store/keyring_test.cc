// SPDX-License-Identifier: Apache-2.0
// The keyring over a keystore that can be held in the middle of a call.
#include "store/detail/keyring.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <condition_variable>
#include <map>
#include <thread>
#include <vector>

using namespace aios;
using namespace aios::store::detail;

namespace {

/// Holds whoever enters while it is shut.
class Gate {
 public:
  void shut() {
    std::lock_guard lock(mutex_);
    shut_ = true;
  }
  void open() {
    std::lock_guard lock(mutex_);
    shut_ = false;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    if (shut_) {
      ++inside_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !shut_; });
      --inside_;
    }
  }
  void wait_until_somebody_is_held() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool shut_ = false;
  int inside_ = 0;
};

class FakeKeyStore final : public KeyStore {
 public:
  Result<std::string> root_check() override { return root_check_; }
  Result<void> set_root_check(const std::string& sealed) override {
    root_check_ = sealed;
    return {};
  }
  Result<std::optional<std::string>> tenant_key(const std::string& tenant) override {
    std::lock_guard lock(mutex_);
    auto found = tenants_.find(tenant);
    return found == tenants_.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::uint64_t> next_id() override {
    std::lock_guard lock(mutex_);
    return next_id_;
  }
  Result<void> add(const WrappedKey& tenant, const std::vector<WrappedKey>& keys,
                   std::uint64_t next_id) override {
    adding.pass();
    std::lock_guard lock(mutex_);
    if (full) {
      return Error(Code::resource_exhausted, "the disk is full", Retry::same_call).page(405);
    }
    if (!tenant.wrapped.empty()) {
      tenants_.emplace(tenant.tenant, tenant.wrapped);
    }
    for (const WrappedKey& key : keys) {
      keys_.emplace(key.id, key);
    }
    next_id_ = next_id;
    return {};
  }
  Result<std::optional<WrappedKey>> key(std::uint64_t id) override {
    std::optional<WrappedKey> row;
    {
      std::lock_guard lock(mutex_);
      auto found = keys_.find(id);
      row = found == keys_.end() ? std::nullopt : std::optional(found->second);
    }
    if (auto hook = std::exchange(after_read, nullptr)) {
      hook();
    }
    return row;
  }
  Result<std::uint64_t> destroy(const std::vector<std::uint64_t>& ids) override {
    destroying.pass();
    std::lock_guard lock(mutex_);
    return keys_.erase(ids.at(0));
  }
  Result<KeyStoreImage> image() override { return KeyStoreImage(); }
  std::size_t keys() {
    std::lock_guard lock(mutex_);
    return keys_.size();
  }

  Gate adding;
  Gate destroying;
  std::function<void()> after_read;  ///< once
  bool full = false;

 private:
  std::mutex mutex_;
  std::string root_check_;
  std::map<std::string, std::string> tenants_;
  std::map<std::uint64_t, WrappedKey> keys_;
  std::uint64_t next_id_ = 1;
};

struct Room {
  explicit Room(std::size_t cached_max = 65'536) {
    auto opened = Keyring::open(keystore, std::string(32, 'r'), cached_max);
    REQUIRE(opened.ok());
    keyring = *std::move(opened);
    keyring->set_finder([this](const std::string&, const Fingerprint& subject) {
      auto found = journal.find(subject);
      return Result<std::uint64_t>(found == journal.end() ? std::uint64_t{0} : found->second);
    });
  }
  Keyring::Grant grant(const std::string& subject) {
    auto granted = keyring->grant("acme", subject, Time{0});
    if (!granted.ok()) {
      FAIL(granted.error().text());
    }
    return *std::move(granted);
  }
  /// What a durable commit does.
  void commit(Keyring::Grant& grant) {
    if (grant.assignment) {
      std::uint64_t& id = journal[grant.assignment->subject];
      id = std::max(id, grant.assignment->key_id);
      grant.hold.committed();
    }
  }
  std::uint64_t give(const std::string& subject) {
    Keyring::Grant granted = grant(subject);
    commit(granted);
    return granted.key_id;
  }

  FakeKeyStore keystore;
  std::map<Fingerprint, std::uint64_t> journal;
  std::unique_ptr<Keyring> keyring;
};

}  // namespace

TEST_CASE("keyring: what is refused gives its key back and leaves nothing in memory") {
  Room room;
  for (int i = 0; i < 5000; ++i) {
    (void)room.grant(fmt::format("person {}", i));
  }
  CHECK(room.keystore.keys() == 16);
  CHECK(room.keyring->subjects_cached() == 0);
}

TEST_CASE("keyring: of two that share a new key, one refused and one committed, it stays") {
  Room room;
  Keyring::Grant first = room.grant("ann");
  Keyring::Grant second = room.grant("ann");
  REQUIRE(second.assignment);
  CHECK(first.key_id == second.key_id);
  first.hold = Keyring::Hold();  // refused
  CHECK(room.grant("bob").key_id != second.key_id);
  room.commit(second);
  const Keyring::Grant later = room.grant("ann");
  CHECK(later.key_id == second.key_id);
  CHECK(!later.assignment);
}

TEST_CASE("keyring: a pool is filled ahead, and nobody who has a key waits for it") {
  Room room;
  room.keyring->fill_ahead();
  const std::uint64_t known = room.give("ann");
  room.keystore.adding.shut();
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 15; ++i) {  // all of the first pool: below its half a refill is under way
    ids.push_back(room.give(fmt::format("person {}", i)));
  }
  room.keystore.adding.wait_until_somebody_is_held();
  CHECK(room.grant("ann").key_id == known);
  CHECK(room.keyring->key(ids[3]).value().has_value());
  CHECK(room.keyring->fingerprint("acme", "space", "key").ok());
  room.keystore.adding.open();
  CHECK(room.grant("one more").key_id > ids.back());
}

TEST_CASE("keyring: destroying the keys of one subject stalls no other") {
  Room room;
  const std::uint64_t ann = room.give("ann");
  const std::uint64_t bob = room.give("bob");
  room.keystore.destroying.shut();
  std::thread eraser([&] { CHECK(room.keyring->destroy("acme", "ann").value() == 1); });
  room.keystore.destroying.wait_until_somebody_is_held();
  CHECK(room.grant("bob").key_id == bob);
  CHECK(room.give("carl") > bob);
  CHECK(room.keyring->key(bob).value().has_value());
  std::uint64_t later = 0;
  std::thread writer([&] { later = room.grant("ann").key_id; });  // waits for the end of it
  room.keystore.destroying.open();
  eraser.join();
  writer.join();
  CHECK(later > ann);
  CHECK(!room.keyring->key(ann).value());
}

TEST_CASE("keyring: a key that is destroyed while it is read does not come back") {
  Room room(1);
  const std::uint64_t ann = room.give("ann");
  room.give("bob");  // takes ann's place among the opened keys
  room.keystore.after_read = [&] { CHECK(room.keyring->destroy("acme", "ann").value() == 1); };
  (void)room.keyring->key(ann);
  CHECK(!room.keyring->key(ann).value());
}

TEST_CASE("keyring: who was erased and comes back gets a greater key than before") {
  Room room;
  Keyring::Grant refused = room.grant("bob");
  const std::uint64_t before = room.give("ann");
  REQUIRE(before > refused.key_id);
  Keyring::Grant pending = room.grant("carl");
  refused.hold = Keyring::Hold();  // a smaller key is free again
  CHECK(room.keyring->destroy("acme", "ann").value() == 1);
  CHECK(room.give("ann") > before);
  // Also when what used the destroyed key is still on its way.
  CHECK(room.keyring->destroy("acme", "carl").value() == 1);
  CHECK(room.give("carl") > pending.key_id);
  pending.hold.committed();
  CHECK(!room.keyring->key(pending.key_id).value());
  CHECK(room.keyring->destroy("acme", "carl").value() == 1);
  CHECK(room.give("dora") == refused.key_id);
}

TEST_CASE("keyring: subjects leave the memory at its bound and are found again") {
  Room room(100);
  std::map<std::string, std::uint64_t> given;
  for (int i = 0; i < 1000; ++i) {
    const std::string who = fmt::format("person {}", i);
    given[who] = room.give(who);
  }
  CHECK(room.keyring->subjects_cached() <= 100);
  for (const auto& [who, id] : given) {
    const Keyring::Grant again = room.grant(who);
    CHECK(again.key_id == id);
    CHECK(!again.assignment);
  }
}

TEST_CASE("keyring: a keystore without room is told to who needs a new key, and tried again") {
  Room room;
  const std::uint64_t ann = room.give("ann");
  room.keystore.full = true;
  for (int i = 0; i < 15; ++i) {
    room.give(fmt::format("person {}", i));
  }
  auto refused = room.keyring->grant("acme", "one more", Time{0});
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::resource_exhausted);
  CHECK(room.grant("ann").key_id == ann);
  room.keystore.full = false;
  CHECK(room.give("one more") > ann);
}
