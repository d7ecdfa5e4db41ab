// SPDX-License-Identifier: Apache-2.0
// The listener over TLS: what it shows, whom it refuses, and its files.
#include "core/test/folder.h"
#include "net/client.h"
#include "net/detail/certificates_for_test.h"
#include "net/server.h"
#include "net/tls.h"
#include "observe/metrics.h"
#include "runtime/shards.h"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <string>

namespace aios::net {
namespace {

using test::Identity;
using test::make_identity;

Task<Response> say_hello(Context, Request request) {
  Response response;
  response.body = "hello " + request.body;
  co_return response;
}

/// Files of an authority and of a server's certificate for localhost.
struct Files {
  Files() : authority(make_identity({}, nullptr)) {
    test::write_certificate(folder.at("authority.pem"), authority);
    renew("DNS:localhost");
  }
  void renew(const std::string& names) {
    const auto own = make_identity({.names = names}, &authority);
    test::write_certificate(files().certificate, own);
    test::write_key(files().key, own);
  }
  TlsFiles files() const { return {folder.at("cert.pem"), folder.at("key.pem")}; }
  aios::test::Folder folder;
  const Identity authority;
};

class TlsListener {
 public:
  explicit TlsListener(const Files& files, ServerOptions options = {}) {
    auto loaded = TlsIdentity::load(files.files());
    REQUIRE(loaded.ok());
    identity = *loaded;
    options.tls = identity;
    options.metrics = &metrics;
    Route route;
    route.method = "POST";
    route.pattern = "/hello";
    route.handler = say_hello;
    router_.add(std::move(route));
    auto started = start_server(shards_, router_, options);
    REQUIRE(started.ok());
    server_ = std::move(*started);
  }
  ~TlsListener() {
    server_->stop(std::chrono::seconds(5));
    shards_.stop();
  }
  std::uint16_t port() const { return server_->port(); }
  Result<Response> ask(const ClientOptions& options, std::string body = "you",
                       const std::string& host = "localhost") {
    auto client = make_client(shards_, options);
    Context ctx;
    ctx.deadline = shards_.at(0).clock().instant() + std::chrono::seconds(30);
    ClientRequest request;
    request.method = "POST";
    request.url = "https://" + host + ":" + std::to_string(port()) + "/hello";
    request.body = std::move(body);
    return shards_.run(0, client->send(ctx, std::move(request)));
  }
  std::uint64_t failed(const std::string& reason) {
    const std::string line = "aios_tls_handshakes_failed_total{reason=\"" + reason + "\"} ";
    const std::string text = metrics.prometheus();
    const std::size_t at = text.find(line);
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + line.size()));
  }

  observe::Metrics metrics;
  std::shared_ptr<TlsIdentity> identity;

 private:
  runtime::Shards shards_{2};
  Router router_;
  std::unique_ptr<Server> server_;
};

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

std::string read_all(int fd) {
  std::string out;
  char part[4096];
  for (ssize_t got = ::recv(fd, part, sizeof part, 0); got > 0;
       got = ::recv(fd, part, sizeof part, 0)) {
    out.append(part, static_cast<std::size_t>(got));
  }
  ::close(fd);
  return out;
}

void write_text(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

ClientOptions trusting(const Files& files) {
  ClientOptions options;
  auto authorities = read_authorities(files.folder.at("authority.pem"));
  REQUIRE(authorities.ok());
  options.authorities = *authorities;
  return options;
}

TEST_CASE("tls server: who trusts the authority is answered, bodies of many records too") {
  const Files files;
  TlsListener listener(files);
  auto answer = listener.ask(trusting(files));
  CAPTURE(answer.ok() ? "" : answer.error().text());
  REQUIRE(answer.ok());
  CHECK(answer->body == "hello you");
  const std::string large(900'000, 'x');
  answer = listener.ask(trusting(files), large);
  REQUIRE(answer.ok());
  CHECK(answer->body == "hello " + large);
}

TEST_CASE("tls server: who trusts neither authority nor certificate sends nothing") {
  const Files files;
  TlsListener listener(files);
  auto answer = listener.ask({});
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().message().find("not of an authority") != std::string::npos);
  CHECK(sent_of(answer.error()) == Sent::nothing);
}

TEST_CASE("tls server: a pinned certificate is taken under any name, and no other one is") {
  Files files;
  files.renew("DNS:aios.example");
  TlsListener listener(files);
  ClientOptions options;
  options.pinned = listener.identity->fingerprint();
  CHECK(listener.ask(options).ok());
  CHECK_FALSE(listener.ask(trusting(files)).ok());  // of the authority, but not under this name
  options.pinned[0] = options.pinned[0] == '0' ? '1' : '0';
  auto refused = listener.ask(options);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message().find("not the one that this server is known by") !=
        std::string::npos);
}

TEST_CASE("tls server: a plain request is told that the port speaks TLS") {
  const Files files;
  TlsListener listener(files);
  const int fd = connect_to(listener.port());
  const std::string request = "GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n";
  REQUIRE(::send(fd, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()));
  const std::string answer = read_all(fd);
  CHECK(answer.starts_with("HTTP/1.1 400 "));
  CHECK(answer.find("AIOS-0343") != std::string::npos);
  CHECK(listener.failed("plain_http") == 1);
}

TEST_CASE("tls server: who does not finish the handshake is closed in time and counted") {
  const Files files;
  ServerOptions options;
  options.header_timeout = std::chrono::milliseconds(30);
  TlsListener listener(files, options);
  CHECK(read_all(connect_to(listener.port())).empty());  // ends: the server closed it
  CHECK(listener.failed("timed_out") == 1);
  const int fd = connect_to(listener.port());
  REQUIRE(::send(fd, "\x16\x03\x01\x02", 4, 0) == 4);  // the begin of a greeting
  CHECK(read_all(fd).empty());
  CHECK(listener.failed("timed_out") == 2);
}

TEST_CASE("tls server: half-open handshakes make room for a peer that asks") {
  const Files files;
  ServerOptions options;
  options.connections_max = 2;
  options.connections_per_peer_max = 2;
  TlsListener listener(files, options);
  const int first = connect_to(listener.port());
  const int second = connect_to(listener.port());
  bool answered = false;  // of two silent ones on two shards, one is where the next comes to
  for (int i = 0; i < 20 && !answered; ++i) {
    answered = listener.ask(trusting(files)).ok();
  }
  CHECK(answered);
  ::close(first);
  ::close(second);
}

TEST_CASE("tls server: TLS 1.1 is refused, and so is a client that offers other protocols only") {
  const Files files;
  TlsListener listener(files);
  const auto shake = [&](int version, const std::string& protocols) {
    const std::unique_ptr<SSL_CTX, test::Free> context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_cipher_list(context.get(), "DEFAULT@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), version);
    const std::unique_ptr<SSL, test::Free> tls(SSL_new(context.get()));
    SSL_set_alpn_protos(tls.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned int>(protocols.size()));
    const int fd = connect_to(listener.port());
    SSL_set_fd(tls.get(), fd);
    const bool done = SSL_connect(tls.get()) == 1;
    const unsigned char* chosen = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(tls.get(), &chosen, &size);
    const std::string name(reinterpret_cast<const char*>(chosen), size);
    ::close(fd);
    return done ? "agreed " + name : std::string("refused");
  };
  CHECK(shake(TLS1_3_VERSION, "\x02h2\x08http/1.1") == "agreed http/1.1");
  CHECK(shake(TLS1_2_VERSION, "\x08http/1.1") == "agreed http/1.1");
  CHECK(shake(TLS1_3_VERSION, "\x02h2") == "refused");
  CHECK(shake(TLS1_1_VERSION, "\x08http/1.1") == "refused");
}

TEST_CASE("tls server: renewed files are shown to who comes next, half-renewed ones are not") {
  Files files;
  TlsListener listener(files);
  CHECK(listener.identity->reload().value() == false);
  const std::string before = listener.identity->fingerprint();
  const auto other = make_identity({.names = "DNS:localhost"}, &files.authority);
  test::write_certificate(files.files().certificate, other);
  auto half = listener.identity->reload();
  REQUIRE_FALSE(half.ok());
  CHECK(half.error().page() == 342);
  CHECK(listener.identity->fingerprint() == before);
  CHECK(listener.ask(trusting(files)).ok());
  test::write_key(files.files().key, other);
  CHECK(listener.identity->reload().value());
  CHECK(listener.identity->fingerprint() != before);
  ClientOptions options;
  options.pinned = listener.identity->fingerprint();
  CHECK(listener.ask(options).ok());
}

TEST_CASE("tls files: what is missing, damaged, encrypted or of another pair is named") {
  const Files files;
  const auto page_of = [](const TlsFiles& wrong) {
    auto loaded = TlsIdentity::load(wrong);
    REQUIRE_FALSE(loaded.ok());
    CHECK(loaded.error().code() == Code::invalid_argument);
    return loaded.error().page();
  };
  const auto at = [&](const char* name) { return files.folder.at(name); };
  const auto good = files.files();
  CHECK(page_of({at("nothing.pem"), good.key}) == 340);
  CHECK(page_of({good.certificate, at("nothing.pem")}) == 340);
  CHECK(page_of({at("."), good.key}) == 340);
  write_text(at("large.pem"), std::string((1 << 20) + 1, 'x'));
  CHECK(page_of({at("large.pem"), good.key}) == 340);
  write_text(at("empty.pem"), "");
  CHECK(page_of({at("empty.pem"), good.key}) == 341);
  CHECK(page_of({good.certificate, at("empty.pem")}) == 341);
  CHECK(page_of({good.key, good.certificate}) == 341);  // swapped
  const auto own = make_identity({.names = "DNS:localhost"}, &files.authority);
  test::write_key(at("locked.pem"), own, "a passphrase");
  CHECK(page_of({good.certificate, at("locked.pem")}) == 341);
  test::write_key(at("other.pem"), own);
  CHECK(page_of({good.certificate, at("other.pem")}) == 342);
  CHECK_FALSE(read_authorities(at("empty.pem")).ok());
  CHECK_FALSE(read_authorities(at("nothing.pem")).ok());
}

}  // namespace
}  // namespace aios::net
