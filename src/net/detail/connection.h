// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/connection: one accepted connection: reads requests, has them answered, writes.
// Threading: one shard.

#include "core/context.h"
#include "net/detail/body_budget.h"
#include "net/detail/parser.h"
#include "net/detail/socket.h"
#include "net/http.h"
#include "net/server.h"
#include "observe/metrics.h"
#include "runtime/executor.h"
#include "runtime/task.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace aios::net::detail {

/// Why TLS was not agreed, for the metric.
enum class HandshakeFailure : std::uint8_t { plain_http, closed, timed_out, refused };
inline constexpr std::array<std::string_view, 4> handshake_failures = {"plain_http", "closed",
                                                                       "timed_out", "refused"};

/// What the connections of one shard share.
struct ConnectionHost {
  const Router* router = nullptr;
  const ServerOptions* options = nullptr;
  runtime::Executor* executor = nullptr;
  const std::atomic<bool>* stopping = nullptr;
  BodyBudget* bodies = nullptr;
  std::array<observe::Counter*, 5> requests{};           ///< by status / 100 - 1; null: not counted
  std::array<observe::Counter*, 4> handshakes_failed{};  ///< by HandshakeFailure; null likewise
  observe::Histogram* seconds = nullptr;                 ///< from the whole request to its answer
  std::string date;                                      ///< text of date_second
  std::int64_t date_second = 0;
  std::string_view date_now();
  void count(int status) const;
  void count(HandshakeFailure why) const;
};

class Connection {
 public:
  /// @param address  of the peer, without the port
  Connection(std::unique_ptr<Socket> socket, ConnectionHost& host, std::string address);
  /// Ends when the connection does.
  Task<void> serve();
  /// Tells a peer beyond the bound that there is no room, and ends.
  Task<void> turn_away();
  /// Closes the connection when it waits longer than it may. Called every now and then.
  void check_time(Instant now);
  /// Closes it when no request is in progress. @return whether it did
  bool close_if_idle();
  /// Which connections may be closed for the room they take, the least missed first.
  enum class Spare : std::uint8_t {
    asking,   ///< sent no whole request since it came, or since its last answer
    idle,     ///< was answered, and asks for nothing now
    reading,  ///< is slow to read its answer
    not_at_all,
  };
  Spare spare() const;
  /// Of those that are alike, the one with the earliest goes.
  Instant since() const { return since_; }
  const std::string& address() const { return address_; }
  /// Closes it, which must be spare.
  void close_for_room();
  /// Cancels the request in progress and closes.
  void abort();

 private:
  enum class Phase : std::uint8_t { handshake, idle, head, body, handling, writing, ending };
  enum class Want : std::uint8_t { read, interim, answer, refuse };

  Want advance();
  void start_body();
  bool body_fits();
  void enter(Phase phase, Duration timeout);
  void make_room();
  Task<bool> shake_hands();
  void note_read(std::size_t bytes);
  Task<bool> read();
  Task<bool> answer();
  Task<bool> send(Response response, bool head_only, bool close);
  Task<void> refuse(Response response);
  Task<void> refuse_request();
  Context make_context(const Headers& headers);

  std::unique_ptr<Socket> socket_;
  ConnectionHost* host_;
  Parser parser_;
  std::string peer_;
  std::string address_;
  std::string in_;  ///< received bytes are [begin_, end_)
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t progress_ = 0;  ///< body bytes since the deadline was last moved
  BodyShare body_share_;
  std::optional<Response> refusal_;  ///< of the request whose body is not read
  std::string out_;
  Phase phase_ = Phase::idle;
  Instant deadline_ = Instant::never();
  Instant since_;  ///< it is as it is for who wants its room; see spare()
  bool timed_out_ = false;
  bool answered_ = false;  ///< a request of this peer
  std::shared_ptr<CancelState> cancel_;
};

}  // namespace aios::net::detail
