# SPDX-License-Identifier: Apache-2.0
"""The commands that our own texts tell people to run are commands that there are."""

import glob
import os
import re
import shlex
import subprocess
import unittest

from harness import ROOT, aios

IN_DOCS = re.compile(r"`(aios [^`\n]*)`")
IN_SOURCES = re.compile(r"'(aios [a-z][^'\"\n]*)'")
MADE = re.compile(r"--(?:out|data) ([a-z][\w.-]*)")
BARE = re.compile(r"aios( [a-z]+)+( --json)?")  # a mention, not a call


def commands():
    """{command: a file that names it}"""
    found = {}
    for pattern, files in ((IN_DOCS, "docs/**/*.md"), (IN_DOCS, "*.md"), (IN_SOURCES, "src/**/*.cc")):
        for path in glob.glob(os.path.join(ROOT, files), recursive=True):
            if path.endswith("_test.cc"):
                continue
            with open(path, encoding="utf-8") as file:
                for command in pattern.findall(file.read()):
                    found[re.sub(r"\{[^}]*\}", "X", command)] = os.path.relpath(path, ROOT)
    return found


class Texts(unittest.TestCase):
    def test_the_commands_in_them_are_taken(self):
        found = commands()
        self.assertGreater(len(found), 40)
        for command, path in sorted(found.items()):
            words = shlex.split(command)[1:]
            done = aios(*words, "--help" if BARE.fullmatch(command) else "--parse-only")
            with self.subTest(command=command, path=path):
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_secrets_and_data_that_they_make_stay_out_of_git(self):
        if not os.path.exists(os.path.join(ROOT, ".git")):
            self.skipTest("no checkout of git")
        made = set()
        for path in glob.glob(os.path.join(ROOT, "**", "README.md"), recursive=True):
            with open(path, encoding="utf-8") as file:
                made.update(MADE.findall(file.read()))
        self.assertGreater(len(made), 4, made)
        for path in sorted(made):
            done = subprocess.run(["git", "check-ignore", "--quiet", path.rstrip("/") + (
                "" if "." in path else "/")], cwd=ROOT, check=False)
            with self.subTest(path=path):
                self.assertEqual(done.returncode, 0)

    def test_a_command_that_is_none_is_seen(self):
        for wrong in (("key", "create", "NAME", "--role", "ROLE"), ("model", "show", "NAME")):
            self.assertEqual(aios(*wrong, "--parse-only").returncode, 2, wrong)


if __name__ == "__main__":
    unittest.main()
