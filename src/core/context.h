// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/context: who asks, for which tenant, until when, under which trace and with what kind of
// data. First parameter of every operation that can wait. Cheap to copy. No other timeout is handed
// down a call; what waits has bounds of its own besides (an attempt, a connect, an idle peer), and
// the earlier one ends it.

#include "core/ids.h"
#include "core/time.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace aios {

/// Who acts. `kind` is one of key, person, workflow, system.
struct Principal {
  std::string id;  ///< key id, person id, "run_..." or "system:<part>"
  std::string kind;
  std::vector<std::string> roles;
};

/// W3C Trace Context. Both ids zero: no trace.
struct Trace {
  std::array<unsigned char, 16> trace_id{};
  std::array<unsigned char, 8> span_id{};
  bool sampled = true;
  bool valid() const;
  std::string trace_id_hex() const;
  std::string span_id_hex() const;
  std::string traceparent() const;                   ///< "00-<trace>-<span>-01"
  static Trace parse(std::string_view traceparent);  ///< an invalid header gives an invalid trace
};

/// What the data in hand is, as bits; set by sources and by redaction, read by the guard.
enum class DataLabel : std::uint32_t {
  personal = 1,
  redacted = 2,
  confidential = 4,
  untrusted = 8
};

/// Cancellation that crosses threads. Callbacks run once, on the thread that cancels; remove()
/// waits for a running one.
class CancelState {
 public:
  void cancel();
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }
  std::uint64_t on_cancel(
      std::function<void()> callback);  ///< runs at once when already cancelled; returns 0 then
  void remove(std::uint64_t id);

 private:
  struct Entry {
    std::uint64_t id = 0;
    std::function<void()> callback;
  };
  std::atomic<bool> cancelled_{false};
  std::recursive_mutex mutex_;  // a callback may remove another
  std::vector<Entry> entries_;
  std::uint64_t next_ = 1;
};

struct Context {
  TenantId tenant;
  std::shared_ptr<const Principal> principal;
  Trace trace;
  Instant deadline = Instant::never();
  std::shared_ptr<CancelState> cancel;  ///< null: cannot be cancelled
  std::uint32_t labels = 0;             ///< DataLabel bits

  bool cancelled() const { return cancel && cancel->cancelled(); }
  bool has(DataLabel label) const { return (labels & static_cast<std::uint32_t>(label)) != 0; }
  Context with_label(DataLabel label) const;
  /// The earlier of the present deadline and `at`.
  Context until(Instant at) const;
};

/// A context for the system itself (start-up, housekeeping).
Context system_context(const TenantId& tenant, std::string_view part);

}  // namespace aios
