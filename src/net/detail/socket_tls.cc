// SPDX-License-Identifier: Apache-2.0
// TLS towards servers: the system's certificates, the host's name checked, TLS 1.2 or newer.
#include "net/detail/asio_util.h"
#include "net/detail/socket_impl.h"

#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>

#include <array>

namespace aios::net::detail {

namespace {

namespace ssl = boost::asio::ssl;

IoResult to_tls_result(const boost::system::error_code& error, std::size_t bytes) {
  if (error == ssl::error::stream_truncated) {
    return {.status = IoStatus::end, .bytes = bytes, .text = "closed by the peer"};
  }
  IoResult result = to_result(error, bytes);
  if (error && error.category() == boost::asio::error::get_ssl_category()) {
    result.text = "the TLS handshake or a TLS record failed (certificate, name or version)";
  }
  return result;
}

class Tls final : public Socket::Impl {
 public:
  Tls(boost::asio::io_context& context, Target target)
      : resolver_(context),
        target_(std::move(target)),
        tls_(target_.tls),
        stream_(context, *static_cast<ssl::context*>(tls_.get())) {}

  void read(Socket::Operation* operation) override {
    stream_.async_read_some(boost::asio::buffer(operation->data, operation->size),
                            [operation](const boost::system::error_code& error, std::size_t n) {
                              operation->finish(to_tls_result(error, n));
                            });
  }
  void write(Socket::Operation* operation) override {
    const std::array<boost::asio::const_buffer, 2> buffers = {
        boost::asio::buffer(operation->first.data(), operation->first.size()),
        boost::asio::buffer(operation->second.data(), operation->second.size())};
    boost::asio::async_write(stream_, buffers,
                             [operation](const boost::system::error_code& error, std::size_t n) {
                               operation->finish(to_tls_result(error, n));
                             });
  }
  void connect(Socket::Operation* operation) override {
    connect_to(stream_.next_layer(), resolver_, target_,
               [this, operation](const boost::system::error_code& error) {
                 if (error) {
                   operation->finish(to_result(error, 0));
                 } else {
                   shake_hands(operation);
                 }
               });
  }
  std::size_t write_now(std::string_view, std::string_view) override { return 0; }
  void close() override {
    boost::system::error_code ignored;
    resolver_.cancel();
    stream_.next_layer().close(ignored);
  }
  void close_writing() override {
    boost::system::error_code ignored;
    stream_.next_layer().shutdown(Tcp::socket::shutdown_send, ignored);
  }
  void close_reading() override {
    boost::system::error_code ignored;
    stream_.next_layer().shutdown(Tcp::socket::shutdown_receive, ignored);
  }
  bool stale() const override {
    auto& socket = const_cast<Tls*>(this)->stream_.next_layer();
    return is_stale(socket.native_handle(), Bytes::allowed);
  }
  std::string peer() const override { return fmt::format("{}:{}", target_.host, target_.port); }

 private:
  void shake_hands(Socket::Operation* operation) {
    boost::system::error_code failed;
    stream_.set_verify_callback(ssl::host_name_verification(target_.host), failed);
    const bool named = SSL_set_tlsext_host_name(stream_.native_handle(), target_.host.c_str()) == 1;
    if (failed || !named) {
      operation->finish({.status = IoStatus::failed, .bytes = 0, .text = "TLS cannot be set up"});
      return;
    }
    stream_.async_handshake(ssl::stream_base::client,
                            [operation](const boost::system::error_code& error) {
                              operation->finish(to_tls_result(error, 0));
                            });
  }

  Tcp::resolver resolver_;
  Target target_;
  std::shared_ptr<void> tls_;
  ssl::stream<Tcp::socket> stream_;
};

}  // namespace

std::shared_ptr<void> make_tls_context() {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  context->set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
  boost::system::error_code ignored;  // without certificates every handshake fails, and says so
  context->set_default_verify_paths(ignored);
  context->set_verify_mode(ssl::verify_peer, ignored);
  return context;
}

std::unique_ptr<Socket::Impl> make_tls(void* context, const Target& target) {
  return std::make_unique<Tls>(*static_cast<boost::asio::io_context*>(context), target);
}

}  // namespace aios::net::detail
