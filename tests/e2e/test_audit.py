# SPDX-License-Identifier: Apache-2.0
"""The audit log is verified by its files and a key alone, and shows every kind of tampering."""

import os
import shutil
import struct
import unittest

from harness import SURE_CASE, Scene, aios, ticket_event


class Audit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.support_desk()
        cls.early = cls.scene.path("early")
        folder, cls.key = cls.scene.audit_log()
        shutil.copy(os.path.join(folder, "checkpoint"), cls.early)
        for number in range(1, 13):
            status, sent = cls.scene.api("ingest").send(
                ticket_event(number, SURE_CASE, cls.scene.customers[number]))
            assert status == 202, sent
            cls.scene.api().run_when(sent["run"])
        cls.log, _ = cls.scene.audit_log()
        cls.leaves = cls.scene.api().want("GET", "/api/v1/audit")["leaves"]
        cls.scene.server.stop()

    def copy(self):
        target = self.scene.path("copy")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.log, target)
        return target

    def verify(self, folder, *more):
        return aios("audit", "verify", folder, "--key", self.key, *more)

    def entry_files(self, folder):
        """Entry bundles and hash tiles that the newest checkpoint counts on, widest first."""
        found = []
        for where, _, names in os.walk(os.path.join(folder, "tile")):
            found += [os.path.join(where, name) for name in names]
        return sorted(found, key=os.path.getsize, reverse=True)

    def assert_shown(self, done, name):
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stderr, r"\[AIOS-\d{4}\]")
        self.assertIn(name, done.stderr)

    def test_it_is_verified_offline(self):
        done = self.verify(self.copy())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"verified: {self.leaves} leaves", done.stdout)
        self.assertGreater(self.leaves, 12 * 4)

    def test_it_continues_an_older_checkpoint(self):
        done = self.verify(self.copy(), "--checkpoint", self.early)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_one_bit_of_an_entry(self):
        folder = self.copy()
        path = max((p for p in self.entry_files(folder) if "/entries/" in p), key=os.path.getsize)
        with open(path, "r+b") as file:
            raw = bytearray(file.read())
            raw[len(raw) // 2] ^= 1
            file.seek(0)
            file.write(raw)
        self.assert_shown(self.verify(folder), os.path.relpath(path, folder))

    def test_one_bit_of_a_hash_tile(self):
        folder = self.copy()
        path = max((p for p in self.entry_files(folder) if "/tile/0/" in p), key=os.path.getsize)
        with open(path, "r+b") as file:
            raw = bytearray(file.read())
            raw[-1] ^= 1
            file.seek(0)
            file.write(raw)
        self.assert_shown(self.verify(folder), os.path.relpath(path, folder))

    def test_a_tile_that_is_gone(self):
        for part in ("/entries/", "/tile/0/"):
            folder = self.copy()
            path = max((p for p in self.entry_files(folder) if part in p), key=os.path.getsize)
            os.remove(path)
            self.assert_shown(self.verify(folder), os.path.relpath(path, folder))

    def test_two_entries_that_changed_places(self):
        folder = self.copy()
        path = max((p for p in self.entry_files(folder) if "/entries/" in p), key=os.path.getsize)
        with open(path, "rb") as file:
            raw = file.read()
        first = 2 + struct.unpack(">H", raw[:2])[0]
        second = first + 2 + struct.unpack(">H", raw[first:first + 2])[0]
        with open(path, "wb") as file:
            file.write(raw[first:second] + raw[:first] + raw[second:])
        self.assert_shown(self.verify(folder), os.path.relpath(path, folder))

    def test_a_checkpoint_of_another_key(self):
        folder = self.copy()
        other = Scene()
        self.addCleanup(other.close)
        other.with_server()
        _, key = other.audit_log()
        done = aios("audit", "verify", folder, "--key", key)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\[AIOS-\d{4}\]")

    def test_a_log_that_was_cut_back_does_not_continue_what_was_kept_elsewhere(self):
        folder = self.copy()
        kept = self.scene.path("kept")
        shutil.copy(os.path.join(folder, "checkpoint"), kept)
        shutil.copy(self.early, os.path.join(folder, "checkpoint"))
        self.assertEqual(self.verify(folder, "--checkpoint", kept).returncode, 1)


if __name__ == "__main__":
    unittest.main()
