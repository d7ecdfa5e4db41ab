// SPDX-License-Identifier: Apache-2.0
#pragma once
// expr/scalar_place: where a character of a YAML scalar's text stands in the file, through quotes,
// escapes, folded lines and the indentation of blocks. For errors inside expressions.

#include "expr/position.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace aios::expr {

/// @param source  the whole YAML text
/// @param start   of the scalar, as Positions has it
/// @param text    what the scalar means
/// @param offset  a byte of `text`, or its end
/// @return nothing where the scalar does not stand there (an alias does).
std::optional<Position> place_in_scalar(std::string_view source, Position start,
                                        std::string_view text, std::size_t offset);

}  // namespace aios::expr
