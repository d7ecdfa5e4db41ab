// SPDX-License-Identifier: Apache-2.0
// TLS of a connection: what comes before its first request.
#include "net/detail/connection.h"

#include <utility>

namespace aios::net::detail {

void ConnectionHost::count(HandshakeFailure why) const {
  observe::Counter* const counter = handshakes_failed[static_cast<std::size_t>(why)];
  if (counter != nullptr) {
    counter->add();
  }
}

/// Without TLS there is nothing to agree on. Failures are counted, not logged: anybody makes them.
Task<bool> Connection::shake_hands() {
  if (!host_->options->tls) {
    co_return true;
  }
  enter(Phase::handshake, host_->options->header_timeout);
  auto done = co_await socket_->shake_hands();
  if (done.ok()) {
    enter(Phase::idle, host_->options->idle_timeout);
    co_return true;
  }
  if (done.status == IoStatus::plain) {
    host_->count(HandshakeFailure::plain_http);
    auto refusing = refuse(problem(400, Error(Code::invalid_argument,
                                              "this port speaks TLS, found a request without it; "
                                              "wanted https:// in its address")
                                            .page(343)));
    co_await std::move(refusing);
    co_return false;
  }
  if (!timed_out_) {  // which check_time() counts
    const bool by_peer = done.status == IoStatus::end;
    host_->count(by_peer ? HandshakeFailure::closed : HandshakeFailure::refused);
  }
  co_return false;
}

}  // namespace aios::net::detail
