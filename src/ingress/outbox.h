// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/outbox: events that runs emit come back in like a webhook's, so one workflow can start
// another. At least once, in the outbox's order; the event's id and source make a repetition
// harmless.

#include "core/context.h"
#include "ingress/ingress.h"
#include "observe/log.h"
#include "runtime/task.h"
#include "store/store.h"

#include <cstdint>

namespace aios::ingress {

class OutboxSource {
 public:
  /// All three outlive run().
  OutboxSource(store::Store& store, Ingress& ingress, const observe::Log& log);
  /// Looks at the outbox five times a second until ctx is cancelled.
  Task<void> run(Context ctx);
  /// One look: at most 100 messages. @return how many were taken (accepted, dead-lettered or, with
  /// a line in the log, refused); what may succeed later stays.
  Task<Result<std::uint64_t>> take(Context ctx);

 private:
  Task<bool> deliver(store::OutboxRow row);

  store::Store* store_;
  Ingress* ingress_;
  const observe::Log* log_;
};

}  // namespace aios::ingress
