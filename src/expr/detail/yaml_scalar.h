// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/yaml_scalar: what a plain YAML 1.2 scalar means (core schema, section 10.3.2).

#include "core/json.h"

#include <optional>
#include <string>
#include <string_view>

namespace aios::expr::detail {

bool is_yaml_null(std::string_view text);
std::optional<bool> yaml_bool(std::string_view text);
/// An integer (decimal, 0o, 0x) or a finite float; integers beyond 64 bits become doubles.
std::optional<Json> yaml_number(std::string_view text);
bool is_yaml_non_finite(std::string_view text);
/// Written as a number and larger, or closer to zero, than a double can be: 1e999.
bool is_yaml_beyond_double(std::string_view text);
/// A scalar as it was meant: yaml-cpp gives the escapes \N and \_ (next line, a blank that holds
/// words together) as single bytes, which are no UTF-8.
std::string yaml_text(const std::string& scalar);

}  // namespace aios::expr::detail
