// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/dev_server: a server of this process for one who tries a bundle out: on a folder of its own
// that goes with it, or on a data directory that is given and stays.

#include "app/system.h"
#include "core/json.h"
#include "core/result.h"

#include <cstdint>
#include <memory>
#include <string>

namespace aios::app {

struct DevServerOptions {
  std::string listen = "127.0.0.1:0";
  std::string data;  ///< empty: a temporary folder
};

class DevServer {
 public:
  /// @return failed_precondition [AIOS-1425]: no temporary folder; else what System::open() says.
  static Result<std::unique_ptr<DevServer>> start(const DevServerOptions& options);
  ~DevServer();
  DevServer(const DevServer&) = delete;
  DevServer& operator=(const DevServer&) = delete;
  const std::string& url() const { return url_; }
  const std::string& data() const { return data_; }
  /// Any call of the API, with every right. Blocks.
  Result<Json> call(const std::string& method, const std::string& path, const Json& body) const;

 private:
  DevServer() = default;

  std::unique_ptr<System> system_;
  std::string url_;
  std::string data_;
  bool temporary_ = false;
};

}  // namespace aios::app
