# SPDX-License-Identifier: Apache-2.0
"""What the doctor says of a real server."""

import json
import os
import unittest

from harness import Scene, aios, wait_for


class Doctor(unittest.TestCase):
    def setUp(self):
        self.scene = Scene().with_server()
        self.addCleanup(self.scene.close)

    def report(self):
        done = self.scene.cli("doctor", "--json")
        return done.returncode, {one["part"]: one for one in json.loads(done.stdout)["findings"]}

    def test_every_part_is_looked_at_and_says_what_to_do(self):
        code, parts = self.report()
        self.assertEqual(list(parts), ["disk", "store", "keys", "clock", "limits", "listener", "bundle", "models",
                                       "sources", "people", "runs", "deliveries", "audit"])
        for one in parts.values():
            self.assertEqual(one["health"] == "good", one["next"] == "", one)
        self.assertEqual(code, 1 if any(one["health"] == "bad" for one in parts.values()) else 0)
        self.assertIn("first key", parts["keys"]["found"])

    def test_a_key_that_others_may_read_is_bad_and_fails_the_command(self):
        os.chmod(os.path.join(self.scene.server.data, "root.key"), 0o644)
        code, parts = self.report()
        self.assertEqual((code, parts["keys"]["health"]), (1, "bad"))
        self.assertIn("root.key", parts["keys"]["found"])
        told = self.scene.cli("doctor")
        self.assertIn("AIOS-1462", told.stderr)
        self.assertLessEqual(max(map(len, told.stdout.splitlines())), 80)

    def test_an_audit_log_is_verified_and_one_altered_byte_is_bad(self):
        def signed():
            code, parts = self.report()
            return parts["audit"] if parts["audit"]["found"].startswith("0 leaves wait") else None
        audit = wait_for(signed, "every leaf is signed")
        self.assertRegex(audit["found"], r"; verified to leaf [1-9]\d* at 2")
        entries = os.path.join(self.scene.server.data, "audit", "default", "tile", "entries", "000.p")
        newest = os.path.join(entries, max(os.listdir(entries), key=int))
        with open(newest, "rb") as file:
            whole = file.read()
        altered = whole[:100] + bytes([whole[100] ^ 1]) + whole[101:]

        def put(content):
            with open(newest, "wb") as file:
                file.write(content)
            return self.report()
        code, parts = put(altered)
        if "AIOS-0524" in parts["audit"]["found"]:  # the first leaves were just held against the store, once
            put(whole)
            wait_for(signed, "it is signed again")
            code, parts = put(altered)
        self.assertEqual((code, parts["audit"]["health"]), (1, "bad"))
        self.assertIn("the log of 'default': leaf 0 in tile/entries/000.p/", parts["audit"]["found"])
        self.assertIn("[AIOS-0522]", parts["audit"]["found"])
        self.assertIn("\naios_audit_logs_altered 1", self.metrics())
        self.assertIn("AIOS-0522", self.scene.server.log())
        self.assertEqual(put(whole)[1]["audit"]["health"], "good")
        self.assertIn("\naios_audit_logs_altered 0", self.metrics())

    def metrics(self):
        return self.scene.api().exchange("GET", "/metrics")[2].decode()

    def test_it_looks_at_data_without_a_server_too(self):
        self.scene.server.stop()
        done = aios("doctor", "--json", "--data", self.scene.server.data)
        parts = {one["part"]: one for one in json.loads(done.stdout)["findings"]}
        self.assertIn("no server runs", parts["listener"]["found"])
        self.assertIn("; verified to leaf ", parts["audit"]["found"])

    def test_growth_is_noted_beside_the_data(self):
        file = os.path.join(self.scene.server.data, "disk-growth.jsonl")
        wait_for(lambda: os.path.exists(file), "the growth is noted")


if __name__ == "__main__":
    unittest.main()
