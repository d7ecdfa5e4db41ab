# SPDX-License-Identifier: Apache-2.0
"""Keys and the data directory as a newcomer meets them: made, kept, found, not lost by accident."""

import json
import os
import socket
import unittest

from harness import Scene, aios, wait_for


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene().with_server()
        cls.addClassCleanup(cls.scene.close)

    def aios(self, *arguments, environment=None):
        return aios(*arguments, "--data", self.scene.server.data, environment=environment)

    def names(self):
        return [key["name"] for key in self.scene.api().want("GET", "/api/v1/keys")["items"]]

    def test_a_secret_goes_into_a_file_that_nobody_else_reads(self):
        path = self.scene.path("trainer.key")
        made = self.aios("key", "create", "--name", "trainer", "--role", "developer",
                         "--out", path)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, encoding="ascii") as file:
            secret = file.read().strip()
        self.assertNotIn(secret, made.stdout + made.stderr)
        used = self.aios("--key-file", path, "model", "list")
        self.assertEqual(used.returncode, 0, used.stderr)
        again = self.aios("key", "create", "--name", "second", "--role", "developer",
                          "--out", path)
        self.assertEqual(again.returncode, 1)
        self.assertIn("AIOS-1403", again.stderr)
        self.assertNotIn("second", self.names())
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read().strip(), secret)

    def test_no_file_is_left_when_no_key_was_made(self):
        path = self.scene.path("none.key")
        refused = self.aios("key", "create", "--name", "x", "--role", "emperor", "--out", path)
        self.assertEqual(refused.returncode, 1)
        self.assertFalse(os.path.exists(path))

    def test_the_last_admin_is_not_revoked(self):
        listed = json.loads(self.aios("--json", "key", "list").stdout)["items"]
        first = next(key["id"] for key in listed if key["name"] == "first key")
        refused = self.aios("key", "revoke", first)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("AIOS-0515", refused.stderr)
        self.assertEqual(self.aios("key", "list").returncode, 0)

    def test_a_refused_key_is_named_by_where_it_came_from(self):
        wrong = self.scene.write("wrong.key", "aios_wrong\n")
        by_file = self.aios("--key-file", wrong, "key", "list")
        self.assertEqual(by_file.returncode, 1)
        self.assertIn(f"the key file {wrong}", by_file.stderr)
        by_environment = self.aios("key", "list", environment={"AIOS_KEY": "aios_wrong"})
        self.assertIn("AIOS_KEY", by_environment.stderr)
        self.assertNotIn("aios_wrong", by_file.stderr + by_environment.stderr)


    def test_a_key_ends_when_it_was_said_to_and_says_so(self):
        made = self.aios("--json", "key", "create", "--name", "guest", "--role", "auditor", "--expires", "PT1.5S")
        self.assertEqual(made.returncode, 0, made.stderr)
        key = json.loads(made.stdout)
        api = self.scene.server.api(key["secret"])
        self.assertEqual(api.call("GET", "/api/v1/runs")[0], 200)
        status, answer = wait_for(lambda: (lambda told: told if told[0] != 200 else None)(
            api.call("GET", "/api/v1/runs")), "the key has ended")
        self.assertEqual(status, 401)
        self.assertIn(key["expires"], answer["detail"])
        self.assertEqual(answer["page"], "AIOS-0563")
        self.assertRegex(self.aios("key", "list").stdout, key["id"] + r" +expired +guest")
        refused = self.aios("key", "create", "--name", "x", "--role", "auditor", "--expires", "tomorrow")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("AIOS-0565", refused.stderr)

    def test_a_key_with_a_rate_is_told_when_to_come_back(self):
        made = self.aios("--json", "key", "create", "--name", "slow", "--role", "ingest", "--rate", "6")
        self.assertEqual(made.returncode, 0, made.stderr)
        api = self.scene.server.api(json.loads(made.stdout)["secret"])
        event = {"specversion": "1.0", "id": "1", "source": "/test", "type": "none", "data": {}}
        first = api.send(event)[0]
        self.assertNotEqual(first, 429)  # what becomes of it is not this key's affair
        status, headers, raw = api.exchange("POST", "/api/v1/events", event,
                                            {"Content-Type": "application/cloudevents+json"})
        self.assertEqual(status, 429, raw)
        self.assertTrue(1 <= int(headers["retry-after"]) <= 10, headers)
        self.assertIn(b"AIOS-0564", raw)
        self.assertEqual(self.scene.api().call("GET", "/api/v1/runs")[0], 200)  # another key is not held up


class Starts(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)

    def test_the_first_key_is_told_of_until_it_is_revoked(self):
        data = self.scene.path("data")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            failed = aios("serve", "--data", data, "--listen",
                          f"127.0.0.1:{taken.getsockname()[1]}")
        self.assertEqual(failed.returncode, 1, failed.stderr)
        self.scene.with_server()
        key_file = os.path.join(data, "first-key")
        self.assertEqual(self.scene.server.log().count(key_file), 1, self.scene.server.log())
        api = self.scene.api()
        first = next(key["id"] for key in api.want("GET", "/api/v1/keys")["items"])
        other = api.want("POST", "/api/v1/keys", {"name": "other", "roles": ["admin"]})
        self.scene.server.api(other["secret"]).want("DELETE", f"/api/v1/keys/{first}")
        self.scene.server.stop()
        self.scene.server.start()
        self.assertEqual(self.scene.server.log().count(key_file), 1, self.scene.server.log())

    def test_revoking_the_first_key_takes_its_file_away_and_says_how_to_go_on(self):
        self.scene.with_server()
        data = self.scene.path("data")
        mine = self.scene.path("boss.key")
        made = aios("--data", data, "key", "create", "--name", "boss", "--role", "admin",
                    "--out", mine)
        self.assertEqual(made.returncode, 0, made.stderr)
        advice = aios("--data", data, "doctor").stdout
        self.assertIn("first key", advice)
        listed = json.loads(aios("--data", data, "--json", "key", "list").stdout)["items"]
        first = next(key["id"] for key in listed if key["name"] == "first key")
        revoked = aios("--data", data, "key", "revoke", first)
        self.assertEqual(revoked.returncode, 0, revoked.stderr)
        self.assertIn("--key-file", revoked.stderr)
        self.assertFalse(os.path.exists(os.path.join(data, "first-key")))
        without = aios("--data", data, "doctor")
        self.assertEqual(without.returncode, 1)
        self.assertIn("AIOS-0510", without.stderr)
        self.assertIn("AIOS_KEY_FILE", without.stderr)
        after = aios("--data", data, "--key-file", mine, "doctor")
        self.assertNotIn("first key", after.stdout)
        self.assertIn("\nwatch  keys       one key of an admin\n", "\n" + after.stdout)
        for line in after.stdout.splitlines():
            self.assertRegex(line, r"^((good|watch|bad) +\S+ +\S|  {17})")

    def test_a_folder_of_somebody_else_is_not_taken_over(self):
        folder = self.scene.path("home")
        os.mkdir(folder)
        os.chmod(folder, 0o755)
        self.scene.write("home/letter.txt", "dear")
        refused = aios("serve", "--data", folder, "--listen", "127.0.0.1:0")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("AIOS-0423", refused.stderr)
        self.assertEqual(os.listdir(folder), ["letter.txt"])
        self.assertEqual(os.stat(folder).st_mode & 0o777, 0o755)


if __name__ == "__main__":
    unittest.main()
