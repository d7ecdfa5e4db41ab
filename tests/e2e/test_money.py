# SPDX-License-Identifier: Apache-2.0
"""A second opinion from somebody else's model: what it may see, what it may cost, what it decides.
What happened outside is counted in that model's own database."""

import json
import os
import unittest

from harness import (DESK_BUNDLE, SETTLED, ModelServer, Scene, aios, entries_of, ticket_event,
                     wait_for)

# The own model is sure of it, but not as sure as the floor of these tests wants; the other one says
# the same, since the words of the label stand in the text.
AGREED = "What is the status of my order? The tracking number has not been updated for days."
DIFFERS = "Where is my order? The tracking number has not been updated for days."
CANARY = "canary.private9@example.net"
FLOORS = {"order_status": 2}


class Desk(Scene):
    def up(self, **parameters):
        self.with_desk()
        self.models = ModelServer(self.folder).start(slow_seconds=0.4)
        self.with_server()
        self.deploy_with(**parameters)
        self.train()
        self.customers, self.orders = self.desk.seed_rows()
        return self

    def deploy_with(self, replaced=None, **parameters):
        return self.deploy(replaced, **{"second_opinion": True, "floors": FLOORS,
                                        "second_opinion_url": self.models.url, **parameters})

    def close(self):
        if self.models.alive():
            self.models.kill()
        super().close()

    def send(self, number, body):
        event = ticket_event(number, body, self.customers[number % len(self.customers)])
        status, sent = self.api("ingest").send(event)
        assert status == 202, sent
        return sent["run"]

    def ended(self, number, body):
        return self.api().run_when(self.send(number, body), (*SETTLED, "review"), 60)

    def asked(self):
        return self.models.rows("select count(*) from requests")[0][0]

    def leaves(self, kind):
        """Outcomes of the leaves of that kind about the model elsewhere."""
        folder, _ = self.audit_log()
        leaves = [json.loads(leaf) for leaf in entries_of(folder)]
        return [leaf["outcome"] for leaf in leaves
                if leaf.get("kind") == kind and leaf["facts"].get("alias") == "second-opinion"]

    def budget(self):
        return self.api().want("GET", "/api/v1/budgets")["items"][0]


class SecondOpinion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Desk().up()
        cls.addClassCleanup(cls.scene.close)

    def test_two_that_agree_settle_a_ticket_and_it_says_what_that_cost(self):
        scene = self.scene
        before, spent = scene.asked(), scene.budget()["spent_nano"]
        run = scene.ended(1, f"{AGREED} Write to {CANARY}.")
        self.assertEqual(run["status"], "completed", run)
        output = run["output"]
        self.assertEqual((output["outcome"], output["second"]), ("automatic", "order_status"))
        self.assertLess(output["confidence"], FLOORS["order_status"])
        self.assertEqual(run["cost"], [output["cost"]])
        self.assertEqual(output["cost"]["currency"], "EUR")
        self.assertFalse(output["cost"]["estimated"])
        self.assertEqual(scene.asked(), before + 1)
        text, tokens_in, tokens_out = scene.models.rows(
            "select text, prompt_tokens, completion_tokens from requests")[-1]
        self.assertNotIn(CANARY, text)
        self.assertIn("[EMAIL_1]", text)
        price = -(-(tokens_in * 150_000_000 + tokens_out * 600_000_000) // 1_000_000)
        self.assertEqual(output["cost"]["nano"], price)
        budget = scene.budget()
        self.assertEqual((budget["spent_nano"] - spent, budget["reserved_nano"]), (price, 0))

    def test_two_that_differ_go_to_a_person_who_sees_both(self):
        run = self.scene.ended(2, DIFFERS)
        self.assertEqual(run["status"], "waiting", run)
        listed = wait_for(lambda: next((r for r in self.scene.api().pages(
            "/api/v1/reviews?status=open") if r["run"] == run["id"]), None), "a question")
        review = self.scene.api().want("GET", f"/api/v1/reviews/{listed['id']}")
        self.assertEqual(review["evidence"]["second"]["label"], "cancel_order")
        self.assertIn("a second opinion says cancel_order", review["evidence"]["why"])

    def test_what_was_sent_outside_is_what_the_leaves_say(self):
        scene = self.scene
        scene.models.fail("throttle", 1)
        scene.ended(3, AGREED)
        scene.models.fail("garbage", 1)
        scene.ended(4, AGREED)
        calls = scene.leaves("model_call")
        self.assertEqual(len([c for c in calls if c not in ("not_sent", "blocked")]),
                         scene.asked())
        self.assertEqual(scene.leaves("model_intent").count("admitted"), len(calls))
        self.assertGreater(calls.count("done"), 1)
        self.assertEqual((calls.count("failed"), calls.count("unknown")), (1, 1))
        folder, key = scene.audit_log()
        self.assertEqual(aios("audit", "verify", folder, "--key", key).returncode, 0)

    def test_refunds_in_the_ledger_are_the_leaves_of_refunds(self):
        scene = self.scene
        order, customer = next((o, c) for o in scene.orders for c in scene.customers
                               if o[4] <= 10000 and c[0] == o[1])
        scene.deploy_with(floors={"refund_request": 0.5})
        self.addCleanup(scene.deploy_with)
        event = ticket_event(50, "I sent the item back two weeks ago, please refund my money.",
                             customer, order)
        _, sent = scene.api("ingest").send(event)
        run = scene.api().run_when(sent["run"])
        self.assertEqual(run["output"]["action"], "refund", run)
        folder, _ = scene.audit_log()
        paid = [leaf for leaf in map(json.loads, entries_of(folder))
                if leaf["kind"] == "effect_outcome" and leaf["outcome"] == "done"
                and leaf["facts"].get("operation") == "pay_refund"]
        self.assertEqual(len(paid), scene.desk.rows("select count(*) from refunds")[0][0])

    def test_raw_personal_data_does_not_leave_whatever_the_workflow_says(self):
        scene = self.scene
        with open(os.path.join(DESK_BUNDLE, "workflows", "ticket.yaml"), encoding="utf-8") as file:
            text = file.read()
        redacted = "+ {text: .text} }'"
        self.assertIn(redacted, text)
        scene.deploy_with({"workflows/ticket.yaml": text.replace(redacted, "}'").encode()})
        self.addCleanup(scene.deploy_with)
        before = scene.asked()
        run = scene.ended(5, f"{AGREED} Write to {CANARY}.")
        self.assertEqual((run["status"], run["error"]["status"]), ("faulted", 403), run)
        self.assertIn("would leave region eu for us", run["error"]["detail"])
        self.assertEqual(scene.asked(), before)
        self.assertIn("refused", scene.leaves("model_intent"))

    def test_over_its_budget_a_person_is_asked_and_nothing_is_sent(self):
        scene = self.scene
        scene.deploy_with(second_opinion_daily_eur=0)
        self.addCleanup(scene.deploy_with, second_opinion_daily_eur=2)
        before = scene.asked()
        run = scene.ended(6, AGREED)
        self.assertEqual(run["status"], "waiting", run)
        self.assertNotIn("cost", run)
        self.assertEqual(scene.asked(), before)
        self.assertIn("over_budget", scene.leaves("model_intent"))
        # Why the person is asked stands where one looks, for every role.
        page = scene.cli("runs", "show", run["id"], role="operator").stdout
        self.assertRegex(page, r"EFFECT +/do/\S+askSecond\S*: refused, nothing was sent\n +AIOS-\d{4}")
        for role in ("operator", "auditor"):
            self.assertRegex(scene.cli("explain", run["id"], role=role).stdout,
                             r"not made: the call at /do/\S+askSecond\S*: .*AIOS-\d{4}")
        _, _, metrics = scene.api().exchange("GET", "/metrics")
        self.assertIn(b'aios_budget_refused_total{workflow="support/ticket"}', metrics)
        self.assertIn(b'aios_budget_limit{tenant="default",budget="second-opinions",currency="EUR"}'
                      b' 0', metrics)

    def test_the_command_line_lists_budgets(self):
        done = self.scene.cli("budgets", "list")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"BUDGET +LIMIT +SPENT +RESERVED +LEFT")
        self.assertRegex(done.stdout, r"second-opinions +2 EUR +0")
        item = json.loads(self.scene.cli("budgets", "list", "--json").stdout)["items"][0]
        self.assertEqual((item["workflow"], item["window"], item["limit_nano"]),
                         ("support/ticket", "day", 2_000_000_000))
        refused = self.scene.cli("budgets", "list", role="ingest")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("AIOS-0511", refused.stderr)


class Away(unittest.TestCase):
    def test_when_the_other_model_is_away_a_person_is_asked(self):
        scene = Desk().up()
        self.addCleanup(scene.close)
        scene.models.kill()
        run = scene.ended(1, AGREED)
        self.assertEqual(run["status"], "waiting", run)
        self.assertEqual(set(scene.leaves("model_call")), {"not_sent"})
        self.assertEqual(scene.budget()["spent_nano"], 0)


class Killed(unittest.TestCase):
    def test_never_over_budget_with_many_at_once_and_the_server_killed(self):
        scene = Desk().up()
        self.addCleanup(scene.close)
        scene.ended(1, AGREED)
        scene.models.fail("slow", 1)
        waiting = scene.send(2, AGREED)
        held = wait_for(lambda: scene.budget()["reserved_nano"], "money is held", pause=0.005)
        scene.api().run_when(waiting)
        limit = 8 * held
        scene.deploy_with(second_opinion_daily_eur=limit / 1e9)
        scene.models.fail("slow", 100)
        runs = [scene.send(number, AGREED) for number in range(3, 43)]
        wait_for(lambda: scene.asked() >= 4, "some were asked")
        scene.restart("kill")
        for run in runs:
            scene.api().run_when(run, (*SETTLED, "review"), 90)
        budget = scene.budget()
        self.assertLessEqual(budget["spent_nano"] + budget["reserved_nano"], budget["limit_nano"])
        self.assertEqual(budget["reserved_nano"], 0)
        costs = [cost["nano"] for run in scene.api().pages("/api/v1/runs")
                 for cost in run.get("cost", [])]
        self.assertEqual(sum(costs), budget["spent_nano"])
        seen = [c for c in scene.leaves("model_call") if c not in ("not_sent", "blocked")]
        intents = scene.leaves("model_intent").count("admitted")
        self.assertLessEqual(len(seen), scene.asked())
        self.assertLessEqual(scene.asked(), intents)
        self.assertIn("over_budget", scene.leaves("model_intent"))


if __name__ == "__main__":
    unittest.main()
