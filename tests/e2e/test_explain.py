# SPDX-License-Identifier: Apache-2.0
"""What a person is told about a run: what it waits for, the whole command that helps, and on what ground
it did what it did."""

import re
import shlex
import unittest

from harness import SURE_CASE, UNSURE, Scene, Server, ticket_event, wait_for

IBAN = "DE89370400440532013000"


class Explained(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.support_desk()

    def explain(self, run, role=None):
        return self.scene.api(role).want("GET", f"/api/v1/runs/{run}/explain")["text"]

    def send(self, number, body, statuses=("completed",)):
        _, sent = self.scene.api("ingest").send(
            ticket_event(number, body, self.scene.customers[number]))
        self.scene.api().run_when(sent["run"], statuses)
        return sent["run"]

    def test_a_completed_run_says_on_what_ground(self):
        run = self.send(1, SURE_CASE)
        text = self.explain(run)
        self.assertRegex(text, r"model: intent \(intent@1\) said '\w+', confidence 0\.\d+")
        self.assertRegex(text, r'policy: support/decide said \{"action":"automatic","reasons":\[\],"second_opinion":false\}')
        self.assertIn("output: {", text)
        clear = self.explain(run, "operator")
        self.assertIn("model: intent (intent@1) said a label", clear)
        self.assertNotIn("output:", clear)
        self.assertNotIn("policy:", clear)

    def test_the_command_for_a_review_works_once_its_words_are_chosen(self):
        run = self.send(2, f"{UNSURE} {IBAN}", ("review",))
        text = self.explain(run, "reviewer")
        self.assertIn("who may answer: reviewer", text)
        line = next(line for line in text.splitlines() if line.startswith("    aios review answer"))
        for words in re.findall(r'"([\w|]+)"', line):
            if "|" in words:
                line = line.replace(words, words.split("|")[-1])
        done = self.scene.cli(*shlex.split(line)[1:], role="reviewer")
        self.assertEqual(done.returncode, 0, done.stderr + line)
        self.scene.api().run_when(run)
        self.assertIn("answered: rev_", self.explain(run))
        self.assertRegex(self.explain(run), r'policy: support/decide said .*"action":"review".*'
                                            r'is (below the floor|never automatic)')
        self.assertNotIn(IBAN, self.explain(run, "operator"))


class WithoutItsSecret(unittest.TestCase):
    def test_the_secret_is_named(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.with_desk()
        scene.server = Server(scene.folder, {"AIOS_SECRET_HELPDESK_TOKEN": ""}).start()
        scene.deploy()
        scene.train()
        customer = scene.desk.seed_rows()[0][5]
        _, sent = scene.api("ingest").send(ticket_event(1, SURE_CASE, customer))
        for role in (None, "operator"):
            text = wait_for(lambda role=role: (lambda said: "secret" in said and said)(
                scene.api(role).want("GET", f"/api/v1/runs/{sent['run']}/explain")["text"]),
                "the run says which secret it lacks")
            self.assertIn("the secret 'helpdesk-token', which is missing", text)
            self.assertIn("secrets/helpdesk-token of the data directory", text)
            self.assertNotIn("takes no calls now", text)


if __name__ == "__main__":
    unittest.main()
