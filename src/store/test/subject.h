// SPDX-License-Identifier: Apache-2.0
#pragma once
// store/test/subject: a store under test on any engine, that can be closed, crashed and opened
// again.

#include "core/test/folder.h"
#include "runtime/shards.h"
#include "store/memory.h"
#include "store/store.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace aios::store::testing {

/// Stands still until it is told to move.
class FakeClock final : public runtime::Clock {
 public:
  Time now() override { return {now_.load()}; }
  Instant instant() override { return {now_.load()}; }
  void advance(Duration span) { now_ += span.count(); }

 private:
  std::atomic<std::int64_t> now_{1'790'000'000'000'000'000};
};

enum class Kind : std::uint8_t { memory_inline, memory_threads, sqlite };

class Subject {
 public:
  explicit Subject(Kind kind);
  ~Subject();
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  Store& store() { return *store_; }
  FakeClock& clock() { return clock_; }
  StoreOptions& options() { return options_; }
  MemoryDisk& disk() { return *disk_; }
  Kind kind() const { return kind_; }
  const aios::test::Folder& scratch() const { return scratch_; }
  bool is_sqlite() const { return kind_ == Kind::sqlite; }

  void open();
  Result<std::unique_ptr<Store>> try_open();
  void close() { store_.reset(); }
  void reopen() {
    close();
    open();
  }
  /// The power goes while the store is open; then it is opened again.
  void crash();

  template <class T>
  T run(Task<T> task) {
    return shards_.run(0, std::move(task));
  }
  Context context(const std::string& tenant = "acme");
  /// A transition of the present epoch.
  Transition transition(const std::string& tenant = "acme");
  Result<Committed> commit(Transition transition);
  Committed must_commit(Transition transition);
  /// All at once, from one executor; answers in the same order.
  std::vector<Result<Committed>> commit_together(std::vector<Transition> transitions);

  StreamRow stream(const std::string& id, StreamKind kind = StreamKind::run);
  /// Every line of the history as "version:type:data" (or "version:type!" when it was erased).
  std::vector<std::string> history(const std::string& id);
  std::vector<std::string> ids(ListQuery query);
  /// Everything readable about the tenant as one text: equal before and after what must change
  /// nothing.
  std::string everything(const std::string& tenant = "acme");

 private:
  Kind kind_;
  FakeClock clock_;
  aios::test::Folder scratch_;
  StoreOptions options_;
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  runtime::Shards shards_{2};
  std::unique_ptr<Store> store_;
  int copies_ = 0;
};

/// A write of a run that sets its state and adds one line to its history.
StreamWrite write(const std::string& id, std::uint64_t expected, const std::string& state,
                  const std::string& status = "running", const std::string& subject = "");
ListQuery runs(const std::string& status = "", std::uint32_t limit = 100);

/// One sentence every engine must make true.
struct Sentence {
  const char* text;
  void (*check)(Subject&);
};
std::vector<Sentence> commit_sentences();
std::vector<Sentence> read_sentences();
std::vector<Sentence> durability_sentences();
std::vector<Sentence> erasure_sentences();
std::vector<Sentence> expiry_sentences();

}  // namespace aios::store::testing
