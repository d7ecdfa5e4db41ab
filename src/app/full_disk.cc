// SPDX-License-Identifier: Apache-2.0
#include "app/full_disk.h"

#include "net/server.h"
#include "runtime/shards.h"
#include "store/file_io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

namespace aios::app {
namespace {

constexpr off_t room_bytes = off_t{1} << 20;
constexpr std::uint32_t connections_max = 256;
constexpr auto ask_again = std::chrono::seconds(5);
constexpr std::array pages = {405, 525, 1403};  // of the store, the audit log, small files

Task<net::Response> health(Context, net::Request) { co_return net::text_response(200, "ok\n"); }

Task<net::Response> not_ready(Context, net::Request) {
  co_return net::text_response(503, "not ready: the disk is full, nothing can be written\n");
}

Error refusal() {
  return Error(Code::unavailable, "the disk is full: the server starts once there is room",
               Retry::same_call)
      .page(405)
      .after(ask_again);
}

Task<net::Response> refused(Context, net::Request) { co_return net::problem(refusal()); }

net::Router router() {
  net::Router out;
  net::Route route;
  route.access = net::Access::anyone;
  route.body_bytes_max = 0;
  route.method = "GET";
  route.pattern = "/healthz";
  route.handler = health;
  out.add(route);
  route.pattern = "/readyz";
  route.handler = not_ready;
  out.add(route);
  route.pattern = "/{rest*}";
  route.handler = refused;
  route.admission = [](const net::Request&) { return Result<void>(refusal()); };
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    route.method = method;
    out.add(route);
  }
  return out;
}

}  // namespace

bool lacks_room(const std::string& data, const Error& error) {
  std::error_code failed;
  return error.code() == Code::resource_exhausted &&
         std::find(pages.begin(), pages.end(), error.page()) != pages.end() &&
         std::filesystem::exists(data + "/journal.db", failed);
}

bool has_room(const std::string& data) {
  const std::string path = data + "/room.tmp";
  const store::Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) {
    return false;
  }
  const bool room = ::posix_fallocate(file.get(), 0, room_bytes) == 0;
  ::unlink(path.c_str());
  return room;
}

Result<bool> wait_for_room(const SystemOptions& options, const Error& why,
                           const std::function<bool()>& rest) {
  const auto lines = options.log_lines;
  const observe::Log log([lines](std::string_view line) { lines->write(line); }, options.log_level);
  runtime::Shards shards(1);
  net::ServerOptions server;
  server.host = options.host;
  server.port = options.port;
  server.connections_max = connections_max;
  if (!options.tls.certificate.empty()) {
    auto identity = net::TlsIdentity::load(options.tls);
    if (!identity.ok()) {
      return std::move(identity).error();
    }
    server.tls = std::move(*identity);
  }
  const net::Router routes = router();
  auto listening = net::start_server(shards, routes, server);
  if (!listening.ok()) {
    return std::move(listening).error();
  }
  Error told = why;
  log.error("app", std::move(told).with("starting; the server waits for room and then goes on"));
  bool room = false;
  bool waits = true;
  while (!room && waits) {
    waits = rest();
    room = waits && has_room(options.data);
  }
  (*listening)->stop(Duration(0));
  shards.stop();
  if (room) {
    log.write(observe::Level::warn, "app", "there is room on the disk again: the server starts");
  }
  return room;
}

}  // namespace aios::app
