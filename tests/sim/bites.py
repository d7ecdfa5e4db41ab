#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bites.py PROGRAM CHECK: PROGRAM is a simulation of a product that lacks CHECK. Succeeds when it finds that out within
50 seeds: it says so at its start, ends with 1, and names the invariant that does not hold."""
import re
import subprocess
import sys

SEEDS = 50


def main():
    program, check = sys.argv[1:]
    done = subprocess.run([program, "--seeds", str(SEEDS), "--until-broken"], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(done.stdout[-3000:], end="")
    broken = re.search(r"^seed (\d+): \[([a-z -]+)\]", done.stdout, re.M)
    if f"no check of the {check}" not in done.stdout:
        print(f"bites: the program does not say that it lacks the check of the {check}")
    elif done.returncode != 1 or broken is None:
        print(f"bites: without the check of the {check} {SEEDS} seeds found nothing (exit code {done.returncode})")
    else:
        print(f"bites: without the check of the {check} seed {broken[1]} breaks [{broken[2]}]")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
