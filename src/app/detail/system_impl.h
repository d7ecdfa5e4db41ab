// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/detail/system_impl: what stands behind System: a data directory, a listener, and what watches
// both, around the rooms (app/rooms). system.cc starts and stops them; load.cc reads what is stored
// and sets runs going.

#include "app/doctor.h"
#include "app/growth.h"
#include "app/money_watch.h"
#include "app/rooms.h"
#include "app/store_watch.h"
#include "app/system.h"
#include "app/work_watch.h"
#include "govern/audit.h"
#include "govern/audit_patrol.h"
#include "net/client.h"
#include "net/server.h"
#include "observe/line_writer.h"
#include "observe/metrics.h"
#include "runtime/task_group.h"
#include "store/store.h"

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <unistd.h>

namespace aios::app {

class SystemImpl final : public System {
 public:
  explicit SystemImpl(const SystemOptions& options)
      : options_(options),
        lines_(options.log_lines ? options.log_lines
                                 : std::make_shared<observe::LineWriter>(STDERR_FILENO)),
        log_([lines = lines_](std::string_view line) { lines->write(line); }, options.log_level),
        shards_(options.shards),
        pool_(2) {
    make_client();
  }

  ~SystemImpl() override {
    if (!stopped_) {
      auto stopped = stop(std::chrono::seconds(5));
      if (!stopped.ok()) {
        log_.error("app", stopped.error());
      }
    }
  }

  Result<void> start();
  Result<void> stop(Duration grace) override;
  std::uint16_t port() const override { return server_ ? server_->port() : 0; }
  std::string certificate() const override { return tls_ ? tls_->fingerprint() : std::string(); }
  bool look_at_certificate() override;
  const std::string& first_key_file() const override { return first_key_file_; }
  runtime::Shards& shards() override { return shards_; }
  const net::Router& router() const override { return rooms_->router; }
  Context local_context() const override;

 private:
  static net::ClientOptions client_options(const SystemOptions& options) {
    net::ClientOptions client;
    client.authorities = options.authorities;
    return client;
  }
  void make_client();
  void build_rooms();
  Task<void> count_for_metrics(Context ctx);
  void mount();
  Task<void> begin_background();
  Task<Result<void>> load();
  Task<Result<void>> make_first_key(Context ctx);
  Task<void> keep_audit_folded();
  Task<void> keep_audit_verified();
  Task<Result<Json>> examine_itself(Context ctx);
  Task<void> look_at_bundles(Context ctx, Symptoms* out);
  Task<void> note_growth(Context ctx);
  Task<void> keep_house();
  Result<void> open_audit();
  void tell_of_log(const TenantId& tenant, const Result<void>& found);
  Result<void> doubt_store();
  void find_first_key();
  Task<std::string> forget_first_key(Context ctx);
  net::ServerOptions server_options();
  Result<void> load_certificate();
  void warn_of_certificate();
  Result<void> check_address();
  Result<void> listen();
  [[noreturn]] void end_process(const std::string& why, const JsonObject& fields);
  std::uint64_t stop_runs(Instant end);

  SystemOptions options_;
  std::shared_ptr<observe::LineWriter> lines_;
  observe::Log log_;
  observe::Metrics metrics_;
  runtime::Shards shards_;
  runtime::BlockingPool pool_;
  std::future<std::unique_ptr<net::Client>> made_client_;
  std::unique_ptr<net::Client> client_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<StoreWatch> watch_;
  std::unique_ptr<govern::AuditLog> audit_;
  std::unique_ptr<govern::AuditPatrol> patrol_;
  std::unique_ptr<Rooms> rooms_;
  std::unique_ptr<WorkWatch> work_;
  std::unique_ptr<Growth> growth_;
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<MoneyWatch> money_;
  std::shared_ptr<net::TlsIdentity> tls_;
  std::string certificate_trouble_;  ///< what was logged last
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<runtime::TaskGroup> background_;
  std::shared_ptr<CancelState> stopping_ = std::make_shared<CancelState>();
  std::atomic<bool> ready_{false};
  std::string first_key_file_;
  std::optional<Time> restored_;  ///< the data come from a backup with this newest commit
  bool stopped_ = false;
};

}  // namespace aios::app
