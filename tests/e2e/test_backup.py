# SPDX-License-Identifier: Apache-2.0
"""Backup and keys apart, restored elsewhere: the same runs; and a data directory without a server."""

import json
import os
import resource
import shutil
import subprocess
import tempfile
import threading
import unittest

from harness import (BINARY, SURE_CASE, UNSURE, Scene, aios, clean_environment, ticket_event,
                     wait_for)


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
            pinned, older = Auditor.visit(scene.server)
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
        verified = Auditor.verify(again.server, pinned, again.write("older", older))
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


class Auditor(unittest.TestCase):
    """Somebody who noted the verifier key and a checkpoint before."""

    @staticmethod
    def visit(server):
        """-> (verifier key, checkpoint over all that is committed)"""
        state = server.api().want("GET", "/api/v1/audit")
        wait_for(lambda: server.api().want("GET", "/api/v1/audit")["signed_size"] >=
                 max(state["leaves"], 1), "the leaves are signed")
        with open(os.path.join(server.data, "audit", "default", "checkpoint"),
                  encoding="utf-8") as file:
            return state["verifier_key"], file.read()

    @staticmethod
    def verify(server, key, older):
        return aios("audit", "verify", os.path.join(server.data, "audit", "default"),
                    "--key", key, "--checkpoint", older)

    def make_leaf(self, server, token=None):
        server.api(token).want("POST", "/api/v1/keys", {"name": "someone", "roles": ["ingest"]})

    def setUp(self):
        self.scene = Scene().with_server()
        self.addCleanup(self.scene.close)
        self.make_leaf(self.scene.server)

    def test_a_restored_log_goes_on_under_the_key_and_checkpoint_that_were_kept(self):
        scene, server = self.scene, self.scene.server
        admin = server.first_key()
        pinned, first = self.visit(server)
        phrase = scene.write("phrase", "a long pass phrase of ours\n")
        made = aios("backup", scene.path("b"), "--keys", scene.path("k"), "--passphrase-file",
                    phrase, "--data", server.data)
        self.assertEqual(made.returncode, 0, made.stderr)
        for _ in range(3):  # the backup leaves a leaf of its own
            self.make_leaf(server)
        _, last = self.visit(server)
        server.stop()

        again = Scene()
        self.addCleanup(again.close)
        data = os.path.join(again.folder, "data")
        done = aios("restore", scene.path("b"), "--keys", scene.path("k"), "--passphrase-file",
                    phrase, "--data", data)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(os.stat(os.path.join(data, "audit-signing.key")).st_mode & 0o777, 0o600)
        again.with_server()
        self.make_leaf(again.server, admin)
        leaves = again.server.api(admin).want("GET", "/api/v1/audit")["leaves"]
        wait_for(lambda: again.server.api(admin).want("GET", "/api/v1/audit")["signed_size"] >=
                 leaves, "the leaves are signed")
        kept = self.verify(again.server, pinned, again.write("first", first))
        self.assertEqual(kept.returncode, 0, kept.stderr)
        cut = self.verify(again.server, pinned, again.write("last", last))
        self.assertEqual(cut.returncode, 1, cut.stdout)
        self.assertIn("AIOS-0523", cut.stderr)

    def test_no_two_installations_sign_under_one_name(self):
        other = Scene().with_server()
        self.addCleanup(other.close)
        self.make_leaf(other.server)
        names = {self.visit(scene.server)[0].split("+")[0] for scene in (self.scene, other)}
        self.assertEqual(len(names), 2, names)
        self.assertEqual({name.count("/") for name in names}, {2}, names)

    def test_a_lost_signing_key_is_not_made_anew_without_a_word(self):
        server = self.scene.server
        pinned, older = self.visit(server)
        server.stop()
        path = os.path.join(server.data, "audit-signing.key")
        os.remove(path)
        for log_too in (False, True):
            if log_too:
                os.rename(os.path.join(server.data, "audit"), self.scene.path("audit-away"))
            started = aios("serve", "--data", server.data, "--listen", "127.0.0.1:0")
            self.assertEqual(started.returncode, 1)
            self.assertIn("AIOS-0528", started.stderr)
            self.assertFalse(os.path.exists(path))
        os.rename(self.scene.path("audit-away"), os.path.join(server.data, "audit"))
        server.start("--new-audit-key")
        fresh, _ = self.visit(server)
        self.assertNotEqual(fresh.split("+")[0], pinned.split("+")[0])
        aside = [name for name in os.listdir(server.data) if name.startswith("audit.before-")]
        with open(os.path.join(server.data, aside[0], "default", "checkpoint"),
                  encoding="utf-8") as file:
            self.assertEqual(file.read(), older)


class Targets(unittest.TestCase):
    """What fails leaves nothing behind and says what to do."""

    def setUp(self):
        self.scene = Scene().with_server()
        self.addCleanup(self.scene.close)
        self.phrase = self.scene.write("phrase", "a long pass phrase of ours\n")
        os.mkdir(self.scene.path("out"))

    def backup(self, *arguments, where=None):
        return aios("backup", *arguments, *(where or ("--data", self.scene.server.data)))

    def test_a_name_that_is_taken_blocks_nothing_once_it_is_free(self):
        archive, keys = self.scene.path("out", "b"), self.scene.path("out", "k")
        with_keys = ("--keys", keys, "--passphrase-file", self.phrase)
        self.assertEqual(self.backup(archive).returncode, 0)
        for taken, free in ((archive, keys), (keys, archive)):
            if os.path.exists(free):
                os.remove(free)
            with open(taken, "w", encoding="ascii") as file:
                file.write("mine")
            refused = self.backup(archive, *with_keys)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("AIOS-1417", refused.stderr)
            self.assertEqual(os.listdir(self.scene.path("out")), [os.path.basename(taken)])
            with open(taken, encoding="ascii") as file:
                self.assertEqual(file.read(), "mine")
            os.remove(taken)
        made = self.backup(archive, *with_keys)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(sorted(os.listdir(self.scene.path("out"))), ["b", "k"])

    @unittest.skipUnless(os.path.isdir("/dev/shm"), "wants a second disk")
    def test_keys_that_do_not_fit_on_their_disk_leave_nothing_there(self):
        elsewhere = tempfile.mkdtemp(dir="/dev/shm")
        self.addCleanup(shutil.rmtree, elsewhere, True)
        if os.stat(elsewhere).st_dev == os.stat(self.scene.folder).st_dev:
            self.skipTest("the folder of the test is on that disk")
        phrase = self.scene.write("phrase", "a long pass phrase of ours\n")
        keys = os.path.join(elsewhere, "keys")
        arguments = [BINARY, "--data", self.scene.server.data, "backup", self.scene.path("copy"),
                     "--keys", keys, "--passphrase-file", phrase]

        def full():  # of the command alone: the server writes what it is asked for
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

        made = subprocess.run(arguments, preexec_fn=full, env=clean_environment(), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual(made.returncode, 1, made.stderr)
        self.assertIn("AIOS-1417", made.stderr)
        self.assertEqual(os.listdir(elsewhere), [])
        again = aios(*arguments[1:])
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(os.listdir(elsewhere), ["keys"])
        self.assertEqual(os.stat(keys).st_mode & 0o777, 0o600)

    def test_a_failed_backup_leaves_nothing(self):
        wrong = self.scene.write("wrong", "aios_wrong\n")
        failed = self.backup(self.scene.path("out", "b"),
                             where=("--server", self.scene.server.url, "--key-file", wrong))
        self.assertEqual(failed.returncode, 1)
        self.assertIn("AIOS-0510", failed.stderr)
        self.assertIn(wrong, failed.stderr)
        self.assertEqual(os.listdir(self.scene.path("out")), [])

    def test_a_server_elsewhere_cannot_give_the_files(self):
        failed = self.backup(self.scene.path("out", "b"),
                             where=("--server", "http://192.0.2.1:8787"))
        self.assertEqual(failed.returncode, 1)
        self.assertIn("AIOS-1417", failed.stderr)
        self.assertEqual(os.listdir(self.scene.path("out")), [])

    def test_keys_and_passphrase_need_each_other(self):
        for alone in (("--keys", self.scene.path("out", "k")),
                      ("--passphrase-file", self.phrase)):
            refused = self.backup(self.scene.path("out", "b"), *alone)
            self.assertEqual(refused.returncode, 2, refused.stderr)
            self.assertEqual(os.listdir(self.scene.path("out")), [])


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
        self.assertEqual(json.loads(self.local("runs", "show", self.run_id, "--json"))["status"], "waiting")
        self.assertIn("review", self.local("explain", self.run_id))
        self.assertTrue(self.local("runs", "history", self.run_id))
        self.assertIn("intent@1", self.local("model", "list"))
        self.assertIn("order_status", self.local("model", "predict", "intent", SURE_CASE))
        self.assertIn("first key", self.local("key", "list"))
        self.assertIn("verifier key", self.local("audit", "show"))
        self.assertIn("accepted", self.local("events", "list"))
        review = json.loads(self.local("--json", "review", "list"))["items"][0]
        self.local("review", "answer", review["id"], '{"intent": "other", "action": "none"}')
        self.assertEqual(json.loads(self.local("runs", "show", self.run_id, "--json"))["status"],
                         "completed")

    def test_a_directory_that_is_not_there_says_what_to_do(self):
        done = aios("runs", "list", "--data", self.scene.path("nowhere"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("aios serve", done.stderr)
        self.assertFalse(os.path.exists(self.scene.path("nowhere")))


if __name__ == "__main__":
    unittest.main()
