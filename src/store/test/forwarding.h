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
    return store_->stream(std::move(ctx), kind, std::move(id));
  }
  Task<Result<Committed>> commit(Context ctx, Transition transition) override {
    return store_->commit(std::move(ctx), std::move(transition));
  }
  std::uint64_t epoch() const override { return store_->epoch(); }
  Task<Result<std::vector<HistoryRow>>> history(Context ctx, StreamKind kind,
                                                std::string id) override {
    return store_->history(std::move(ctx), kind, std::move(id));
  }
  Task<Result<std::vector<StreamRow>>> list(Context ctx, ListQuery query) override {
    return store_->list(std::move(ctx), std::move(query));
  }
  Task<Result<std::uint64_t>> count(Context ctx, ListQuery query) override {
    return store_->count(std::move(ctx), std::move(query));
  }
  Task<Result<std::vector<WakeUp>>> due(Context ctx, Time until, std::uint32_t limit) override {
    return store_->due(std::move(ctx), until, limit);
  }
  Task<Result<std::optional<KeyRecord>>> key(Context ctx, KeyClaim claim) override {
    return store_->key(std::move(ctx), std::move(claim));
  }
  Task<Result<std::int64_t>> budget(Context ctx, std::string account) override {
    return store_->budget(std::move(ctx), std::move(account));
  }
  Task<Result<std::vector<OutboxRow>>> outbox(Context ctx, std::uint64_t after,
                                              std::uint32_t limit) override {
    return store_->outbox(std::move(ctx), after, limit);
  }
  Task<Result<std::vector<std::string>>> leaves(Context ctx, std::uint64_t from,
                                                std::uint32_t limit) override {
    return store_->leaves(std::move(ctx), from, limit);
  }
  Task<Result<std::uint64_t>> leaf_count(Context ctx) override {
    return store_->leaf_count(std::move(ctx));
  }
  Task<Result<std::vector<TenantId>>> tenants_with_leaves(Context ctx) override {
    return store_->tenants_with_leaves(std::move(ctx));
  }
  Task<Result<std::string>> put_blob(Context ctx, Payload payload) override {
    return store_->put_blob(std::move(ctx), std::move(payload));
  }
  Task<Result<std::string>> blob(Context ctx, std::string name) override {
    return store_->blob(std::move(ctx), std::move(name));
  }
  Task<Result<Expired>> expire(Context ctx, Expiry expiry) override {
    return store_->expire(std::move(ctx), std::move(expiry));
  }
  Task<Result<std::uint64_t>> erase_subject(Context ctx, std::string subject) override {
    return store_->erase_subject(std::move(ctx), std::move(subject));
  }
  Result<void> backup(const std::string& path) override { return store_->backup(path); }
  Result<void> export_keys(const std::string& path, const std::string& passphrase) override {
    return store_->export_keys(path, passphrase);
  }
  StoreStats stats() const override { return store_->stats(); }
  std::uint64_t disk_bytes() const override { return store_->disk_bytes(); }
  Result<void> close() override { return store_->close(); }

 private:
  std::unique_ptr<Store> store_;
};

}  // namespace aios::store::test
