# SPDX-License-Identifier: Apache-2.0
"""A server that is started on a full disk waits for room, says so, and goes on by itself."""

import os
import subprocess
import unittest

from harness import BINARY, Api, Scene, Server, Unreachable, wait_for


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.disk = self.scene.path("disk")
        os.mkdir(self.disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", self.disk],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("SKIPPED: full disk: no file system may be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=False)
        self.server = Server(self.scene.folder)
        self.server.data = os.path.join(self.disk, "data")
        self.addCleanup(self.server.kill)
        self.server.start()
        self.key = self.server.first_key()
        self.server.stop()  # a start after a kill finds logs with room in them, and may need no more
        self.filler = os.path.join(self.disk, "filler")
        with open(self.filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass

    def start(self):
        """On the port of before, so that it can be asked while it waits."""
        self.api = Api(self.server.port, self.key)
        self.server.launch([*self.arguments(), "--ready-file", self.server.ready_path])
        wait_for(lambda: self.asked("/readyz")[0] == 503, "the waiting server answers", 20)

    def arguments(self):
        return [BINARY, "serve", "--data", self.server.data, "--listen",
                f"127.0.0.1:{self.server.port}"]

    def asked(self, path, method="GET", body=None):
        try:
            return self.api.call(method, path, body)
        except Unreachable:
            return 0, ""

    def test_it_waits_and_goes_on_when_room_is_made(self):
        self.start()
        self.assertIn("the disk is full", self.asked("/readyz")[1])
        self.assertEqual(self.asked("/healthz"), (200, "ok\n"))
        status, problem = self.asked("/api/v1/keys")
        self.assertEqual(status, 503)
        self.assertIn("AIOS-0405", str(problem))
        self.assertEqual(self.asked("/api/v1/keys", "POST", {"name": "x", "roles": []})[0], 503)
        self.assertFalse(os.path.exists(self.server.ready_path))
        self.assertTrue(self.server.alive())
        self.assertIn("waits for room", self.server.log())
        os.remove(self.filler)
        self.server.wait_ready(30)
        self.assertEqual(self.asked("/readyz"), (200, "ready\n"))
        self.assertEqual(self.asked("/api/v1/keys")[0], 200)
        self.assertIn("there is room on the disk again", self.server.log())
        self.assertEqual(self.server.stop(), 0)

    def test_it_can_be_stopped_while_it_waits(self):
        self.start()
        self.assertEqual(self.server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
