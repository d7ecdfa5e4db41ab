// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/work_watch: how much waits, for /metrics, so that somebody can be called: runs, incidents,
// reviews, and leaves that no checkpoint covers; of all tenants together.

#include "core/context.h"
#include "govern/audit.h"
#include "observe/metrics.h"
#include "review/review.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "store/store.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace aios::app {

class WorkWatch {
 public:
  /// All must outlive it; the metrics may outlive it.
  WorkWatch(store::Store& store, review::Reviews& reviews, const govern::AuditLog& audit,
            runtime::Clock& clock, observe::Metrics& metrics);
  /// Counts anew, once a second at most. What cannot be read now keeps its last count.
  Task<void> look(Context ctx);
  /// As they were counted last.
  struct Seen {
    std::uint64_t incidents = 0;
    std::uint64_t overdue = 0;
    std::uint64_t dead_letters = 0;
    std::uint64_t dead_deliveries = 0;
    std::uint64_t unsigned_leaves = 0;
  };
  Seen seen() const;
  /// Runs that faulted since then and were not tried again, of the 1,000 faulted ones of each
  /// tenant that began last. What cannot be read is not counted.
  Task<std::uint64_t> faulted_since(Context ctx, Time since);
  /// Dead letters by tenant and the declared source that they came by ("": none), of the 1,000
  /// newest of each tenant.
  using BySource = std::map<std::pair<TenantId, std::string>, std::uint64_t>;
  Task<BySource> dead_letters_by_source(Context ctx);

 private:
  struct Counts;
  Task<void> add(Context ctx, Counts* counts);
  Task<void> add_streams(Context ctx, store::StreamKind kind, std::string status, double* sum);
  Task<void> add_reviews(Context ctx, Counts* counts);

  store::Store& store_;
  review::Reviews& reviews_;
  const govern::AuditLog& audit_;
  runtime::Clock& clock_;
  struct Shown;
  std::shared_ptr<Shown> shown_;
  std::atomic<std::int64_t> next_look_ns_{INT64_MIN};
};

}  // namespace aios::app
