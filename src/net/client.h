// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/client: HTTP/1.1 client with a keep-alive pool per origin. Never retries, never follows
// redirects: its callers know what may be repeated.
// Threading: any shard; coroutines resume on the caller's. Lifetime: ends before the shards.

#include "core/context.h"
#include "core/result.h"
#include "net/http.h"
#include "runtime/shards.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace aios::net {

/// Which addresses a host's name may stand for.
enum class Reach : std::uint8_t {
  anywhere,
  public_only,  ///< no loopback, private, link-local or other address of special use
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;  ///< http:// or https://
  Headers headers;  ///< host and content-length are added
  std::string body;
  std::size_t response_bytes_max = std::size_t{4} << 20;
  Reach reach = Reach::anywhere;
};

/// How far a failed call came, for callers that must know whether it may have happened.
enum class Sent : std::uint8_t { nothing, maybe };
/// Of an error of Client::send.
inline Sent sent_of(const Error& error) {
  return error.retry() == Retry::whole_step ? Sent::maybe : Sent::nothing;
}

class Client {
 public:
  virtual ~Client() = default;
  /// Any status is a value. Errors: invalid_argument (URL, method; nothing sent), unavailable
  /// (refused, reset, closed; DNS; TLS), deadline_exceeded, cancelled, data_loss (an answer that is
  /// not HTTP), resource_exhausted (answer too large; too many callers wait), permission_denied
  /// [AIOS-1064] (every address of the host is beyond ClientRequest::reach; nothing sent).
  /// Retry::whole_step on an error means that the request may have been received: only the caller
  /// knows whether to repeat. Any other value means that nothing of it was sent (same_call: asking
  /// again may help; never: the request itself is wrong).
  virtual Task<Result<Response>> send(Context ctx, ClientRequest request) = 0;
};

/// Whether a request to it could be sent. @return invalid_argument [AIOS-0311] saying why not.
Result<void> check_url(std::string_view url);

/// The parts of a URL, as they are sent: the host in lower case, the port only where it is not the
/// usual one.
struct UrlParts {
  std::string origin;  ///< "https://api.example.com:8443"
  std::string host;    ///< without port and brackets
  std::string target;  ///< path and query, percent-encoded, "/" at least; no fragment
};
/// @return invalid_argument [AIOS-0311] as of check_url().
Result<UrlParts> split_url(std::string_view url);
/// Whether a host says by itself that it is none of the public network: "localhost", "127.0.0.1",
/// "10.1.2.3", "fe80::1". Of other names that is known once they are resolved: see Reach.
bool is_private_host(std::string_view host);

struct ClientOptions {
  /// Divided among the shards (at least one each). Beyond: callers wait within their deadline.
  std::uint32_t connections_per_origin_max = 64;
  Duration connect_timeout = std::chrono::seconds(5);
  Duration idle_timeout = std::chrono::seconds(30);
  std::string authorities{};  ///< of read_authorities(): trusted besides the system's
  /// TlsIdentity::fingerprint() of the one peer that is asked: its certificate alone is taken, and
  /// no name in it is looked at. Empty: authorities and names are checked.
  std::string pinned{};
};
std::unique_ptr<Client> make_client(runtime::Shards& shards, const ClientOptions& options);

}  // namespace aios::net
