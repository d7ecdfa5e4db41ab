// SPDX-License-Identifier: Apache-2.0
#pragma once
// models/detail/checked_bytes: the frame of what engines serialize: the bytes, then their SHA-256.

#include "core/result.h"

#include <string>
#include <string_view>

namespace aios::models::detail {

std::string with_checksum(std::string body);
/// The body. data_loss without a page when it is too short or the checksum does not fit; the engine
/// adds its own.
Result<std::string_view> without_checksum(std::string_view bytes);

}  // namespace aios::models::detail
