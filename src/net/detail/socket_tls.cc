// SPDX-License-Identifier: Apache-2.0
// TLS towards servers: the system's certificates and those given, or one that is pinned; the host's
// name checked, TLS 1.2 or newer.
#include "net/detail/asio_util.h"
#include "net/detail/pem.h"
#include "net/detail/socket_impl.h"

#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

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
    result.text = "a TLS record is damaged, or the peer ended TLS with an alert";
  }
  return result;
}

/// What an operator can do something about, in words; constants, because IoResult borrows its text.
const char* why_refused(long verified) {
  switch (verified) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return "the peer's certificate is for another host name";
    case X509_V_ERR_CERT_HAS_EXPIRED: return "a certificate of the peer has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "a certificate of the peer is not valid yet: compare the clocks";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:  // an authority of the same name, but not the same key
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "the peer's certificate is not of an authority that this machine trusts";
    case X509_V_ERR_CERT_REJECTED:
      return "the peer's certificate is not the one that this server is known by";
    default: return X509_verify_cert_error_string(verified);  // constants of OpenSSL
  }
}

IoResult handshake_result(const boost::system::error_code& error, SSL* tls) {
  IoResult result = to_tls_result(error, 0);
  if (!error || error.category() != boost::asio::error::get_ssl_category()) {
    return result;
  }
  const long verified = SSL_get_verify_result(tls);
  const int reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
  if (verified != X509_V_OK) {
    result.text = why_refused(verified);
  } else if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION) {
    result.text = "the peer does not speak TLS 1.2 or newer";
  } else if (reason == SSL_R_WRONG_VERSION_NUMBER) {
    result.text = "the peer does not answer with TLS";
  } else {
    result.text = "the TLS handshake failed";
  }
  return result;
}

/// In the place of every other check: who knows the certificate needs no authority and no name.
int is_pinned(X509_STORE_CTX* store, void* pinned) {
  const X509* const shown = X509_STORE_CTX_get0_cert(store);
  const bool same =
      shown != nullptr && fingerprint_of(shown) == *static_cast<const std::string*>(pinned);
  X509_STORE_CTX_set_error(store, same ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
  return same ? 1 : 0;
}

class Tls final : public Socket::Impl {
 public:
  Tls(boost::asio::io_context& context, Target target)
      : asking_(context),
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
    connect_to(stream_.next_layer(), asking_, target_,
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
    asking_.cancel();
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
    SSL* const tls = stream_.native_handle();
    if (!expect_host(tls)) {
      operation->finish({.status = IoStatus::failed, .bytes = 0, .text = "TLS cannot be set up"});
      return;
    }
    stream_.async_handshake(ssl::stream_base::client,
                            [operation, tls](const boost::system::error_code& error) {
                              operation->finish(handshake_result(error, tls));
                            });
  }
  /// An address is never sent as server name (RFC 6066 section 3).
  bool expect_host(SSL* tls) const {
    X509_VERIFY_PARAM* const wanted = SSL_get0_param(tls);
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    boost::system::error_code not_literal;
    boost::asio::ip::make_address(target_.host, not_literal);
    if (!not_literal) {
      return X509_VERIFY_PARAM_set1_ip_asc(wanted, target_.host.c_str()) == 1;
    }
    return SSL_set_tlsext_host_name(tls, target_.host.c_str()) == 1 &&
           SSL_set1_host(tls, target_.host.c_str()) == 1;
  }

  Asking asking_;
  Target target_;
  std::shared_ptr<void> tls_;
  ssl::stream<Tcp::socket> stream_;
};

}  // namespace

std::shared_ptr<void> make_tls_context(const Trust& trust) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  context->set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
  boost::system::error_code ignored;  // without certificates every handshake fails, and says so
  context->set_default_verify_paths(ignored);
  if (!trust.authorities.empty()) {
    context->add_certificate_authority(boost::asio::buffer(trust.authorities), ignored);
  }
  context->set_verify_mode(ssl::verify_peer, ignored);
  if (trust.pinned.empty()) {
    return context;
  }
  // The callback's argument lives as long as the context.
  const auto pinned = std::make_shared<std::pair<std::shared_ptr<ssl::context>, std::string>>(
      context, trust.pinned);
  SSL_CTX_set_cert_verify_callback(context->native_handle(), is_pinned, &pinned->second);
  return {pinned, pinned->first.get()};
}

std::unique_ptr<Socket::Impl> make_tls(void* context, const Target& target) {
  return std::make_unique<Tls>(*static_cast<boost::asio::io_context*>(context), target);
}

}  // namespace aios::net::detail
