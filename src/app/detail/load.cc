// SPDX-License-Identifier: Apache-2.0
// The start behind the open store: what each room had, the first key, and the runs that go on.
#include "app/detail/system_impl.h"
#include "app/private_file.h"
#include "app/secrets.h"
#include "core/text.h"
#include "runtime/one_shot.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace aios::app {
namespace {

constexpr auto audit_period = std::chrono::seconds(1);
constexpr auto housekeeping_period = std::chrono::seconds(10);

/// A copy of the directory may have opened it to others.
void close_to_others(const std::string& path, observe::Log& log) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0 || (info.st_mode & 0077) == 0) {
    return;
  }
  const bool closed = ::chmod(path.c_str(), 0600) == 0;
  log.write(observe::Level::warn, "app",
            fmt::format("'{}' had mode {:04o}, {}: others may have read the first key, make "
                        "another and revoke it",
                        path, info.st_mode & 07777, closed ? "now 0600" : "and keeps it"));
}

/// Models whose bytes were damaged: the server starts all the same, and runs wait for others.
void tell_unreadable(const models::Models& models, const TenantId& tenant,
                     const observe::Log& log) {
  const Context ctx = system_context(tenant, "start");
  for (const models::AliasInfo& alias : models.aliases(tenant)) {
    const auto serves = models.serving(tenant, alias.alias);
    if (!serves.ok()) {
      log.error("models", serves.error(), &ctx);
    }
  }
}

}  // namespace

// The file comes first: a start that ends between the two leaves a file that opens nothing, and the
// next start, which finds no key, replaces it. The other way round nobody would ever know the key.
Task<Result<void>> SystemImpl::make_first_key(Context ctx) {
  std::string secret = govern::Identity::new_secret();
  auto written = write_private_file(options_.data + "/first-key", secret + "\n");
  if (!written.ok()) {
    co_return std::move(written).error();
  }
  std::vector<std::string> roles = {"admin"};
  auto made =
      co_await rooms_->identity.create_with(ctx, "first key", std::move(roles), std::move(secret));
  if (!made.ok()) {
    co_return std::move(made).error();
  }
  co_return Result<void>();
}

/// Told of at every start while it opens the door: a start may fail after it was made.
void SystemImpl::find_first_key() {
  const std::string path = options_.data + "/first-key";
  first_key_file_.clear();
  close_to_others(path, log_);
  std::ifstream file(path);
  std::string secret;
  if (std::getline(file, secret) && rooms_->identity.authenticate(trim(secret)).ok()) {
    first_key_file_ = path;
  }
}

/// Once it opens nothing the file only misleads: the command line takes the key it finds there.
Task<std::string> SystemImpl::forget_first_key(Context ctx) {
  const std::string path = options_.data + "/first-key";
  std::function<Result<bool>()> forget = [this, path] {
    std::ifstream file(path);
    std::string secret;
    const bool opens_nothing =
        std::getline(file, secret) && !rooms_->identity.authenticate(trim(secret)).ok();
    return Result<bool>(opens_nothing && ::unlink(path.c_str()) == 0);
  };
  auto forgotten = co_await runtime::blocking(ctx, pool_, std::move(forget));
  co_return forgotten.ok() && *forgotten ? path : std::string();
}

Task<Result<void>> SystemImpl::load() {
  const Context ctx = system_context(default_tenant(), "start");
  auto failed = co_await rooms_->load(ctx, options_.region);
  if (!failed.ok()) {
    co_return std::move(failed).error();
  }
  for (const Error& error : *failed) {  // the server starts all the same, so that it can be mended
    log_.error("bundle", error);
  }
  auto tenants = co_await store_->tenants_with_leaves(ctx);
  if (!tenants.ok()) {
    co_return std::move(tenants).error();
  }
  for (const TenantId& tenant : *tenants) {
    warn_missing_secrets(rooms_->deployments.missing_secrets(tenant), tenant, log_);
    tell_unreadable(rooms_->models, tenant, log_);
  }
  if (rooms_->identity.count() == 0 && audit_->size(default_tenant()) > 0) {
    co_return Error(Code::data_loss,
                    fmt::format("the audit log has {} signed leaves, but the store is empty: its "
                                "files were lost or replaced; restore a backup",
                                audit_->size(default_tenant())))
        .page(1414);
  }
  if (rooms_->identity.count() == 0 && options_.runs == Runs::rest) {
    co_return Error(Code::failed_precondition,
                    fmt::format("no server was ever started on '{}': it has no key yet; start one "
                                "with 'aios serve --data {}'",
                                options_.data, options_.data))
        .page(1418);
  }
  if (rooms_->identity.count() == 0) {
    auto made = co_await make_first_key(ctx);
    if (!made.ok()) {
      co_return std::move(made).error().with("making the first key");
    }
  }
  if (options_.runs == Runs::advance) {
    govern::SaidRegion said{options_.region, options_.region_change};
    auto held = co_await rooms_->tenants.hold_region(ctx, std::move(said));
    if (!held.ok()) {
      co_return held;
    }
  }
  find_first_key();
  if (options_.runs == Runs::rest) {
    co_return Result<void>();
  }
  auto recovered = co_await rooms_->engine.recover(ctx);
  if (!recovered.ok()) {
    co_return std::move(recovered).error().with("recovering runs");
  }
  co_return Result<void>();
}

/// What goes on beside the requests. Last, for the first pass over the log syncs a dozen files, and
/// nobody who waits for the port has to wait for those.
Task<void> SystemImpl::begin_background() {
  background_ = std::make_unique<runtime::TaskGroup>(shards_.at(0));
  background_->spawn(keep_audit_folded());
  if (options_.runs == Runs::advance) {
    background_->spawn(keep_house());
    rooms_->go_on(*background_, stopping_);
    background_->spawn(keep_audit_verified());
  }
  co_return;
}

/// What may wait for the disk, beside the signing of the log.
Task<void> SystemImpl::keep_house() {
  Context ctx = system_context(default_tenant(), "housekeeping");
  ctx.cancel = stopping_;
  while (!stopping_->cancelled()) {
    auto noting = note_growth(ctx);
    co_await std::move(noting);
    auto expiring = retention_->look(ctx, runtime::system_clock());
    co_await std::move(expiring);
    auto rested = co_await runtime::sleep_for(ctx, housekeeping_period);
    if (!rested.ok()) {
      break;
    }
  }
}

/// Without a listener nobody stays to watch it grow.
Task<void> SystemImpl::note_growth(Context ctx) {
  const Time now = runtime::system_clock().now();
  if (!options_.listen || !growth_->is_due(now)) {
    co_return;
  }
  std::function<Result<std::uint64_t>()> measure = [this] {
    return Result<std::uint64_t>(store_->disk_bytes());
  };
  auto bytes = co_await runtime::blocking(ctx, pool_, std::move(measure));
  auto noted = bytes.ok() ? growth_->add({now, *bytes}) : Result<void>(std::move(bytes).error());
  if (!noted.ok()) {
    log_.error("app", std::move(noted).error().with("noting how the data grow"));
  }
}

Task<void> SystemImpl::keep_audit_folded() {
  Context ctx = system_context(default_tenant(), "audit");
  ctx.cancel = stopping_;
  while (!stopping_->cancelled()) {
    auto folded = co_await audit_->fold(*store_);
    watch_->saw(folded);
    watch_->look();
    auto rested = co_await runtime::sleep_for(ctx, audit_period);
    if (!rested.ok()) {
      break;
    }
  }
}

/// Apart from the folding: what is read may be old and slow.
Task<void> SystemImpl::keep_audit_verified() {
  Context ctx = system_context(default_tenant(), "audit");
  ctx.cancel = stopping_;
  while (!stopping_->cancelled()) {
    std::function<Result<bool>()> look = [this] {
      patrol_->look();
      return Result<bool>(true);
    };
    auto looked = co_await runtime::blocking(ctx, pool_, std::move(look));
    auto rested = co_await runtime::sleep_for(ctx, govern::AuditPatrol::look_period);
    if (!rested.ok()) {
      break;
    }
  }
}

}  // namespace aios::app
