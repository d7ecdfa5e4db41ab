// SPDX-License-Identifier: Apache-2.0
#include "api/detail/key_names.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

namespace aios::api {
namespace {

constexpr std::string_view prefix = "key_";
constexpr std::size_t id_bytes = prefix.size() + 26;  // core/ids.h
constexpr std::size_t names_put_max = 100;

}  // namespace

KeyNames::KeyNames(const govern::Identity* identity, const TenantId& tenant) {
  if (identity == nullptr) {
    return;
  }
  for (govern::KeyInfo& key : identity->list(tenant)) {
    names_.emplace(std::move(key.id), std::move(key.name));
  }
}

void KeyNames::put(JsonObject& row, std::initializer_list<std::string_view> members) const {
  for (const std::string_view member : members) {
    const Json* id = row.if_contains(member);
    const auto known =
        id != nullptr && id->is_string() ? names_.find(view(id->get_string())) : names_.end();
    if (known != names_.end()) {
      row[fmt::format("{}_name", member)] = known->second;
    }
  }
}

void KeyNames::put_each(Json& rows, std::initializer_list<std::string_view> members) const {
  if (!rows.is_array()) {
    return;
  }
  for (Json& row : rows.get_array()) {
    if (row.is_object()) {
      put(row.get_object(), members);
    }
  }
}

std::string KeyNames::in_text(std::string text) const {
  return with_names(std::move(text), Form::plain);
}

std::string KeyNames::in_json_text(std::string text) const {
  return with_names(std::move(text), Form::json);
}

std::string KeyNames::with_names(std::string text, Form form) const {
  std::size_t at = text.find(prefix);
  for (std::size_t put = 0; at != std::string::npos && put < names_put_max; ++put) {
    const auto known = names_.find(std::string_view(text).substr(at, id_bytes));
    at += prefix.size();
    if (known != names_.end()) {
      std::string name = known->second;
      if (form == Form::json) {
        name = to_text(Json(name));
        name = name.substr(1, name.size() - 2);
      }
      at += id_bytes - prefix.size();
      const std::string said = fmt::format(" ({})", name);
      text.insert(at, said);
      at += said.size();
    }
    at = text.find(prefix, at);
  }
  return text;
}

}  // namespace aios::api
