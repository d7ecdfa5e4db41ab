# SPDX-License-Identifier: Apache-2.0
"""Whoever is shown a run or an event checks every content against the leaf that commits to it."""

import json
import unittest

from harness import UNSURE, Scene, aios, entries_of, ticket_event

SOURCE = "/crm/customers/anna.schmidt"
ANSWER = {"intent": "promo_code", "action": "case"}  # canonical JSON has them the other way round


class Openings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.support_desk()
        event = {**ticket_event(1, UNSURE, cls.scene.customers[1]), "source": SOURCE}
        status, cls.sent = cls.scene.api("ingest").send(event)
        assert status == 202, cls.sent
        cls.scene.api().run_when(cls.sent["run"], ("review",))
        review = next(cls.scene.api().pages("/api/v1/reviews?status=open"))
        cls.scene.api("reviewer").want("POST", f"/api/v1/reviews/{review['id']}/answer",
                                       {"answer": ANSWER})
        cls.ended = cls.scene.api().run_when(cls.sent["run"])
        cls.history = cls.shown("runs", "history", cls.sent["run"])
        cls.event = cls.shown("events", "show", cls.sent["id"])
        cls.log, cls.key = cls.scene.audit_log()

    @classmethod
    def shown(cls, *command):
        done = cls.scene.cli(*command, "--json", role="auditor")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def open(self, opening, *more):
        path = self.scene.write("opening.json", json.dumps(opening))
        done = aios("audit", "open", self.log, "--key", self.key, "--opening", path, "--json", *more)
        return done, json.loads(done.stdout) if done.stdout else {}

    def opened(self, opening, kind, part):
        done, shown = self.open(opening)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [item["content"] for item in shown["items"]
                if (item["kind"], item["part"]) == (kind, part) and item["opens"]]

    def openings(self):
        return [opening for line in self.history["items"]
                for opening in line.get("data", {}).get("openings", [])]

    def test_a_run_shows_what_the_person_saw_and_said_and_what_came_of_it(self):
        question, answer = self.opened(self.history, "review", "payload")
        self.assertIn(UNSURE, question)
        self.assertEqual(answer, '{"action":"case","intent":"promo_code"}')
        (output,) = self.opened(self.history, "run", "payload")
        self.assertEqual(json.loads(output), self.ended["output"])

    def test_an_event_shows_itself_and_where_it_came_from_and_the_log_does_not(self):
        (event,) = self.opened(self.event, "event", "payload")
        self.assertEqual(json.loads(event), self.event["event"])
        self.assertEqual(self.opened(self.event, "event", "source"), [SOURCE])
        self.assertNotIn("schmidt", "\n".join(entries_of(self.log)))

    def test_salts_without_contents_open_nothing_and_the_command_says_so(self):
        done, shown = self.open([{"leaf": one["leaf"], "salt": one["salt"]}
                                 for one in self.openings()])
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("nothing was opened", done.stderr)
        self.assertIn("AIOS-0527", done.stderr)
        self.assertFalse(shown["opens"])
        self.assertIn("payload", [part["part"] for part in shown["closed"]])

    def test_a_content_that_is_given_as_a_file_may_be_written_in_any_way(self):
        salts = [{"leaf": one["leaf"], "salt": one["salt"]} for one in self.openings()]
        _, shown = self.open(salts)
        ended = next(part for part in shown["closed"] if part["kind"] == "run")
        more = ("--leaf", str(ended["leaf"]), "--part", "payload", "--content")
        output = self.scene.write("output.json", json.dumps(self.ended["output"], indent=2))
        done, shown = self.open(salts, *more, output)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(shown["items"][0]["content"]), self.ended["output"])
        other = self.scene.write("output.json", json.dumps({**self.ended["output"], "more": 1}))
        done, _ = self.open(salts, *more, other)
        self.assertEqual(done.returncode, 1)
        done, _ = self.open(salts, "--part", "payload", "--content", output)
        self.assertIn("--leaf", done.stderr)

    def test_an_operator_is_not_shown_what_opens(self):
        done = self.scene.cli("runs", "history", self.sent["run"], "--json", role="operator")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("AIOS-0511", done.stderr)


if __name__ == "__main__":
    unittest.main()
