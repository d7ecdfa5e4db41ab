// SPDX-License-Identifier: Apache-2.0
#pragma once
// store/test/forwarding: passes everything on to another store; for those who change one thing.

#include "store/store.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aios::store::test {

class Forwarding : public Store {
 public:
  explicit Forwarding(std::unique_ptr<Store> store) : store_(std::move(store)) {}

  Task<Result<StreamRow>> stream(Context ctx, StreamKind kind, std::string id) override {
    return inner().stream(std::move(ctx), kind, std::move(id));
  }
  Task<Result<Committed>> commit(Context ctx, Transition transition) override {
    return inner().commit(std::move(ctx), std::move(transition));
  }
  std::uint64_t epoch() const override { return inner().epoch(); }
  Task<Result<std::vector<HistoryRow>>> history(Context ctx, StreamKind kind,
                                                std::string id) override {
    return inner().history(std::move(ctx), kind, std::move(id));
  }
  Task<Result<std::vector<StreamRow>>> list(Context ctx, ListQuery query) override {
    return inner().list(std::move(ctx), std::move(query));
  }
  Task<Result<std::uint64_t>> count(Context ctx, ListQuery query) override {
    return inner().count(std::move(ctx), std::move(query));
  }
  Task<Result<std::vector<WakeUp>>> due(Context ctx, Time until, std::uint32_t limit) override {
    return inner().due(std::move(ctx), until, limit);
  }
  Task<Result<std::optional<KeyRecord>>> key(Context ctx, KeyClaim claim) override {
    return inner().key(std::move(ctx), std::move(claim));
  }
  Task<Result<std::int64_t>> budget(Context ctx, std::string account) override {
    return inner().budget(std::move(ctx), std::move(account));
  }
  Task<Result<std::vector<OutboxRow>>> outbox(Context ctx, std::uint64_t after,
                                              std::uint32_t limit) override {
    return inner().outbox(std::move(ctx), after, limit);
  }
  Task<Result<std::vector<std::string>>> leaves(Context ctx, std::uint64_t from,
                                                std::uint32_t limit) override {
    return inner().leaves(std::move(ctx), from, limit);
  }
  Task<Result<std::uint64_t>> leaf_count(Context ctx) override {
    return inner().leaf_count(std::move(ctx));
  }
  Task<Result<std::vector<TenantId>>> tenants_with_leaves(Context ctx) override {
    return inner().tenants_with_leaves(std::move(ctx));
  }
  Task<Result<std::string>> put_blob(Context ctx, Payload payload) override {
    return inner().put_blob(std::move(ctx), std::move(payload));
  }
  Task<Result<std::string>> blob(Context ctx, std::string name) override {
    return inner().blob(std::move(ctx), std::move(name));
  }
  Task<Result<Expired>> expire(Context ctx, Expiry expiry) override {
    return inner().expire(std::move(ctx), std::move(expiry));
  }
  Task<Result<std::uint64_t>> erase_subject(Context ctx, std::string subject) override {
    return inner().erase_subject(std::move(ctx), std::move(subject));
  }
  Result<void> backup(const std::string& path) override { return inner().backup(path); }
  Result<void> export_keys(const std::string& path, const std::string& passphrase) override {
    return inner().export_keys(path, passphrase);
  }
  StoreStats stats() const override { return inner().stats(); }
  std::uint64_t disk_bytes() const override { return inner().disk_bytes(); }
  Result<void> close() override { return inner().close(); }

 protected:
  /// Where to.
  virtual Store& inner() { return *store_; }
  virtual const Store& inner() const { return *store_; }

 private:
  std::unique_ptr<Store> store_;
};

}  // namespace aios::store::test
