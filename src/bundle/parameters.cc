// SPDX-License-Identifier: Apache-2.0
// `${params.NAME}` in files of a bundle that are data, and their form as JSON Schema.
#include "bundle/detail/money.h"

#include "bundle/detail/names.h"
#include "core/text.h"
#include "expr/position.h"
#include "expr/schema.h"

#include <fmt/format.h>

#include <optional>

namespace aios::bundle {
namespace {

constexpr std::string_view open = "${";

class Filler {
 public:
  Filler(const JsonObject& parameters, const Complain& complain)
      : parameters_(parameters),
        complain_(complain) {}

  /// The document's depth is bounded.
  Json fill(const Json& value, const std::string& pointer) {
    if (value.is_string()) {
      return text(view(value.get_string()), pointer);
    }
    Json out = value;
    if (out.is_array()) {
      for (std::size_t i = 0; i < out.get_array().size(); ++i) {
        out.get_array()[i] = fill(out.get_array()[i], fmt::format("{}/{}", pointer, i));
      }
    } else if (out.is_object()) {
      for (auto& member : out.get_object()) {
        std::string below = pointer;
        expr::append_pointer(below, member.key());
        member.value() = fill(member.value(), below);
      }
    }
    return out;
  }

 private:
  Json text(std::string_view whole, const std::string& pointer) {
    std::string out;
    std::string_view rest = whole;
    while (!rest.empty()) {
      const std::size_t at = std::min(rest.find(open), rest.size());
      out += rest.substr(0, at);
      if (at == rest.size()) {
        break;
      }
      const std::size_t close = rest.find('}', at);
      const std::string_view inner =
          close == std::string_view::npos ? "" : trim(rest.substr(at + 2, close - at - 2));
      const Json* value = parameter(inner, pointer);
      if (value == nullptr) {
        return Json(whole);
      }
      if (at == 0 && close + 1 == rest.size() && out.empty()) {
        return *value;
      }
      out += value->is_string() ? std::string(view(value->get_string())) : to_text(*value);
      rest.remove_prefix(close + 1);
    }
    return Json(out);
  }

  const Json* parameter(std::string_view inner, const std::string& pointer) {
    constexpr std::string_view prefix = "params.";
    const bool named = inner.starts_with(prefix);
    const std::string name(named ? inner.substr(prefix.size()) : "");
    const Json* value = named ? parameters_.if_contains(name) : nullptr;
    if (value != nullptr) {
      return value;
    }
    std::vector<std::string> names;
    for (const auto& member : parameters_) {
      names.emplace_back(member.key());
    }
    complain_(pointer, named ? fmt::format("the bundle has no parameter '{}'{}", excerpt(name, 40),
                                           hint(name, names))
                             : "wanted ${params.<name>} between '${' and '}'");
    return nullptr;
  }

  const JsonObject& parameters_;
  const Complain& complain_;
};

}  // namespace

Json with_parameters(const Json& value, const JsonObject& parameters, const Complain& complain) {
  return Filler(parameters, complain).fill(value, "");
}

bool fits_schema(std::string_view schema, const Json& value, const Complain& complain) {
  auto parsed = parse_json(schema);
  AIOS_ASSERT(parsed.ok());
  auto compiled = expr::Schema::compile(*parsed);
  AIOS_ASSERT(compiled.ok());
  auto issues = compiled->issues(value);
  if (!issues.ok()) {
    complain("", std::string(issues.error().message()));
    return false;
  }
  for (const expr::SchemaIssue& issue : *issues) {
    complain(issue.instance_path, issue.message);
  }
  return issues->empty();
}

}  // namespace aios::bundle
