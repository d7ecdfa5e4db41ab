// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/server: HTTP/1.1 server over the shards. Strict about framing (RFC 9112): anything ambiguous is answered 400 and
// the connection closed. Threading: start() and stop() from the owner's thread; handlers run on the connection's shard.

#include "core/result.h"
#include "net/http.h"
#include "runtime/shards.h"

#include <cstdint>
#include <memory>
#include <string>

namespace aios::net {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;                 ///< 0: any free one
  std::uint32_t connections_max = 10'000; ///< beyond: accepted connections are answered 503 and closed
  std::size_t header_bytes_max = 32 << 10;
  Duration header_timeout = std::chrono::seconds(10);  ///< from the first byte of a request to its last header
  Duration idle_timeout = std::chrono::seconds(60);
  Duration body_timeout = std::chrono::seconds(30);    ///< without progress
  Duration write_timeout = std::chrono::seconds(30);   ///< without progress
  Duration request_timeout = std::chrono::seconds(60); ///< deadline of the handler's Context
};

class Server {
 public:
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  virtual std::uint32_t connections() const = 0;
  /// Stops accepting, lets requests in progress finish within `grace`, closes the rest. Blocks.
  virtual void stop(Duration grace) = 0;
};

/// The router must outlive the server.
Result<std::unique_ptr<Server>> start_server(runtime::Shards& shards, const Router& router, const ServerOptions& options);

}  // namespace aios::net
