// SPDX-License-Identifier: Apache-2.0
#include "net/server.h"

#include "net/detail/connection.h"
#include "net/detail/peer_counts.h"
#include "net/detail/socket.h"
#include "observe/metric_table.h"
#include "runtime/one_shot.h"
#include "runtime/task_group.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace aios::net {

namespace {

constexpr std::uint32_t turned_away_max = 256;  // peers beyond the bound, at one time
constexpr std::uint32_t handed_over_max = 32;   // more wait for their shard in the listener's queue
constexpr Duration handed_over_pause = std::chrono::milliseconds(1);
constexpr Duration no_descriptor_pause = std::chrono::milliseconds(50);

/// Counts what runs, for a thread that waits until nothing does.
class Running {
 public:
  void enter() {
    std::lock_guard lock(mutex_);
    ++count_;
  }
  void leave() {
    std::lock_guard lock(mutex_);
    if (--count_ == 0) {
      none_.notify_all();
    }
  }
  bool wait_for_none(Duration span) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, span, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;
};

/// The connections of one shard.
struct Shard {
  explicit Shard(runtime::Executor& at) : executor(at), group(at) {}
  runtime::Executor& executor;
  runtime::TaskGroup group;
  detail::ConnectionHost host;
  std::list<detail::Connection*> connections;
  runtime::Executor::TimerId timer = 0;
};

class TcpServer final : public Server {
 public:
  TcpServer(runtime::Shards& shards, const Router& router, const ServerOptions& options)
      : shards_(shards),
        options_(options),
        bodies_(options.bodies_bytes_max),
        tick_(tick_of(options)) {
    for (std::size_t i = 0; i < shards.count(); ++i) {
      auto& shard = shard_.emplace_back(std::make_unique<Shard>(shards.at(i)));
      shard->host.router = &router;
      shard->host.options = &options_;
      shard->host.executor = &shard->executor;
      shard->host.stopping = &stopping_;
      shard->host.bodies = &bodies_;
      measure(&shard->host);
    }
  }
  ~TcpServer() override { stop(Duration(0)); }

  Result<void> start() {
    auto listener =
        detail::Listener::open(shards_.io_context(0), options_.host, options_.port, options_.tls);
    if (!listener.ok()) {
      return std::move(listener).error();
    }
    listener_ = std::move(*listener);
    port_ = listener_->port();
    running_.enter();
    for (const auto& shard : shard_) {
      shard->executor.post([this, at = shard.get()] { tick(at); });
    }
    shard_[0]->executor.post([this] { shard_[0]->group.spawn(accept_all(this)); });
    return {};
  }

  std::uint16_t port() const override { return port_; }
  std::uint32_t connections() const override { return open_->load(std::memory_order_relaxed); }
  void stop(Duration grace) override;

 private:
  /// Few beside the bound itself, which is made to fit the descriptors of the process.
  static std::uint32_t beyond_max(const ServerOptions& options) {
    return std::clamp<std::uint32_t>(options.connections_max / 8, 1, turned_away_max);
  }
  static std::uint32_t peer_max(const ServerOptions& options) {
    return options.connections_per_peer_max > 0
               ? options.connections_per_peer_max
               : options.connections_max - options.connections_max / 4;
  }
  static Duration tick_of(const ServerOptions& options) {
    const Duration shortest =
        std::min({options.header_timeout, options.idle_timeout, options.body_timeout,
                  options.write_timeout, Duration(std::chrono::seconds(1))});
    return std::max<Duration>(shortest / 4, std::chrono::milliseconds(1));
  }
  void measure(detail::ConnectionHost* host) const {
    if (options_.metrics == nullptr) {
      return;
    }
    for (std::size_t i = 0; i < host->requests.size(); ++i) {
      host->requests[i] = &options_.metrics->counter(observe::metric("aios_http_requests"),
                                                     {std::to_string(i + 1) + "xx"});
    }
    if (options_.tls) {
      for (std::size_t i = 0; i < host->handshakes_failed.size(); ++i) {
        host->handshakes_failed[i] =
            &options_.metrics->counter(observe::metric("aios_tls_handshakes_failed"),
                                       {std::string(detail::handshake_failures[i])});
      }
    }
    host->seconds = &options_.metrics->histogram(observe::metric("aios_http_request_seconds"),
                                                 observe::latency_bounds_seconds());
    options_.metrics->gauge(observe::metric("aios_http_connections"),
                            [open = open_] { return static_cast<double>(open->load()); });
  }
  /// Looks after the deadlines of one shard's connections.
  void tick(Shard* shard) {
    const Instant now = shard->executor.clock().instant();
    for (detail::Connection* connection : shard->connections) {
      connection->check_time(now);
    }
    shard->timer = shard->executor.call_at(now + tick_, [this, shard] { tick(shard); });
  }
  static Task<void> accept_all(TcpServer* server);
  static Task<void> run(TcpServer* server, Shard* shard, std::unique_ptr<detail::Socket> socket,
                        std::string address);
  void leave(const std::string& address);
  static bool make_room(Shard* shard, const std::string* of_address);
  static Task<void> turn_away(TcpServer* server, Shard* shard,
                              std::unique_ptr<detail::Socket> socket, std::string address);
  static Task<void> finish(Shard* shard);
  void take(Shard* shard, std::unique_ptr<detail::Socket> socket);

  runtime::Shards& shards_;
  const ServerOptions options_;
  detail::BodyBudget bodies_;
  detail::PeerCounts peers_;
  const Duration tick_;
  std::unique_ptr<detail::Listener> listener_;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Shard>> shard_;
  std::atomic<bool> stopping_ = false;
  /// Shared with the gauge, which may be read when the server is gone.
  std::shared_ptr<std::atomic<std::uint32_t>> open_ =
      std::make_shared<std::atomic<std::uint32_t>>(0);
  std::atomic<std::uint32_t> handed_over_ = 0;  ///< accepted, and not yet seen by their shard
  std::atomic<std::uint32_t> turned_away_ = 0;
  Running running_;
};

Task<void> TcpServer::accept_all(TcpServer* server) {
  std::size_t next = 0;
  bool open = true;
  while (open) {
    Shard* shard = server->shard_[next].get();
    auto accepting = server->listener_->accept(server->shards_.io_context(next));
    auto socket = co_await accepting;
    if (socket) {
      next = (next + 1) % server->shard_.size();
      server->take(shard, std::move(socket));
      while (server->handed_over_.load() >= handed_over_max && !server->stopping_.load()) {
        const Context ctx;  // the rest waits in the listener's queue
        auto pause = co_await runtime::sleep_for(ctx, handed_over_pause);
        (void)pause;
      }
    } else if (accepting.status() == detail::IoStatus::failed) {
      // No descriptor is free, or the peer is already gone: neither passes by asking again now.
      const Context ctx;
      auto pause = co_await runtime::sleep_for(ctx, no_descriptor_pause);
      open = pause.ok();
    }
    open = open && !server->stopping_.load();
  }
  server->running_.leave();
}

/// On the accepting shard: hands the socket to its own.
void TcpServer::take(Shard* shard, std::unique_ptr<detail::Socket> socket) {
  std::string address = detail::address_of(socket->peer());
  const bool has_share = peers_.enter(address) <= peer_max(options_);
  const bool has_room = open_->fetch_add(1) < options_.connections_max && has_share;
  handed_over_.fetch_add(1);
  running_.enter();
  auto held = std::make_shared<std::unique_ptr<detail::Socket>>(std::move(socket));
  shard->executor.post([this, shard, has_room, has_share, held, address = std::move(address)] {
    handed_over_.fetch_sub(1);
    const bool serve = has_room || make_room(shard, has_share ? nullptr : &address);
    if (!serve && turned_away_.fetch_add(1) >= beyond_max(options_)) {
      turned_away_.fetch_sub(1);
      leave(address);
      return;  // closed unanswered
    }
    auto work = serve ? run(this, shard, std::move(*held), address)
                      : turn_away(this, shard, std::move(*held), address);
    shard->group.spawn(std::move(work));
  });
}

/// A peer that only holds connections must not keep out one that asks.
/// @param of_address  whose connection must go; null: anybody's
bool TcpServer::make_room(Shard* shard, const std::string* of_address) {
  detail::Connection* least = nullptr;
  const auto rank = [](const detail::Connection* connection) {
    return std::pair(connection->spare(), connection->since());
  };
  for (detail::Connection* connection : shard->connections) {
    const bool may_go = connection->spare() != detail::Connection::Spare::not_at_all &&
                        (of_address == nullptr || connection->address() == *of_address);
    if (may_go && (least == nullptr || rank(connection) < rank(least))) {
      least = connection;
    }
  }
  if (least == nullptr) {
    return false;
  }
  least->close_for_room();
  return true;
}

void TcpServer::leave(const std::string& address) {
  peers_.leave(address);
  open_->fetch_sub(1);
  running_.leave();
}

Task<void> TcpServer::run(TcpServer* server, Shard* shard, std::unique_ptr<detail::Socket> socket,
                          std::string address) {
  detail::Connection connection(std::move(socket), shard->host, address);
  const auto place = shard->connections.insert(shard->connections.end(), &connection);
  auto serving = connection.serve();
  co_await std::move(serving);
  shard->connections.erase(place);
  server->leave(address);
}

Task<void> TcpServer::turn_away(TcpServer* server, Shard* shard,
                                std::unique_ptr<detail::Socket> socket, std::string address) {
  detail::Connection connection(std::move(socket), shard->host, address);
  const auto place = shard->connections.insert(shard->connections.end(), &connection);
  auto refusing = connection.turn_away();
  co_await std::move(refusing);
  shard->connections.erase(place);
  server->turned_away_.fetch_sub(1);
  server->leave(address);
}

Task<void> TcpServer::finish(Shard* shard) {
  auto joined = shard->group.join();
  co_await std::move(joined);
  shard->executor.cancel(shard->timer);
}

void TcpServer::stop(Duration grace) {
  if (stopping_.exchange(true)) {
    return;
  }
  if (!listener_) {
    return;
  }
  for (const auto& shard : shard_) {
    AIOS_ASSERT(runtime::Executor::current() != &shard->executor);
  }
  shard_[0]->executor.post([this] { listener_->close(); });
  for (const auto& shard : shard_) {
    shard->executor.post([at = shard.get()] {
      for (detail::Connection* connection : at->connections) {
        connection->close_if_idle();
      }
    });
  }
  if (!running_.wait_for_none(grace)) {
    for (const auto& shard : shard_) {
      shard->executor.post([at = shard.get()] {
        for (detail::Connection* connection : at->connections) {
          connection->abort();
        }
      });
    }
    AIOS_ASSERT(running_.wait_for_none(std::chrono::minutes(1)));
  }
  for (std::size_t i = 0; i < shard_.size(); ++i) {
    shards_.run(i, finish(shard_[i].get()));
  }
}

}  // namespace

Result<std::unique_ptr<Server>> start_server(runtime::Shards& shards, const Router& router,
                                             const ServerOptions& options) {
  auto server = std::make_unique<TcpServer>(shards, router, options);
  auto started = server->start();
  if (!started.ok()) {
    return std::move(started).error();
  }
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace aios::net
