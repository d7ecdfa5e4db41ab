// SPDX-License-Identifier: Apache-2.0
#pragma once
// tests/bench/load: HTTP requests over connections that stay, from one thread that does as little
// as it can, for it has the machine together with the server: no pipelining, each connection sends
// its next request when the last one is answered, or at a steady rate when its turn has come.
// Threading: one.

#include <cstddef>
#include <cstdint>
#include <string>

namespace aios::bench {

/// Where requests come from.
class Requests {
 public:
  virtual ~Requests() = default;
  /// Puts the bytes of the next one into *out, which is empty or holds one that was made here, so
  /// that only what differs need be written. @return false: there are no more
  virtual bool next(std::string* out) = 0;
};

struct LoadOptions {
  std::uint16_t port = 0;  ///< on 127.0.0.1
  std::size_t connections = 128;
  double seconds = 5;  ///< then nothing new is sent, and what is under way is waited for
  /// 0: as fast as answers come. Else requests are due by the clock, whether or not others are
  /// answered, and latencies count from then: who is late because the server is slow is not hidden.
  double rate_per_s = 0;
  int status_wanted = 200;  ///< any other answer ends the process with 1 and a text
};

struct Load {
  double answered = 0;  ///< whole answers with the wanted status; as many were sent
  double seconds = 0;   ///< to the last answer
  double cpu_us = 0;    ///< of this thread
  double p50_us = 0;
  double p99_us = 0;
  double per_second() const { return answered / (seconds > 0 ? seconds : 1); }
};

/// Opens the connections, sends until the time is over, waits for the last answer. Ends the process
/// with 1 and a text where a peer does not answer within 30 seconds or not in HTTP.
Load send_load(const LoadOptions& options, Requests& requests);

struct HttpAnswer {
  int status = 0;
  std::string body;
};
/// One request over a connection of its own.
HttpAnswer ask(std::uint16_t port, const std::string& request);
/// The bytes of a request with the key of a caller; its body is JSON.
std::string request_text(const std::string& method, const std::string& path, const std::string& key,
                         const std::string& body);

}  // namespace aios::bench
