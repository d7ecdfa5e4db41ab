# SPDX-License-Identifier: Apache-2.0
"""What a run waits for instead of failing: a model that serves nothing yet, a system that is down for
a while."""

import shutil
import unittest

from harness import SURE_CASE, SURE_REFUND, Scene, aios, ticket_event, wait_for


class BeforeThePromotion(unittest.TestCase):
    def test_a_ticket_between_deployment_and_promotion_is_worked_on_afterwards(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.with_desk().with_server()
        told = scene.deploy()["warnings"]
        self.assertEqual(len(told), 1, told)
        self.assertIn("aios model train intent", told[0])
        customer = scene.desk.seed_rows()[0][5]
        _, sent = scene.api("ingest").send(ticket_event(1, SURE_CASE, customer))
        text = wait_for(lambda: (lambda said: "train and promote" in said and said)(
            scene.api().want("GET", f"/api/v1/runs/{sent['run']}/explain")["text"]),
            "the run says that no model serves")
        self.assertIn("AIOS-0705", text)
        scene.train()
        run = scene.api().run_when(sent["run"])
        self.assertEqual(run["status"], "completed", run)


class Restored(unittest.TestCase):
    """A backup is put back after the server went on: what it did since is asked for, not repeated."""

    def test_what_happened_since_is_found_or_told_to_a_person(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.support_desk()
        orders = scene.small_orders()[:2]
        scene.desk.set_faults("pay_refund.outage=1,open_case.outage=1")
        sent = []
        for number, (order, customer) in enumerate(orders):
            sent.append(scene.api("ingest").send(
                ticket_event(number, SURE_REFUND, customer, order))[1]["run"])
        sent.append(scene.api("ingest").send(
            ticket_event(9, SURE_CASE, scene.customers[9]))[1]["run"])
        for run in sent:  # each has its order and its plan, and is about to act
            wait_for(lambda run=run: (
                scene.api().want("GET", f"/api/v1/runs/{run}").get("waiting_for") or "").startswith(
                    ("retry", "lookup", "blocked")), f"run {run} waits for its effect")
        with open(scene.path("phrase"), "w", encoding="ascii") as file:
            file.write("a long pass phrase of ours\n")
        protected = ["--keys", scene.path("keys"), "--passphrase-file", scene.path("phrase"),
                     "--data", scene.server.data]
        made = aios("backup", scene.path("archive"), *protected)
        self.assertEqual(made.returncode, 0, made.stderr)
        scene.desk.set_faults("none")
        for run in sent:
            self.assertEqual(scene.api().run_when(run)["status"], "completed")
        done = scene.desk.rows("select (select count(*) from cases), "
                               "(select count(*) from refunds), (select count(*) from notices)")
        self.assertEqual(done, [(1, 2, 2)])
        first = scene.server.first_key()
        scene.server.kill()
        shutil.rmtree(scene.server.data)
        made = aios("restore", scene.path("archive"), *protected)
        self.assertEqual(made.returncode, 0, made.stderr)
        scene.server.start()
        api = scene.server.api(first)
        self.assertIn("runs came from a backup", scene.server.log())
        for run in sent[:2]:
            api.run_when(run, ("incident",))
            text = api.want("GET", f"/api/v1/runs/{run}/explain")["text"]
            self.assertIn("after the backup was made", text)
        self.assertEqual(api.run_when(sent[2])["status"], "completed")
        self.assertEqual(scene.desk.rows(
            "select (select count(*) from cases), (select count(*) from refunds), "
            "(select count(*) from notices)"), done)


if __name__ == "__main__":
    unittest.main()
