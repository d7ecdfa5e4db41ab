#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the real server at named places and at random moments, under load, and then counts.

Load and checker are trial.py's; SIGKILL again and again, always the same data directory. Where the
build has failpoints, the server first ends at each of them in turn (killings.py); then at any moment.
Now and then the help desk is killed instead, or both at once. The checker counts:

  lost     an event that was acknowledged and has no run, or a run that has not ended, or that ended
           without the effect its outcome names, or for a reason the faults do not give
  doubled  a refund (keyed) or a case (looked up) more often than once, or more notices (neither)
           than refunds

    AIOS_BINARY=build/dev/aios crash.py [--kills N] [--seconds T] [--floor N] [--seed N] [--json F]
                                        [--victims server,desk,both] [--failpoints all|auto|none]

With --json the rows of earlier parts with the same commit are added up: a long run is made of parts
of at most 250 kills, each on a new data directory and counted by itself, and goes on where it was
stopped.

Ends with 1 when something was lost or doubled, when fewer than --floor kills were made, when less
happened than so many kills bring on a slow machine, or when more than one run in a hundred faulted:
an engine that does nothing loses nothing. Everything is on the loopback, everything started is ended
by its own id, nothing outlives the time limit by more than the final waiting (at most two minutes).
"""

import argparse
import sys

from killings import run_parts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=3600.0, help="time limit of the killing")
    parser.add_argument("--floor", type=int, default=1, help="fewer kills than this fail")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", help="where the rows go, and add up")
    parser.add_argument("--victims", default="server,desk,both",
                        help="who is killed: server, desk, both; several with commas")
    parser.add_argument("--failpoints", choices=("all", "auto", "none"), default="auto",
                        help="all: each must be hit; auto: where the build has any")
    options = parser.parse_args()
    try:
        return run_parts(options)
    except AssertionError as error:
        print(f"crash: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
