// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/reach: what a command finds out about a server before its key goes there: whether one
// answers, whether it is ours, and whether the key at hand is meant for it.

#include "app/client.h"
#include "core/result.h"
#include "core/time.h"
#include "net/http.h"

#include <string>
#include <string_view>

namespace aios::app {

/// How long a server may take to say that it is alive.
inline constexpr Duration probe_timeout = std::chrono::seconds(5);

/// Where a server is asked for a backup.
inline constexpr std::string_view backup_path = "/api/v1/operate/backup";

/// How long the answer to a call may take: a training 10 minutes, a backup a day; all else is cut
/// by the server after a minute, and waited for a little longer.
Duration timeout_of(const Call& call);

/// The error page of a server that does not answer, or is none of ours.
inline constexpr int page_no_server = 1419;

/// And of one that has as many connections as it takes.
inline constexpr int page_no_room = 308;

/// Of GET /healthz, asked without a key. unavailable [AIOS-1419]: nobody answers (same_call), or
/// the one who does is no aios server; [AIOS-0308] (same_call): it has no room for us now.
Result<void> check_probe(const std::string& server, const Result<net::Response>& answer);

/// Of an error of check_probe(): somebody is there, who has the data directory.
bool is_up(const Error& error);

/// Whether the server is the one that runs on the data directory: its first key is for it alone.
bool is_server_of(const std::string& server, const std::string& data);

}  // namespace aios::app
