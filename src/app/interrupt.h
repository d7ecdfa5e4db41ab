// SPDX-License-Identifier: Apache-2.0
#pragma once
// app/interrupt: Ctrl-C as something a long command looks at, so that it can say how far it came.
// Make it before the first thread: threads inherit that the signal waits. A second Ctrl-C ends the
// process as ever.

namespace aios::app {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// Whether SIGINT has come; from one thread at a time.
  bool came();

 private:
  bool came_ = false;
};

}  // namespace aios::app
