// SPDX-License-Identifier: Apache-2.0
// What the doctor is told of this server: gathered from the rooms, the data directory and the
// system. Blocks for the file system, so it runs on the pool's threads.
#include "app/detail/system_impl.h"
#include "app/doctor.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

namespace aios::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t waiting_looked_at_max = 1000;
/// Clocks that are kept in step differ by less.
constexpr Duration ahead_least = std::chrono::minutes(1);

void look_at_disk(const std::string& data, Symptoms* out) {
  struct statvfs info{};
  if (::statvfs(data.c_str(), &info) == 0) {
    out->disk_size = static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize;
    out->disk_free = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
  }
}

bool is_open_to_others(const fs::path& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && (info.st_mode & 0077) != 0;
}

void look_at_files(const std::string& data, Symptoms* out) {
  constexpr std::array names = {"root.key", "keystore.db", "audit-signing.key", "first-key"};
  for (const char* name : names) {
    if (is_open_to_others(fs::path(data) / name)) {
      out->readable_by_others.emplace_back(name);
    }
  }
  constexpr int files_max = 1000;
  std::error_code failed;
  int seen = 0;
  for (fs::recursive_directory_iterator at(fs::path(data) / "secrets", failed), end;
       !failed && at != end && ++seen <= files_max; at.increment(failed)) {
    if (at->is_regular_file(failed) && is_open_to_others(at->path())) {
      out->readable_by_others.push_back(at->path().lexically_relative(data).string());
    }
  }
}

void look_at_system(Symptoms* out) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    out->descriptors = limit.rlim_cur;
  }
  timex clock{};
  if (const int state = ::adjtimex(&clock); state >= 0) {
    out->clock_synchronised = state != TIME_ERROR && (clock.status & STA_UNSYNC) == 0;
  }
}

/// Folders that sources of any tenant cannot watch.
Task<void> look_at_sources(store::Store* store, const bundle::Deployments* deployments, Context ctx,
                           Symptoms* out) {
  auto tenants = co_await store->tenants_with_leaves(std::move(ctx));
  for (const TenantId& tenant : tenants.ok() ? *tenants : std::vector<TenantId>()) {
    for (const Error& trouble : deployments->source_troubles(tenant)) {
      out->source_troubles.push_back(trouble.text());
    }
  }
}

std::string whose(const TenantId& tenant) {
  return tenant == default_tenant() ? "" : fmt::format("tenant '{}', ", tenant.text());
}

/// Why the bytes of a version cannot be read; they may serve from memory until the next start.
Task<std::string> unread(models::Models* models, store::Store* store, Context ctx,
                         models::AliasInfo alias) {
  if (const auto serves = models->serving(ctx.tenant, alias.alias); !serves.ok()) {
    co_return serves.error().text();
  }
  auto versions = co_await models->versions(ctx, alias.model);
  for (const models::VersionInfo& one :
       versions.ok() ? *versions : std::vector<models::VersionInfo>()) {
    if (one.version == alias.version && !one.blob.empty()) {
      auto bytes = co_await store->blob(ctx, one.blob);
      co_return bytes.ok() ? ""
                           : fmt::format("it serves until the next start: version {} of '{}': {}",
                                         alias.version, alias.model, bytes.error().text());
    }
  }
  co_return versions.ok() ? "" : versions.error().text();
}

/// Of each tenant what serves, read from the disk as the next start would.
Task<void> look_at_models(models::Models* models, store::Store* store, Context ctx, Symptoms* out) {
  auto tenants = co_await store->tenants_with_leaves(std::move(ctx));
  for (const TenantId& tenant : tenants.ok() ? *tenants : std::vector<TenantId>()) {
    for (const models::AliasInfo& alias : models->aliases(tenant)) {
      auto reading = unread(models, store, system_context(tenant, "doctor"), alias);
      const std::string why = co_await std::move(reading);
      if (!why.empty()) {
        out->models_unread.push_back(
            fmt::format("{}alias '{}': {}", whose(tenant), alias.alias, why));
      }
    }
  }
}

std::string_view reason_of(std::string_view why) {
  return why == "signature" ? "with a wrong signature"
         : why == "late"    ? "too old, or of a wrong clock"
         : why == "rate"    ? "beyond the source's rate"
         : why == "unknown" ? "at a webhook that is not declared"
         : why == "policy"  ? "refused by policy"
         : why == "source"  ? "under a declared source's name"
                            : "files refused, whole or in part";
}

std::string_view next_of(std::string_view why) {
  return why == "signature"
             ? "a signature: is the secret there, and the sender's (aios errors 1204)?"
         : why == "late" ? "a time: set the clocks right, here and at the sender"
         : why == "rate"
             ? "a rate: raise it, or replace a secret that others have (aios errors 1235)"
         : why == "unknown" ? "a webhook: declare it, or tell its sender another address"
         : why == "policy"
             ? "policy: see the leaf, or what aios.event_admit allows (aios errors 0501)"
         : why == "source" ? "a source's name: send to its webhook instead"
                           : "a file: see what lies beside it in failed/";
}

Time whole_second(Time time) { return {time.ns - time.ns % 1'000'000'000}; }

std::string name_of(const TenantId& tenant, const std::string& source) {
  return source.empty() ? fmt::format("{}no declared source", whose(tenant))
                        : fmt::format("{}source '{}'", whose(tenant), source);
}

Task<void> look_at_doors(const ingress::Ingress* ingress, WorkWatch* work, Context ctx,
                         Symptoms* out) {
  for (const auto& row : ingress->turned_away_after(out->now - std::chrono::hours(24))) {
    out->turned_away.push_back(fmt::format("{}: {} {}, last {}", name_of(row.tenant, row.source),
                                           row.count, reason_of(row.why),
                                           to_rfc3339(whole_second(row.last))));
    out->turned_away_next.emplace(next_of(row.why));
  }
  auto dead = co_await work->dead_letters_by_source(std::move(ctx));
  for (const auto& [key, count] : dead) {
    out->turned_away.push_back(fmt::format("{}: {} dead {}", name_of(key.first, key.second), count,
                                           count == 1 ? "letter" : "letters"));
    out->turned_away_next.emplace(
        "a dead letter: 'aios events list --status dead_letter' says why of each");
  }
}

/// The newest audit leaf has the time of the newest thing that was done, whatever clock did others.
Task<Time> newest_leaf(store::Store* store, Context ctx) {
  auto count = co_await store->leaf_count(ctx);
  const std::uint64_t last = count.ok() && *count > 0 ? *count - 1 : 0;
  auto leaves = co_await store->leaves(std::move(ctx), last, 1);
  const bool found = leaves.ok() && !leaves->empty();
  auto leaf = found ? parse_json(leaves->front()) : Result<Json>(Json());
  auto time = parse_rfc3339(leaf.ok() ? text_or(*leaf, "time", "") : "");
  co_return time.ok() ? *time : Time{};
}

/// Of each tenant the 1,000 that began last.
Task<void> look_ahead(store::Store* store, Context ctx, store::StreamKind kind, std::string status,
                      Symptoms* out) {
  store::ListQuery query;
  query.tenant = ctx.tenant;
  query.kind = kind;
  query.status = std::move(status);
  query.limit = waiting_looked_at_max;
  query.newest_first = true;
  query.with_state = false;
  auto rows = co_await store->list(std::move(ctx), std::move(query));
  for (const store::StreamRow& row : rows.ok() ? *rows : std::vector<store::StreamRow>()) {
    if (row.updated - out->now > ahead_least) {
      ++out->ahead;
      out->ahead_most = std::max(out->ahead_most, row.updated);
    }
  }
}

Task<void> look_at_times(store::Store* store, Context ctx, Symptoms* out) {
  auto newest = newest_leaf(store, system_context(default_tenant(), "doctor"));
  out->newest_commit = co_await std::move(newest);
  auto tenants = co_await store->tenants_with_leaves(std::move(ctx));
  for (const TenantId& tenant : tenants.ok() ? *tenants : std::vector<TenantId>()) {
    const Context of_tenant = system_context(tenant, "doctor");
    auto runs = look_ahead(store, of_tenant, store::StreamKind::run, "waiting", out);
    co_await std::move(runs);
    auto deliveries = look_ahead(store, of_tenant, store::StreamKind::delivery, "pending", out);
    co_await std::move(deliveries);
  }
}

Task<void> look_at_work(WorkWatch* work, Context ctx, Symptoms* out) {
  const WorkWatch::Seen seen = work->seen();
  out->incidents = seen.incidents;
  out->reviews_overdue = seen.overdue;
  out->dead_letters = seen.dead_letters;
  out->dead_deliveries = seen.dead_deliveries;
  out->unsigned_leaves = seen.unsigned_leaves;
  const Time yesterday = out->now - std::chrono::hours(24);
  out->faulted = co_await work->faulted_since(std::move(ctx), yesterday);
}

}  // namespace

/// Of each tenant that has one.
Task<void> SystemImpl::look_at_bundles(Context ctx, Symptoms* out) {
  auto tenants = co_await store_->tenants_with_leaves(std::move(ctx));
  for (const TenantId& tenant : tenants.ok() ? *tenants : std::vector<TenantId>{}) {
    const std::string whose =
        tenant == default_tenant() ? "" : fmt::format("tenant '{}': ", tenant.text());
    for (const Error& missing : rooms_->deployments.missing_secrets(tenant)) {
      out->missing_secrets.push_back(whose + std::string(missing.message()));
    }
  }
  for (const TenantId& tenant : rooms_->deployments.failed()) {
    if (const auto why = rooms_->deployments.failure(tenant)) {
      out->bundle_failure +=
          (out->bundle_failure.empty() ? "" : "; ") + std::string(why->message());
    }
  }
}

/// On shard 0.
Task<Result<Json>> SystemImpl::examine_itself(Context ctx) {
  auto counting = work_->look(ctx);
  co_await std::move(counting);
  Symptoms out;
  out.now = runtime::system_clock().now();
  const store::StoreStats stats = store_->stats();
  out.read_only = stats.read_only;
  out.fold_error = stats.fold_error;
  out.delta_bytes = stats.delta_bytes;
  out.delta_bytes_max = stats.delta_bytes_max;
  out.damaged = watch_->tables_damaged();
  out.not_signing = watch_->not_signing();
  out.growth = growth_->samples();
  for (const auto& key : rooms_->identity.list(default_tenant())) {
    const bool admin = std::find(key.roles.begin(), key.roles.end(), "admin") != key.roles.end();
    out.admins += admin && !key.revoked ? 1 : 0;
  }
  auto times = look_at_times(store_.get(), ctx, &out);
  co_await std::move(times);
  find_first_key();
  out.first_key_lies_there = !first_key_file_.empty();
  out.listening = server_ != nullptr;
  out.listener = fmt::format("{}:{}", options_.host, port());
  out.loopback =
      options_.host.starts_with("127.") || options_.host == "::1" || options_.host == "localhost";
  out.tls = tls_ != nullptr;
  if (tls_) {
    out.certificate_until = tls_->good_until();
  }
  auto bundles = look_at_bundles(ctx, &out);
  co_await std::move(bundles);
  auto models = look_at_models(&rooms_->models, store_.get(), ctx, &out);
  co_await std::move(models);
  auto sources = look_at_sources(store_.get(), &rooms_->deployments, ctx, &out);
  co_await std::move(sources);
  auto doors = look_at_doors(&rooms_->ingress, work_.get(), ctx, &out);
  co_await std::move(doors);
  auto work = look_at_work(work_.get(), ctx, &out);
  co_await std::move(work);
  std::function<Result<Json>()> rest = [this, out]() -> Result<Json> {
    Symptoms whole = out;
    look_at_disk(options_.data, &whole);
    look_at_files(options_.data, &whole);
    look_at_system(&whole);
    whole.data_bytes = store_->disk_bytes();
    patrol_->hurry();
    whole.patrol = patrol_->seen();
    return to_json(examine(whole));
  };
  auto report = co_await runtime::blocking(ctx, pool_, std::move(rest));
  co_return report;
}

}  // namespace aios::app
