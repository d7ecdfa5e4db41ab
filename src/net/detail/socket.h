// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/socket: TCP and TLS as awaitable operations; Asio stays in the .cc.
// Threading: a socket belongs to one shard; every method is called there, except where noted.
// Lifetime: a socket outlives its pending operation; close() ends it with `aborted`.

#include "core/result.h"
#include "net/detail/names.h"
#include "net/tls.h"

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace aios::net::detail {

enum class IoStatus : std::uint8_t {
  ok,
  end,      ///< the peer closed its side
  failed,   ///< see text
  aborted,  ///< close() was called
  plain,    ///< shake_hands(): the peer speaks HTTP without TLS, and can be answered so
  beyond,   ///< connect(): every address of the host is beyond Target::public_only
};

struct IoResult {
  IoStatus status = IoStatus::ok;
  std::size_t bytes = 0;
  const char* text = "";  ///< what failed, for messages
  bool ok() const { return status == IoStatus::ok; }
};

class Socket {
 public:
  /// What Asio stands behind; its operations call back once.
  class Impl;
  /// One operation: co_await it where it is made.
  class [[nodiscard]] Operation {
   public:
    enum class Kind : std::uint8_t { read, write, connect };
    Operation(Impl& impl, Kind kind) : impl_(&impl), kind_(kind) {}
    bool await_ready();
    void await_suspend(std::coroutine_handle<> handle);
    IoResult await_resume() const { return result_; }
    void finish(IoResult result);

    char* data = nullptr;
    std::size_t size = 0;
    std::string_view first, second;  ///< to write, in this order

   private:
    Impl* impl_;
    Kind kind_;
    IoResult result_;
    std::coroutine_handle<> handle_;
  };

  explicit Socket(std::unique_ptr<Impl> impl);
  Socket(Socket&&) noexcept;
  Socket& operator=(Socket&&) noexcept;
  ~Socket();

  /// Of an accepted socket with TLS, before all else.
  Operation shake_hands();
  /// At least one byte, or `end`.
  Operation read_some(char* data, std::size_t size);
  /// All of both, in this order. The bytes must stay until the end of the operation.
  Operation write(std::string_view first, std::string_view second);
  void close();
  /// Sends what is written, then the end; reading goes on.
  void close_writing();
  /// A pending read ends with `end`.
  void close_reading();
  /// The peer closed or sent something nobody asked for: not fit for another request.
  bool stale() const;
  std::string peer() const;

 protected:
  std::unique_ptr<Impl> impl_;
};

/// Whom a client believes.
struct Trust {
  std::string authorities;  ///< PEM that was checked; besides the system's
  std::string pinned;       ///< fingerprint of the one certificate that is taken, whatever it says
};
/// The certificates are read once. Thread-safe to share.
std::shared_ptr<void> make_tls_context(const Trust& trust);

struct Target {
  std::string host;
  std::uint16_t port = 0;
  std::shared_ptr<void> tls;       ///< of make_tls_context(): the certificate must fit the host
  bool public_only = false;        ///< no address that is_private()
  std::shared_ptr<Names> names{};  ///< who is asked for a host that is no address
};
/// Not connected yet. @param io_context  of the calling shard.
class ClientSocket : public Socket {
 public:
  ClientSocket(void* io_context, const Target& target);
  /// Resolves, connects, shakes hands. close() ends it early.
  Operation connect();
};

/// A listening socket.
class Listener {
 public:
  class Impl;
  class [[nodiscard]] Accept {
   public:
    Accept(Impl& impl, void* io_context) : impl_(&impl), io_context_(io_context) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle);
    /// Null with a status other than ok. `failed`: try again after a pause (no descriptors left).
    std::unique_ptr<Socket> await_resume() { return std::move(socket_); }
    IoStatus status() const { return status_; }

   private:
    Impl* impl_;
    void* io_context_;
    IoStatus status_ = IoStatus::ok;
    std::unique_ptr<Socket> socket_;
  };

  /// Binds and listens. @return unavailable [AIOS-0310] naming the address and the reason.
  /// @param tls  null: plain sockets; else those accepted shake hands with what it holds then.
  static Result<std::unique_ptr<Listener>> open(void* io_context, const std::string& host,
                                                std::uint16_t port,
                                                std::shared_ptr<TlsIdentity> tls);
  ~Listener();
  std::uint16_t port() const;
  /// @param io_context  that of the shard on which the new socket shall live.
  Accept accept(void* io_context);
  void close();

 private:
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aios::net::detail
