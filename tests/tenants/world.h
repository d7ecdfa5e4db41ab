// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/tenants/world: an installation whole, but for its listener: the rooms of a server
// (app/rooms) behind their router, on simulated time, a store in memory and one random that nobody
// can use up for others.

#include "loop.h"
#include "outside.h"

#include "app/rooms.h"
#include "runtime/task_group.h"
#include "store/memory.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aios::tenants {

/// One request.
struct Ask {
  std::string method = "GET";
  std::string target;
  std::string key;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

class World {
 public:
  /// @param folder  for the audit logs; made anew.
  explicit World(const std::string& folder);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const std::string& first_key() const { return first_key_; }
  /// Its administrator's key.
  std::string make_tenant(const std::string& name);
  /// Time passes only where the answer waits for it.
  net::Response ask(const Ask& ask);
  /// Since the start; earlier than now: nothing happens.
  void wait_until(Duration since_start);
  void rest(Duration pause) { wait_until(loop_.clock().instant() + pause - start_); }
  void set_down(const std::string& tenant, bool down);
  const std::vector<net::Route>& routes() const { return rooms_->router.routes(); }
  Time now() { return loop_.clock().now(); }

 private:
  void build(const std::string& folder);
  void start(const std::string& folder);
  void settle();
  void advance_until(const std::atomic<bool>& done);
  template <class T>
  T run(Task<T> task) {
    std::optional<T> slot;
    std::atomic<bool> done = false;
    runtime::TaskGroup group(loop_);
    group.spawn(fill(std::move(task), &slot, &done));
    advance_until(done);
    settle();
    return std::move(*slot);
  }
  template <class T>
  static Task<void> fill(Task<T> task, std::optional<T>* slot, std::atomic<bool>* done) {
    auto value = co_await std::move(task);
    slot->emplace(std::move(value));
    *done = true;
  }
  static Task<int> ended(Task<void> task) {
    co_await std::move(task);
    co_return 0;
  }

  Loop loop_;
  Outside outside_;
  observe::Metrics metrics_;
  observe::Log log_{[](std::string_view) {}};
  runtime::BlockingPool pool_{1};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<govern::AuditLog> audit_;
  std::unique_ptr<app::Rooms> rooms_;
  std::atomic<bool> ready_{true};
  std::atomic<bool> damaged_{false};
  std::shared_ptr<CancelState> stopping_ = std::make_shared<CancelState>();
  std::unique_ptr<runtime::TaskGroup> background_;
  Instant start_;
  std::string first_key_;
};

}  // namespace aios::tenants
