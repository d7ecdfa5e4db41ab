// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/retention: how long what has ended is kept, by class. What is older is taken out of the
// tables once an hour, of all tenants. Audit leaves, corrections, models, deployments, keys, blobs
// and the place of each schedule are kept for good; sealed payloads of a person go when the person
// is erased.

#include "app/seen_time.h"
#include "core/context.h"
#include "core/result.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "store/store.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::app {

/// One class of what has ended.
struct KeptClass {
  std::string_view name;  ///< "runs": the setting `retention.runs`
  store::StreamKind kind;
  std::string_view prefix;  ///< of its ids
  std::string_view what;
};
inline constexpr std::array kept_classes = {
    KeptClass{"runs", store::StreamKind::run, "run", "runs that ended, with their histories"},
    KeptClass{"events", store::StreamKind::event, "evt", "events that came in, dead letters too"},
    KeptClass{"reviews", store::StreamKind::review, "rev", "questions to people that are closed"},
    KeptClass{"deliveries", store::StreamKind::delivery, "dlv",
              "callbacks and events that were sent, or given up"},
    KeptClass{"incidents", store::StreamKind::incident, "inc", "incidents that were settled"},
};
/// What goes by the age of a class beside it.
struct KeptBeside {
  std::string_view name;  ///< of the class
  store::StreamKind kind;
  std::string_view prefix;
};
inline constexpr std::array kept_beside = {
    KeptBeside{"events", store::StreamKind::source_place, "file/"},  ///< of files that are done
};
/// Goes with the run or the event that it belongs to (Store::expire).
inline constexpr std::array kept_within = {store::StreamKind::search_attribute,
                                           store::StreamKind::turn, store::StreamKind::listener,
                                           store::StreamKind::kept_event};
/// Stays for good: what the audit, the models and the keys rest on, or one row a thing that is.
inline constexpr std::array kept_for_good = {
    store::StreamKind::deployment, store::StreamKind::model,      store::StreamKind::model_alias,
    store::StreamKind::api_key,    store::StreamKind::correction, store::StreamKind::blob,
    store::StreamKind::audit_log,  store::StreamKind::model_note, store::StreamKind::tenant};
/// An event that comes again within seven days gets the first answer: its run must be there.
inline constexpr auto kept_least = std::chrono::hours(24 * 8);

struct Keep {
  KeptClass of;
  Duration age{0};
};

/// An ISO 8601 duration of eight days or more. @return what is wanted, in words; nothing: it fits
std::optional<std::string> refuse_retention(const std::string& value);

class Retention {
 public:
  static constexpr Duration period = std::chrono::hours(1);

  /// All outlive it. @param keep  classes that are not kept for good
  /// @param seen_file  where the time is kept that ages are counted to (app/seen_time)
  Retention(store::Store& store, observe::Metrics& metrics, const observe::Log& log,
            std::vector<Keep> keep, std::string seen_file = "");
  /// Once an hour; at other times nothing. Gives others their turn between pages.
  Task<void> look(Context ctx, runtime::Clock& clock);

 private:
  Time count_to(runtime::Clock& clock);
  Task<void> expire(Context ctx, Keep keep, Time now);

  store::Store& store_;
  observe::Metrics& metrics_;
  const observe::Log& log_;
  std::vector<Keep> keep_;
  SeenTime seen_;
  std::optional<Instant> looked_;
  bool told_ = false;
};

}  // namespace aios::app
