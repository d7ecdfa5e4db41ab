# SPDX-License-Identifier: Apache-2.0
"""The library sees what a program does to a folder, and the disk of the model forgets the right part."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import disk as disks  # noqa: E402

LIBRARY = disks.preloaded(os.environ["AIOS_FAULTS"])


class Watched(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="aios-faults-")
        self.addCleanup(shutil.rmtree, self.top)
        self.folder = os.path.join(os.path.realpath(self.top), "data")
        self.trace = os.path.join(self.top, "trace")
        os.mkdir(self.folder)
        with open(self.path("old"), "wb") as file:
            file.write(b"o" * 2000)
        self.disk = disks.Disk(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_a_library_whose_path_holds_a_blank_is_loaded(self):
        folder = os.path.join(self.top, "a b")
        os.mkdir(folder)
        library = os.path.join(folder, "library.so")
        shutil.copy(LIBRARY, library)
        link = disks.preloaded(library)
        self.assertNotIn(" ", link)
        self.assertTrue(os.path.samefile(link, library))

    def run_program(self, text, rules="", code=0):
        done = subprocess.run(
            [sys.executable, "-S", "-c", "import os\n" + text], cwd=self.folder, check=False,
            stderr=subprocess.PIPE, text=True,
            env={"LD_PRELOAD": LIBRARY, "AIOS_FAULTS_ROOT": self.folder,
                 "AIOS_FAULTS_TRACE": self.trace, "AIOS_FAULTS_RULES": rules})
        self.assertEqual(done.returncode, code, done.stderr)
        if os.path.exists(self.trace):
            self.disk.replay(self.trace)
        return done.stderr

    def content(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def names(self):
        return sorted(os.listdir(self.folder))

    NEW = """
f = os.open("new", os.O_CREAT | os.O_WRONLY)
os.write(f, b"n" * 3000)
os.fsync(f)
"""
    FOLDER = "os.fsync(os.open('.', os.O_RDONLY))\n"

    def test_what_was_not_synced_is_forgotten(self):
        self.run_program("f = os.open('old', os.O_WRONLY)\nos.pwrite(f, b'x' * 600, 100)\n")
        self.assertEqual(self.disk.differences(), [])
        self.disk.cut("forgotten", 1)
        self.assertEqual(self.content("old"), b"o" * 2000)

    def test_it_may_be_kept(self):
        self.run_program("f = os.open('old', os.O_WRONLY)\nos.pwrite(f, b'x' * 600, 100)\n")
        self.disk.cut("kept", 1)
        self.assertEqual(self.content("old"), b"o" * 100 + b"x" * 600 + b"o" * 1300)

    def test_it_may_be_torn_at_sectors_and_nowhere_else(self):
        self.run_program("f = os.open('old', os.O_WRONLY)\nos.pwrite(f, b'x' * 2000, 0)\n")
        self.disk.cut("torn", 5)
        got, seen = self.content("old"), set()
        for at in range(0, 2000, 512):
            sector = set(got[at:at + 512])
            self.assertEqual(len(sector), 1, at)
            seen |= sector
        self.assertEqual(seen, {ord("o"), ord("x")})

    def test_what_was_synced_stays(self):
        for mode in ("forgotten", "torn", "mixed"):
            self.run_program("f = os.open('old', os.O_WRONLY)\nos.write(f, b'y' * 700)\n"
                             "os.fsync(f)\nos.pwrite(f, b'z' * 512, 1024)\n")
            self.disk.cut(mode, 2)
            self.assertEqual(self.content("old")[:700], b"y" * 700)

    def test_a_name_needs_its_folder_synced(self):
        self.run_program(self.NEW)
        self.disk.cut("forgotten", 1)
        self.assertEqual(self.names(), ["old"])
        self.run_program(self.NEW + self.FOLDER)
        self.disk.cut("forgotten", 1)
        self.assertEqual(self.content("new"), b"n" * 3000)

    def test_a_rename_is_whole_or_not_at_all(self):
        seen = set()
        for seed in range(20):
            self.run_program(self.NEW + self.FOLDER + "os.rename('new', 'old')\n")
            self.disk.cut("torn", seed)
            seen.add(tuple(self.names()))
            with open(self.path("old"), "wb") as file:
                file.write(b"o" * 2000)
            self.disk = disks.Disk(self.folder)
            os.remove(self.trace)
        self.assertEqual(seen, {("new", "old"), ("old",)})

    def test_a_file_that_shrank_and_one_that_is_gone(self):
        self.run_program("os.truncate(os.open('old', os.O_WRONLY), 10)\nos.mkdir('d')\n"
                         "os.link('old', 'd/link')\nos.unlink('old')\n")
        self.assertEqual(self.disk.differences(), [])
        self.disk.cut("kept", 1)
        self.assertEqual((self.names(), self.content("d/link")), (["d"], b"o" * 10))

    def test_what_the_library_did_not_see_is_found(self):
        self.run_program("")
        with open(self.path("old"), "ab") as file:
            file.write(b"more")
        self.assertEqual(self.disk.differences(), ["old"])

    def test_a_call_fails_once_or_for_ever_or_is_the_last(self):
        tries = ("for i in range(4):\n  try: os.open('old', os.O_RDONLY)\n"
                 "  except OSError as e: os.write(2, b'%d:%d ' % (i, e.errno))\n")
        self.assertEqual(self.run_program(tries, "open:old:2:EMFILE:once"), "1:24 ")
        self.assertEqual(self.run_program(tries, "open:o*:3:EIO:ever"), "2:5 3:5 ")
        self.run_program(self.NEW, "write:new:1:CUT:once", -signal.SIGKILL)
        self.disk.cut("kept", 1)
        self.assertEqual(self.content("new"), b"")

    def test_a_rule_that_would_never_be_met_ends_the_program(self):
        for rule, wanted in (("write:new:1:CUT", "FUNCTION:PATTERN:N:WHAT:once or ever"),
                             ("wirte:new:1:CUT:once", "a function"),
                             ("write:new:0:CUT:once", "from 1"), ("write:new:x:CUT:once", "from 1"),
                             ("write:new:1:ENOSPACE:once", "an error's name"),
                             ("open:old:1:EIO:once;write:new:1:CUT:always", "once or ever")):
            self.assertIn(wanted, self.run_program(self.NEW, rule, 2))
            self.assertEqual(self.names(), ["old"])


if __name__ == "__main__":
    unittest.main()
