// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/server: HTTP/1.1 server over the shards. Strict about framing (RFC 9112): anything ambiguous
// is answered 400 and the connection closed. Requests of one connection are handled one after the
// other, in order. Threading: start_server() and stop() from a thread that is no shard; handlers
// run on the connection's shard. Lifetime: stop the server before the shards.

#include "core/result.h"
#include "net/http.h"
#include "net/tls.h"
#include "observe/metrics.h"
#include "runtime/shards.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace aios::net {

struct ServerOptions {
  std::string host = "127.0.0.1";  ///< an address, or "localhost" (127.0.0.1)
  std::uint16_t port = 0;          ///< 0: any free one
  /// Beyond, one is closed: that which has been sending its request for longest (or never sent
  /// one), else the one that is idle longest, else the slowest reader; where all are being
  /// handled, the new one gets 503.
  std::uint32_t connections_max = 10'000;
  /// The same for those of one peer address, which make room among themselves. 0: three quarters
  /// of connections_max. A proxy in front is one address.
  std::uint32_t connections_per_peer_max = 0;
  /// Memory of the bodies that are being received or handled, all connections together; then 503.
  /// One key may have half of it, one peer address three quarters.
  std::size_t bodies_bytes_max = std::size_t{256} << 20;
  std::size_t header_bytes_max = 32 << 10;
  /// What the listener shows over TLS; null: plain HTTP. A peer that speaks plain HTTP to it is
  /// told so by 400 [AIOS-0343].
  std::shared_ptr<TlsIdentity> tls = nullptr;
  /// From the first byte of a request to its last header; then 408. Of a TLS handshake too; then
  /// the connection ends.
  Duration header_timeout = std::chrono::seconds(10);
  Duration idle_timeout = std::chrono::seconds(60);
  Duration body_timeout = std::chrono::seconds(30);     ///< for each 16 KiB, or what is left
  Duration write_timeout = std::chrono::seconds(30);    ///< of one answer
  Duration request_timeout = std::chrono::seconds(60);  ///< deadline of the handler's Context
  /// Where requests are counted (aios_http_requests by status class, aios_http_request_seconds,
  /// aios_http_connections, aios_tls_handshakes_failed); null: nowhere. Outlives the server.
  observe::Metrics* metrics = nullptr;
};

class Server {
 public:
  virtual ~Server() = default;  ///< stop(0) when nobody did
  virtual std::uint16_t port() const = 0;
  virtual std::uint32_t connections() const = 0;
  /// Stops accepting, lets requests in progress finish within `grace`, then cancels their Contexts
  /// and closes the rest. Blocks until every handler has ended; after a further minute without
  /// that it ends the process (a handler ignores its Context).
  virtual void stop(Duration grace) = 0;
};

/// The handler's Context has the trace of the `traceparent` header (a new one where there is
/// none), the request's deadline and a cancel; no tenant and no principal: those are for the
/// handler to find out. @return unavailable [AIOS-0310] when the address cannot be had.
/// The router must outlive the server.
Result<std::unique_ptr<Server>> start_server(runtime::Shards& shards, const Router& router,
                                             const ServerOptions& options);

}  // namespace aios::net
