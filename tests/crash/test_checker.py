# SPDX-License-Identifier: Apache-2.0
"""The checker of the crash trials must see what it is there to see: books with one thing wrong."""

import argparse
import contextlib
import io
import os
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import trial  # noqa: E402
from harness import SURE_CASE, SURE_REFUND, ticket_event  # noqa: E402

CUSTOMER = ("C1", "a@example.com")


class Desk:
    def __init__(self):
        self.db = sqlite3.connect(":memory:")
        self.db.executescript("""
            create table cases(id, reference); create table refunds(order_id, reason, id, key, amount_cents);
            create table notices(text, id); create table requests(fault, operation);
            insert into cases values ('CASE-1', 'e1');
            insert into requests values (null, 'find_case');
            insert into refunds values ('ORD-1', 'ticket T-00002', 'REF-1', 'run_2-4', 100);
            insert into notices values ('Your refund of 1 EUR for order ORD-1 is on its way.',
                                        'NOT-1')""")

    def rows(self, sql, *values):
        return self.db.execute(sql, values).fetchall()


class Api:
    def __init__(self, runs):
        self.runs = runs

    def pages(self, _path):
        return list(self.runs)

    def want(self, _method, _path):
        return {"text": "waits for: the next try"}


class Books(unittest.TestCase):
    def setUp(self):
        done = {"case": None, "refund": None}
        self.runs = [
            {"id": "run_1", "status": "completed", "output": {**done, "action": "case",
                                                              "case": "CASE-1"}},
            {"id": "run_2", "status": "completed", "output": {**done, "action": "refund"}}]
        self.desk = Desk()
        self.trial = trial.Trial(argparse.Namespace(seed=1, floor=1, json=None))
        self.addCleanup(self.trial.scene.close)
        self.trial.kills = 1
        self.trial.scene.desk = self.desk
        self.trial.scene.api = lambda: Api(self.runs)
        self.trial.scene.small_orders = lambda: []
        self.trial.load = trial.Load(self.trial.scene, 1)
        self.trial.load.acknowledged = {
            "mail-1": (ticket_event(1, SURE_CASE, CUSTOMER), {"run": "run_1"}),
            "mail-2": (ticket_event(2, SURE_REFUND, CUSTOMER, ("ORD-1",)), {"run": "run_2"})}

    def tearDown(self):
        self.trial.scene.desk = None

    def verdict(self):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = self.trial.check()
        return code, said.getvalue()

    def assert_seen(self, what):
        code, said = self.verdict()
        self.assertEqual(code, 1, said)
        self.assertIn(what, said)

    def test_good_books_pass(self):
        self.assertEqual(self.verdict()[0], 0)

    def test_an_event_without_a_run(self):
        del self.runs[0]
        self.assert_seen("acknowledged, and no run")

    def test_a_run_that_never_ends(self):
        self.runs[0]["status"] = "running"
        self.assert_seen("is running")

    def test_a_case_that_is_said_to_be_and_is_not(self):
        self.desk.db.execute("delete from cases")
        self.assert_seen("CASE-1 is not in the help desk")

    def test_a_refund_that_is_said_to_be_and_is_not(self):
        self.desk.db.execute("delete from refunds")
        self.assert_seen("the refund for ticket T-00002 is not in the help desk")

    def test_a_case_twice(self):
        self.desk.db.execute("insert into cases values ('CASE-2', 'e1')")
        self.assert_seen("case of e1 opened 2 times")

    def test_a_refund_twice(self):
        self.desk.db.execute("insert into refunds select * from refunds")
        self.assert_seen("refund for ticket T-00002 paid 2 times")

    def test_a_notice_twice(self):
        self.desk.db.execute("insert into notices select * from notices")
        self.assert_seen("2 notices for 1 refunds of ORD-1")

    def test_a_run_nobody_asked_for(self):
        self.runs.append({"id": "run_3", "status": "completed", "output": {"action": "none"}})
        self.assert_seen("run_3 belongs to no acknowledged event")

    def test_two_runs_for_one_event(self):
        self.trial.load.differing.append("mail-1")
        self.assert_seen("two runs for one event")

    def test_too_few_kills(self):
        self.trial.options.floor = 60
        self.assert_seen("kills: 1, at least 60 wanted")

    def test_everything_faulted(self):
        for run in self.runs:
            run.update(status="faulted", error={"status": 503, "detail": "away"}, output=None)
        self.assert_seen("faulted: 2, at most 0 wanted")
        self.assertIn("completed: 0, at least 2 wanted", self.verdict()[1])

    def test_a_run_that_faulted_for_a_reason_no_fault_gives(self):
        self.runs[0].update(status="faulted", error={"status": 500, "detail": "bug"}, output=None)
        self.assert_seen("run_1 is faulted")

    def test_a_run_nobody_cancelled(self):
        self.runs[0].update(status="cancelled", error={"status": 408}, output=None)
        self.assert_seen("run_1 is cancelled")

    def test_one_faulted_run_in_a_hundred_passes(self):
        for number in range(3, 101):
            self.runs.append({**self.runs[0], "id": f"run_{number}"})
            self.trial.load.acknowledged[f"mail-{number}"] = (
                ticket_event(number, SURE_CASE, CUSTOMER), {"run": f"run_{number}"})
        self.runs[-1].update(status="faulted", error={"status": 503}, output=None)
        self.assertEqual(self.verdict()[0], 0, self.verdict()[1])
        self.runs[-2].update(status="faulted", error={"status": 503}, output=None)
        self.assert_seen("faulted: 2, at most 1 wanted")

    def test_kills_of_an_idle_server(self):
        self.trial.kills = self.trial.options.floor = 60
        for what in ("acknowledged: 2, at least 120", "cases: 1, at least 60",
                     "refunds: 1, at least 12", "notices: 1, at least 12",
                     "met by a fault: 0, at least 30", "looked up: 1, at least 60",
                     "incidents settled: 0, at least 1"):
            self.assert_seen(what)


    def test_the_operator_looks_for_the_effect_in_question(self):
        asked = "at: /do/{}\n  what to do: look in the other system for effect {}, then one of"
        for place, effect, found in (
                ("13/payRefund/try/0/pay", "run_2-4", {"id": "REF-1", "amount_cents": 100}),
                ("13/payRefund/try/0/pay", "run_9-4", None),
                ("14/tellCustomer/try/0/sendNotice", "run_2-5", {"id": "NOT-1"})):
            self.assertEqual(self.trial.happened(asked.format(place, effect), "ORD-1"), found)


if __name__ == "__main__":
    unittest.main()
