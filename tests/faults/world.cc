// SPDX-License-Identifier: Apache-2.0
// Clocks that are set, and names that nobody answers for (faults.h). A process that is stopped
// while both clocks are moved has, for all it can see, been paused for that long.
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

#define AIOS_REAL(name) \
  static const auto real = reinterpret_cast<decltype(&::name)>(dlsym(RTLD_NEXT, #name))

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

/// The file of AIOS_FAULTS_CLOCK: nanoseconds.
struct Ahead {
  std::atomic<std::int64_t> wall;
  std::atomic<std::int64_t> steady;
};
static_assert(sizeof(Ahead) == 16);

const Ahead* mapped() {
  const char* const path = std::getenv("AIOS_FAULTS_CLOCK");
  if (path == nullptr) {
    return nullptr;
  }
  const auto open_real = reinterpret_cast<decltype(&::open)>(dlsym(RTLD_NEXT, "open"));
  const int fd = open_real(path, O_RDONLY | O_CLOEXEC);
  void* const at = ::mmap(nullptr, sizeof(Ahead), PROT_READ, MAP_SHARED, fd, 0);
  reinterpret_cast<decltype(&::close)>(dlsym(RTLD_NEXT, "close"))(fd);
  if (at == MAP_FAILED) {
    std::abort();  // a test without its clock would show nothing
  }
  return static_cast<const Ahead*>(at);
}

std::int64_t ahead_of(clockid_t clock) {
  static const Ahead* const ahead = mapped();
  if (ahead == nullptr) {
    return 0;
  }
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE: return ahead->wall.load();
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME: return ahead->steady.load();
    default: return 0;
  }
}

timespec moved(const timespec& time, std::int64_t by_ns) {
  const std::int64_t sum = time.tv_nsec + by_ns % second_ns + second_ns;
  return {.tv_sec = time.tv_sec + by_ns / second_ns + sum / second_ns - 1,
          .tv_nsec = sum % second_ns};
}

/// What the file of AIOS_FAULTS_NAMES says of a name now; empty: nothing.
std::string said_of(const std::string& name) {
  const char* const path = std::getenv("AIOS_FAULTS_NAMES");
  std::ifstream file(path == nullptr ? "" : path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + "=")) {
      return line.substr(name.size() + 1);
    }
  }
  return {};
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* out) noexcept {
  AIOS_REAL(clock_gettime);
  const int code = real(clock, out);
  if (code == 0) {
    *out = moved(*out, ahead_of(clock));
  }
  return code;
}

int gettimeofday(timeval* out, void* zone) noexcept {
  AIOS_REAL(gettimeofday);
  const int code = real(out, zone);
  timespec now{};
  if (code == 0 && ::clock_gettime(CLOCK_REALTIME, &now) == 0) {
    *out = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  }
  return code;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) {
    *out = now.tv_sec;
  }
  return now.tv_sec;
}

// The kernel waits by its own clocks.

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* until) {
  AIOS_REAL(pthread_cond_timedwait);
  const timespec at = moved(*until, -ahead_of(CLOCK_REALTIME));
  return real(condition, mutex, &at);
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* until) {
  AIOS_REAL(pthread_cond_clockwait);
  const timespec at = moved(*until, -ahead_of(clock));
  return real(condition, mutex, clock, &at);
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* span, timespec* left) {
  AIOS_REAL(clock_nanosleep);
  if ((flags & TIMER_ABSTIME) == 0) {
    return real(clock, flags, span, left);
  }
  const timespec at = moved(*span, -ahead_of(clock));
  return real(clock, flags, &at, left);
}

int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** out) {
  AIOS_REAL(getaddrinfo);
  std::string said = said_of(node == nullptr ? "" : node);
  while (said == "hang") {
    ::usleep(20'000);
    said = said_of(node);
  }
  return said == "none" ? EAI_NONAME
                        : real(said.empty() ? node : said.c_str(), service, hints, out);
}

}  // extern "C"
