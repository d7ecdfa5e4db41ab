// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/http_manifest: connector.yaml of kind http, read and checked.

#include "connectors/connectors.h"
#include "connectors/detail/http_answer.h"
#include "connectors/detail/path_template.h"
#include "expr/jq.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aios::connectors::detail {

/// One request and what its answer means.
struct HttpRequestForm {
  std::string method;
  PathTemplate path;
  std::optional<expr::Program> body;    ///< over the arguments
  std::optional<expr::Program> result;  ///< over {status, headers, body}; none: the body
  std::vector<int> absent;              ///< statuses that say: there is none; the result is null
};

struct HttpOperation {
  OperationInfo info;
  HttpRequestForm request;
  std::optional<expr::Program> remember;  ///< of the result, for policies
  std::string key_header;                 ///< class key only
  std::optional<HttpRequestForm> lookup;  ///< class lookup only; result null: it did not happen
};

struct HttpManifest {
  std::string name;
  std::string region;
  std::string base_url;     ///< without a '/' at its end
  std::string auth_header;  ///< empty: none
  std::string auth_prefix;  ///< before the secret's value: "Bearer "
  std::string auth_secret;  ///< the secret's name
  std::vector<std::pair<std::string, std::string>> headers;
  Limits limits;
  std::vector<StatusRule> errors;
  std::map<std::string, HttpOperation, std::less<>> operations;
};

/// Null when something is wrong; every mistake is appended.
std::unique_ptr<HttpManifest> read_http_manifest(const ManifestFile& file, const Json& params,
                                                 std::vector<Error>* errors);

}  // namespace aios::connectors::detail
