// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/money_watch: what each budget has granted, spent and reserved, for /metrics.

#include "core/context.h"
#include "govern/budget.h"
#include "observe/metrics.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "store/store.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace aios::app {

class MoneyWatch {
 public:
  /// All must outlive it; the metrics may outlive it.
  MoneyWatch(store::Store& store, const govern::Budgets& budgets, runtime::Clock& clock,
             observe::Metrics& metrics);
  /// Reads anew, once a second at most. What cannot be read now keeps its last value; a budget that
  /// is granted no more shows zeros.
  Task<void> look(Context ctx);

 private:
  struct Shown;
  /// By tenant, name and currency.
  std::shared_ptr<Shown> shown(const std::vector<std::string>& labels);

  store::Store& store_;
  const govern::Budgets& budgets_;
  runtime::Clock& clock_;
  observe::Metrics& metrics_;
  std::mutex mutex_;  ///< guards what follows
  std::map<std::vector<std::string>, std::shared_ptr<Shown>> all_;
  std::atomic<std::int64_t> next_look_ns_{INT64_MIN};
};

}  // namespace aios::app
