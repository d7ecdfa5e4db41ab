# SPDX-License-Identifier: Apache-2.0
"""An older store under a newer audit log is taken for a restored one: once, not at each start."""

import glob
import os
import shutil
import unittest

from harness import Scene, Server, aios, wait_for


class OlderStore(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.server = Server(self.scene.folder)
        self.addCleanup(self.server.kill)

    def live(self, keys):
        """One life of the server, with so many leaves more."""
        self.server.start()
        for number in range(keys):
            self.server.api().want("POST", "/api/v1/keys",
                                   {"name": f"k{number}", "roles": ["operator"]})
        self.assertEqual(self.server.stop(), 0)

    def stores(self, folder):
        return glob.glob(os.path.join(folder, "*.db*"))

    def put_back(self, copy):
        for path in self.stores(self.server.data):
            os.remove(path)
        for path in self.stores(copy):
            shutil.copy(path, self.server.data)

    def noted(self):
        with open(os.path.join(self.server.data, "restored"), encoding="ascii") as file:
            return file.read()

    def doubts(self):
        return self.server.log().count("it is an older copy")

    def test_it_is_doubted_once(self):
        self.live(2)
        copy = self.scene.path("copy")
        shutil.copytree(self.server.data, copy)
        self.live(9)
        self.assertFalse(os.path.exists(os.path.join(self.server.data, "restored")))
        self.put_back(copy)
        self.server.start()
        self.assertEqual(self.doubts(), 1)
        first = self.noted()
        wait_for(lambda: self.server.api().call("GET", "/readyz")[0] == 503, "not ready")
        told = aios("doctor", environment={"AIOS_SERVER": self.server.url,
                                           "AIOS_KEY": self.server.first_key()})
        self.assertEqual(told.returncode, 1)
        lines = {line.split()[1]: line for line in told.stdout.splitlines() if len(line.split()) > 1}
        self.assertIn("AIOS-0524", told.stdout)
        self.assertNotIn("0410", told.stdout)
        self.assertTrue(lines["audit"].startswith("bad"), told.stdout)
        self.assertTrue(lines["store"].startswith("good"), told.stdout)
        self.assertEqual(self.server.stop(), 1)
        self.server.start()
        self.server.kill()
        self.server.start()
        self.assertEqual((self.doubts(), self.noted()), (1, first))
        self.server.kill()
        self.put_back(copy)
        self.server.start()
        self.assertEqual(self.doubts(), 2)


if __name__ == "__main__":
    unittest.main()
