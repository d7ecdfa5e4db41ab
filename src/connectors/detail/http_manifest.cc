// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/http_manifest.h"

#include "connectors/detail/operation_reader.h"
#include "connectors/detail/params.h"
#include "connectors/detail/reader.h"
#include "core/text.h"
#include "net/client.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::connectors::detail {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

void read_base_url(Reader& reader, const Node& node, const Json& params, HttpManifest* manifest) {
  const auto written = reader.text(node);
  const auto url = written ? substitute(reader, node, *written, params) : std::nullopt;
  if (!url) {
    return;
  }
  manifest->base_url = *url;
  while (manifest->base_url.ends_with('/')) {
    manifest->base_url.pop_back();
  }
  auto checked = net::check_url(manifest->base_url);
  if (!checked.ok()) {
    reader.take(node, as_written(*written, *url, checked.error()));
  } else if (manifest->base_url.find_first_of("?#") != std::string::npos) {
    reader.mistake(node, "a base URL has no query and no fragment");
  }
}

void read_auth(Reader& reader, const Node& node, HttpManifest* manifest) {
  if (!node.value->is_object()) {
    reader.mistake(node, fmt::format("found {}, wanted an object with 'bearer' or 'header'",
                                     excerpt(to_text(*node.value), 40)));
    return;
  }
  reader.allow(node, {"bearer", "header"});
  if (const auto bearer = reader.member(node, "bearer")) {
    reader.allow(*bearer, {"secret"});
    const auto secret = reader.needed(*bearer, "secret");
    manifest->auth_secret = secret ? reader.text(*secret).value_or("") : "";
    manifest->auth_header = "authorization";
    manifest->auth_prefix = "Bearer ";
    if (reader.member(node, "header")) {
      reader.mistake(node, "wanted either 'bearer' or 'header', found both");
    }
  } else if (const auto header = reader.member(node, "header")) {
    reader.allow(*header, {"name", "secret"});
    const auto name = reader.needed(*header, "name");
    const auto secret = reader.needed(*header, "secret");
    manifest->auth_header = name ? read_header_name(reader, *name).value_or("") : "";
    manifest->auth_secret = secret ? reader.text(*secret).value_or("") : "";
  } else if (node.value->get_object().empty()) {
    reader.mistake(node, "found nothing, wanted 'bearer' or 'header'");  // else allow() says it
  }
}

struct CallLimits {
  Duration timeout = seconds(10);
  runtime::BackoffOptions backoff;
};

void read_backoff(Reader& reader, const Node& node, runtime::BackoffOptions* backoff) {
  reader.allow(node, {"first", "cap"});
  if (const auto first = reader.member(node, "first")) {
    backoff->first = reader.duration(*first, milliseconds(1), minutes(10)).value_or(seconds(1));
  }
  if (const auto cap = reader.member(node, "cap")) {
    backoff->cap = reader.duration(*cap, milliseconds(1), minutes(60)).value_or(seconds(1));
  }
}

void read_limits(Reader& reader, const Node& node, Limits* limits, CallLimits* calls) {
  reader.allow(node, {"timeout", "concurrency", "retries", "backoff", "breaker"});
  if (const auto timeout = reader.member(node, "timeout")) {
    calls->timeout = reader.duration(*timeout, milliseconds(1), minutes(10)).value_or(seconds(1));
  }
  if (const auto concurrency = reader.member(node, "concurrency")) {
    limits->concurrency =
        static_cast<std::uint32_t>(reader.integer(*concurrency, 1, 1000).value_or(1));
  }
  if (const auto retries = reader.member(node, "retries")) {
    calls->backoff.retries_max =
        static_cast<std::uint32_t>(reader.integer(*retries, 0, 1000).value_or(0));
  }
  if (const auto backoff = reader.member(node, "backoff")) {
    read_backoff(reader, *backoff, &calls->backoff);
  }
  if (const auto breaker = reader.member(node, "breaker")) {
    reader.allow(*breaker, {"failures", "openFor", "openForMax"});
    if (const auto failures = reader.member(*breaker, "failures")) {
      limits->breaker.failures_max =
          static_cast<std::uint32_t>(reader.integer(*failures, 1, 1000).value_or(1));
    }
    if (const auto open = reader.member(*breaker, "openFor")) {
      limits->breaker.open_for =
          reader.duration(*open, milliseconds(1), minutes(60)).value_or(seconds(1));
      limits->breaker.open_for_max =
          std::max(limits->breaker.open_for_max, limits->breaker.open_for);
    }
    if (const auto most = reader.member(*breaker, "openForMax")) {
      limits->breaker.open_for_max =
          reader.duration(*most, limits->breaker.open_for, minutes(60)).value_or(seconds(1));
    }
  }
}

std::optional<Code> code_of(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Code::rate_limited); ++i) {
    if (name_of(static_cast<Code>(i)) == name) {
      return static_cast<Code>(i);
    }
  }
  return std::nullopt;
}

StatusRule read_rule(Reader& reader, const Node& node) {
  StatusRule rule;
  reader.allow(node, {"status", "code", "retry", "outcome"});
  if (const auto statuses = reader.needed(node, "status")) {
    rule.statuses = read_statuses(reader, *statuses);
  }
  if (const auto code = reader.member(node, "code")) {
    const auto written = reader.text(*code);
    rule.code = written ? code_of(*written) : std::nullopt;
    if (written && !rule.code) {
      reader.mistake(*code, fmt::format("found '{}', wanted an error code such as not_found, "
                                        "failed_precondition or unavailable",
                                        excerpt(*written, 40)));
    }
  }
  if (const auto retry = reader.member(node, "retry")) {
    const auto written = reader.one_of(*retry, {"never", "same_call", "whole_step"});
    rule.retry = written == "never"       ? Retry::never
                 : written == "same_call" ? Retry::same_call
                                          : Retry::whole_step;
  }
  if (const auto outcome = reader.member(node, "outcome")) {
    const auto written = reader.one_of(*outcome, {"failed", "unknown"});
    rule.outcome = written == "failed" ? Outcome::failed : Outcome::unknown;
  }
  return rule;
}

void read_top(Reader& reader, const Json& params, HttpManifest* manifest, CallLimits* calls) {
  const Node root = reader.root();
  reader.allow(root, {"name", "kind", "description", "region", "baseUrl", "auth", "headers",
                      "limits", "operations", "errors"});
  if (const auto name = reader.needed(root, "name")) {
    manifest->name = read_name(reader, *name).value_or("");
  }
  if (const auto region = reader.needed(root, "region")) {
    manifest->region = reader.text(*region).value_or("");
  }
  if (const auto url = reader.needed(root, "baseUrl")) {
    read_base_url(reader, *url, params, manifest);
  }
  if (const auto auth = reader.member(root, "auth")) {
    read_auth(reader, *auth, manifest);
  }
  if (const auto headers = reader.member(root, "headers")) {
    for (const auto& [name, value] : reader.members(*headers)) {
      const auto text = reader.text(value);
      if (text && check_header_name(reader, value, name)) {
        manifest->headers.emplace_back(name, *text);
      }
    }
  }
  if (const auto limits = reader.member(root, "limits")) {
    read_limits(reader, *limits, &manifest->limits, calls);
  }
  if (const auto rules = reader.member(root, "errors")) {
    for (const Node& rule : reader.items(*rules)) {
      manifest->errors.push_back(read_rule(reader, rule));
    }
  }
}

}  // namespace

std::unique_ptr<HttpManifest> read_http_manifest(const ManifestFile& file, const Json& params,
                                                 std::vector<Error>* errors) {
  auto document = expr::parse_yaml(file.text, file.path);
  if (!document.ok()) {
    errors->push_back(document.error());
    return nullptr;
  }
  Reader reader(*document, file.path, errors);
  auto manifest = std::make_unique<HttpManifest>();
  if (!document->value.is_object()) {
    reader.mistake(reader.root(),
                   "a connector manifest is an object with name, kind, baseUrl, "
                   "region and operations");
    return nullptr;
  }
  CallLimits calls;
  read_top(reader, params, manifest.get(), &calls);
  OperationInfo common;
  common.connector = manifest->name;
  common.kind = "http";
  common.region = manifest->region;
  common.origin = manifest->base_url;
  common.backoff = calls.backoff;
  common.timeout = calls.timeout;
  if (const auto operations = reader.needed(reader.root(), "operations")) {
    const auto members = reader.members(*operations);
    if (operations->value->is_object() && members.empty()) {
      reader.mistake(*operations, "a connector has at least one operation");
    }
    for (const auto& [name, node] : members) {
      manifest->operations[name] = read_operation(reader, node, name, common);
    }
  }
  return reader.good() ? std::move(manifest) : nullptr;
}

}  // namespace aios::connectors::detail
