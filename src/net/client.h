// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/client: HTTP/1.1 client with a keep-alive pool per origin. Never retries, never follows redirects: its callers
// know what may be repeated. Threading: any shard; coroutines resume on the caller's.

#include "core/context.h"
#include "core/result.h"
#include "net/http.h"
#include "runtime/shards.h"

#include <cstdint>
#include <memory>
#include <string>

namespace aios::net {

struct ClientRequest {
  std::string method = "GET";
  std::string url;   ///< http:// or https://
  Headers headers;   ///< host and content-length are added
  std::string body;
  std::size_t response_bytes_max = std::size_t{4} << 20;
};

/// How far a failed call came, for callers that must know whether it may have happened.
enum class Sent : std::uint8_t { nothing, maybe };

class Client {
 public:
  virtual ~Client() = default;
  /// Any status is a value. Errors: unavailable (refused, reset, closed; DNS), deadline_exceeded, data_loss (an answer
  /// that is not HTTP), resource_exhausted (answer too large). Retry::same_call on an error means that nothing of the
  /// request was sent; Retry::whole_step that it may have been received: only the caller knows whether to repeat.
  virtual Task<Result<Response>> send(Context ctx, ClientRequest request) = 0;
};

struct ClientOptions {
  std::uint32_t connections_per_origin_max = 64;  ///< beyond: callers wait within their deadline
  Duration connect_timeout = std::chrono::seconds(5);
  Duration idle_timeout = std::chrono::seconds(30);
};
std::unique_ptr<Client> make_client(runtime::Shards& shards, const ClientOptions& options);

}  // namespace aios::net
