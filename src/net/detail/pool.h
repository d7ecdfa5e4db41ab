// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/pool: the client's kept connections of one shard, by origin.
// Threading: one shard.

#include "core/context.h"
#include "net/client.h"
#include "net/detail/socket.h"
#include "runtime/task.h"
#include "runtime/turnstile.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace aios::net::detail {

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(std::uint32_t connections_max, Duration idle_timeout)
      : connections_max_(connections_max),
        idle_timeout_(idle_timeout) {}

  /// A place for one connection to the origin: `socket` is a kept one, or null (make one).
  /// It goes back with leave(), which may keep the socket, or as it goes out of scope.
  struct Place {
    std::string origin;
    std::unique_ptr<ClientSocket> socket;
    runtime::Turnstile::Pass pass;
  };
  /// Waits while all places are taken. @return resource_exhausted [AIOS-0315] when waiting_max
  /// others wait; ctx's end.
  Task<Result<Place>> enter(Context ctx, std::string origin);
  static constexpr std::size_t waiting_max = 10'000;
  /// @param keep  the socket can serve another request.
  void leave(Place place, bool keep);

 private:
  struct Kept {
    std::unique_ptr<ClientSocket> socket;
    Instant since;
  };
  struct Origin {
    explicit Origin(std::uint32_t places) : turnstile({places, waiting_max}) {}
    std::vector<Kept> kept;  ///< oldest first
    runtime::Turnstile turnstile;
  };
  std::unique_ptr<ClientSocket> take_kept(Origin& origin);
  void arm_sweep();
  void sweep();

  std::uint32_t connections_max_;
  Duration idle_timeout_;
  std::map<std::string, Origin, std::less<>> origins_;
  bool sweeping_ = false;
};

}  // namespace aios::net::detail
