# SPDX-License-Identifier: Apache-2.0
"""Canaries: a ticket's words, personal data and secrets, looked for in every byte that is left."""

import os
import unittest

from harness import SURE_CASE, UNSURE, HelpDesk, Scene, Server, aios, ticket_event, wait_for

CANARY = "xylophonecanary8841"
PERSONAL = ("DE89370400440532013000", "canary.person77@example.org", "+49 421 5550987")
SUBJECT = "customer-canary-20194"


class Canaries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        scene = cls.scene.support_desk("open_case.error=0.3,open_case.lost=0.2")
        scene.server.stop()
        scene.server.start("--log-level", "debug")
        api, ingest = scene.api(), scene.api("ingest")
        text = f" {CANARY} {' '.join(PERSONAL)}"
        cls.runs = []
        for number in range(1, 9):
            body = (UNSURE if number % 4 == 0 else SURE_CASE) + text
            status, sent = ingest.send(ticket_event(number, body, scene.customers[5],
                                                    subject=SUBJECT))
            assert status == 202, sent
            cls.runs.append(sent["run"])
        broken = ticket_event(90, CANARY, subject=SUBJECT)
        del broken["data"]["ticket"]
        ingest.send(broken)                                      # a dead letter
        ingest.send(b'{"body": "' + CANARY.encode())             # no JSON
        scene.server.api("aios_" + "B" * 43).send(broken)        # no key
        ingest.send({**broken, "type": CANARY})                  # refused by policy
        for run in cls.runs:
            api.run_when(run, ("completed", "faulted", "review"))
        for review in list(api.pages("/api/v1/reviews?status=open")):
            scene.api("reviewer").want("POST", f"/api/v1/reviews/{review['id']}/answer",
                                       {"answer": {"intent": "other", "action": "none",
                                                   "reply": f"reply {CANARY}"}})
        api.want("GET", "/api/v1/audit")
        cls.metrics = api.exchange("GET", "/metrics")[2]
        reader = scene.api("operator")  # may read runs, not what they carry
        cls.explained = [reader.want("GET", f"/api/v1/runs/{run}/explain")["text"]
                         for run in cls.runs]
        cls.secrets = [HelpDesk.TOKEN, scene.server.first_key(), *scene.keys.values()]
        scene.restart("kill")   # whatever was in flight is now in the files as it fell
        scene.server.stop()
        phrase = scene.write("phrase", "a long pass phrase of ours\n")
        made = aios("backup", scene.path("backup.archive"), "--keys", scene.path("keys.sealed"),
                    "--passphrase-file", phrase, "--data", scene.server.data)
        assert made.returncode == 0, made.stderr

    def files(self):
        yield self.scene.server.log_path
        yield self.scene.path("backup.archive")
        yield self.scene.path("keys.sealed")
        for folder, _, names in os.walk(self.scene.server.data):
            for name in names:
                if name != "first-key":
                    yield os.path.join(folder, name)

    def assert_nowhere(self, values):
        seen = 0
        for path in self.files():
            with open(path, "rb") as file:
                raw = file.read()
            seen += len(raw)
            for value in values:
                if value.encode() in raw:  # assertNotIn would print the whole file
                    self.fail(f"'{value}' is in {os.path.relpath(path, self.scene.folder)}")
        self.assertGreater(seen, 100_000)

    def test_the_words_of_a_ticket_are_nowhere_in_clear(self):
        self.assert_nowhere([CANARY, SURE_CASE])

    def test_personal_data_is_nowhere_in_clear(self):
        self.assert_nowhere([*PERSONAL, self.scene.customers[5][1]])

    def test_the_data_subject_is_nowhere_in_clear(self):
        self.assert_nowhere([SUBJECT])

    def test_secrets_are_nowhere(self):
        self.assert_nowhere(self.secrets)

    def test_neither_metrics_nor_explanations_tell(self):
        for value in (CANARY, *PERSONAL, *self.secrets):
            self.assertNotIn(value.encode(), self.metrics)
            for text in self.explained:
                self.assertNotIn(value, text)


class Missing(unittest.TestCase):
    """A connector's secret that nobody has provided yet."""

    def test_it_is_named_and_the_run_waits_until_it_is_there(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.with_desk()
        variable = "AIOS_SECRET_HELPDESK_TOKEN"
        scene.server = Server(scene.folder, {variable: ""}).start()
        told = scene.deploy()["warnings"]
        self.assertEqual(len(told), 2, told)
        self.assertIn(variable, told[0])
        self.assertIn("model 'intent' serves nothing yet", told[1])
        scene.train()
        scene.restart("stop")
        self.assertIn(variable, scene.server.log())
        status, sent = scene.api("ingest").send(
            ticket_event(1, SURE_CASE, HelpDesk.seed_rows()[0][5]))
        self.assertEqual(status, 202, sent)
        explained = wait_for(
            lambda: (lambda text: variable in text and text)(
                scene.api().want("GET", f"/api/v1/runs/{sent['run']}/explain")["text"]),
            "the run says which secret it lacks")
        self.assertIn("waits for", explained)
        folder = os.path.join(scene.server.data, "secrets")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(os.path.join(folder, "helpdesk-token"), "w", encoding="ascii") as file:
            file.write(HelpDesk.TOKEN + "\n")
        self.assertEqual(scene.api().run_when(sent["run"])["status"], "completed")


if __name__ == "__main__":
    unittest.main()
