// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/detail/jq_paths: reading and changing values by key and by path. Each gives false when it
// raised an error.

#include "expr/detail/jq_machine.h"

#include <cstddef>

namespace aios::expr::detail {

bool get_index(Machine& machine, const Value& from, const Value& key, Value* out);
bool get_slice(Machine& machine, const Value& from, const Value& first, const Value& last,
               Value* out);
bool set_index(Machine& machine, Value* in, const Value& key, Value value);
bool check_path(Machine& machine, const Value& path);
bool get_path(Machine& machine, Value from, const Value& path, Value* out);
bool set_path(Machine& machine, Value* in, const Value& path, std::size_t at, Value value);
/// Takes out what is at the path and leaves null, where that is possible without changing anything
/// else.
bool take_path(Machine& machine, Value* in, const Value& path, std::size_t at, Value* out);
bool delete_paths(Machine& machine, Value* in, const Value& paths);
/// {"start": first, "end": last}
Value slice_key(Machine& machine, const Value& first, const Value& last);

bool arithmetic(Machine& machine, Arithmetic operation, Value left, Value right, Value* out);
/// Appends the parts to the array; an empty separator splits into code points.
void split_text(Machine& machine, std::string_view text, std::string_view separator, Value* out);
bool format_value(Machine& machine, Format format, Value* value);

}  // namespace aios::expr::detail
