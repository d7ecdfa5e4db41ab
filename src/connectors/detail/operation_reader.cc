// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/operation_reader.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::connectors::detail {

namespace {

constexpr Duration settle_least = std::chrono::seconds(30);  ///< where the manifest says nothing
constexpr Duration settle_most = std::chrono::hours(12);

/// An expression that compiles; a mistake otherwise.
std::optional<expr::Program> read_program(Reader& reader, const Node& node) {
  const auto text = reader.text(node);
  if (!text) {
    return std::nullopt;
  }
  expr::CompileOptions options;
  options.variables = {"effect", "run", "arguments"};
  options.file = reader.file();
  options.line = reader.place(node).line;
  options.column = reader.place(node).column;
  auto program = expr::Program::compile(*text, options);
  if (!program.ok()) {
    reader.take(node, program.error());
    return std::nullopt;
  }
  return std::move(*program);
}

/// Names in a path must be arguments, where the schema lists them.
void check_path_names(Reader& reader, const Node& node, const PathTemplate& path,
                      const Json& schema) {
  const Json* properties = find(schema, "properties");
  std::vector<std::string> known = {"effect_id", "run_id"};
  if (properties != nullptr && properties->is_object()) {
    for (const auto& [name, ignored] : properties->get_object()) {
      known.emplace_back(name.data(), name.size());
    }
  }
  for (const std::string& name : path.names()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      reader.mistake(node, fmt::format("'{{{}}}' is no property of the operation's arguments{}",
                                       name, hint(name, known)));
    }
  }
}

/// method and path, which both a request and a look-up have.
HttpRequestForm read_request(Reader& reader, const Node& node, const Json& schema) {
  HttpRequestForm form;
  if (const auto method = reader.needed(node, "method")) {
    form.method =
        reader.one_of(*method, {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}).value_or("GET");
  }
  if (const auto path = reader.needed(node, "path")) {
    const auto text = reader.text(*path);
    auto parsed = text ? PathTemplate::parse(*text)
                       : Result<PathTemplate>(Error(Code::invalid_argument, "no path"));
    if (parsed.ok()) {
      form.path = std::move(*parsed);
      check_path_names(reader, *path, form.path, schema);
    } else if (text) {
      reader.take(*path, parsed.error());
    }
  }
  if (const auto absent = reader.member(node, "absent")) {
    form.absent = read_statuses(reader, *absent);
  }
  return form;
}

std::optional<HttpRequestForm> read_lookup(Reader& reader, const Node& node, const Json& schema) {
  reader.allow(node, {"method", "path", "found", "absent", "settle"});
  HttpRequestForm form = read_request(reader, node, schema);
  if (form.method != "GET" && form.method != "HEAD") {
    reader.mistake(node, "a look-up changes nothing: wanted method GET");
  }
  if (const auto found = reader.needed(node, "found")) {
    form.result = read_program(reader, *found);
  }
  return form;
}

std::optional<expr::Schema> read_schema(Reader& reader, const Node& node) {
  auto compiled = expr::Schema::compile(*node.value);
  if (!compiled.ok()) {
    reader.take(node, compiled.error());
    return std::nullopt;
  }
  return std::move(*compiled);
}

void read_arguments(Reader& reader, const Node& node, OperationInfo* info) {
  info->arguments_schema = *node.value;
  info->checker = read_schema(reader, node);
}

/// Where something acts, a success that is not in the form of one must be told from a success.
void read_result_schema(Reader& reader, const Node& node, const Node& effect, OperationInfo* info) {
  const auto schema = reader.member(node, "resultSchema");
  if (schema) {
    info->result_checker = read_schema(reader, *schema);
  } else if (info->effect != EffectClass::read) {
    reader.mistake(effect, fmt::format("effect {} needs a 'resultSchema' that tells a success from "
                                       "any other answer with status 200 ({{}} takes all)",
                                       name_of(info->effect)));
  }
}

/// How long a request may still act after nobody waits for its answer any more.
Duration read_settle(Reader& reader, const Node& lookup, Duration timeout) {
  const auto usual = std::max<Duration>(10 * timeout, settle_least);
  const auto settle = reader.member(lookup, "settle");
  return settle ? reader.duration(*settle, Duration(0), settle_most).value_or(usual) : usual;
}

EffectClass effect_of(std::string_view name) {
  return name == "read"     ? EffectClass::read
         : name == "key"    ? EffectClass::key
         : name == "lookup" ? EffectClass::lookup
                            : EffectClass::none;
}

/// The parts that hang on the effect class.
void read_effect(Reader& reader, const Node& node, HttpOperation* operation) {
  const auto effect = reader.needed(node, "effect");
  const auto written =
      effect ? reader.one_of(*effect, {"read", "key", "lookup", "none"}) : std::nullopt;
  if (!written) {
    return;
  }
  operation->info.effect = effect_of(*written);
  read_result_schema(reader, node, *effect, &operation->info);
  const bool get = operation->request.method == "GET" || operation->request.method == "HEAD";
  if (get && operation->info.effect != EffectClass::read) {
    reader.mistake(*effect, fmt::format("found '{}' on a GET, wanted read", *written));
  }
  const auto key = reader.member(node, "keyHeader");
  if (operation->info.effect == EffectClass::key) {
    operation->key_header = key ? read_header_name(reader, *key).value_or("") : "idempotency-key";
  } else if (key) {
    reader.mistake_at_key(*key, "'keyHeader' belongs to effect: key only");
  }
  const auto lookup = reader.member(node, "lookup");
  if (operation->info.effect == EffectClass::lookup && !lookup) {
    reader.mistake(*effect, "effect lookup needs a 'lookup' that tells whether it happened");
  } else if (operation->info.effect != EffectClass::lookup && lookup) {
    reader.mistake_at_key(*lookup, "'lookup' belongs to effect: lookup only");
  } else if (lookup) {
    operation->lookup = read_lookup(reader, *lookup, operation->info.arguments_schema);
    operation->info.settle = read_settle(reader, *lookup, operation->info.timeout);
  }
}

/// Whether the system is told the effect's id: in a header, the path or the body.
bool names_effect(const HttpOperation& operation) {
  const auto& request = operation.request;
  const auto& names = request.path.names();
  return !operation.key_header.empty() ||
         std::find(names.begin(), names.end(), "effect_id") != names.end() ||
         (request.body && request.body->text().find("$effect") != std::string_view::npos);
}

}  // namespace

HttpOperation read_operation(Reader& reader, const Node& node, const std::string& name,
                             const OperationInfo& common) {
  HttpOperation operation;
  operation.info = common;
  operation.info.operation = name;
  reader.allow(node, {"method", "path", "effect", "description", "arguments", "body", "result",
                      "resultSchema", "remember", "absent", "keyHeader", "lookup", "timeout"});
  if (const auto arguments = reader.member(node, "arguments")) {
    read_arguments(reader, *arguments, &operation.info);
  }
  operation.request = read_request(reader, node, operation.info.arguments_schema);
  if (const auto body = reader.member(node, "body")) {
    operation.request.body = read_program(reader, *body);
    if (operation.request.method == "GET" || operation.request.method == "HEAD") {
      reader.mistake_at_key(*body, "a GET has no body");
    }
  }
  if (const auto result = reader.member(node, "result")) {
    operation.request.result = read_program(reader, *result);
  }
  if (const auto remember = reader.member(node, "remember")) {
    operation.remember = read_program(reader, *remember);
  }
  if (const auto timeout = reader.member(node, "timeout")) {
    const auto read =
        reader.duration(*timeout, std::chrono::milliseconds(1), std::chrono::minutes(10));
    operation.info.timeout = read.value_or(operation.info.timeout);
  }
  read_effect(reader, node, &operation);
  operation.info.names_effect = names_effect(operation);
  return operation;
}

std::optional<std::string> read_name(Reader& reader, const Node& node) {
  auto name = reader.text(node);
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (name && (name->size() > 63 || !std::all_of(name->begin(), name->end(), good) ||
               name->front() < 'a')) {
    reader.mistake(node, fmt::format("found '{}', wanted 1 to 63 of a-z, 0-9 and '-', beginning "
                                     "with a letter",
                                     excerpt(*name, 40)));
    return std::nullopt;
  }
  return name;
}

bool check_header_name(Reader& reader, const Node& node, std::string_view name) {
  const std::string lower = ascii_lower(name);
  const bool token = !lower.empty() && std::all_of(lower.begin(), lower.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  const bool own = lower == "host" || lower == "content-length" || lower == "connection" ||
                   lower == "transfer-encoding" || lower == "expect" || lower == "content-type";
  if (!token || own) {
    reader.mistake(node,
                   fmt::format("'{}' is no header that a manifest may set", excerpt(name, 40)));
  }
  return token && !own;
}

std::optional<std::string> read_header_name(Reader& reader, const Node& node) {
  const auto name = reader.text(node);
  return name && check_header_name(reader, node, *name) ? name : std::nullopt;
}

std::vector<int> read_statuses(Reader& reader, const Node& node) {
  std::vector<int> out;
  for (const Node& item : reader.items(node)) {
    if (const auto status = reader.integer(item, 200, 599)) {
      out.push_back(static_cast<int>(*status));
    }
  }
  return out;
}

}  // namespace aios::connectors::detail
