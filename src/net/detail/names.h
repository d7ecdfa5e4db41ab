// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/names: which addresses a host's name stands for, asked in threads of its own.
//
// getaddrinfo() can be neither cancelled nor given a deadline, and takes half a minute where no
// name server answers. So whoever asks may leave at any time; a name has one thread, however many
// ask for it; and a name that hangs holds up no other, until threads_max of them hang at one time.
// Thread-safe.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace aios::net::detail {

class Names {
 public:
  static constexpr std::size_t threads_max = 8;
  /// Beyond, of one name or of names that no thread has begun with, the answer is none.
  static constexpr std::size_t waiting_max = 4096;

  /// As text. None: nobody knows the name, or nobody could be asked.
  using Addresses = std::vector<std::string>;
  using LookUp = std::function<Addresses(const std::string& host)>;
  using Done = std::function<void(const Addresses& found)>;

  /// @param look_up  may hang; called in any thread, and for one name in one at a time
  explicit Names(LookUp look_up);
  /// Afterwards no Done is called. A look-up that hangs is left to itself.
  ~Names();
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  /// @param done  called once, in this thread or another one, with a lock held: it may only post
  void ask(const std::string& host, Done done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// What the system's resolver says.
std::shared_ptr<Names> system_names();

}  // namespace aios::net::detail
