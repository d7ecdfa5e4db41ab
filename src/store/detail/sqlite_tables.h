// SPDX-License-Identifier: Apache-2.0
#pragma once
// detail/sqlite_tables: tables.db, the base tables with the cursor up to which they hold the
// journal. One writer (the folding thread), any number of readers with a connection each.

#include "store/detail/engine.h"
#include "store/detail/key_filter.h"
#include "store/detail/sqlite_db.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace aios::store::detail {

/// Tenants have numbers in the tables, and idempotency keys a table a day: both known to writer and
/// readers.
class TableNames {
 public:
  std::int64_t number(const std::string& tenant) const;  ///< 0: unknown
  std::string tenant(std::int64_t number) const;
  void add(const std::string& tenant, std::int64_t number);
  void remove(const std::string& tenant);
  std::set<std::int64_t> days() const;
  void set_days(std::set<std::int64_t> days);

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::int64_t> numbers_;
  std::map<std::int64_t, std::string> tenants_;
  std::set<std::int64_t> days_;
};

/// The greatest id of each kind and tenant: ids are mostly given out in order, so that a greater
/// one is new, and nobody has to look for it. May be too great, never too small.
class GreatestIds {
 public:
  /// Reads the greatest id where it is not known yet.
  using Read = std::function<Result<std::string>()>;
  Result<bool> above_all(StreamKind kind, std::int64_t tenant, std::string_view id,
                         const Read& read);
  Result<void> raise(StreamKind kind, std::int64_t tenant, std::string_view id, const Read& read);

 private:
  std::mutex mutex_;
  std::map<std::pair<StreamKind, std::int64_t>, std::string> ids_;
};

class SqliteTables {
 public:
  static Result<std::unique_ptr<SqliteTables>> open(const std::string& path);
  SqliteTables(const SqliteTables&) = delete;
  SqliteTables& operator=(const SqliteTables&) = delete;

  /// Looks at every page, when the file is small enough for a start to wait for it. data_loss
  /// [AIOS-0410] says what was found.
  Result<void> check();

  // The folding thread.
  Result<void> fold(const Fold& fold, const PackHistory& pack);
  Result<std::uint64_t> sync();
  std::uint64_t cursor() const { return cursor_.load(std::memory_order_acquire); }
  Result<Expired> expire(const TableExpiry& expiry);
  Result<Expired> remove(const TableRemoval& removal);

  // Any thread.
  Result<std::uint64_t> version(const std::string& key);
  Result<std::optional<TableStream>> stream(const std::string& key);
  Result<TableHistory> history(const std::string& key);
  Result<std::vector<TableStream>> list(const Page& page);
  Result<TableCount> count(const Page& page, const std::vector<std::string>& keys);
  Result<std::vector<TableWake>> due(Time until, const TableWake& after, std::uint32_t limit);
  Result<std::optional<KeptKey>> key(const Fingerprint& fingerprint);
  Result<std::int64_t> budget(const std::string& account);
  Result<std::vector<FoldMessage>> outbox(std::uint64_t after, std::uint32_t limit);
  Result<std::vector<std::string>> leaves(const std::string& tenant, std::uint64_t from,
                                          std::uint32_t limit);
  Result<std::uint64_t> leaf_count(const std::string& tenant);
  Result<std::vector<std::string>> tenants_with_leaves();
  Result<std::uint64_t> assigned_key(const std::string& tenant, const Fingerprint& subject);
  /// A consistent copy, into a file that must not exist.
  Result<void> copy_to(const std::string& path);

 private:
  /// A connection for the time of one read.
  class Lease;
  explicit SqliteTables(std::string path) : path_(std::move(path)) {}
  Result<void> load();
  /// Closed streams that are looked at together, and those of them that go.
  struct Leavers {
    std::vector<std::int64_t> rows;
    std::vector<std::string> ids;
    Expired page;
  };
  Result<Expired> remove_expired(const TableExpiry& expiry, std::int64_t tenant);
  Result<Leavers> find_expired(const TableExpiry& expiry, std::int64_t tenant);
  Result<Expired> remove_gone(const TableRemoval& removal, std::int64_t tenant);
  Result<Leavers> find_gone(const TableRemoval& removal, std::int64_t tenant);
  static void claim(StreamKind kind, const std::string& tenant, const ClaimStreams& claim,
                    Leavers* found);
  Result<void> remove_rows(const std::vector<std::int64_t>& rows);
  Result<void> remove_belongings(StreamKind kind, const std::vector<std::string>& ids,
                                 std::int64_t tenant);
  Result<bool> is_awaited(StreamKind kind, const std::string& id, std::int64_t tenant);
  Result<Expired> in_transaction(const std::string& tenant,
                                 const std::function<Result<Expired>(std::int64_t)>& work);
  Result<void> fold_all(const Fold& fold, const PackHistory& pack);
  Result<void> fold_stream(const FoldStream& stream, const PackHistory& pack);
  Result<void> write_stream(const FoldStream& stream, std::int64_t tenant, std::int64_t row,
                            const std::string& closed);
  Result<std::string> close_history(const FoldStream& stream, std::int64_t row, std::string closed,
                                    const PackHistory& pack);
  Result<void> fold_keys(const Fold& fold, std::set<std::int64_t>* days);
  void learn_keys();
  void forget_days(const std::set<std::int64_t>& kept);
  Result<void> fold_rest(const Fold& fold);
  Result<void> fold_outbox(const Fold& fold);
  Result<std::int64_t> tenant_number(const std::string& tenant);
  Result<std::unique_ptr<Db>> take_reader();
  void give_reader(std::unique_ptr<Db> reader);
  TableStream read_row(const Statement& query, StreamKind kind, const std::string& tenant,
                       bool with_state) const;

  std::string path_;
  std::unique_ptr<Db> writer_;
  std::atomic<std::uint64_t> cursor_{0};
  std::uint64_t durable_ = 0;
  TableNames names_;
  GreatestIds greatest_;
  KeyFilter key_filter_;
  std::set<std::int64_t> unlearned_;  // days whose keys it does not have yet, all of them
  std::string learned_;               // of the first of those, up to this one
  std::vector<std::string>
      fresh_tenants_;  // numbered by the fold in hand; forgotten when it is rolled back
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<Db>> readers_;
};

Result<std::string> read_greatest_id(Db& db, StreamKind kind, std::int64_t tenant);
/// Those that are there are left as they are.
Result<void> create_tables(Db& db);

/// A row of streams holds a whole finished run, often about 1 KB: pages of 8 KB waste little and
/// rowid tables keep such rows off overflow pages.
constexpr int tables_page_bytes = 8192;

/// Rows of the leaves table: the tenant's number above 40 bits of index.
constexpr std::int64_t leaf_row(std::int64_t tenant, std::uint64_t index) {
  return (tenant << 40) + static_cast<std::int64_t>(index);
}

}  // namespace aios::store::detail
