// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/openapi_schema.h"

#include "expr/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aios::bundle {
namespace {

constexpr std::size_t references_max = 20;
constexpr std::size_t values_max = 5'000;
constexpr std::size_t all_values_max = 15'000;
constexpr std::size_t notes_max = 2'000;
constexpr std::size_t depth_max = 64;

template <std::size_t n>
bool among(std::string_view name, const std::array<std::string_view, n>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Members whose value is a schema, a list of schemas, or schemas by name.
constexpr std::array<std::string_view, 15> with_schemas = {"items",         "additionalProperties",
                                                           "not",           "contains",
                                                           "propertyNames", "if",
                                                           "then",          "else",
                                                           "allOf",         "anyOf",
                                                           "oneOf",         "prefixItems",
                                                           "properties",    "patternProperties",
                                                           "$defs"};
constexpr std::array<std::string_view, 3> by_name = {"properties", "patternProperties", "$defs"};
/// What says nothing of the value, or is said otherwise in JSON Schema 2020-12.
constexpr std::array<std::string_view, 9> left_out = {"nullable", "example",       "examples",
                                                      "xml",      "discriminator", "externalDocs",
                                                      "readOnly", "writeOnly",     "deprecated"};

/// 3.0: `exclusiveMinimum: true` beside `minimum: 3`.
void move_bound(JsonObject* schema, std::string_view exclusive, std::string_view bound) {
  const Json* flag = schema->if_contains(exclusive);
  if (flag == nullptr || !flag->is_bool()) {
    return;
  }
  const bool strict = flag->get_bool();
  schema->erase(exclusive);
  if (const Json* limit = schema->if_contains(bound); strict && limit != nullptr) {
    const Json value = *limit;
    schema->erase(bound);
    (*schema)[exclusive] = value;
  }
}

/// 3.0: `nullable: true`.
Json with_null(JsonObject schema) {
  if (Json* values = schema.if_contains("enum"); values != nullptr && values->is_array()) {
    values->get_array().push_back(nullptr);
  }
  Json* type = schema.if_contains("type");
  if (type != nullptr && type->is_string()) {
    *type = JsonArray{*type, "null"};
    return schema;
  }
  return JsonObject{{"anyOf", JsonArray{std::move(schema), JsonObject{{"type", "null"}}}}};
}

}  // namespace

void add_note(std::vector<std::string>* notes, std::string text) {
  if (notes->size() >= notes_max) {
    return;
  }
  if (notes->size() + 1 == notes_max) {
    text = "and more that is not told here";
  }
  if (std::find(notes->begin(), notes->end(), text) == notes->end()) {
    notes->push_back(std::move(text));
  }
}

const Json* OpenApiSchemas::resolve(const Json* value, std::string_view where) {
  for (std::size_t turn = 0; value != nullptr && turn < references_max; ++turn) {
    const std::string_view target = text_or(*value, "$ref", "");
    if (target.empty()) {
      return value;
    }
    const Json* next = target.starts_with('#') ? at_pointer(*document_, target.substr(1)) : nullptr;
    if (next == nullptr) {
      note(fmt::format("{}: '{}' leads to nothing in this document", where, target));
    }
    value = next;
  }
  if (value != nullptr) {
    note(fmt::format("{}: references lead from one to the next without end", where));
  }
  return nullptr;
}

Json OpenApiSchemas::schema(const Json& value, std::string_view where) {
  where_ = where;
  values_ = 0;
  Json made = converted(value, 0);
  auto compiled = expr::Schema::compile(made);
  if (!compiled.ok()) {
    note(fmt::format("{}: its schema is not taken over, any value is taken: {}", where,
                     compiled.error().message()));
    return JsonObject();
  }
  return made;
}

Json OpenApiSchemas::converted(const Json& value, std::size_t depth) {
  if (!value.is_object()) {
    return value.is_bool() ? value : Json(JsonObject());
  }
  if (++all_values_ > all_values_max || ++values_ > values_max || depth > depth_max) {
    note(fmt::format("{}: its schema is too large; any value is taken below a point", where_));
    return JsonObject();
  }
  const JsonObject& object = value.get_object();
  const std::string_view target = text_or(object, "$ref", "");
  return target.empty() ? converted_object(object, depth) : referenced(object, target, depth);
}

Json OpenApiSchemas::referenced(const JsonObject& value, std::string_view target,
                                std::size_t depth) {
  if (std::find(open_.begin(), open_.end(), target) != open_.end()) {
    note(fmt::format("{}: '{}' holds itself; any value is taken the second time", where_, target));
    return JsonObject();
  }
  const Json* found = target.starts_with('#') ? at_pointer(*document_, target.substr(1)) : nullptr;
  if (found == nullptr) {
    note(fmt::format("{}: '{}' leads to nothing in this document; any value is taken", where_,
                     target));
    return JsonObject();
  }
  open_.emplace_back(target);
  Json made = converted(*found, depth + 1);
  open_.pop_back();
  JsonObject beside = value;  // 3.1: what stands beside a reference counts too
  beside.erase("$ref");
  beside.erase("description");
  beside.erase("summary");
  return beside.empty()
             ? made
             : Json(JsonObject{{"allOf", JsonArray{made, converted_object(beside, depth + 1)}}});
}

Json OpenApiSchemas::converted_object(const JsonObject& value, std::size_t depth) {
  JsonObject out;
  for (const auto& member : value) {
    const std::string_view name = member.key();
    const Json& inner = member.value();
    if (name.starts_with("x-") || among(name, left_out)) {
      continue;
    }
    if (!among(name, with_schemas)) {
      out[name] = inner;
    } else if (inner.is_array()) {
      JsonArray list;
      for (const Json& one : inner.get_array()) {
        list.push_back(converted(one, depth + 1));
      }
      out[name] = std::move(list);
    } else if (among(name, by_name) && inner.is_object()) {
      JsonObject named;
      for (const auto& one : inner.get_object()) {
        named[one.key()] = converted(one.value(), depth + 1);
      }
      out[name] = std::move(named);
    } else {
      out[name] = converted(inner, depth + 1);
    }
  }
  move_bound(&out, "exclusiveMinimum", "minimum");
  move_bound(&out, "exclusiveMaximum", "maximum");
  return bool_or(Json(value), "nullable", false) ? with_null(std::move(out)) : Json(std::move(out));
}

}  // namespace aios::bundle
