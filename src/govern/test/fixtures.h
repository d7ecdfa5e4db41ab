// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/test/fixtures: what several tests of this module share: a folder that goes away and a
// store that has leaves and nothing else.

#include "core/json.h"
#include "core/test/conformance.h"
#include "core/test/folder.h"
#include "store/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace aios::govern::test {

using aios::test::Folder;

inline std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void spill(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}
inline bool exists(const std::string& path) { return std::filesystem::exists(path); }

/// A file of the conformance data; nothing when it is absent.
inline std::optional<Json> conformance_json(const std::string& name) {
  const std::string text = aios::test::read_bytes(aios::test::conformance_path(name));
  if (text.empty()) {
    return {};
  }
  return parse_json(text).value();
}

/// Holds the leaves a test gives it and what is remembered of the log; everything else is refused.
class LeafStore final : public store::Store {
 public:
  std::map<TenantId, std::vector<std::string>> held;
  std::map<TenantId, store::StreamRow> signed_rows;
  std::size_t commits = 0;

  Task<Result<std::vector<std::string>>> leaves(Context ctx, std::uint64_t from,
                                                std::uint32_t limit) override {
    const auto& all = held[ctx.tenant];
    const auto begin = std::min<std::uint64_t>(from, all.size());
    const auto end = std::min<std::uint64_t>(begin + limit, all.size());
    co_return std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(begin),
                                       all.begin() + static_cast<std::ptrdiff_t>(end));
  }
  Task<Result<std::uint64_t>> leaf_count(Context ctx) override {
    co_return held[ctx.tenant].size();
  }
  Task<Result<std::vector<TenantId>>> tenants_with_leaves(Context /*ctx*/) override {
    std::vector<TenantId> tenants;
    for (const auto& [tenant, all] : held) {
      tenants.push_back(tenant);
    }
    co_return tenants;
  }

  Task<Result<store::Committed>> commit(Context, store::Transition transition) override {
    if (transition.streams.size() != 1 ||
        transition.streams[0].kind != store::StreamKind::audit_log) {
      co_return none();
    }
    store::StreamRow& row = signed_rows[transition.tenant];
    if (row.version != transition.streams[0].expected_version) {
      co_return Error(Code::aborted, "another version");
    }
    ++row.version;
    row.state = transition.streams[0].state->bytes;
    ++commits;
    for (const store::AuditLeaf& leaf : transition.leaves) {
      held[transition.tenant].push_back(leaf.bytes);
    }
    co_return store::Committed{};
  }
  std::uint64_t epoch() const override { return 1; }
  Task<Result<store::StreamRow>> stream(Context ctx, store::StreamKind kind, std::string) override {
    const auto found = signed_rows.find(ctx.tenant);
    if (kind != store::StreamKind::audit_log || found == signed_rows.end()) {
      co_return Error(Code::not_found, "no such stream");
    }
    co_return found->second;
  }
  Task<Result<std::vector<store::HistoryRow>>> history(Context, store::StreamKind,
                                                       std::string) override {
    co_return none();
  }
  Task<Result<std::vector<store::StreamRow>>> list(Context, store::ListQuery) override {
    co_return none();
  }
  Task<Result<std::uint64_t>> count(Context, store::ListQuery) override { co_return none(); }
  Task<Result<std::vector<store::WakeUp>>> due(Context, Time, std::uint32_t) override {
    co_return none();
  }
  Task<Result<std::optional<store::KeyRecord>>> key(Context, store::KeyClaim) override {
    co_return none();
  }
  Task<Result<std::int64_t>> budget(Context, std::string) override { co_return none(); }
  Task<Result<std::vector<store::OutboxRow>>> outbox(Context, std::uint64_t,
                                                     std::uint32_t) override {
    co_return none();
  }
  Task<Result<std::string>> put_blob(Context, store::Payload) override { co_return none(); }
  Task<Result<std::string>> blob(Context, std::string) override { co_return none(); }
  Task<Result<store::Expired>> expire(Context, store::Expiry) override { co_return none(); }
  Task<Result<std::uint64_t>> erase_subject(Context, std::string) override { co_return none(); }
  Result<void> backup(const std::string&) override { return none(); }
  Result<void> export_keys(const std::string&, const std::string&) override { return none(); }
  store::StoreStats stats() const override { return {}; }
  std::uint64_t disk_bytes() const override { return 0; }
  Result<void> close() override { return {}; }

 private:
  static Error none() {
    return Error(Code::unimplemented, "the store of this test has leaves only");
  }
};

}  // namespace aios::govern::test
