// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/detail/http_call: `call: http` as a document has it, and the arguments of the function
// `http` that a step makes of it.

#include "core/json.h"
#include "core/result.h"
#include "workflow/detail/uri_template.h"
#include "workflow/task_kind.h"

#include <optional>
#include <string>

namespace aios::workflow {

class HttpCall {
 public:
  /// Whether a document calls it so: by its bare name, or like any other function.
  static bool is_named(std::string_view call);
  /// Reads `with` of a call at `pointer`; every mistake goes to the loader.
  /// @return nothing after a mistake.
  static std::optional<HttpCall> load(TaskLoader& loader, const Json* with,
                                      const std::string& pointer);
  /// {method, uri, query, headers, body, output, redirect, authentication}.
  /// @param dot  what expressions and the names of the URI's template are evaluated on.
  Result<Json> arguments(TaskScope& scope, const Json& dot) const;

 private:
  bool load_endpoint(TaskLoader& loader, const Json& endpoint, const std::string& pointer);
  void load_uri(TaskLoader& loader, const Json& uri, const std::string& pointer);
  void load_authentication(TaskLoader& loader, const Json& given, std::string pointer);

  Expression with_;                 ///< all of it; what follows comes in its place
  std::optional<UriTemplate> uri_;  ///< none: the URI is an expression
  Expression authentication_;
};

}  // namespace aios::workflow
