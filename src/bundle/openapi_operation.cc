// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/openapi_operation.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace aios::bundle {
namespace {

constexpr std::size_t description_characters_max = 200;
constexpr std::string_view body_argument = "body";

std::string plain_name(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (fits) {
      out += c;
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
  }
  while (out.ends_with('_')) {
    out.pop_back();
  }
  return out;
}

/// "application/json; charset=utf-8", "application/problem+json", "*/*"
bool is_json(std::string_view type) {
  const std::string bare = ascii_lower(trim(type.substr(0, type.find(';'))));
  return bare == "application/json" || bare == "*/*" || bare == "application/*" ||
         (bare.starts_with("application/") && bare.ends_with("+json"));
}

/// The schema of a content that is JSON; nullptr: there is none. `found`: whether there is any.
const Json* json_schema(const Json* content, bool* found) {
  *found = false;
  if (content == nullptr || !content->is_object()) {
    return nullptr;
  }
  for (const auto& member : content->get_object()) {
    if (is_json(member.key())) {
      *found = true;
      return find(member.value(), "schema");
    }
  }
  return nullptr;
}

bool is_scalar(const Json& schema) {
  const Json* type = find(schema, "type");
  const auto plain = [](const Json& one) { return one != "object" && one != "array"; };
  if (type == nullptr) {
    return true;
  }
  return type->is_array() ? std::all_of(type->get_array().begin(), type->get_array().end(), plain)
                          : plain(*type);
}

/// One operation under way.
class Reading {
 public:
  Reading(OpenApiOperation begun, OpenApiSchemas* schemas, std::vector<std::string>* notes)
      : out_(std::move(begun)),
        schemas_(schemas),
        notes_(notes) {}

  void parameters(const Json& item, const Json& operation) {
    std::map<std::pair<std::string, std::string>, const Json*> merged;  // the operation's own win
    for (const Json* owner : {&item, &operation}) {
      const Json* list = find(*owner, "parameters");
      if (list == nullptr || !list->is_array()) {
        continue;
      }
      for (const Json& one : list->get_array()) {
        if (const Json* parameter = schemas_->resolve(&one, out_.name)) {
          merged[{std::string(text_or(*parameter, "in", "")),
                  std::string(text_or(*parameter, "name", ""))}] = parameter;
        }
      }
    }
    for (const auto& [place, parameter] : merged) {
      take(place.first, place.second, *parameter);
    }
    check_path();
  }

  void body(const Json& operation) {
    const Json* given = schemas_->resolve(find(operation, "requestBody"), out_.name);
    if (given == nullptr) {
      return;
    }
    bool json = false;
    const Json* schema = json_schema(find(*given, "content"), &json);
    const bool required = bool_or(*given, "required", false);
    if (!json) {
      refuse_if(required, "its body is no JSON, and connectors send JSON only");
    } else if (out_.reads) {
      refuse_if(required, fmt::format("a {} sends no body", out_.method));
    } else {
      if (!required) {
        note("its body may be left out in the document; here it is always sent");
      }
      out_.has_body = true;
      const std::string where = fmt::format("{}, its body", out_.name);
      add(std::string(body_argument), schema ? schemas_->schema(*schema, where) : JsonObject());
    }
  }

  void responses(const Json& operation) {
    JsonArray forms;
    bool empty = false;
    const Json* all = find(operation, "responses");
    if (all != nullptr && all->is_object()) {
      for (const auto& member : all->get_object()) {
        if (std::string_view(member.key()).starts_with('2')) {
          take_response(member.value(), &forms, &empty);
        }
      }
    }
    if (!forms.empty() && empty) {
      forms.push_back(JsonObject{{"type", "null"}});
    }
    out_.result_schema = forms.empty()       ? Json(nullptr)
                         : forms.size() == 1 ? forms.front()
                                             : Json(JsonObject{{"anyOf", std::move(forms)}});
  }

  void others(const Json& operation) {
    if (find(operation, "callbacks") != nullptr) {
      note("its callbacks are not taken over: what comes in is an event of its own");
    }
    if (find(operation, "servers") != nullptr) {
      note("it has servers of its own; a connector has one address");
    }
    if (bool_or(operation, "deprecated", false)) {
      note("the document calls it deprecated");
    }
  }

  std::optional<OpenApiOperation> finished() {
    if (refused_) {
      return std::nullopt;
    }
    out_.arguments = JsonObject{{"type", "object"},
                                {"required", std::move(required_)},
                                {"additionalProperties", false},
                                {"properties", std::move(properties_)}};
    return std::move(out_);
  }

 private:
  void note(std::string_view text) { add_note(notes_, fmt::format("{}: {}", out_.name, text)); }

  void refuse_if(bool needed, std::string_view why) {
    note(needed ? fmt::format("left out: {}", why) : std::string(why) + "; it is left away");
    refused_ = refused_ || needed;
  }

  void add(const std::string& name, Json schema) {
    properties_[name] = std::move(schema);
    required_.emplace_back(name);
  }

  void take(const std::string& in, const std::string& name, const Json& parameter) {
    const bool required = in == "path" || bool_or(parameter, "required", false);
    const std::string what = fmt::format("its {} parameter '{}'", in, name);
    if (in == "header" && ascii_lower(name) == "idempotency-key") {
      note(
          fmt::format("{} is no argument: with 'effect: key' each call sends it by itself, the "
                      "same with every attempt",
                      what));
      return;
    }
    if (in == "header" || in == "cookie") {
      refuse_if(required, fmt::format("{} cannot be an argument", what));
      return;
    }
    if (in != "path" && in != "query") {
      refuse_if(required, fmt::format("{} stands in no place that is known", what));
      return;
    }
    const Json* written = find(parameter, "schema");
    const Json schema =
        written ? schemas_->schema(*written, fmt::format("{}, {}", out_.name, what)) : JsonObject();
    if (written == nullptr || !is_scalar(schema)) {
      refuse_if(required, fmt::format("{} is no text, number or truth value", what));
    } else if (!required) {
      note(
          fmt::format("{} may be left out in the document, and an argument in a path may not; to "
                      "use it, put '?{}={{...}}' into the path",
                      what, name));
    } else {
      place(in, name, schema);
    }
  }

  void place(const std::string& in, const std::string& name, const Json& schema) {
    std::string argument = plain_name(name);
    if (argument == body_argument || properties_.contains(argument)) {
      argument += "_" + in;
    }
    if (in == "path") {
      const std::string mark = "{" + name + "}";
      const std::size_t at = out_.path.find(mark);
      if (at == std::string::npos) {
        note(fmt::format("the path has no place for '{}'", name));
        return;
      }
      out_.path.replace(at, mark.size(), "{" + argument + "}");
    } else {
      const char joint = out_.path.find('?') == std::string::npos ? '?' : '&';
      query_ += fmt::format("{}{}={{{}}}", query_.empty() ? joint : '&', net_name(name), argument);
    }
    add(argument, schema);
  }

  /// A name as it may stand in a query: what is no plain character is percent-encoded.
  static std::string net_name(std::string_view name) {
    std::string out;
    for (const char c : name) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
      out += plain ? std::string(1, c) : "%" + ascii_upper_hex(c);
    }
    return out;
  }
  static std::string ascii_upper_hex(char c) {
    return fmt::format("{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }

  /// Every place in the path has its argument.
  void check_path() {
    for (std::size_t at = out_.path.find('{'); at != std::string::npos;
         at = out_.path.find('{', at + 1)) {
      const std::size_t end = out_.path.find('}', at);
      const std::string name = out_.path.substr(at + 1, end - at - 1);
      if (end == std::string::npos || !properties_.contains(name)) {
        refuse_if(true,
                  fmt::format("the document does not say what '{{{}}}' in its path is", name));
        return;
      }
    }
    out_.path += query_;
  }

  void take_response(const Json& member, JsonArray* forms, bool* empty) {
    const Json* response = schemas_->resolve(&member, out_.name);
    const Json* content = response ? find(*response, "content") : nullptr;
    if (content == nullptr || (content->is_object() && content->get_object().empty())) {
      *empty = true;
      return;
    }
    bool json = false;
    const Json* schema = json_schema(content, &json);
    if (!json) {
      note("its answer is no JSON: the result is a text");
      forms->push_back(JsonObject());
    } else {
      forms->push_back(schema ? schemas_->schema(*schema, fmt::format("{}, its answer", out_.name))
                              : Json(JsonObject()));
    }
  }

  OpenApiOperation out_;
  OpenApiSchemas* schemas_;
  std::vector<std::string>* notes_;
  JsonObject properties_;
  JsonArray required_;
  std::string query_;
  bool refused_ = false;
};

}  // namespace

std::string operation_name(std::string_view method, std::string_view path, const Json& operation) {
  const std::string own = plain_name(text_or(operation, "operationId", ""));
  return own.empty() ? plain_name(fmt::format("{}_{}", ascii_lower(method), path)) : own;
}

std::optional<OpenApiOperation> read_openapi_operation(OpenApiOperation begun,
                                                       const Json& operation, const Json& item,
                                                       OpenApiSchemas* schemas,
                                                       std::vector<std::string>* notes) {
  std::string said(text_or(operation, "summary", text_or(operation, "description", "")));
  std::replace(said.begin(), said.end(), '\n', ' ');
  begun.description = excerpt(trim(said), description_characters_max);
  begun.reads = begun.method == "GET" || begun.method == "HEAD";
  Reading reading(std::move(begun), schemas, notes);
  reading.parameters(item, operation);
  reading.body(operation);
  reading.responses(operation);
  reading.others(operation);
  return reading.finished();
}

}  // namespace aios::bundle
