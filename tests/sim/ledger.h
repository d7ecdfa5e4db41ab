// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/sim/ledger: what a store was told and what it answered, beside the store, and what must be
// true of it: the newest epoch alone writes; versions follow one another; a key is claimed once; a
// budget stays in its limit; leaves have no gap; and after each crash everything that was
// acknowledged is there as it was, and what nobody was told of is there whole or not at all.
// Threading: one thread.

#include "runtime/sim.h"
#include "store/store.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace aios::sim {

/// A transition on its way.
struct Flight {
  enum class Fate : std::uint8_t { open, applied, absent, unsure };
  store::Transition transition;
  std::uint64_t life = 0;   ///< of the store, counted by the ledger
  std::uint64_t epoch = 0;  ///< of that life
  Fate fate = Fate::open;
};

class Ledger {
 public:
  using Violate = std::function<void(std::string)>;
  explicit Ledger(Violate violate) : violate_(std::move(violate)) {}

  /// A store was opened: what is in flight is in doubt.
  void opened(std::uint64_t epoch);
  std::shared_ptr<Flight> begin(store::Transition transition);
  void committed(const std::shared_ptr<Flight>& flight, const store::Committed& answer);
  /// @param sure  it is known that nothing was changed
  void refused(const std::shared_ptr<Flight>& flight, bool sure);
  /// Holds the store that was opened last against what is known of it.
  void compare(store::Store& store, runtime::SimExecutor& executor);

  std::uint64_t transitions() const { return acknowledged_; }
  std::uint64_t life() const { return life_; }
  std::uint64_t in_doubt() const { return doubted_; }
  std::uint64_t survived() const { return survived_; }  ///< of those in doubt

 private:
  using Name = std::tuple<std::string, store::StreamKind, std::string>;  // tenant, kind, id
  struct Line {
    std::uint64_t version = 0;
    std::uint16_t type = 0;
    std::string data;
    bool operator==(const Line&) const = default;
  };
  struct Stream {
    std::uint64_t version = 0;
    std::string status, label, state;
    std::optional<Time> wake_at;
    store::StreamEnd end = store::StreamEnd::open;
    std::vector<Line> history;
  };
  struct Found {
    std::map<Name, Stream> streams;
  };
  struct Key {
    store::KeyClaim claim;
    std::string tenant;
  };

  void note(const store::Transition& transition);
  void note_leaves(const store::Transition& transition, std::uint64_t first);
  void check_versions(const store::Transition& transition);
  void check_rest(const store::Transition& transition, const store::Committed& answer);
  std::set<Name> names() const;
  Found read(store::Store& store, runtime::SimExecutor& executor);
  void judge(const Found& found);
  void judge(const Found& found, Flight* flight) const;
  bool contested(const Name& name, std::uint64_t expected) const;
  bool all_known(const std::string& tenant) const;
  void compare_stream(const Name& name, const Stream& known, const Stream& found);
  void compare_keys(store::Store& store, runtime::SimExecutor& executor);
  void compare_budgets(store::Store& store, runtime::SimExecutor& executor);
  void compare_leaves(store::Store& store, runtime::SimExecutor& executor);
  void compare_outbox(store::Store& store, runtime::SimExecutor& executor);

  Violate violate_;
  std::uint64_t life_ = 0, epoch_ = 0, sequence_ = 0;
  std::uint64_t acknowledged_ = 0, doubted_ = 0, survived_ = 0;
  std::vector<std::shared_ptr<Flight>> flying_;
  std::vector<std::shared_ptr<Flight>> doubted_now_;  // of the lives before, while they are judged
  std::map<Name, Stream> streams_;
  std::map<std::pair<std::string, std::string>, Key> keys_;              // tenant; space and key
  std::map<std::pair<std::string, std::string>, std::int64_t> budgets_;  // tenant, account
  std::map<std::string, std::vector<std::string>> leaves_;               // by tenant
  std::map<std::uint64_t, std::string> outbox_;                          // id -> data
};

}  // namespace aios::sim
