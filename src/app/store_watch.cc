// SPDX-License-Identifier: Apache-2.0
#include "app/store_watch.h"

#include "observe/metric_table.h"

#include <fmt/format.h>

#include <utility>

namespace aios::app {
namespace {

constexpr int page_damaged = 410;
constexpr int page_disk = 421;

/// What stays the same while the numbers of a message go on; names stand in quotes, with theirs.
std::string reason_of(const Error& error) {
  std::string out = fmt::format("{}:", error.page());
  bool quoted = false;
  for (const char letter : error.text()) {
    quoted ^= letter == '\'';
    if (quoted || letter < '0' || letter > '9') {
      out += letter;
    }
  }
  return out;
}

}  // namespace

StoreWatch::StoreWatch(const store::Store& store, const observe::Log& log,
                       observe::Metrics& metrics)
    : store_(store),
      log_(log),
      rebuilt_(metrics.counter(observe::metric("aios_audit_rebuilt"))) {
  metrics.gauge(observe::metric("aios_store_read_only"),
                [&store] { return store.stats().read_only ? 1.0 : 0.0; });
  metrics.gauge(observe::metric("aios_store_delta_bytes"),
                [&store] { return static_cast<double>(store.stats().delta_bytes); });
  metrics.gauge(observe::metric("aios_store_delta_max_bytes"),
                [&store] { return static_cast<double>(store.stats().delta_bytes_max); });
  metrics.gauge(observe::metric("aios_store_fold_failing"),
                [&store] { return store.stats().fold_error.empty() ? 0.0 : 1.0; });
  metrics.gauge(observe::metric("aios_store_damaged"),
                [this] { return damaged_.load(std::memory_order_relaxed) ? 1.0 : 0.0; });
}

void StoreWatch::look() {
  const store::StoreStats stats = store_.stats();
  if (stats.damaged != unwritable_) {
    unwritable_ = stats.damaged;
    publish();
    if (unwritable_) {
      const bool disk = stats.fold_error.find("[AIOS-0421]") != std::string::npos;
      log_.error("store",
                 Error(Code::data_loss, fmt::format("{}: the store is read-only",
                                                    disk ? "the disk fails under the tables"
                                                         : "the tables are damaged"))
                     .page(disk ? page_disk : page_damaged));
    } else {
      log_.write(observe::Level::warn, "store", "the tables can be written again");
    }
  }
  look_at_folding(stats);
  if (stats.read_only == read_only_) {
    return;
  }
  read_only_ = stats.read_only;
  if (read_only_) {
    log_.error("store", Error(Code::resource_exhausted,
                              "the disk is full: the store is read-only until there is space",
                              Retry::same_call)
                            .page(405));
  } else {
    log_.write(observe::Level::warn, "store", "there is space again: the store takes writes");
  }
}

/// What is committed is safe meanwhile; writes are refused once the delta is at its bound. Damage
/// has a line of its own.
void StoreWatch::look_at_folding(const store::StoreStats& stats) {
  const bool failing = !stats.fold_error.empty();
  if (failing == not_folding_ || stats.damaged) {
    return;
  }
  not_folding_ = failing;
  if (failing) {
    log_.write(observe::Level::error, "store",
               "the tables take up nothing, and writes will be refused when too much waits",
               {{"error", stats.fold_error}, {"delta_bytes", stats.delta_bytes}});
  } else {
    log_.write(observe::Level::warn, "store", "the tables take up what is committed again");
  }
}

void StoreWatch::saw(const Result<std::uint64_t>& read) {
  look_at_audit(read);
  const bool damaged = !read.ok() && read.error().code() == Code::data_loss;
  if (damaged || read.ok()) {
    unreadable_ = damaged;
    publish();
  }
}

/// It is tried again every second: one line for each new reason.
void StoreWatch::look_at_audit(const Result<std::uint64_t>& folded) {
  not_signing_ = folded.ok() ? "" : folded.error().text();
  std::string reason = folded.ok() ? "" : reason_of(folded.error());
  if (reason == audit_reason_) {
    return;
  }
  audit_reason_ = std::move(reason);
  if (!folded.ok()) {
    log_.error("audit", folded.error());
  } else {
    log_.write(observe::Level::warn, "audit", "the audit log takes up what is committed again");
  }
}

void StoreWatch::met(const Error& error) {
  const bool damage = error.code() == Code::data_loss &&
                      (error.page() == page_damaged || error.page() == page_disk);
  if (damage && !met_.exchange(true)) {
    damaged_.store(true, std::memory_order_relaxed);
    log_.error("store", error);
  }
}

void StoreWatch::rebuilt(const Error& error) {
  rebuilt_.add();
  log_.error("audit", error);
}

void StoreWatch::publish() {
  damaged_.store(unreadable_ || unwritable_ || met_, std::memory_order_relaxed);
}

}  // namespace aios::app
