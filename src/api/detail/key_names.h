// SPDX-License-Identifier: Apache-2.0
#pragma once
// api/detail/key_names: who holds the keys that an answer names. A person reads names; the id stays
// beside each, for two keys may have one name. Who may read a key's id in an answer may read its
// name there: it is a key of the caller's own tenant, or nothing is added. Values; one request.

#include "core/context.h"
#include "core/json.h"
#include "govern/identity.h"

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

namespace aios::api {

class KeyNames {
 public:
  /// @param identity  null: nothing is known by name.
  KeyNames(const govern::Identity* identity, const TenantId& tenant);
  /// Behind each of these members that is a key's id its name, as "<member>_name".
  void put(JsonObject& row, std::initializer_list<std::string_view> members) const;
  /// The same for each row of an array.
  void put_each(Json& rows, std::initializer_list<std::string_view> members) const;
  /// "key_..." becomes "key_... (name)" wherever one stands.
  std::string in_text(std::string text) const;
  /// The same in the texts of a JSON document's own text.
  std::string in_json_text(std::string text) const;

 private:
  enum class Form : std::uint8_t { plain, json };
  std::string with_names(std::string text, Form form) const;

  std::map<std::string, std::string, std::less<>> names_;
};

}  // namespace aios::api
