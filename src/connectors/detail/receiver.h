// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/receiver: subscriptions/<name>.yaml of a bundle: where messages may leave to.

#include "connectors/connectors.h"
#include "connectors/detail/gate.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aios::connectors::detail {

struct Receiver {
  std::string name, region, secret, path;
  std::string url;                 ///< where events go; empty: none
  std::vector<std::string> types;  ///< exact, or with a '*' at the end
  std::string source;              ///< what an event's source begins with
  std::string callbacks;           ///< what a callback's URL begins with; empty: none is allowed
  Duration timeout = std::chrono::seconds(10);
  Duration first = std::chrono::seconds(5);  ///< until the second try
  Duration most = std::chrono::hours(1);     ///< between two tries
  Duration give_up_after = std::chrono::hours(24);
  Limits limits{.concurrency = 4, .breaker = {}};

  bool takes(std::string_view event_type, std::string_view event_source) const;
  /// Whether a caller may name it: the same scheme, host and port as `callbacks`, and a path at or
  /// below its path.
  bool allows_callback(std::string_view callback_url) const;
};

/// Of one tenant, by name. Calls under way keep it after a reload.
using Receivers = std::map<std::string, std::shared_ptr<const Receiver>, std::less<>>;

/// All mistakes of all files are appended, each with its place [AIOS-0940].
Receivers read_receivers(const std::vector<ManifestFile>& files, const Json& params,
                         std::vector<Error>* errors);

}  // namespace aios::connectors::detail
