#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when a file includes a module that its own module may not see (table: src/LAYERS), when the table has a
cycle, and when it allows an edge that nobody uses."""
import re
import sys

from source_text import SRC, cpp_files, line_of, name

INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z0-9_]+)/([^"]+)"', re.M)


def read_table():
    allowed = {}
    for line in (SRC / "LAYERS").read_text(encoding="utf-8").splitlines():
        line = line.split("#")[0].strip()
        if line:
            module, _, seen = line.partition(":")
            allowed[module.strip()] = set(seen.split())
    return allowed


def check_includes(allowed, used):
    for path in cpp_files():
        parts = path.relative_to(SRC).parts
        module = parts[0]
        if len(parts) == 1 or module not in allowed:
            yield f"{name(path)}: module '{module}' is missing from src/LAYERS"
            continue
        text = path.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            target, rest = match.groups()
            used.add((module, target))
            if target == module or target not in allowed:
                continue
            place = f"{name(path)}:{line_of(text, match.start(1))}"
            for_tests = rest.startswith("test/")
            if for_tests and not is_test(path):
                yield f"{place}: '{target}/test' is for tests"
            if "*" not in allowed[module] and target not in allowed[module]:
                yield f"{place}: '{module}' may not include '{target}' (see src/LAYERS)"
            if rest.startswith("detail/"):
                yield f"{place}: '{target}/detail' is private to '{target}'"


def is_test(path):
    return path.name.endswith("_test.cc") or "test" in path.relative_to(SRC).parts


def check_table(allowed, used):
    order = list(allowed)
    for module, seen in allowed.items():
        for target in sorted(seen - {"*"}):
            if target not in allowed:
                yield f"src/LAYERS: '{module} -> {target}': no such module"
            elif order.index(target) >= order.index(module):
                yield f"src/LAYERS: '{module} -> {target}' goes upwards: list lower modules first, without cycles"
            elif (SRC / module).is_dir() and (module, target) not in used:
                yield f"src/LAYERS: '{module} -> {target}' is unused, remove it"


def main():
    allowed, used = read_table(), set()
    problems = list(check_includes(allowed, used))
    problems += check_table(allowed, used)
    print("\n".join(problems) or "layers ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
