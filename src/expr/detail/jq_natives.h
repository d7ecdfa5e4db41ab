// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/jq_natives: built-in functions in C++ and in jq, found by name and number of
// arguments.

#include "expr/detail/jq_value.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aios::expr::detail {

class Machine;

/// Puts its result into *input, or raises an error in the machine and gives false. arguments[0] is
/// the first.
using NativeFunction = bool (*)(Machine& machine, Value* input, Value* arguments);

struct Native {
  std::string_view name;
  std::uint8_t arity = 0;
  NativeFunction run = nullptr;
};

std::optional<std::uint32_t> find_native(std::string_view name, std::size_t arity);
const Native& native_at(std::uint32_t index);
/// "def name(...): ...;" or nothing.
std::string_view library_definition(std::string_view name, std::size_t arity);
/// Names without a leading "_", as "name/arity".
std::vector<std::string> builtin_names();

void append_native_names(std::vector<std::string>* names);

// One table per file.
std::span<const Native> core_natives();
std::span<const Native> collection_natives();
std::span<const Native> text_natives();
std::span<const Native> number_natives();
std::span<const Native> regex_natives();
std::span<const Native> time_natives();

}  // namespace aios::expr::detail
