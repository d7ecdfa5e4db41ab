// SPDX-License-Identifier: Apache-2.0
#include "govern/tenants.h"

#include "core/json.h"
#include "core/text.h"
#include "govern/audit.h"
#include "store/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::govern {
namespace {

constexpr std::uint16_t created_event = 1;
constexpr std::uint16_t region_event = 2;  // of the first tenant: it has another region
constexpr std::size_t region_bytes_max = 32;
// Seals the records apart from the week's data, so that an expired week does not take them along.
constexpr std::string_view tenants_subject = "aios:tenants";
static_assert(store::is_reserved_subject(tenants_subject));

Error refusal(Code code, std::string why) { return Error(code, std::move(why)).page(519); }

Result<void> check_caller(const Context& ctx) {
  if (ctx.tenant == default_tenant()) {
    return {};
  }
  return Error(Code::permission_denied,
               fmt::format("tenant '{}' may not see or make tenants: the first one, '{}', may",
                           ctx.tenant.text(), default_tenant().text()))
      .page(518);
}

Result<void> check_region(const std::string& region) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (region.empty() || region.size() > region_bytes_max ||
      !std::all_of(region.begin(), region.end(), fits)) {
    return refusal(Code::invalid_argument,
                   fmt::format("region '{}' is not 1 to {} of a-z, 0-9 and '-'",
                               excerpt(region, 40), region_bytes_max));
  }
  return {};
}

Result<TenantInfo> parse_record(const store::StreamRow& row) {
  auto state = parse_json(row.state);
  auto id = TenantId::parse(row.id);
  const std::string region(state.ok() ? text_or(*state, "region", "") : "");
  if (!id.ok() || region.empty()) {
    return Error(Code::data_loss, fmt::format("the record of tenant '{}' cannot be read", row.id))
        .page(514);
  }
  return TenantInfo{std::move(*id), region, {int_or(*state, "created", 0)}};
}

/// How a record is written.
struct Writing {
  Time now;
  std::uint16_t event = created_event;
  std::uint64_t version = 0;  ///< of the record as it is; 0: there is none
  std::string region_before;
};

store::Transition transition_of(const Context& ctx, const TenantInfo& tenant,
                                const Writing& writing) {
  const std::string state =
      to_text(JsonObject{{"region", tenant.region}, {"created", tenant.created.ns}});
  store::StreamWrite write;
  write.kind = store::StreamKind::tenant;
  write.id = tenant.id.text();
  write.expected_version = writing.version;
  write.history = {{writing.event, writing.now, {std::string(tenants_subject), state}}};
  write.state = store::Payload{std::string(tenants_subject), state};
  write.status = "active";
  LeafFacts leaf(LeafKind::tenant);
  leaf.stream = tenant.id.text();
  leaf.outcome = writing.event == created_event ? "created" : "region_changed";
  leaf.facts["region"] = tenant.region;
  if (!writing.region_before.empty()) {
    leaf.facts["before"] = writing.region_before;
  }
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.streams.push_back(std::move(write));
  transition.leaves.push_back(make_leaf(ctx, writing.now, leaf));
  return transition;
}

}  // namespace

Tenants::Tenants(store::Store& store, Guard& guard, runtime::Clock& clock)
    : store_(store),
      guard_(guard),
      clock_(clock) {}

void Tenants::put(const TenantInfo& tenant) {
  guard_.set_region(tenant.id, tenant.region);
  const std::scoped_lock lock(mutex_);
  tenants_[tenant.id] = tenant;
}

Task<Result<void>> Tenants::load(Context ctx, std::string region) {
  put({default_tenant(), region.empty() ? std::string(region_default) : std::move(region), {}});
  store::ListQuery query;
  query.tenant = default_tenant();
  query.kind = store::StreamKind::tenant;
  query.limit = tenants_max;
  auto rows = co_await store_.list(ctx, query);
  if (!rows.ok()) {
    co_return std::move(rows).error();
  }
  for (const store::StreamRow& row : *rows) {
    auto tenant = parse_record(row);
    if (!tenant.ok()) {
      co_return std::move(tenant).error();
    }
    put(*tenant);
    first_version_ = tenant->id == default_tenant() ? row.version : first_version_;
  }
  co_return Result<void>();
}

Task<Result<void>> Tenants::hold_region(Context ctx, SaidRegion said) {
  TenantInfo first;
  {
    const std::scoped_lock lock(mutex_);
    first = tenants_.at(default_tenant());
  }
  const std::string before = first_version_ > 0 ? first.region : "";
  if (!said.name.empty()) {
    first.region = std::move(said.name);
  }
  if (before == first.region) {
    co_return Result<void>();
  }
  if (auto good = check_region(first.region); !good.ok()) {
    co_return good;
  }
  if (!before.empty() && said.change == RegionChange::refuse) {
    co_return Error(Code::failed_precondition,
                    fmt::format("the data of tenant '{}' stay in region '{}', which is recorded, "
                                "found '{}'; --change-region changes it",
                                first.id.text(), before, first.region))
        .page(537);
  }
  const Writing writing{clock_.now(), before.empty() ? created_event : region_event, first_version_,
                        before};
  store::Transition transition = transition_of(ctx, first, writing);
  transition.epoch = store_.epoch();
  auto committed = co_await store_.commit(std::move(ctx), std::move(transition));
  if (committed.ok()) {
    ++first_version_;
    put(first);
    co_return Result<void>();
  }
  const bool later = before.empty() && committed.error().retry() == Retry::same_call;
  co_return later ? Result<void>()
                  : std::move(committed).error().with("recording the first tenant's region");
}

/// Nothing: it is to be made.
Result<std::optional<TenantInfo>> Tenants::known(const TenantInfo& wanted) const {
  const std::scoped_lock lock(mutex_);
  const auto found = tenants_.find(wanted.id);
  if (found != tenants_.end() && found->second.region != wanted.region) {
    return refusal(Code::already_exists,
                   fmt::format("tenant '{}' is there with region '{}', not '{}': a region is for "
                               "good",
                               wanted.id.text(), found->second.region, wanted.region));
  }
  if (found == tenants_.end() && tenants_.size() >= tenants_max) {
    return refusal(Code::resource_exhausted,
                   fmt::format("there are {} tenants, the most there can be", tenants_max));
  }
  return found == tenants_.end() ? std::optional<TenantInfo>() : found->second;
}

Task<Result<TenantInfo>> Tenants::create(Context ctx, std::string name, std::string region) {
  if (auto allowed = check_caller(ctx); !allowed.ok()) {
    co_return std::move(allowed).error();
  }
  auto id = TenantId::parse(name);
  if (!id.ok()) {
    co_return std::move(id).error();
  }
  if (auto good = check_region(region); !good.ok()) {
    co_return std::move(good).error();
  }
  const TenantInfo tenant{std::move(*id), std::move(region), clock_.now()};
  auto there = known(tenant);
  if (!there.ok()) {
    co_return std::move(there).error();
  }
  if (*there) {
    co_return std::move(**there);
  }
  Writing writing;
  writing.now = tenant.created;
  store::Transition transition = transition_of(ctx, tenant, writing);
  transition.epoch = store_.epoch();
  auto committed = co_await store_.commit(ctx, std::move(transition));
  if (committed.ok()) {
    put(tenant);
    co_return tenant;
  }
  if (committed.error().code() == Code::aborted) {  // made by another at the same time
    auto again = known(tenant);
    if (again.ok() && *again) {
      co_return std::move(**again);
    }
  }
  co_return std::move(committed).error().with("making a tenant");
}

Result<std::vector<TenantInfo>> Tenants::list(const Context& ctx) const {
  if (auto allowed = check_caller(ctx); !allowed.ok()) {
    return std::move(allowed).error();
  }
  std::vector<TenantInfo> out;
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, tenant] : tenants_) {
    out.push_back(tenant);
  }
  return out;
}

}  // namespace aios::govern
