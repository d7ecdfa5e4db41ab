// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/pool: the client's kept connections of one shard, by origin.
// Threading: one shard.

#include "core/context.h"
#include "net/client.h"
#include "net/detail/socket.h"
#include "runtime/one_shot.h"
#include "runtime/task.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace aios::net::detail {

struct Nothing {};

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(std::uint32_t connections_max, Duration idle_timeout)
      : connections_max_(connections_max),
        idle_timeout_(idle_timeout) {}

  /// A place for one connection to the origin: `socket` is a kept one, or null (make one).
  /// Give the place back with leave(). Waits while all places are taken.
  struct Place {
    std::string origin;
    std::unique_ptr<ClientSocket> socket;
  };
  Task<Result<Place>> enter(Context ctx, std::string origin);
  /// @param keep  the socket can serve another request.
  void leave(Place place, bool keep);

 private:
  struct Kept {
    std::unique_ptr<ClientSocket> socket;
    Instant since;
  };
  struct Origin {
    std::uint32_t places = 0;  ///< in use
    std::vector<Kept> kept;    ///< oldest first
    std::deque<runtime::OneShot<Nothing>> waiting;
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
