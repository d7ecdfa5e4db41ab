// SPDX-License-Identifier: Apache-2.0
#include "app/dev_server.h"

#include "app/address.h"
#include "app/client.h"
#include "app/private_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace aios::app {
namespace {

constexpr auto drain_grace = std::chrono::seconds(2);

Result<std::string> temporary_folder() {
  std::error_code failed;
  const auto root = std::filesystem::temp_directory_path(failed);
  std::string path = (root / ("aios-dev-" + std::string(6, 'X'))).string();
  if (failed || ::mkdtemp(path.data()) == nullptr) {
    return Error(Code::failed_precondition,
                 fmt::format("no temporary folder can be made as '{}': {}", path,
                             failed ? failed.message() : std::generic_category().message(errno)))
        .page(1425);
  }
  return path;
}

}  // namespace

Result<std::unique_ptr<DevServer>> DevServer::start(const DevServerOptions& options) {
  auto address = listen_address(options.listen);
  if (!address.ok()) {
    return std::move(address).error();
  }
  std::unique_ptr<DevServer> server(new DevServer());
  server->temporary_ = options.data.empty();
  server->data_ = options.data;
  if (server->temporary_) {
    auto folder = temporary_folder();
    if (!folder.ok()) {
      return std::move(folder).error();
    }
    server->data_ = *std::move(folder);
  }
  SystemOptions system;
  system.data = server->data_;
  system.listen = true;
  system.host = address->host;
  system.port = address->port;
  system.log_level = observe::Level::error;  // runs that fault are told of by their own view
  auto opened = System::open(system);
  if (!opened.ok()) {
    return std::move(opened).error();
  }
  server->system_ = *std::move(opened);
  const bool ipv6 = address->host.find(':') != std::string::npos;
  server->url_ = fmt::format("http://{}:{}", ipv6 ? "[" + address->host + "]" : address->host,
                             server->system_->port());
  auto written = write_passing_file(server->data_ + "/server.address", server->url_ + "\n");
  if (!written.ok()) {
    return std::move(written).error();
  }
  return server;
}

DevServer::~DevServer() {
  std::remove((data_ + "/server.address").c_str());
  if (system_) {
    auto stopped = system_->stop(drain_grace);
    if (!stopped.ok()) {
      std::fputs((stopped.error().text() + "\n").c_str(), stderr);
    }
    system_.reset();
  }
  if (temporary_ && !data_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(data_, ignored);
  }
}

Result<Json> DevServer::call(const std::string& method, const std::string& path,
                             const Json& body) const {
  Target target;
  target.server = url_;
  target.data = data_;
  if (const std::string own = data_ + "/first-key"; std::filesystem::exists(own)) {
    target.key_file = own;  // not that of another server, which the environment may hold
  }
  auto client = connect(target, Runs::rest);
  if (!client.ok()) {
    return std::move(client).error();
  }
  Call request;
  request.method = method;
  request.path = path;
  request.body = body;
  return (*client)->call(std::move(request));
}

}  // namespace aios::app
