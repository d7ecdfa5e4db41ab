#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints "<passed> <failed>" for a ctest log: test cases where a program says how many, else one a program."""
import pathlib
import re
import sys

CASES = re.compile(r"\[doctest\] test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed")
LINE = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)


RAN = re.compile(r"^Ran (\d+) tests? in .*\n\n(OK|FAILED)(?: \(([^)\n]*)\))?", re.M)


def unittests(match):
    counts = dict(re.findall(r"(\w+)=(\d+)", match.group(3) or ""))
    bad = int(counts.get("failures", 0)) + int(counts.get("errors", 0))
    return max(0, int(match.group(1)) - bad - int(counts.get("skipped", 0))), bad


def count(text):
    passed = failed = 0
    for part in re.split(r"^\d+/\d+ Testing: ", text, flags=re.M)[1:]:
        good = re.search(r"^Test Passed\.$", part, re.M) is not None
        cases = CASES.search(part)
        line = LINE.search(part)
        ran = RAN.search(part)
        ok, bad = 1, 0
        if cases:
            ok, bad = int(cases.group(2)), int(cases.group(3))
        elif line:
            ok, bad = int(line.group(1)), int(line.group(2))
        elif ran:
            ok, bad = unittests(ran)
        elif not good:
            ok = 0
        if not good and bad == 0:
            bad = 1
        passed, failed = passed + ok, failed + bad
    return passed, failed


if __name__ == "__main__":
    log = pathlib.Path(sys.argv[1])
    print(*count(log.read_text(errors="replace") if log.exists() else ""))
