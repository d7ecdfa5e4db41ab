// SPDX-License-Identifier: Apache-2.0
// The client towards https servers. Certificates are made here, each with one wrong thing.
#include "core/test/folder.h"
#include "net/client.h"
#include "net/detail/certificates_for_test.h"
#include "runtime/shards.h"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace aios::net {
namespace {

using test::Free;
using test::Identity;
using test::make_identity;

/// Answers one connection, on its own thread, then ends.
class TlsServer {
 public:
  explicit TlsServer(const Identity& identity, int version_max = TLS1_3_VERSION)
      : context_(SSL_CTX_new(TLS_server_method())),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    SSL_CTX_use_certificate(context_.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), identity.key.get());
    SSL_CTX_set_cipher_list(context_.get(), "DEFAULT@SECLEVEL=0");  // else TLS 1.1 cannot be tried
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), version_max);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 4) == 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~TlsServer() {
    finish();
    ::close(listener_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  /// Waits until the connection is answered; then the members below may be read.
  void finish() {
    if (thread_.joinable()) {
      ::shutdown(listener_, SHUT_RDWR);  // for the case that nobody connected
      thread_.join();
    }
  }
  std::uint16_t port = 0;
  std::optional<std::string> server_name;  ///< as the client sent it
  int version = 0;
  std::string request;

 private:
  void serve() {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) {
      return;
    }
    const std::unique_ptr<SSL, Free> tls(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), fd);
    const bool accepted = SSL_accept(tls.get()) == 1;
    if (const char* name = SSL_get_servername(tls.get(), TLSEXT_NAMETYPE_host_name)) {
      server_name = name;
    }
    version = SSL_version(tls.get());
    std::string part(4096, '\0');
    while (accepted && request.find("\r\n\r\n") == std::string::npos) {
      const int got = SSL_read(tls.get(), part.data(), static_cast<int>(part.size()));
      if (got <= 0) {
        break;
      }
      request.append(part, 0, static_cast<std::size_t>(got));
    }
    if (!request.empty()) {
      const std::string answer = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret";
      SSL_write(tls.get(), answer.data(), static_cast<int>(answer.size()));
      SSL_shutdown(tls.get());
    }
    ::close(fd);
  }

  std::unique_ptr<SSL_CTX, Free> context_;
  int listener_ = -1;
  std::thread thread_;
};

/// An authority that the client trusts, as an operator names one: by SSL_CERT_FILE.
class Trusted {
 public:
  Trusted() : authority(make_identity({}, nullptr)) {
    const std::string path = folder_.at("authority.pem");
    test::write_certificate(path, authority);
    ::setenv("SSL_CERT_FILE", path.c_str(), 1);  // no other thread runs yet
  }
  ~Trusted() { ::unsetenv("SSL_CERT_FILE"); }
  Trusted(const Trusted&) = delete;
  Trusted& operator=(const Trusted&) = delete;
  const Identity authority;

 private:
  aios::test::Folder folder_;
};

Result<Response> ask(const std::string& host, std::uint16_t port) {
  runtime::Shards shards(1);
  auto client = make_client(shards, {});
  Context ctx;
  ctx.deadline = shards.at(0).clock().instant() + std::chrono::seconds(30);
  ClientRequest request;
  request.url = "https://" + host + ":" + std::to_string(port) + "/path";
  return shards.run(0, client->send(ctx, request));
}

/// Nothing may have been sent, and the message must name the reason.
void check_refused(const Result<Response>& answer, TlsServer& server, std::string_view why) {
  server.finish();
  REQUIRE_FALSE(answer.ok());
  CAPTURE(answer.error().text());
  CHECK(answer.error().code() == Code::unavailable);
  CHECK(answer.error().page() == 312);
  CHECK(sent_of(answer.error()) == Sent::nothing);
  CHECK(answer.error().message().find(why) != std::string::npos);
  CHECK(server.request.empty());
}

TEST_CASE("tls: a certificate of a trusted authority for this host is accepted") {
  const Trusted trusted;
  const auto identity = make_identity({.names = "DNS:localhost"}, &trusted.authority);
  TlsServer server(identity);
  auto answer = ask("localhost", server.port);
  server.finish();
  CAPTURE(answer.ok() ? "" : answer.error().text());
  REQUIRE(answer.ok());
  CHECK(answer->body == "secret");
  CHECK(server.server_name == "localhost");
  CHECK(server.version == TLS1_3_VERSION);
  CHECK(server.request.starts_with("GET /path HTTP/1.1\r\n"));
}

TEST_CASE("tls: an address is checked against the certificate and not sent as server name") {
  const Trusted trusted;
  const auto identity = make_identity({.names = "IP:127.0.0.1"}, &trusted.authority);
  TlsServer server(identity);
  auto answer = ask("127.0.0.1", server.port);
  server.finish();
  CAPTURE(answer.ok() ? "" : answer.error().text());
  REQUIRE(answer.ok());
  CHECK_FALSE(server.server_name.has_value());
}

TEST_CASE("tls: a certificate for another host is refused") {
  const Trusted trusted;
  for (const char* names : {"DNS:other.example", "DNS:localhost.other.example", "IP:127.0.0.2"}) {
    for (const char* host : {"localhost", "127.0.0.1"}) {
      CAPTURE(names);
      CAPTURE(host);
      const auto identity = make_identity({.names = names}, &trusted.authority);
      TlsServer server(identity);
      check_refused(ask(host, server.port), server, "for another host name");
    }
  }
}

TEST_CASE("tls: a certificate is refused after its time and before it") {
  const Trusted trusted;
  const auto old = make_identity(
      {.names = "DNS:localhost", .valid_from = -7200, .valid_until = -3600}, &trusted.authority);
  TlsServer expired(old);
  check_refused(ask("localhost", expired.port), expired, "has expired");
  const auto early = make_identity(
      {.names = "DNS:localhost", .valid_from = 3600, .valid_until = 7200}, &trusted.authority);
  TlsServer soon(early);
  check_refused(ask("localhost", soon.port), soon, "not valid yet");
}

TEST_CASE("tls: a certificate of an unknown authority, or of none, is refused") {
  const Trusted trusted;
  const auto stranger = make_identity({}, nullptr);  // of the same name as the trusted one
  const auto foreign = make_identity({.names = "DNS:localhost"}, &stranger);
  TlsServer unknown(foreign);
  check_refused(ask("localhost", unknown.port), unknown, "not of an authority");
  const auto other = make_identity({.names = "", .authority_name = "another authority"}, nullptr);
  const auto unheard = make_identity({.names = "DNS:localhost"}, &other);
  TlsServer elsewhere(unheard);
  check_refused(ask("localhost", elsewhere.port), elsewhere, "not of an authority");
  const auto own = make_identity({.names = "DNS:localhost"}, nullptr);
  TlsServer self_signed(own);
  check_refused(ask("localhost", self_signed.port), self_signed, "not of an authority");
}

TEST_CASE("tls: TLS 1.2 is spoken, TLS 1.1 is not") {
  const Trusted trusted;
  const auto identity = make_identity({.names = "DNS:localhost"}, &trusted.authority);
  TlsServer second(identity, TLS1_2_VERSION);
  auto answer = ask("localhost", second.port);
  second.finish();
  CHECK(answer.ok());
  CHECK(second.version == TLS1_2_VERSION);
  TlsServer first(identity, TLS1_1_VERSION);
  check_refused(ask("localhost", first.port), first, "does not speak TLS 1.2 or newer");
}

}  // namespace
}  // namespace aios::net
