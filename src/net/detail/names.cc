// SPDX-License-Identifier: Apache-2.0
#include "net/detail/names.h"

#include <array>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <netdb.h>
#include <sys/socket.h>

namespace aios::net::detail {

struct Names::State {
  explicit State(LookUp asks) : look_up(std::move(asks)) {}

  const LookUp look_up;
  std::mutex mutex;
  std::map<std::string, std::vector<Done>> asked;  ///< waiting, or being looked up
  std::deque<std::string> waiting;                 ///< those that no thread has begun with
  std::size_t threads = 0;

  /// A thread's life: names, as long as there are some.
  void serve() {
    std::unique_lock lock(mutex);
    while (!waiting.empty()) {
      const std::string host = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      const Addresses found = look_up(host);
      lock.lock();
      answer(host, found);
    }
    --threads;
  }
  /// With the lock held.
  void answer(const std::string& host, const Addresses& found) {
    const auto those = asked.extract(host);
    if (!those.empty()) {
      for (const Done& done : those.mapped()) {
        done(found);
      }
    }
  }
};

Names::Names(LookUp look_up) : state_(std::make_shared<State>(std::move(look_up))) {}

Names::~Names() {
  const std::lock_guard lock(state_->mutex);
  state_->asked.clear();
  state_->waiting.clear();
}

void Names::ask(const std::string& host, Done done) {
  const std::lock_guard lock(state_->mutex);
  const auto known = state_->asked.find(host);
  const bool first = known == state_->asked.end();
  if (first ? state_->waiting.size() >= waiting_max : known->second.size() >= waiting_max) {
    done({});
    return;
  }
  if (!first) {
    known->second.push_back(std::move(done));
    return;
  }
  state_->asked[host].push_back(std::move(done));
  state_->waiting.push_back(host);
  if (state_->threads == threads_max) {
    return;
  }
  try {
    std::thread serving([state = state_] { state->serve(); });
    serving.detach();  // tidy: it may hang in a look-up when the program ends
    ++state_->threads;
  } catch (const std::system_error&) {  // one that serves already will come to it
    if (state_->threads == 0) {
      state_->waiting.pop_back();
      state_->answer(host, {});
    }
  }
}

namespace {

Names::Addresses ask_system(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  Names::Addresses out;
  if (::getaddrinfo(host.c_str(), nullptr, &wanted, &found) != 0) {
    return out;
  }
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      out.emplace_back(text.data());
    }
  }
  ::freeaddrinfo(found);
  return out;
}

}  // namespace

std::shared_ptr<Names> system_names() { return std::make_shared<Names>(ask_system); }

}  // namespace aios::net::detail
