// SPDX-License-Identifier: Apache-2.0
#include "app/older_store.h"

#include "app/audit_key.h"
#include "app/private_file.h"
#include "core/codec.h"
#include "core/crypto.h"
#include "core/json.h"
#include "core/text.h"
#include "store/restored.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

namespace aios::app {
namespace {

struct Counts {
  std::uint64_t leaves = 0, was_signed = 0;
};
using Behind = std::map<TenantId, Counts>;

/// The store that was doubted, by its last leaf then: what came of it has that leaf in its place.
struct Note {
  std::uint64_t leaves = 0;
  std::string last;                              ///< SHA-256, hex
  std::map<std::string, std::uint64_t> signed_;  ///< of each tenant that it is behind in
};

std::string note_file(const std::string& data) { return audit_folder(data) + "/doubted"; }

/// Nothing: there is none, or nobody can read it, and the store is doubted again.
std::optional<Note> read_note(const std::string& data) {
  std::ifstream file(note_file(data));
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  auto json = parse_json(text);
  const Json* of_tenants = json.ok() ? find(*json, "signed") : nullptr;
  if (of_tenants == nullptr || !of_tenants->is_object()) {
    return std::nullopt;
  }
  Note note;
  note.leaves = static_cast<std::uint64_t>(int_or(*json, "leaves", 0));
  note.last = text_or(*json, "last", "");
  for (const auto& member : of_tenants->get_object()) {
    const bool whole = member.value().is_int64();
    note.signed_[std::string(view(member.key()))] =
        whole ? static_cast<std::uint64_t>(member.value().get_int64()) : 0;
  }
  return note;
}

Task<Result<Behind>> look(OlderStore with) {
  const Context ctx = system_context(default_tenant(), "audit");
  auto tenants = co_await with.store->tenants_with_leaves(ctx);
  if (!tenants.ok()) {
    co_return std::move(tenants).error();
  }
  Behind behind;
  for (const TenantId& tenant : *tenants) {
    const Context of_tenant = system_context(tenant, "audit");
    auto count = co_await with.store->leaf_count(of_tenant);
    if (!count.ok()) {
      co_return std::move(count).error();
    }
    if (*count < with.audit->size(tenant)) {
      behind[tenant] = {*count, with.audit->size(tenant)};
    }
  }
  co_return behind;
}

/// Of the first tenant, which each store has leaves of.
Task<Result<std::string>> leaf_digest(store::Store* store, std::uint64_t at) {
  const Context ctx = system_context(default_tenant(), "audit");
  auto leaves = co_await store->leaves(ctx, at, 1);
  if (!leaves.ok()) {
    co_return std::move(leaves).error();
  }
  co_return leaves->empty() ? std::string() : to_hex(view(sha256(leaves->front())));
}

Task<Result<bool>> was_doubted(OlderStore with, Behind behind) {
  const auto note = read_note(with.data);
  if (!note || note->leaves == 0 || note->last.empty()) {
    co_return false;
  }
  for (const auto& [tenant, counts] : behind) {
    const auto known = note->signed_.find(tenant.text());
    if (known == note->signed_.end() || known->second != counts.was_signed) {
      co_return false;
    }
  }
  const std::uint64_t last = note->leaves - 1;
  auto digest = co_await leaf_digest(with.store, last);
  if (!digest.ok()) {
    co_return std::move(digest).error();
  }
  co_return *digest == note->last;
}

/// This store alone has it, and none that is copied here from the same time.
Task<Result<void>> leave_leaf(OlderStore with, TenantId tenant, Counts counts) {
  const Context ctx = system_context(default_tenant(), "audit");
  govern::LeafFacts facts(govern::LeafKind::backup);
  facts.outcome = "older_store";
  facts.facts = {
      {"tenant", tenant.text()}, {"leaves", counts.leaves}, {"signed", counts.was_signed}};
  store::Transition transition;
  transition.tenant = default_tenant();
  transition.epoch = with.store->epoch();
  transition.leaves.push_back(govern::make_leaf(ctx, with.now, facts));
  auto done = co_await with.store->commit(ctx, std::move(transition));
  co_return done.ok() ? Result<void>() : Result<void>(std::move(done).error());
}

Task<Result<void>> write_note(OlderStore with, Behind behind) {
  const Context ctx = system_context(default_tenant(), "audit");
  auto count = co_await with.store->leaf_count(ctx);
  if (!count.ok()) {
    co_return std::move(count).error();
  }
  const std::uint64_t last = *count > 0 ? *count - 1 : 0;
  auto digest = co_await leaf_digest(with.store, last);
  if (!digest.ok()) {
    co_return std::move(digest).error();
  }
  JsonObject of_tenants;
  for (const auto& [tenant, counts] : behind) {
    of_tenants[tenant.text()] = static_cast<std::int64_t>(counts.was_signed);
  }
  const JsonObject note{{"leaves", static_cast<std::int64_t>(*count)},
                        {"last", *digest},
                        {"signed", std::move(of_tenants)}};
  co_return write_private_file(note_file(with.data), to_text(note) + "\n");
}

}  // namespace

Task<Result<std::optional<Time>>> doubt_older_store(OlderStore with) {
  auto behind = co_await look(with);
  if (!behind.ok()) {
    co_return std::move(behind).error();
  }
  if (behind->empty()) {
    co_return std::optional<Time>();
  }
  auto before = co_await was_doubted(with, *behind);
  if (!before.ok()) {
    co_return std::move(before).error();
  }
  std::optional<Time> noted;
  if (!*before) {
    const TenantId tenant = behind->begin()->first;
    const Counts counts = behind->begin()->second;
    auto told = co_await leave_leaf(with, tenant, counts);
    if (!told.ok()) {
      co_return std::move(told).error();
    }
    // A second earlier, for the note is rounded up: what begins from now on is no part of it.
    auto kept = store::note_restored(with.data, with.now - Duration(std::chrono::seconds(1)));
    if (!kept.ok()) {
      co_return std::move(kept).error();
    }
    noted = with.now;
    with.log->error("app", Error(Code::data_loss,
                                 fmt::format("the store of tenant '{}' has {} leaves, the log has "
                                             "signed {}: it is an older copy, and its runs ask "
                                             "before they act again",
                                             tenant.text(), counts.leaves, counts.was_signed))
                               .page(524));
  }
  auto written = co_await write_note(with, *behind);
  if (!written.ok()) {
    co_return std::move(written).error();
  }
  co_return noted;
}

}  // namespace aios::app
