// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/system: every room wired together on one data directory, with or without a listener. The
// command line opens one itself when no server runs. Start and stop order live here and nowhere
// else.

#include "app/audit_key.h"
#include "app/retention.h"
#include "core/result.h"
#include "core/time.h"
#include "govern/tenants.h"
#include "net/http.h"
#include "net/tls.h"
#include "observe/line_writer.h"
#include "observe/log.h"
#include "runtime/shards.h"

#include <cstdint>
#include <memory>
#include <set>
#include <string>

namespace aios::app {

/// What a system may do by itself. Each run that is parked or half-way goes on in `advance` alone.
enum class Runs : std::uint8_t {
  advance,  ///< recovers runs, watches their timers, sends the outbox; makes the first key
  rest,     ///< nothing: what is stored is read, and calls change only what they name
};

struct SystemOptions {
  std::string data;  ///< data directory; made with mode 0700 when absent
  std::string engine = "sqlite";
  std::size_t shards = 2;
  /// Of the default tenant; empty: as it is recorded, at the first start Tenants::region_default.
  std::string region;
  govern::RegionChange region_change = govern::RegionChange::refuse;
  Runs runs = Runs::advance;
  bool listen = false;
  std::string host = "127.0.0.1";
  std::uint16_t port = 8787;  ///< 0: any free one
  net::TlsFiles tls;          ///< of the listener; both empty: plain HTTP
  std::string authorities;    ///< of net::read_authorities(): trusted besides the system's
  observe::Level log_level = observe::Level::info;
  /// Where the log goes; null: to stderr by a writer of its own.
  std::shared_ptr<observe::LineWriter> log_lines;
  /// Where the server writes the backups that it is asked for; empty: anywhere outside the data.
  std::string backups;
  /// What is not kept for good, and how long.
  std::vector<Keep> keep;
  /// Folder outside which no source of a bundle reads files; empty: none is read.
  std::string watch_root;
  /// Further tenants whose calls may reach private addresses (app/tenant_reach.h).
  std::set<TenantId> private_tenants;
  /// A new audit log is begun when the signing key is lost; refused without.
  LostAuditKey lost_audit_key = LostAuditKey::refuse;
};

class System {
 public:
  /// Opens the store, recovers runs, starts the listener last. On a new data directory makes the
  /// first key and writes it to <data>/first-key (0600). With Runs::rest neither: a directory
  /// without a key is failed_precondition [AIOS-1418].
  static Result<std::unique_ptr<System>> open(const SystemOptions& options);
  /// Drains: listener and runs within `grace` (runs get a second at least; calls still under way
  /// are then cancelled, and the next start goes on with their runs), audit, store. A run that not
  /// even this ends takes the process with it, once all that was committed is folded. With a
  /// listener the whole takes `grace` and 10 seconds at most: then the process ends, whatever
  /// still works (a backup, a training, a slow disk), and the next start folds the rest. Not from
  /// a shard's thread. Once: later calls do nothing.
  virtual Result<void> stop(Duration grace) = 0;
  virtual ~System() = default;

  virtual std::uint16_t port() const = 0;  ///< 0 without a listener
  /// Fingerprint of the listener's certificate; empty without TLS.
  virtual std::string certificate() const = 0;
  /// Looks whether the listener's certificate was renewed, and logs what it finds. Blocks; not from
  /// a shard's thread. @return whether another one is shown from now on.
  virtual bool look_at_certificate() = 0;
  virtual const std::string& first_key_file() const = 0;  ///< empty when it is revoked or away
  virtual runtime::Shards& shards() = 0;
  virtual const net::Router& router() const = 0;
  /// A caller in this process, with every role in the default tenant.
  virtual Context local_context() const = 0;
};

}  // namespace aios::app
