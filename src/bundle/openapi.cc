// SPDX-License-Identifier: Apache-2.0
#include "bundle/openapi.h"

#include "bundle/detail/openapi_operation.h"
#include "bundle/detail/openapi_schema.h"
#include "connectors/connectors.h"
#include "core/text.h"
#include "expr/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace aios::bundle {
namespace {

constexpr int page_document = 1150;
constexpr int page_operation = 1151;
constexpr int page_nothing = 1152;
constexpr std::size_t operations_max = 500;
constexpr std::size_t operations_read_max = 10'000;
constexpr std::size_t line_max = 90;
constexpr std::string_view address_unknown = "http://127.0.0.1:8080";

expr::YamlLimits document_limits() {
  expr::YamlLimits limits;
  limits.bytes_max = std::size_t{16} << 20;
  limits.nodes_max = 1'000'000;
  return limits;
}

struct Auth {
  std::string kind;    ///< "bearer" or "header"; empty: none
  std::string header;  ///< of kind header
  std::string secret;
  std::string comment;
};

/// JSON is YAML; what does not fit a line goes on below, further in than what it belongs to.
std::string as_yaml(const Json& value, std::size_t indent) {
  const std::string flat = to_text(value);
  if (flat.size() + indent <= line_max) {
    return flat;
  }
  std::string out;
  for (const char c : to_pretty_text(value)) {
    out += c;
    if (c == '\n') {
      out += std::string(indent, ' ');
    }
  }
  return std::string(trim(out));
}

std::string quoted(std::string_view text) { return to_text(Json(text)); }

/// On one line, and nothing that ends a comment.
std::string in_comment(std::string_view text) { return excerpt(text, 300); }

class Import {
 public:
  Import(const Json& document, std::string_view file, const OpenApiOptions& options)
      : document_(&document),
        file_(file),
        options_(&options),
        schemas_(document, &out_.notes) {}

  Result<ImportedConnector> run() {
    if (auto read = read_operations(); !read.ok()) {
      return std::move(read).error();
    }
    address_ = read_address();
    read_auth();
    write();
    auto checked = connectors::Connectors::check(
        {{"connectors/" + options_->name + "/connector.yaml", out_.manifest}}, JsonObject());
    if (!checked.empty()) {
      return Error(Code::failed_precondition,
                   fmt::format("what the document says makes no connector: {}",
                               checked.front().text()))
          .page(page_nothing);
    }
    return std::move(out_);
  }

 private:
  void note(std::string text) { add_note(&out_.notes, std::move(text)); }

  bool wanted(const std::string& name) const {
    const auto& names = options_->operations;
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
  }

  Result<void> read_operations() {
    const Json* paths = find(*document_, "paths");
    if (paths != nullptr && paths->is_object()) {
      for (const auto& member : paths->get_object()) {
        const Json* item = schemas_.resolve(&member.value(), member.key());
        if (item != nullptr && item->is_object()) {
          read_path(std::string(member.key()), *item);
        }
      }
    }
    for (const std::string& name : options_->operations) {
      if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
        return Error(Code::not_found,
                     fmt::format("{} has no operation '{}'{}", file_, name, hint(name, names_)))
            .page(page_operation);
      }
    }
    if (operations_.empty()) {
      return Error(Code::failed_precondition,
                   fmt::format("nothing in {} can be called by a connector{}", file_,
                               out_.notes.empty() ? std::string(": it has no paths")
                                                  : ": " + join(out_.notes, "; ")))
          .page(page_nothing);
    }
    return {};
  }

  void read_path(const std::string& path, const Json& item) {
    constexpr std::array<std::string_view, 8> methods = {"get",   "head",   "post",    "put",
                                                         "patch", "delete", "options", "trace"};
    for (const std::string_view method : methods) {
      const Json* operation = find(item, method);
      if (operation == nullptr || !operation->is_object()) {
        continue;
      }
      if (names_.size() == operations_read_max) {
        note(fmt::format("what is behind the first {} operations is left out", names_.size()));
        return;
      }
      const std::string name = own_name(operation_name(method, path, *operation));
      if (!wanted(name)) {
        continue;
      }
      if (method == "options" || method == "trace" || operations_.size() == operations_max) {
        note(fmt::format("{}: left out: {}", name,
                         operations_.size() == operations_max
                             ? "a connector from here has 500 operations at most"
                             : "a connector does not send " + std::string(method)));
        continue;
      }
      read_operation(name, std::string(method), path, *operation, item);
    }
  }

  void read_operation(const std::string& name, std::string method, const std::string& path,
                      const Json& operation, const Json& item) {
    std::transform(method.begin(), method.end(), method.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    OpenApiOperation begun;
    begun.name = name;
    begun.method = std::move(method);
    begun.path = path;
    auto read = read_openapi_operation(std::move(begun), operation, item, &schemas_, &out_.notes);
    if (!read) {
      return;
    }
    if (!read->reads) {
      note(
          fmt::format("{}: to decide: its effect. It is 'none' (after a lost answer a person is "
                      "asked); 'key' if the system takes an idempotency key, 'lookup' if it can be "
                      "asked whether it happened",
                      name));
    }
    if (const Json* security = find(operation, "security")) {
      securities_.emplace_back(name, security);
    }
    out_.operations.push_back(name);
    operations_.push_back(std::move(*read));
  }

  std::string own_name(const std::string& wished) {
    const std::string first = wished.empty() ? "operation" : wished;
    std::string name = first;
    for (std::size_t& number = counted_[first]; !taken_.insert(name).second;) {
      number = std::max<std::size_t>(number + 1, 2);
      name = fmt::format("{}_{}", wished, number);
    }
    names_.push_back(name);
    return name;
  }

  std::string read_address() {
    const Json* servers = find(*document_, "servers");
    const bool some = servers != nullptr && servers->is_array() && !servers->get_array().empty();
    if (!some) {
      note("to decide: baseUrl. The document names no server");
      return std::string(address_unknown);
    }
    const Json& server = servers->get_array().front();
    std::string url(text_or(server, "url", ""));
    if (const Json* variables = find(server, "variables"); variables && variables->is_object()) {
      for (const auto& variable : variables->get_object()) {
        const std::string mark = fmt::format("{{{}}}", std::string_view(variable.key()));
        const std::string_view value = text_or(variable.value(), "default", "");
        for (std::size_t at = url.find(mark); at != std::string::npos;
             at = url.find(mark, at + value.size())) {
          url.replace(at, mark.size(), value);
        }
        note(fmt::format("baseUrl: '{}' stands for the server's variable '{}'", value,
                         std::string_view(variable.key())));
      }
    }
    if (servers->get_array().size() > 1) {
      note(fmt::format("baseUrl: the first of {} servers", servers->get_array().size()));
    }
    while (url.ends_with('/')) {
      url.pop_back();
    }
    if (!url.starts_with("http://") && !url.starts_with("https://")) {
      note(fmt::format("to decide: baseUrl. The document's server '{}' is no whole address", url));
      return std::string(address_unknown) + (url.starts_with('/') ? url : "");
    }
    return url;
  }

  /// What one scheme becomes; kind empty and a note: nothing.
  Auth auth_of(const std::string& name) {
    const Json* schemes = at_pointer(*document_, "/components/securitySchemes");
    const Json* scheme = schemes ? schemas_.resolve(find(*schemes, name), "security") : nullptr;
    const std::string_view type = scheme ? text_or(*scheme, "type", "") : "";
    const std::string http = scheme ? ascii_lower(text_or(*scheme, "scheme", "")) : "";
    if (type == "http" && http == "bearer") {
      return {"bearer", "", options_->name + "-token", "the token"};
    }
    if (type == "http" && http == "basic") {
      return {"header", "authorization", options_->name + "-basic",
              "the secret is the whole value: 'Basic ' and base64 of user:password"};
    }
    if (type == "apiKey" && text_or(*scheme, "in", "") == "header") {
      return {"header", std::string(text_or(*scheme, "name", "")), options_->name + "-key",
              "the key"};
    }
    if (type == "oauth2" || type == "openIdConnect") {
      note(
          fmt::format("auth: '{}' is {}: a token that is put in by hand is sent; it is not fetched "
                      "and not renewed",
                      name, type));
      return {"bearer", "", options_->name + "-token", "an access token"};
    }
    note(fmt::format("auth: '{}' ({}) is not supported: bearer, basic and a key in a header are",
                     name, type.empty() ? "not declared" : type));
    return {};
  }

  std::vector<std::string> schemes_in(const Json* requirements) const {
    std::vector<std::string> names;
    if (requirements != nullptr && requirements->is_array()) {
      for (const Json& one : requirements->get_array()) {
        if (one.is_object()) {
          for (const auto& member : one.get_object()) {
            names.emplace_back(member.key());
          }
        }
      }
    }
    return names;
  }

  void read_auth() {
    std::vector<std::string> names = schemes_in(find(*document_, "security"));
    for (const auto& [operation, security] : securities_) {
      for (std::string& name : schemes_in(security)) {
        names.push_back(std::move(name));
      }
      if (security->is_array() && security->get_array().empty()) {
        note(fmt::format("auth: {} wants none; a connector sends its secret with each", operation));
      }
    }
    std::vector<std::string> seen;
    for (const std::string& name : names) {
      if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
        continue;
      }
      seen.push_back(name);
      if (auth_.kind.empty()) {
        auth_ = auth_of(name);
      } else {
        note(fmt::format("auth: '{}' is left away: a connector has one way to show who it is",
                         name));
      }
    }
    if (!auth_.kind.empty()) {
      out_.secrets.push_back(auth_.secret);
    }
  }

  void write() {
    std::string& yaml = out_.manifest;
    const Json* info = find(*document_, "info");
    const std::string title = in_comment(info ? text_or(*info, "title", "") : "");
    yaml += fmt::format("# Made by `aios connector import` from {}: {} {}\n", in_comment(file_),
                        title, in_comment(info ? text_or(*info, "version", "") : ""));
    yaml += "# docs/guide/connectors.md explains each member.\n";
    for (const std::string& text : out_.notes) {
      yaml += fmt::format("# - {}\n", in_comment(text));
    }
    yaml += fmt::format("name: {}\nkind: http\n", options_->name);
    yaml +=
        "region: eu   # to decide: where the system is; policies compare it with the tenant's\n";
    yaml += fmt::format("baseUrl: {}\n", quoted(address_));
    if (auth_.kind == "bearer") {
      yaml += fmt::format("auth:\n  bearer:\n    secret: {}   # {}\n", auth_.secret, auth_.comment);
    } else if (auth_.kind == "header") {
      yaml += fmt::format("auth:\n  header:\n    name: {}\n    secret: {}   # {}\n",
                          quoted(auth_.header), auth_.secret, auth_.comment);
    }
    yaml += "operations:\n";
    for (const OpenApiOperation& operation : operations_) {
      write_operation(operation);
    }
  }

  void write_operation(const OpenApiOperation& operation) {
    std::string& yaml = out_.manifest;
    yaml += fmt::format("  {}:\n", quoted(operation.name));
    if (!operation.description.empty()) {
      yaml += fmt::format("    description: {}\n", quoted(operation.description));
    }
    yaml += fmt::format("    method: {}\n    path: {}\n", operation.method, quoted(operation.path));
    yaml += operation.reads
                ? "    effect: read\n"
                : "    effect: none   # to decide: key or lookup, where the system can\n";
    yaml += fmt::format("    arguments: {}\n", as_yaml(operation.arguments, 6));
    if (operation.has_body) {
      yaml += "    body: .body\n";
    }
    yaml += "    result: .body\n";
    const Json form =
        operation.result_schema.is_null() ? Json(JsonObject()) : operation.result_schema;
    yaml += fmt::format("    resultSchema: {}\n", as_yaml(form, 6));
  }

  const Json* document_;
  std::string file_;
  const OpenApiOptions* options_;
  ImportedConnector out_;
  OpenApiSchemas schemas_;
  std::vector<std::string> names_;
  std::set<std::string> taken_;
  std::map<std::string, std::size_t> counted_;  ///< the last number behind a name
  std::vector<OpenApiOperation> operations_;
  std::vector<std::pair<std::string, const Json*>> securities_;
  std::string address_;
  Auth auth_;
};

}  // namespace

Result<ImportedConnector> connector_from_openapi(std::string_view text, std::string_view file,
                                                 const OpenApiOptions& options) {
  auto parsed = expr::parse_yaml(text, file, document_limits());
  if (!parsed.ok()) {
    return std::move(parsed).error();
  }
  const std::string_view version = text_or(parsed->value, "openapi", "");
  if (!version.starts_with("3.0") && !version.starts_with("3.1")) {
    const bool older = find(parsed->value, "swagger") != nullptr;
    return Error(Code::invalid_argument,
                 older ? std::string("found a Swagger 2 document, wanted OpenAPI 3.0 or 3.1: "
                                     "convert it first")
                       : fmt::format("found {}, wanted an OpenAPI document with 'openapi: 3.0.x' "
                                     "or '3.1.x'",
                                     version.empty() ? "no member 'openapi'"
                                                     : "'openapi: " + std::string(version) + "'"))
        .page(page_document)
        .at(file, 1, 1);
  }
  return Import(parsed->value, file, options).run();
}

}  // namespace aios::bundle
