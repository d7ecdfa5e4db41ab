// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/rebuild.h"

#include "core/text.h"
#include "govern/audit.h"
#include "govern/detail/tile_tree.h"
#include "runtime/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace aios::govern::detail {
namespace {

constexpr std::uint64_t leaves_per_read = 1000;

/// What was signed once.
struct Promise {
  std::uint64_t size = 0;
  Digest root{};
};

Error differs(std::string what) { return Error(Code::data_loss, std::move(what)).page(532); }

/// Whether the store's leaves lead to every one of them.
Task<Result<void>> prove(store::Store& store, Context ctx, std::vector<Promise> promises) {
  std::sort(promises.begin(), promises.end(),
            [](const Promise& left, const Promise& right) { return left.size < right.size; });
  TileTree tree;
  std::vector<TileFile> unwanted;
  for (const Promise& promise : promises) {
    while (tree.size() < promise.size) {
      const auto wanted = std::min(leaves_per_read, promise.size - tree.size());
      auto leaves = co_await store.leaves(ctx, tree.size(), static_cast<std::uint32_t>(wanted));
      if (!leaves.ok()) {
        co_return std::move(leaves).error();
      }
      if (leaves->empty()) {
        co_return differs(
            fmt::format("the store has {} leaves, {} were signed", tree.size(), promise.size));
      }
      for (const std::string& leaf : *leaves) {
        tree.append(leaf, unwanted);
      }
      unwanted.clear();
    }
    if (tree.root() != promise.root) {
      co_return differs(fmt::format("the store's first {} leaves have the root {}, signed was {}",
                                    promise.size, to_hex(view(tree.root())),
                                    to_hex(view(promise.root))));
    }
  }
  co_return Result<void>();
}

/// A log that is as long as what is remembered, or longer.
Task<Result<void>> compare(store::Store& store, Context ctx, std::shared_ptr<TenantLog> log,
                           SignedMemory memory) {
  auto root = log->root_at(memory.size);
  if (!root.ok() && root.error().code() == Code::not_found) {  // an old right edge was cleared away
    std::vector<Promise> promises{{memory.size, memory.root}};
    auto proven = co_await prove(store, std::move(ctx), std::move(promises));
    co_return proven;
  }
  if (!root.ok()) {
    co_return std::move(root).error();
  }
  if (*root != memory.root) {
    co_return differs(
        fmt::format("the first {} leaves of the log in the folder have the root {}, signed was {}",
                    memory.size, to_hex(view(*root)), to_hex(view(memory.root))));
  }
  co_return Result<void>();
}

store::AuditLeaf rebuilt_leaf(const Context& ctx, std::uint64_t had, const SignedMemory& memory,
                              bool new_key, bool same) {
  LeafFacts facts(LeafKind::audit_rebuilt);
  facts.outcome = same ? "same" : "other";
  facts.facts = {{"had", had},
                 {"new_key", new_key},
                 {"root", to_hex(view(memory.root))},
                 {"size", memory.size}};
  return make_leaf(ctx, runtime::Executor::current()->clock().now(), facts);
}

Error told(const TenantId& tenant, std::uint64_t had, std::uint64_t size, bool same) {
  const std::string_view root = same ? "the same root as was signed" : "another root";
  return Error(Code::data_loss,
               fmt::format("of the {} leaves that were signed in the audit log of tenant '{}' the "
                           "folder holds {}: it is written again from the store, with {}",
                           size, tenant.text(), had, root))
      .page(529);
}

}  // namespace

Task<Result<SignedMemory>> settle(store::Store& store, Context ctx, std::shared_ptr<TenantLog> log,
                                  std::string key, const std::function<void(const Error&)>& tell) {
  auto recalled = co_await recall(store, ctx);
  if (!recalled.ok()) {
    co_return std::move(recalled).error();
  }
  SignedMemory memory = std::move(*recalled);
  const std::uint64_t had = log->signed_size();
  const bool new_key = memory.version > 0 && memory.key != key;
  if (!log->lost() && memory.size <= had) {
    Result<void> met;
    if (memory.size > 0 && !new_key) {
      met = co_await compare(store, ctx, log, memory);
    }
    co_return met.ok() ? Result<SignedMemory>(std::move(memory)) : std::move(met).error();
  }
  std::vector<Promise> promises;
  if (log->lost()) {
    promises.push_back({log->lost()->size, log->lost()->root});
  }
  std::vector<Promise> remembered;
  if (memory.size > 0) {
    (new_key ? remembered : promises).push_back({memory.size, memory.root});
  }
  auto proven = co_await prove(store, ctx, std::move(promises));
  if (!proven.ok()) {
    co_return std::move(proven).error();
  }
  auto same = co_await prove(store, ctx, std::move(remembered));
  if (!same.ok() && same.error().page() != 532) {
    co_return std::move(same).error();
  }
  if (log->lost() && log->lost()->size >= memory.size) {
    memory.size = log->lost()->size;
    memory.root = log->lost()->root;
  }
  std::vector<store::AuditLeaf> leaves{rebuilt_leaf(ctx, had, memory, new_key, same.ok())};
  const Error news = told(ctx.tenant, had, memory.size, same.ok());
  if (!same.ok()) {
    memory.size = 0;  // of the log that begins now nothing was signed yet
    memory.root = {};
  }
  memory.key = std::move(key);
  auto kept = co_await remember(store, std::move(ctx), std::move(memory), std::move(leaves));
  if (kept.ok() && tell) {
    tell(news);
  }
  co_return kept;
}

}  // namespace aios::govern::detail
