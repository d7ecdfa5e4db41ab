# SPDX-License-Identifier: Apache-2.0
"""Questions to people: listed, shown and answered by API and command line; the run goes on."""

import json
import unittest
from concurrent.futures import ThreadPoolExecutor

from harness import UNSURE, Scene, ticket_event, wait_for


class Reviews(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.support_desk()
        cls.ingest = cls.scene.api("ingest")
        cls.admin = cls.scene.api()
        cls.reviewer = cls.scene.api("reviewer")
        cls.order, cls.customer = cls.scene.small_orders()[0]

    def open_review(self, number, body=UNSURE, **more):
        """-> (run id, review) of a ticket that a person must look at"""
        status, sent = self.ingest.send(ticket_event(number, body, self.customer, **more))
        self.assertEqual(status, 202, sent)
        self.admin.run_when(sent["run"], ("review",))
        return sent["run"], self.reviewer.want("GET", f"/api/v1/reviews/{self.asked(sent['run'])}")

    def asked(self, run_id):
        """The open review of a run; a list knows of it a moment after the run says it waits."""
        return wait_for(lambda: next((r["id"] for r in self.reviewer.pages(
            "/api/v1/reviews?status=open") if r["run"] == run_id), None), "a question", 30.0, 0.05)

    def corrections(self):
        return [c["correction"] for c in self.admin.pages("/api/v1/corrections?dataset=intents")]

    def test_a_question_shows_evidence_suggestion_and_form(self):
        _, review = self.open_review(1)
        self.assertEqual(review["evidence"]["ticket"], "T-00001")
        self.assertEqual(review["assignees"], ["reviewer"])
        self.assertIn("intent", review["form_schema"]["properties"])
        self.assertTrue(review["suggestion"]["intent"])
        self.assertTrue(review["evidence"]["why"])

    def test_an_answer_by_api_ends_the_run_and_is_a_correction(self):
        run_id, review = self.open_review(2)
        done = self.reviewer.want("POST", f"/api/v1/reviews/{review['id']}/answer",
                                  {"answer": {"intent": "promo_code", "action": "case"}})
        self.assertEqual(done["status"], "answered")
        run = self.admin.run_when(run_id)
        self.assertEqual(run["status"], "completed", run)
        self.assertEqual((run["output"]["outcome"], run["output"]["intent"]),
                         ("human", "promo_code"))
        self.assertEqual(self.scene.desk.rows("select intent from cases where id=?",
                                              run["output"]["case"]), [("promo_code",)])
        mine = [c for c in self.corrections() if UNSURE in json.dumps(c)
                and "promo_code" in json.dumps(c)]
        self.assertEqual(len(mine), 1, mine)

    def answer_slip(self, number, refund, reason, **more):
        """A refund that cannot be: the ticket comes back with the reason, and can be settled."""
        run_id, review = self.open_review(number, **more)
        said = self.reviewer.want(
            "POST", f"/api/v1/reviews/{review['id']}/answer",
            {"answer": {"intent": "refund_request", "action": "refund", **refund}})
        if said["status"] == "approval":  # an order that was not looked up, or costs too much
            approver, _ = self.key(f"Second {number}", "approver")
            approver.want("POST", f"/api/v1/reviews/{review['id']}/approve")

        def again():
            return next((r for r in self.reviewer.pages("/api/v1/reviews?status=open")
                         if r["run"] == run_id), None)
        second = wait_for(again, "a second question", 30.0, 0.05)
        second = self.reviewer.want("GET", f"/api/v1/reviews/{second['id']}")
        self.assertIn(reason, " ".join(second["evidence"]["why"]))
        self.assertIn(reason, second["title"])
        self.reviewer.want("POST", f"/api/v1/reviews/{second['id']}/answer",
                           {"answer": {"intent": "other", "action": "none"}})
        self.assertEqual(self.admin.run_when(run_id)["status"], "completed")
        self.assertEqual(self.scene.desk.rows("select count(*) from refunds where reason=?",
                                              f"ticket T-{number:05d}"), [(0,)])

    def test_a_refund_of_an_unknown_order_comes_back_to_the_person(self):
        self.answer_slip(21, {"order": "ORD-99999", "amount_cents": 500}, "knows no order")

    def test_a_refund_above_the_order_comes_back_to_the_person(self):
        order = next(o for o in self.scene.orders if o[1] == self.customer[0])
        self.answer_slip(22, {"order": order[0], "amount_cents": order[4] + 1},
                         "refuses a refund", order=order)

    def key(self, name, *roles):
        made = self.admin.want("POST", "/api/v1/keys", {"name": name, "roles": list(roles)})
        return self.scene.server.api(made["secret"]), made["id"]

    def dear_review(self, number):
        """-> (run, review, answer) of a refund above the limit"""
        order, customer = next((o, c) for o in self.scene.orders for c in self.scene.customers
                               if o[4] > 10000 and c[0] == o[1])
        status, sent = self.ingest.send(ticket_event(number, "Please refund my money, I sent it back.",
                                                     customer, order))
        self.assertEqual(status, 202)
        self.admin.run_when(sent["run"], ("review",))
        return sent["run"], self.asked(sent["run"]), {"intent": "refund_request", "action": "refund",
                                           "order": order[0], "amount_cents": order[4]}

    def test_a_refund_above_the_limit_is_paid_when_another_person_approves(self):
        run_id, review, answer = self.dear_review(3)
        path = f"/api/v1/reviews/{review}"
        ann, ann_id = self.key("Ann", "reviewer", "approver")
        ann_too, _ = self.key("ann ", "approver")
        bob, bob_id = self.key("Bob", "approver")
        done = ann.want("POST", f"{path}/answer", {"answer": answer})
        self.assertEqual((done["status"], done["proposed_by"]), ("approval", ann_id), done)
        self.assertEqual(self.admin.want("GET", f"/api/v1/runs/{run_id}")["status"], "waiting")
        for same in (ann, ann_too):
            status, problem = same.call("POST", f"{path}/approve", {})
            self.assertEqual(status, 403, problem)
            self.assertIn("AIOS-0610", json.dumps(problem))
        back = bob.want("POST", f"{path}/send-back", {"reason": "is the order back?"})
        self.assertEqual((back["status"], back["sent_back"]["reason"]),
                         ("open", "is the order back?"))
        ann.want("POST", f"{path}/answer", {"answer": answer})
        self.scene.restart()
        mine = type(self)
        mine.admin, mine.ingest = self.scene.api(), self.scene.api("ingest")
        mine.reviewer, bob = self.scene.api("reviewer"), self.scene.server.api(bob.token)
        listed = [r["id"] for r in bob.pages("/api/v1/reviews?status=approval&role=approver")]
        self.assertIn(review, listed)
        bob.want("POST", f"{path}/approve", {})
        run = self.admin.run_when(run_id)
        self.assertEqual(run["output"]["refund_cents"], answer["amount_cents"], run)
        said = run["reviews"][-1]
        self.assertEqual((said["by"], said["approved_by"]), (ann_id, bob_id))
        page = self.scene.cli("runs", "show", run_id, role="operator").stdout
        told = " ".join(page.split())  # as it was before it was wrapped
        self.assertRegex(told, rf"answered by Ann \({ann_id}\) after \S+, approved by Bob \({bob_id}\)")
        self.assertIn(f"by {ann_id} (Ann)", self.scene.cli("explain", run_id, role="operator").stdout)
        row = next(c for c in self.corrections() if c["review"] == review)
        self.assertEqual((row["by"], row["approved_by"], row["model"]),
                         (ann_id, bob_id, "intent"), row)
        self.assertTrue(row["event"] and row["model_version"] and row["input_digest"], row)

    def test_a_claim_keeps_others_away_and_the_second_is_told_who(self):
        _, review = self.open_review(31)
        path = f"/api/v1/reviews/{review['id']}"
        bob, bob_id = self.key("Bob", "reviewer")
        status, headers, _ = bob.exchange("POST", f"{path}/claim", {"lease": "PT20M"})
        self.assertEqual(status, 200)
        answer = {"answer": {"intent": "other", "action": "none"}}
        for what, body in (("claim", {}), ("answer", answer)):
            status, problem = self.reviewer.call("POST", f"{path}/{what}", body)
            self.assertEqual(status, 409, problem)
            self.assertIn(f"'{bob_id} (Bob)'", problem["detail"])
        table = self.scene.cli("review", "list", "--claimed", role="reviewer").stdout
        self.assertRegex(table, rf"{review['id']}.* Bob ")
        self.assertNotIn(bob_id, table)
        mine = [r["id"] for r in bob.pages("/api/v1/reviews?mine=yes")]
        self.assertEqual(mine, [review["id"]])
        status, problem = self.reviewer.call("POST", f"{path}/release", {"reason": "mine"})
        self.assertEqual(status, 403, problem)
        status, _, _ = bob.exchange("POST", f"{path}/answer", answer, {"If-Match": '"1"'})
        self.assertEqual(status, 409)
        status, _, _ = bob.exchange("POST", f"{path}/answer", answer,
                                    {"If-Match": headers["etag"]})
        self.assertEqual(status, 200)

    def test_of_ten_who_claim_at_once_one_has_it(self):
        _, review = self.open_review(32)
        path = f"/api/v1/reviews/{review['id']}/claim"
        people = [self.key(f"Person {i}", "reviewer")[0] for i in range(10)]
        with ThreadPoolExecutor(10) as pool:
            got = list(pool.map(lambda one: one.call("POST", path, {})[0], people))
        self.assertEqual(sorted(got), [200] + [409] * 9)

    def test_claims_by_command_line(self):
        _, review = self.open_review(33)
        taken = self.scene.cli("review", "claim", review["id"], "--for", "PT1H", role="reviewer")
        self.assertEqual(taken.returncode, 0, taken.stderr)
        self.assertIn(review["id"], taken.stdout)
        listed = self.scene.cli("review", "list", "--mine", "--json", role="reviewer")
        self.assertIn(review["id"], listed.stdout)
        refused = self.scene.cli("review", "release", review["id"], role="operator")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("[AIOS-0614]", refused.stderr)
        freed = self.scene.cli("review", "release", review["id"], "--reason", "gone home",
                               role="operator")
        self.assertEqual(freed.returncode, 0, freed.stderr)
        moved = self.scene.cli("review", "assign", review["id"], "--to", "approver",
                               role="operator")
        self.assertEqual(moved.returncode, 0, moved.stderr)
        next_one = self.scene.cli("review", "next", "--json", role="approver")
        self.assertEqual(json.loads(next_one.stdout)["id"], review["id"], next_one.stderr)
        none = self.scene.cli("review", "next", role="approver")
        self.assertEqual(none.returncode, 1)
        self.assertIn("[AIOS-0615]", none.stderr)
        wrong = self.scene.cli("review", "assign", review["id"], "--to", "ingest", role="operator")
        self.assertEqual(wrong.returncode, 1)
        usage = self.scene.cli("review", "list", "--priority", "urgent", role="reviewer")
        self.assertEqual(usage.returncode, 2)
        rows = self.scene.cli("review", "corrections", "--dataset", "intents", "--csv")
        self.assertEqual(rows.stdout.splitlines()[0].split(",")[:3], ["text", "label", "was"])

    def test_an_answer_that_does_not_fit_the_form_says_where_and_changes_nothing(self):
        run_id, review = self.open_review(4)
        path = f"/api/v1/reviews/{review['id']}/answer"
        for answer in ({}, {"intent": "nonsense", "action": "case"}, {"action": "case"},
                       {"intent": "other", "action": "refund"},
                       {"intent": "other", "action": "refund", "amount_cents": 500},
                       {"intent": "other", "action": "none", "more": 1}):
            status, problem = self.reviewer.call("POST", path, {"answer": answer})
            self.assertEqual(status, 400, (answer, problem))
        self.assertEqual(self.reviewer.want("GET", f"/api/v1/reviews/{review['id']}")["status"],
                         "open")
        self.assertEqual(self.admin.want("GET", f"/api/v1/runs/{run_id}")["status"], "waiting")

    def test_only_the_assigned_role_may_answer(self):
        _, review = self.open_review(5)
        path = f"/api/v1/reviews/{review['id']}/answer"
        answer = {"answer": {"intent": "other", "action": "none"}}
        for role in ("developer", "approver", "ingest", "auditor"):
            self.assertEqual(self.scene.api(role).call("POST", path, answer)[0], 403, role)
        self.assertEqual(self.admin.call("POST", path, answer)[0], 403, "admin")

    def test_the_second_answer_is_refused_and_says_who_was_first(self):
        run_id, review = self.open_review(6)
        path = f"/api/v1/reviews/{review['id']}/answer"
        answer = {"answer": {"intent": "other", "action": "none"}}
        self.reviewer.want("POST", path, answer)
        self.admin.run_when(run_id)
        status, problem = self.reviewer.call("POST", path, answer)
        self.assertIn(status, (409, 412), problem)
        self.assertRegex(problem["detail"], r"key_\w{26} \(reviewer\)")

    def test_the_suggestion_taken_is_no_correction_but_the_step_says_so(self):
        run_id, review = self.open_review(7, body="zzz qqq")
        before = len(self.corrections())
        self.reviewer.want("POST", f"/api/v1/reviews/{review['id']}/answer",
                           {"answer": review["suggestion"]})
        self.admin.run_when(run_id)
        for one in self.corrections()[before:]:
            self.assertFalse(one.get("corrected", False), one)

    def test_by_command_line(self):
        run_id, review = self.open_review(8)
        listed = self.scene.cli("review", "list", role="reviewer")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn(review["id"], listed.stdout)
        shown = self.scene.cli("review", "show", review["id"], "--json", role="reviewer")
        self.assertEqual(json.loads(shown.stdout)["id"], review["id"])
        page = self.scene.cli("review", "show", review["id"], role="reviewer").stdout
        for part in (f"REVIEW     {review['id']} open", "EVIDENCE", "SUGGESTED", "ANSWER     ",
                     f"aios review answer {review['id']} JSON"):
            self.assertIn(part, page)
        self.assertNotIn("form_schema", page)
        hidden = self.scene.cli("review", "show", review["id"], role="operator").stdout
        self.assertIn("what it asks is not shown", hidden)
        self.assertNotIn("EVIDENCE", hidden)
        answer = self.scene.write("answer.json", '{"intent": "other", "action": "none"}')
        bad = self.scene.cli("review", "answer", review["id"], '{"intent": "other"}',
                             role="reviewer")
        self.assertEqual(bad.returncode, 1)
        self.assertRegex(bad.stderr, r"\[AIOS-\d{4}\]")
        done = self.scene.cli("review", "answer", review["id"], f"@{answer}", role="reviewer")
        self.assertEqual(done.returncode, 0, done.stderr)
        run = self.admin.run_when(run_id)
        self.assertEqual(run["output"]["action"], "none")

    def test_a_question_survives_a_kill(self):
        run_id, review = self.open_review(9)
        self.scene.restart("kill")
        # the port is a new one: other clients of this class are made again
        type(self).ingest, type(self).admin = self.scene.api("ingest"), self.scene.api()
        type(self).reviewer = self.scene.api("reviewer")
        again = self.reviewer.want("GET", f"/api/v1/reviews/{review['id']}")
        self.assertEqual(again["status"], "open")
        self.reviewer.want("POST", f"/api/v1/reviews/{review['id']}/answer",
                           {"answer": {"intent": "other", "action": "none"}})
        self.assertEqual(self.admin.run_when(run_id)["status"], "completed")


if __name__ == "__main__":
    unittest.main()
