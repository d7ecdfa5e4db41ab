# SPDX-License-Identifier: Apache-2.0
"""The audit log is verified by its files and a key alone, and shows every kind of tampering."""

import hashlib
import json
import os
import shutil
import struct
import unittest

from harness import SURE_CASE, SURE_REFUND, Scene, aios, entries_of, ticket_event


class Audit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.support_desk()
        cls.early = cls.scene.path("early")
        folder, cls.key = cls.scene.audit_log()
        shutil.copy(os.path.join(folder, "checkpoint"), cls.early)
        cls.taken = cls.scene.path("taken")
        command = ("audit", "checkpoint", "--out", cls.taken)
        cls.written = cls.scene.cli(*command, role="auditor")
        cls.again = cls.scene.cli(*command, role="auditor")
        cls.refund(cls.scene.small_orders()[0])
        for number in range(1, 13):
            status, sent = cls.scene.api("ingest").send(
                ticket_event(number, SURE_CASE, cls.scene.customers[number]))
            assert status == 202, sent
            cls.scene.api().run_when(sent["run"])
            cls.run_id = sent["run"]
        cls.history = cls.scene.api().want("GET", f"/api/v1/runs/{cls.run_id}/history")
        cls.log, _ = cls.scene.audit_log()
        cls.leaves = cls.scene.api().want("GET", "/api/v1/audit")["leaves"]
        cls.scene.server.stop()

    @classmethod
    def refund(cls, row):
        order, customer = row
        status, sent = cls.scene.api("ingest").send(
            ticket_event(99, SURE_REFUND, customer, order))
        assert status == 202, sent
        run = cls.scene.api().run_when(sent["run"], ("completed", "faulted", "cancelled", "review"))
        assert run["status"] == "completed", run

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

    def test_a_slip_in_the_command_is_no_alarm(self):
        folder = self.copy()
        for arguments in ((folder, "--key", "none"), (folder, "--key", "a+b+c"),
                          (folder + "x", "--key", self.key),
                          (folder, "--key", self.key, "--checkpoint", folder + "/none")):
            done = aios("audit", "verify", *arguments)
            self.assertEqual(done.returncode, 2, (arguments, done.stderr))
        os.remove(os.path.join(folder, "checkpoint"))  # the log is there, and not as it was
        self.assertEqual(self.verify(folder).returncode, 1)

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

    def test_what_was_kept_is_told_from_what_is_there_now(self):
        folder = self.copy()
        kept = self.scene.path("kept-now")
        shutil.copy(os.path.join(folder, "checkpoint"), kept)
        done = self.verify(folder, "--checkpoint", kept, "--checkpoint", self.early, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)["continues"]
        self.assertEqual([one["checkpoint"] for one in told], [self.early, kept])
        self.assertGreater(len(told[0]["consistency_proof"]), 0)
        shutil.copy(self.early, os.path.join(folder, "checkpoint"))
        done = self.verify(folder, "--checkpoint", self.early, "--checkpoint", kept, "--json")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["fault"]["kind"], "truncated")
        self.assertIn("an older copy of the directory was put back", done.stderr)
        self.assertIn("[AIOS-0523]", done.stderr)

    def test_a_bad_leaf_is_named_for_programs_too(self):
        folder = self.copy()
        path = max((p for p in self.entry_files(folder) if "/entries/" in p), key=os.path.getsize)
        with open(path, "r+b") as file:
            file.seek(2 + 5)
            file.write(b"?")
        done = self.verify(folder, "--json")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["fault"]["leaf"], 0)
        self.assertEqual(json.loads(done.stdout)["fault"]["file"], os.path.relpath(path, folder))

    def test_refunds_in_the_desk_are_the_leaves_that_say_so(self):
        ledger = self.scene.desk.rows("SELECT COUNT(*) FROM refunds")[0][0]
        done = aios("audit", "leaves", self.copy(), "--key", self.key, "--json",
                    "--where", "kind=effect_outcome", "--where", "facts.operation=pay_refund",
                    "--count-by", "kind,outcome")
        self.assertEqual(done.returncode, 0, done.stderr)
        counted = {item["outcome"]: item["count"] for item in json.loads(done.stdout)["items"]}
        self.assertGreater(ledger, 0)
        self.assertEqual(counted.get("done"), ledger)
        done = aios("audit", "leaves", self.copy(), "--key", self.key, "--count-by", "colour")
        self.assertEqual(done.returncode, 1)
        self.assertIn("[AIOS-0550]", done.stderr)

    def test_a_checkpoint_is_written_for_keeping_and_never_over_another(self):
        self.assertEqual(self.written.returncode, 0, self.written.stderr)
        done = self.verify(self.copy(), "--checkpoint", self.taken)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"continues {self.taken}:", done.stdout)
        self.assertEqual(self.again.returncode, 1)
        self.assertIn("[AIOS-0551]", self.again.stderr)

    def openings(self):
        return [opening for line in self.history["items"]
                for opening in line.get("data", {}).get("openings", [])]

    def open(self, openings, *more):
        path = self.scene.write("openings.json", json.dumps(openings))
        done = aios("audit", "open", self.log, "--key", self.key, "--opening", path, "--json", *more)
        return done, json.loads(done.stdout) if done.stdout else {}

    def test_a_run_s_history_opens_its_leaves(self):
        done, shown = self.open(self.history)
        self.assertEqual(done.returncode, 0, done.stderr)
        parts = [(item["kind"], item["part"].split("_")[0]) for item in shown["items"]]
        for part in (("effect_intent", "arguments"), ("effect_intent", "dec"),
                     ("effect_outcome", "request"), ("effect_outcome", "answer"),
                     ("model_call", "dec")):
            self.assertIn(part, parts)

    def test_an_effect_s_leaf_commits_to_what_the_help_desk_got(self):
        _, shown = self.open(self.history)
        sent = [json.loads(item["content"]) for item in shown["items"] if item["part"] == "request"]
        posted = [request for request in sent if request["method"] == "POST"]
        self.assertTrue(posted)
        got = self.scene.desk.rows("select method, path, body_digest from requests")
        for request in posted:
            path = request["url"].removeprefix(self.scene.desk.url)
            digest = hashlib.sha256(request["body"].encode()).hexdigest()
            self.assertIn((request["method"], path, digest), got)
        self.assertNotIn(self.scene.desk.TOKEN, json.dumps(shown))

    def test_what_was_changed_or_has_another_salt_does_not_open(self):
        opening = next(one for one in self.openings() if "request" in one.get("contents", {}))
        changed = json.loads(json.dumps(opening))
        changed["contents"]["request"] += " "
        other = {**opening, "salt": "00" * 16}
        lost = {**opening, "leaf": "00" * 32}
        for wrong in (changed, other, lost):
            done, shown = self.open(wrong)
            self.assertEqual(done.returncode, 1)
            self.assertIn("AIOS-0527", done.stderr)
            self.assertFalse(shown["opens"])

    def test_one_part_is_shown_without_the_others(self):
        opening = next(one for one in self.openings() if "request" in one.get("contents", {}))
        _, shown = self.open(opening)
        part = next(item for item in shown["items"] if item["part"] == "request")
        file = self.scene.write("request.json", opening["contents"]["request"])
        narrow = {"leaf": opening["leaf"], "salt": part["part_salt"]}
        done, _ = self.open(narrow, "--part", "request", "--content", file)
        self.assertEqual(done.returncode, 0, done.stderr)
        done, _ = self.open({**narrow, "contents": {"answer": opening["contents"]["answer"]}})
        self.assertEqual(done.returncode, 1)

    def test_the_log_alone_confirms_no_guess(self):
        text = "\n".join(entries_of(self.log))
        for opening in self.openings():
            for content in opening.get("contents", {}).values():
                self.assertNotIn(hashlib.sha256(content.encode()).hexdigest(), text)
            self.assertNotIn(opening["salt"], text)

    def test_leaves_of_a_run_are_listed(self):
        done = aios("audit", "leaves", self.log, "--key", self.key, "--stream", self.run_id)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("effect_outcome", done.stdout)
        self.assertIn("answer request", done.stdout)


if __name__ == "__main__":
    unittest.main()
