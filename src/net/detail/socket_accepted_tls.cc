// SPDX-License-Identifier: Apache-2.0
// TLS of accepted connections: OpenSSL on the socket itself, tried at once and then whenever the
// socket is ready.
#include "net/detail/asio_util.h"
#include "net/detail/socket_impl.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace aios::net::detail {
namespace {

constexpr std::size_t step_bytes_max = std::size_t{1} << 30;  // OpenSSL counts in int

// A BIO like OpenSSL's own for sockets, whose writes to a peer that has gone raise no SIGPIPE.
int descriptor_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}
int bio_read(BIO* bio, char* data, int size) {
  const ssize_t got =
      ::recv(descriptor_of(bio), data, static_cast<std::size_t>(size), MSG_DONTWAIT);
  BIO_clear_retry_flags(bio);
  if (got == 0) {
    BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  } else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    BIO_set_retry_read(bio);
  }
  return static_cast<int>(got);
}
int bio_write(BIO* bio, const char* data, int size) {
  const ssize_t sent =
      ::send(descriptor_of(bio), data, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
  BIO_clear_retry_flags(bio);
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    BIO_set_retry_write(bio);
  }
  return static_cast<int>(sent);
}
long bio_control(BIO* bio, int what, long, void*) {
  if (what == BIO_CTRL_EOF) {
    return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  }
  return what == BIO_CTRL_FLUSH ? 1 : 0;
}

struct Free {
  void operator()(SSL* tls) const { SSL_free(tls); }
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};

class AcceptedTls final : public Socket::Impl {
 public:
  AcceptedTls(Tcp::socket socket, std::shared_ptr<void> context)
      : socket_(std::move(socket)),
        context_(std::move(context)),
        method_(BIO_meth_new(BIO_TYPE_SOCKET, "socket")),
        tls_(SSL_new(static_cast<SSL_CTX*>(context_.get()))) {
    AIOS_ASSERT(method_ && tls_);
    BIO_meth_set_read(method_.get(), bio_read);
    BIO_meth_set_write(method_.get(), bio_write);
    BIO_meth_set_ctrl(method_.get(), bio_control);
    BIO* const bio = BIO_new(method_.get());
    AIOS_ASSERT(bio != nullptr);
    BIO_set_data(bio, reinterpret_cast<void*>(std::intptr_t{socket_.native_handle()}));
    BIO_set_init(bio, 1);
    SSL_set_bio(tls_.get(), bio, bio);  // which owns it now
    SSL_set_accept_state(tls_.get());
  }

  void read(Socket::Operation* operation) override { go_on(operation, &AcceptedTls::try_read); }
  void write(Socket::Operation* operation) override { go_on(operation, &AcceptedTls::try_write); }
  void connect(Socket::Operation* operation) override {
    go_on(operation, &AcceptedTls::try_handshake);
  }
  std::size_t write_now(std::string_view, std::string_view) override { return 0; }
  void close() override {
    farewell();
    boost::system::error_code ignored;
    socket_.close(ignored);
    closed_ = true;
  }
  void close_writing() override {
    farewell();
    boost::system::error_code ignored;
    socket_.shutdown(Tcp::socket::shutdown_send, ignored);
  }
  void close_reading() override {
    boost::system::error_code ignored;
    socket_.shutdown(Tcp::socket::shutdown_receive, ignored);
  }
  bool stale() const override { return true; }  // of clients' sockets only
  std::string peer() const override { return peer_name(socket_); }

 private:
  using Step = int (AcceptedTls::*)(Socket::Operation*);

  int try_handshake(Socket::Operation*) { return SSL_accept(tls_.get()); }
  int try_read(Socket::Operation* operation) {
    if (plain_) {
      return static_cast<int>(
          ::recv(socket_.native_handle(), operation->data, operation->size, MSG_DONTWAIT));
    }
    const std::size_t size = std::min(operation->size, step_bytes_max);
    return SSL_read(tls_.get(), operation->data, static_cast<int>(size));
  }
  /// All of it; what is left stays in the operation.
  int try_write(Socket::Operation* operation) {
    int wrote = 1;
    while (wrote > 0 && !(operation->first.empty() && operation->second.empty())) {
      std::string_view& part = operation->first.empty() ? operation->second : operation->first;
      const std::size_t size = std::min(part.size(), step_bytes_max);
      wrote = plain_ ? static_cast<int>(::send(socket_.native_handle(), part.data(), size,
                                               MSG_DONTWAIT | MSG_NOSIGNAL))
                     : SSL_write(tls_.get(), part.data(), static_cast<int>(size));
      if (wrote > 0) {
        part.remove_prefix(static_cast<std::size_t>(wrote));
        written_ += static_cast<std::size_t>(wrote);
      }
    }
    return wrote;
  }

  void go_on(Socket::Operation* operation, Step step) {
    if (closed_) {
      operation->finish({.status = IoStatus::aborted, .bytes = 0, .text = "closed by this side"});
      return;
    }
    ERR_clear_error();
    errno = 0;
    const int done = (this->*step)(operation);
    if (done > 0) {
      const bool wrote = step == &AcceptedTls::try_write;
      shook_hands_ = shook_hands_ || step == &AcceptedTls::try_handshake;
      const std::size_t bytes = wrote ? std::exchange(written_, 0) : static_cast<std::size_t>(done);
      operation->finish({.status = IoStatus::ok, .bytes = bytes, .text = ""});
      return;
    }
    const int why = plain_ ? plain_reason(done, step) : SSL_get_error(tls_.get(), done);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
      wait(operation, step,
           why == SSL_ERROR_WANT_READ ? Tcp::socket::wait_read : Tcp::socket::wait_write);
      return;
    }
    operation->finish(failure(why, step));
  }

  static int plain_reason(int done, Step step) {
    if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
      return step == &AcceptedTls::try_write ? SSL_ERROR_WANT_WRITE : SSL_ERROR_WANT_READ;
    }
    return done == 0 ? SSL_ERROR_ZERO_RETURN : SSL_ERROR_SYSCALL;
  }

  void wait(Socket::Operation* operation, Step step, Tcp::socket::wait_type what) {
    socket_.async_wait(what, [this, operation, step](const boost::system::error_code& error) {
      if (error) {
        operation->finish(to_result(error, 0));
      } else {
        go_on(operation, step);
      }
    });
  }

  IoResult failure(int why, Step step) {
    const int reason = ERR_GET_REASON(ERR_peek_error());
    ERR_clear_error();
    if (why == SSL_ERROR_ZERO_RETURN) {
      return {.status = IoStatus::end, .bytes = 0, .text = "closed by the peer"};
    }
    broken_ = true;  // nothing more may be asked of it, a farewell neither
    if (step == &AcceptedTls::try_handshake && reason == SSL_R_HTTP_REQUEST) {
      plain_ = true;
      return {.status = IoStatus::plain, .bytes = 0, .text = "the peer does not speak TLS"};
    }
    if (why == SSL_ERROR_SYSCALL) {
      return {.status = IoStatus::failed, .bytes = 0, .text = "the connection failed"};
    }
    return {.status = IoStatus::failed, .bytes = 0, .text = "the TLS handshake or a record failed"};
  }

  /// So that the peer knows that nothing was cut (RFC 9112 section 9.8). As far as it goes at once.
  void farewell() {
    if (shook_hands_ && !broken_ && !plain_ && !closed_) {
      ERR_clear_error();
      SSL_shutdown(tls_.get());
      ERR_clear_error();
      broken_ = true;
    }
  }

  Tcp::socket socket_;
  std::shared_ptr<void> context_;
  std::unique_ptr<BIO_METHOD, Free> method_;
  std::unique_ptr<SSL, Free> tls_;
  std::size_t written_ = 0;  ///< by the write under way
  bool shook_hands_ = false;
  bool broken_ = false;  ///< no farewell: it failed, or was said
  bool plain_ = false;   ///< what the peer sent first was HTTP
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<Socket::Impl> make_accepted_tls(void* socket, std::shared_ptr<void> context) {
  return std::make_unique<AcceptedTls>(std::move(*static_cast<Tcp::socket*>(socket)),
                                       std::move(context));
}

}  // namespace aios::net::detail
