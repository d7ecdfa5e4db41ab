// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/reach: what a command finds out about a server before its key goes there: whether one
// answers, whether it is ours, and whether the key at hand is meant for it.

#include "app/client.h"
#include "core/result.h"
#include "core/time.h"
#include "net/http.h"

#include <string>

namespace aios::app {

/// How long a server may take to say that it is alive.
inline constexpr Duration probe_timeout = std::chrono::seconds(5);

/// How long the answer to a call may take: training and backups take their time, all else is cut by
/// the server after a minute.
Duration timeout_of(const Call& call);

/// The error page of a server that does not answer, or is none of ours.
inline constexpr int page_no_server = 1419;

/// Of GET /healthz, asked without a key. unavailable [AIOS-1419]: nobody answers (same_call), or
/// the one who does is no aios server.
Result<void> check_probe(const std::string& server, const Result<net::Response>& answer);

/// Whether the server is the one that runs on the data directory: its first key is for it alone.
bool is_server_of(const std::string& server, const std::string& data);

}  // namespace aios::app
