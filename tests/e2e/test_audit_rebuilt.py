# SPDX-License-Identifier: Apache-2.0
"""An audit folder that is gone is told of, and not signed again over other leaves."""

import json
import os
import shutil
import sqlite3
import unittest

from harness import Scene, aios, entries_of, wait_for


class FolderGone(unittest.TestCase):
    def setUp(self):
        self.scene = Scene().with_server()
        self.addCleanup(self.scene.close)
        for name in ("one", "two"):
            self.scene.server.api().want("POST", "/api/v1/keys", {"name": name, "roles": ["ingest"]})
        folder, self.key = self.scene.audit_log()
        with open(os.path.join(folder, "checkpoint"), encoding="utf-8") as file:
            self.kept = self.scene.write("kept", file.read())
        self.size = self.scene.server.api().want("GET", "/api/v1/audit")["signed_size"]
        self.scene.server.stop()
        self.data = self.scene.server.data
        shutil.rmtree(os.path.join(self.data, "audit"))

    def lines(self, page):
        return [line for line in self.scene.server.log().splitlines() if page in line]

    def test_it_is_written_again_and_says_so_in_line_metric_and_leaf(self):
        server = self.scene.server
        server.start()
        folder, key = self.scene.audit_log()
        self.assertEqual(key, self.key)
        self.assertEqual(len(self.lines("AIOS-0529")), 1, server.log())
        self.assertIn('"error"', self.lines("AIOS-0529")[0])
        self.assertIn("aios_audit_rebuilt_total 1", server.api().want("GET", "/metrics"))
        self.assertEqual(server.api().call("GET", "/readyz")[0], 200)
        leaves = [json.loads(leaf) for leaf in entries_of(folder)]
        told = [leaf for leaf in leaves if leaf["kind"] == "audit.rebuilt"]
        self.assertEqual([(leaf["outcome"], leaf["facts"]["size"], leaf["facts"]["had"])
                          for leaf in told], [("same", self.size, 0)])
        verified = aios("audit", "verify", folder, "--key", key, "--checkpoint", self.kept)
        self.assertEqual(verified.returncode, 0, verified.stderr)
        server.stop()
        server.start()
        self.scene.audit_log()
        self.assertEqual(server.api().want("GET", "/metrics").count("aios_audit_rebuilt_total 0"), 1)

    def test_over_a_leaf_that_was_edited_nothing_is_signed(self):
        tables = sqlite3.connect(os.path.join(self.data, "tables.db"))
        changed = tables.execute("update leaves set bytes = replace(bytes, 'created', 'revoked') "
                                 "where row = (select max(row) from leaves)").rowcount
        tables.commit()
        tables.close()
        self.assertEqual(changed, 1)
        server = self.scene.server
        server.start()
        wait_for(lambda: server.api().call("GET", "/readyz")[0] == 503, "the server is not ready")
        self.assertIn("aios_store_damaged 1", server.api().want("GET", "/metrics"))
        self.assertTrue(self.lines("AIOS-0532"), server.log())
        self.assertFalse(self.lines("AIOS-0529"))
        status, said = server.api().call("GET", "/api/v1/audit")
        self.assertEqual((status, said["page"]), (500, "AIOS-0532"))
        self.assertFalse(os.path.exists(os.path.join(self.data, "audit", "default", "checkpoint")))


class FolderGoneMeanwhile(unittest.TestCase):
    def test_a_running_server_notices_and_the_log_verifies(self):
        scene = Scene().with_server()
        self.addCleanup(scene.close)
        folder, key = scene.audit_log()
        with open(os.path.join(folder, "checkpoint"), encoding="utf-8") as file:
            kept = scene.write("kept", file.read())
        shutil.rmtree(os.path.join(scene.server.data, "audit", "default"))
        scene.audit_log()
        self.assertEqual(scene.server.log().count("AIOS-0529"), 1, scene.server.log())
        self.assertIn("aios_audit_rebuilt_total 1", scene.api().want("GET", "/metrics"))
        kinds = [json.loads(leaf)["kind"] for leaf in entries_of(folder)]
        self.assertEqual(kinds.count("audit.rebuilt"), 1)
        verified = aios("audit", "verify", folder, "--key", key, "--checkpoint", kept)
        self.assertEqual(verified.returncode, 0, verified.stderr)


if __name__ == "__main__":
    unittest.main()
