// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/socket_impl: what socket.cc and socket_tls.cc share. No Asio here either.

#include "net/detail/socket.h"

#include <memory>
#include <string>
#include <string_view>

namespace aios::net::detail {

class Socket::Impl {
 public:
  virtual ~Impl() = default;
  virtual void read(Operation* operation) = 0;
  virtual void write(Operation* operation) = 0;
  /// Of an accepted socket with TLS: the handshake.
  virtual void connect(Operation* operation) = 0;
  /// Writes what the kernel takes at once; how much that was.
  virtual std::size_t write_now(std::string_view first, std::string_view second) = 0;
  virtual void close() = 0;
  virtual void close_writing() = 0;
  virtual void close_reading() = 0;
  virtual bool stale() const = 0;
  virtual std::string peer() const = 0;
};

std::unique_ptr<Socket::Impl> make_plain(void* io_context, const Target& target);
std::unique_ptr<Socket::Impl> make_tls(void* io_context, const Target& target);
/// @param socket  an accepted Tcp::socket, moved from. @param context  of TlsIdentity
std::unique_ptr<Socket::Impl> make_accepted_tls(void* socket, std::shared_ptr<void> context);

/// True when the descriptor was closed by the peer, is broken, or holds bytes (`bytes_allowed`:
/// TLS peers may send records of their own at any time).
enum class Bytes : bool { refused, allowed };
bool is_stale(int descriptor, Bytes bytes);

}  // namespace aios::net::detail
