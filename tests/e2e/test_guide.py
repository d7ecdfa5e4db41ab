# SPDX-License-Identifier: Apache-2.0
"""The commands of the guide, run in order from the page itself, and what they print compared."""

import os
import re
import shutil
import subprocess
import unittest

from harness import BINARY, ROOT, Scene, clean_environment

FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands_of(text):
    """[(command, expected lines)] of every console block, in order."""
    found = []
    for block in FENCE.findall(text):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def pattern_of(lines):
    """A line "..." is any lines, "..." within a line any text without a line break."""
    parts = []
    for line in lines:
        parts.append(r"(?:.*\n)*?" if line == "..." else
                     ".*".join(re.escape(part) for part in line.split("...")) + r"\n")
    return re.compile("".join(parts))


class Shell:
    """One bash that runs command after command; stderr goes to a file."""

    def __init__(self, folder, environment):
        self.errors = open(os.path.join(folder, "stderr.log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True, cwd=folder,
                                        env=environment, start_new_session=True)

    def run(self, command):
        """-> (exit code, what it printed)"""
        self.process.stdin.write(f"{command}\necho; echo \":done: $?\"\n")
        self.process.stdin.flush()
        printed = ""
        for line in self.process.stdout:
            if line.startswith(":done: "):
                return int(line.split()[1]), printed[:-1]  # without the line feed of our own echo
            printed += line
        raise AssertionError(f"the shell ended at '{command}':\n{self.said()}")

    def said(self):
        self.errors.flush()
        with open(self.errors.name, encoding="utf-8") as file:
            return file.read()[-3000:]

    def close(self):
        self.process.stdin.write("kill $(jobs -p) 2>/dev/null; wait; exit\n")
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.stdout.close()
        self.process.wait(30)
        self.errors.close()


class Guide(unittest.TestCase):
    @unittest.skipUnless(shutil.which("jq"), "jq is not installed")
    def test_the_first_app_goes_as_the_page_says(self):
        scene = Scene()
        self.addCleanup(scene.close)
        os.symlink(BINARY, scene.path("aios"))
        environment = clean_environment({"AIOS_LISTEN": "127.0.0.1:0"})  # a port that is free
        environment["PATH"] = scene.folder + os.pathsep + environment["PATH"]
        with open(os.path.join(ROOT, "docs", "guide", "first-app.md"), encoding="utf-8") as file:
            commands = commands_of(file.read())
        self.assertGreater(len(commands), 15)
        shell = Shell(scene.folder, environment)
        self.addCleanup(shell.close)
        for command, expected in commands:
            with self.subTest(command=command):
                code, printed = shell.run(command)
                self.assertEqual(code, 0, f"{command}\n{printed}\n{shell.said()}")
                self.assertRegex(printed + ("" if printed.endswith("\n") or not printed else "\n"),
                                 re.compile(r"\A" + pattern_of(expected).pattern + r"\Z"))

    def test_what_is_compared_can_differ(self):
        self.assertEqual(commands_of("```console\n$ a\nx\n...\n$ b\n```\n"),
                         [("a", ["x", "..."]), ("b", [])])
        pattern = pattern_of(["one ... three", "...", "end"])
        self.assertTrue(pattern.fullmatch("one two three\nmore\nend\n"))
        self.assertTrue(pattern.fullmatch("one  three\nend\n"))
        self.assertFalse(pattern.fullmatch("one two\nend\n"))
        self.assertFalse(pattern.fullmatch("one two three\nmore\n"))


if __name__ == "__main__":
    unittest.main()
