// SPDX-License-Identifier: Apache-2.0
#include "app/interrupt.h"

#include <csignal>
#include <ctime>

namespace aios::app {
namespace {

sigset_t only_interrupt() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

Interrupt::Interrupt() {
  const sigset_t set = only_interrupt();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Interrupt::~Interrupt() {
  came();  // too late: the command has ended
  const sigset_t set = only_interrupt();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool Interrupt::came() {
  if (!came_) {
    const sigset_t set = only_interrupt();
    const timespec now{};
    came_ = sigtimedwait(&set, nullptr, &now) == SIGINT;
    if (came_) {  // this thread takes the next one, with its usual effect
      pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    }
  }
  return came_;
}

}  // namespace aios::app
