# SPDX-License-Identifier: Apache-2.0
"""The commands that our own texts tell people to run are commands that there are."""

import glob
import itertools
import os
import re
import shlex
import subprocess
import unittest

from harness import BINARY, ROOT, aios

IN_DOCS = re.compile(r"`(aios [^`\n]*)`")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
IN_FENCES = re.compile(r"^ *(?:\w+=\S+ )*(?:build/dev/)?(aios [^\n]*)", re.MULTILINE)
IN_SOURCES = re.compile(r"'(aios [a-z][^'\"\n]*)'")
MADE = re.compile(r"--(?:out|data) ([a-z][\w.-]*)")
# In the threat model: a file in backquotes, then its cases in quotes.
CITED = re.compile(r'`((?:src|tests|examples)/[^`\n]+)`((?:,? "[^"\n]+")+)')
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


def has_case(text, case, path):
    """Whether this file has a test of that name; a name in C++ may be broken over lines."""
    if path.endswith(".cc"):
        return f'TEST_CASE("{case}")' in re.sub(r'\(\s+"', '("', re.sub(r'"\s*\n\s*"', "", text))
    begin = r"^ +def {}\(self" if path.endswith(".py") else r"^{} if \{{"
    return re.search(begin.format(re.escape(case)), text, re.MULTILINE) is not None


def fenced(text):
    """The commands in the blocks of a page, each as its words; those of `console` are run by test_guide.py."""
    for kind, block in FENCE.findall(text):
        for line in IN_FENCES.findall(re.sub(r"\\\n\s*", " ", block)) if kind != "console" else ():
            words = shlex.shlex(line, posix=True, punctuation_chars=True)
            words.whitespace_split = True
            yield tuple(itertools.takewhile(lambda word: word[0] not in "|>&;", words))[1:]


class Texts(unittest.TestCase):
    def test_the_commands_in_their_blocks_are_taken(self):
        found = {}
        for pattern in ("docs/**/*.md", "*.md", "examples/*/*.md", "src/**/*.md"):
            for path in glob.glob(os.path.join(ROOT, pattern), recursive=True):
                with open(path, encoding="utf-8") as file:
                    found.update((words, os.path.relpath(path, ROOT)) for words in fenced(file.read()))
        self.assertGreater(len(found), 80)
        for words, path in sorted(found.items()):
            with self.subTest(command=" ".join(words), path=path):
                done = aios(*words, "--parse-only")
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_block_is_read_as_a_shell_reads_it(self):
        page = "```\nA=b build/dev/aios x 'y > z' \\\n  --w   # why\naios v | jq . > f\n```\n```console\naios u\n```\n"
        self.assertEqual(list(fenced(page)), [("x", "y > z", "--w"), ("v",)])

    def test_the_tests_that_the_threat_model_names_are_there(self):
        with open(os.path.join(ROOT, "docs", "threat-model.md"), encoding="utf-8") as file:
            cited = CITED.findall(file.read())
        self.assertGreater(len(cited), 80)
        for path, cases in cited:
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                text = file.read()
            for case in re.findall(r'"([^"]+)"', cases):
                with self.subTest(path=path, case=case):
                    self.assertTrue(has_case(text, case, path))

    def test_a_case_that_is_not_there_is_seen(self):
        self.assertTrue(has_case('TEST_CASE(\n    "a: b "\n    "c") {', "a: b c", "x.cc"))
        self.assertFalse(has_case('TEST_CASE("a: b c d") {', "a: b c", "x.cc"))
        self.assertTrue(has_case("    def test_a(self):\n", "test_a", "x.py"))
        self.assertFalse(has_case("    def test_ab(self):\n", "test_a", "x.py"))
        self.assertTrue(has_case("test_a if {\n", "test_a", "x.rego"))
        self.assertFalse(has_case("not test_a if {\n", "test_a", "x.rego"))

    def test_the_commands_in_them_are_taken(self):
        found = commands()
        self.assertGreater(len(found), 40)
        for command, path in sorted(found.items()):
            words = shlex.split(command)[1:]
            done = aios(*words, "--help" if BARE.fullmatch(command) else "--parse-only")
            with self.subTest(command=command, path=path):
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_library_that_is_linked_stands_in_third_party(self):
        done = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True)
        linked = set(re.findall(r"^\s(?:\S*/)?(lib[\w+-]+?)(?:-[\d.]+)?\.so", done.stdout, re.MULTILINE))
        self.assertGreater(len(linked), 15)
        with open(os.path.join(ROOT, "THIRD_PARTY.md"), encoding="utf-8") as file:
            named = set(re.findall(r"`(lib[\w+-]+)`", file.read()))
        self.assertEqual(linked - named, set())

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
