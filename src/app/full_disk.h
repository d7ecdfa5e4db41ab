// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/full_disk: a server whose disk is full cannot start on its data, and waits until there is
// room. Meanwhile its address answers: /healthz 200, /readyz and everything else 503 with the
// reason.

#include "app/system.h"
#include "core/result.h"

#include <functional>
#include <string>

namespace aios::app {

/// Whether the start failed for want of room alone, on data that a server has used before.
bool lacks_room(const std::string& data, const Error& error);

/// Whether the disk takes a megabyte more.
bool has_room(const std::string& data);

/// One look after the other until there is room.
/// @param why   what the start failed with; to be read by anybody: it names no content
/// @param rest  pauses before the next look; false: the wait is to end
/// @return whether there is room; unavailable [AIOS-0310] when the address cannot be had
Result<bool> wait_for_room(const SystemOptions& options, const Error& why,
                           const std::function<bool()>& rest);

}  // namespace aios::app
