// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/client: how a command reaches the API: over HTTP to a running server, or in this process on a
// data directory. Every command speaks the same API either way.

#include "app/system.h"
#include "core/json.h"
#include "core/result.h"

#include <memory>
#include <string>
#include <vector>

namespace aios::app {

/// Where the command line should look; empty texts mean "not given".
struct Target {
  std::string server;    ///< --server, AIOS_SERVER: "http://127.0.0.1:8787"
  std::string key_file;  ///< --key-file, AIOS_KEY_FILE; or the key itself in AIOS_KEY
  std::string tls_ca;    ///< --tls-ca, AIOS_TLS_CA: authorities besides the system's
  std::string data;      ///< --data, AIOS_DATA, default ./aios-data
};

struct Call {
  std::string method = "GET";
  std::string path;
  Json body;  ///< null: none
  std::string content_type = "application/json";
  std::string idempotency_key = {};  ///< empty: none
  /// Where all that is wrong with what was sent goes, when the answer lists it; null: nowhere.
  std::vector<Error>* problems = nullptr;
};

class Interrupt;

class ApiClient {
 public:
  virtual ~ApiClient() = default;
  /// The answer's JSON; a problem document becomes an Error with its code and page. Blocks.
  Result<Json> call(Call request);
  /// The same for many calls, `at_once` at a time; results in the calls' order. Blocks.
  virtual std::vector<Result<Json>> call_all(std::vector<Call> calls, std::size_t at_once) = 0;
  /// From now on calls end as `cancelled` once it came; those not begun are not sent. It outlives
  /// the client.
  void watch(Interrupt* interrupt) { interrupt_ = interrupt; }
  /// Waits on the client's own clock. Blocks.
  virtual void pause(Duration span) = 0;
  /// One line for people: "server http://..." or "data directory ...".
  virtual std::string where() const = 0;

 protected:
  Interrupt* interrupt_ = nullptr;
};

/// Whether a call sets runs going: then a data directory's other runs go on meanwhile, too. Calls
/// that only read, and those about keys, bundles and models, leave every run as it is.
Runs runs_for(const Call& call);

/// A running server when --server is given or <data>/server.address answers; else the data
/// directory itself, which must exist (not_found otherwise, saying what to start).
/// @param runs  what the runs of a directory that is opened here may do while the client lives.
Result<std::unique_ptr<ApiClient>> connect(const Target& target, Runs runs);

}  // namespace aios::app
