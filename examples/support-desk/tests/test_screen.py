# SPDX-License-Identifier: Apache-2.0
"""What the demo prints can be read at any width, and what is to be copied can be copied."""

import argparse
import contextlib
import fcntl
import importlib.util
import io
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "..", "demo.py")
sys.path.insert(0, os.path.join(HERE, "..", "demo"))
import screen  # noqa: E402
from processes import DemoError  # noqa: E402

COMMAND = ("""sqlite3 build/demo/helpdesk.db "select sum(amount_cents), count(*) from refunds"; """
           """awk -F, '{s+=$10} END {print s}' build/demo/outcomes.csv""")


def demo_module():
    spec = importlib.util.spec_from_file_location("demo_program", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Terminal(io.StringIO):
    def isatty(self):
        return True


class ScreenTest(unittest.TestCase):
    def test_a_folded_command_is_the_same_command(self):
        def words(command):
            return subprocess.run(["sh", "-c", "printf '%s|' " + command], text=True, check=True,
                                  stdout=subprocess.PIPE).stdout
        command = COMMAND.split("; ")[1].partition(" ")[2] + " " + "word " * 30
        for columns in (40, 60, 80):
            folded = screen.folded_command(command, columns, "", "    ")
            self.assertEqual(words(folded), words(command))
            self.assertGreater(folded.count("\n"), 1)

    def test_no_line_is_wider_than_the_terminal_nor_broken_in_a_word(self):
        for columns in (60, 80):
            folded = screen.folded_command(COMMAND, columns, "         $ ", "           ")
            for line in folded.split("\n"):
                self.assertTrue(len(line) <= columns or '"' in line, line)
            self.assertEqual(folded.replace("\\\n", " ").split(), ["$", *COMMAND.split()])

    def draw(self, columns):
        size = os.terminal_size((columns, 24))
        with mock.patch("shutil.get_terminal_size", return_value=size), \
                contextlib.redirect_stdout(Terminal()) as out:
            shown = screen.Screen([("Sending 340 tickets at 10 a second", 34.0)], color=False)
            shown.stage()
            shown.table([("refunds in the help desk, EUR", "12345.00"), ("accepted", 1)])
            shown.clear()
        return out.getvalue()

    def test_the_live_block_goes_up_by_the_lines_it_has(self):
        for columns in (50, 60, 80, 200):
            text = self.draw(columns)
            self.assertIn("\033[3A", text)
            for line in text.replace("\033[3A\033[J", "").split("\n"):
                self.assertLess(len(line), columns + 1, (columns, line))
        self.assertIn("Sending 340 tickets at 10 a second", self.draw(200))
        self.assertIn("...", self.draw(50))


class OptionsTest(unittest.TestCase):
    def test_the_help_names_defaults_and_bounds(self):
        text = subprocess.run([sys.executable, PROGRAM, "--help"], text=True, check=True,
                              stdout=subprocess.PIPE).stdout
        flat = " ".join(text.split())
        for said in ("(default: 1)", "0.1 to 1000 (default: 10)", "20 to 500 (default: 340)",
                     "build/demo-result.json", "NO_COLOR"):
            self.assertIn(said, flat)

    def test_a_second_demo_in_a_checkout_touches_nothing_and_says_who_is_there(self):
        module = demo_module()
        with tempfile.TemporaryDirectory() as folder:
            options = argparse.Namespace(aios="/bin/sh", count=20, rate=1.0, seed=1, no_color=True)
            first, second = (module.House(options, print) for _ in range(2))
            for demo in (first, second):
                demo.folder = os.path.join(folder, "demo")
            first.prepare()
            kept = first.path("data")
            os.makedirs(kept)
            with self.assertRaisesRegex(DemoError, f"process {os.getpid()}"):
                second.prepare()
            self.assertTrue(os.path.isdir(kept))
            fcntl.flock(first.lock, fcntl.LOCK_UN)
            second.prepare()
            self.assertFalse(os.path.isdir(kept))
            for demo in (first, second):
                demo.lock.close()


if __name__ == "__main__":
    unittest.main()
