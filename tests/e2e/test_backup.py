# SPDX-License-Identifier: Apache-2.0
"""Backup and keys apart, restored elsewhere: the same runs; and a data directory without a server."""

import json
import os
import threading
import unittest

from harness import SURE_CASE, UNSURE, Scene, aios, ticket_event, wait_for


class Backup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        scene = cls.scene.support_desk()
        for number in range(1, 7):
            body = UNSURE if number % 3 == 0 else SURE_CASE
            status, sent = scene.api("ingest").send(ticket_event(number, body, scene.customers[3]))
            assert status == 202, sent
            scene.api().run_when(sent["run"], ("completed", "review"))
        cls.runs = list(scene.api().pages("/api/v1/runs"))
        cls.admin_key = scene.server.first_key()
        scene.server.stop()
        cls.phrase = scene.write("phrase", "a long pass phrase of ours\n")
        cls.archive, cls.keys = scene.path("backup.archive"), scene.path("keys.sealed")
        cls.made = aios("backup", cls.archive, "--keys", cls.keys, "--passphrase-file", cls.phrase,
                        "--data", scene.server.data)

    def restore(self, name, phrase=None, keys=None):
        target = self.scene.path(name)
        done = aios("restore", self.archive, "--keys", keys or self.keys, "--passphrase-file",
                    phrase or self.phrase, "--data", target)
        return target, done

    def test_a_restored_directory_has_the_same_runs(self):
        self.assertEqual(self.made.returncode, 0, self.made.stderr)
        target, done = self.restore("restored")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(os.stat(target).st_mode & 0o777, 0o700)
        again = Scene()
        self.addCleanup(again.close)
        os.rename(target, os.path.join(again.folder, "data"))
        again.with_server()
        api = again.server.api(self.admin_key)
        self.assertEqual(list(api.pages("/api/v1/runs")), self.runs)
        self.assertEqual(api.want("POST", "/api/v1/models/intent/predict",
                                  {"text": SURE_CASE})["version"], "intent@1")
        self.assertEqual(len(list(api.pages("/api/v1/reviews?status=open"))), 2)

    def test_the_backup_holds_no_keys_and_nothing_in_clear(self):
        for path in (self.archive, self.keys):
            with open(path, "rb") as file:
                raw = file.read()
            for secret in (SURE_CASE, UNSURE, self.admin_key, "a long pass phrase"):
                self.assertNotIn(secret.encode(), raw, path)

    def test_a_wrong_passphrase_or_a_damaged_archive_is_refused(self):
        wrong = self.scene.write("wrong", "another long pass phrase\n")
        target, done = self.restore("wrong-phrase", phrase=wrong)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\[AIOS-\d{4}\]")
        with open(self.archive, "rb") as file:
            raw = bytearray(file.read())
        for at in (len(raw) // 3, len(raw) // 2, len(raw) - 10):
            raw[at] ^= 0x40
        broken = self.scene.path("broken.archive")
        with open(broken, "wb") as file:
            file.write(raw[:-7])
        done = aios("restore", broken, "--keys", self.keys, "--passphrase-file", self.phrase,
                    "--data", self.scene.path("from-broken"))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\[AIOS-\d{4}\]")

    def test_a_directory_that_is_in_use_or_not_empty_is_not_restored_into(self):
        done = aios("restore", self.archive, "--keys", self.keys, "--passphrase-file", self.phrase,
                    "--data", self.scene.server.data)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\[AIOS-\d{4}\]")

    def test_a_short_passphrase_is_refused(self):
        short = self.scene.write("short", "tiny\n")
        done = aios("backup", self.scene.path("b2"), "--keys", self.scene.path("k2"),
                    "--passphrase-file", short, "--data", self.scene.server.data)
        self.assertEqual(done.returncode, 1)
        self.assertFalse(os.path.exists(self.scene.path("k2")))


class WhileServing(unittest.TestCase):
    """The server copies its own store; nobody has to stop it."""

    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.support_desk()
        cls.phrase = cls.scene.write("phrase", "a long pass phrase of ours\n")

    def test_a_backup_under_load_is_whole_and_its_log_verifies(self):
        scene = self.scene
        ended, accepted, failed = threading.Event(), [], []

        def load():
            api = scene.api("ingest")
            number = 100
            while not ended.is_set():
                number += 1
                status, sent = api.send(ticket_event(number, SURE_CASE, scene.customers[3]))
                (accepted if status == 202 else failed).append(sent)

        sender = threading.Thread(target=load)
        sender.start()
        try:
            wait_for(lambda: len(accepted) >= 10, "ten events are accepted")
            before = [sent["run"] for sent in accepted]
            archive, keys = scene.path("live.archive"), scene.path("live.keys")
            made = aios("backup", archive, "--keys", keys, "--passphrase-file", self.phrase,
                        "--data", scene.server.data)
            at_end = len(accepted)
            wait_for(lambda: len(accepted) > at_end, "the server goes on")
        finally:
            ended.set()
            sender.join()
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(failed, [])
        for path in (archive, keys):
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertFalse(os.path.exists(archive + ".making"))

        again = Scene()
        self.addCleanup(again.close)
        done = aios("restore", archive, "--keys", keys, "--passphrase-file", self.phrase,
                    "--data", os.path.join(again.folder, "data"))
        self.assertEqual(done.returncode, 0, done.stderr)
        again.with_server()
        api = again.server.api(scene.server.first_key())
        there = {run["id"] for run in api.pages("/api/v1/runs")}
        self.assertEqual([run for run in before if run not in there], [])
        state = api.want("GET", "/api/v1/audit")
        self.assertGreaterEqual(state["signed_size"], len(before))
        verified = aios("audit", "verify", os.path.join(again.folder, "data", "audit", "default"),
                        "--key", state["verifier_key"])
        self.assertEqual(verified.returncode, 0, verified.stderr)

    def test_where_a_backup_may_not_go(self):
        scene, api = self.scene, self.scene.api()
        full = scene.path("full")
        os.makedirs(full, exist_ok=True)
        with open(os.path.join(full, "file"), "w", encoding="ascii"):
            pass
        link = scene.path("link")
        os.symlink(scene.server.data, link)
        for directory in ("relative", os.path.join(scene.server.data, "b"), scene.server.data,
                          full, os.path.join(link, "b"), scene.path("no", "such", "folder"),
                          os.path.join(full, "file")):
            status, problem = api.call("POST", "/api/v1/operate/backup", {"directory": directory})
            with self.subTest(directory=directory):
                self.assertEqual((status, problem["page"]), (400, "AIOS-1303"), problem)
        self.assertFalse(os.path.exists(os.path.join(scene.server.data, "b")))
        self.assertEqual(os.listdir(full), ["file"])

    def test_keys_are_for_an_administrator(self):
        body = {"directory": self.scene.path("with-keys"), "passphrase": "a long pass phrase"}
        status, problem = self.scene.api("operator").call("POST", "/api/v1/operate/backup", body)
        self.assertEqual(status, 403, problem)
        status, _ = self.scene.api("ingest").call("POST", "/api/v1/operate/backup", {
            "directory": self.scene.path("without-keys")})
        self.assertEqual(status, 403)
        status, made = self.scene.api("operator").call("POST", "/api/v1/operate/backup", {
            "directory": self.scene.path("without-keys")})
        self.assertEqual(status, 201, made)
        self.assertNotIn("keys", made)
        self.assertEqual(os.stat(self.scene.path("without-keys")).st_mode & 0o777, 0o700)


class WithoutServer(unittest.TestCase):
    """The same verbs on the data directory itself."""

    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        scene = self.scene.support_desk()
        _, sent = scene.api("ingest").send(ticket_event(1, UNSURE, scene.customers[3]))
        scene.api().run_when(sent["run"], ("review",))
        self.run_id = sent["run"]
        scene.server.stop()

    def local(self, *arguments):
        done = aios(*arguments, "--data", self.scene.server.data, environment={
            "AIOS_SECRET_HELPDESK_TOKEN": self.scene.desk.TOKEN})
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stderr}")
        return done.stdout

    def test_reading_and_answering_needs_no_server(self):
        self.assertIn(self.run_id, self.local("runs", "list"))
        self.assertEqual(json.loads(self.local("runs", "show", self.run_id))["status"], "waiting")
        self.assertIn("review", self.local("explain", self.run_id))
        self.assertTrue(self.local("runs", "history", self.run_id))
        self.assertIn("intent@1", self.local("model", "list"))
        self.assertIn("order_status", self.local("model", "predict", "intent", SURE_CASE))
        self.assertIn("first key", self.local("key", "list"))
        self.assertIn("verifier key", self.local("audit", "show"))
        self.assertIn("accepted", self.local("events", "list"))
        review = json.loads(self.local("--json", "review", "list"))["items"][0]
        self.local("review", "answer", review["id"], '{"intent": "other", "action": "none"}')
        self.assertEqual(json.loads(self.local("runs", "show", self.run_id))["status"],
                         "completed")

    def test_a_directory_that_is_not_there_says_what_to_do(self):
        done = aios("runs", "list", "--data", self.scene.path("nowhere"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("aios serve", done.stderr)
        self.assertFalse(os.path.exists(self.scene.path("nowhere")))


if __name__ == "__main__":
    unittest.main()
