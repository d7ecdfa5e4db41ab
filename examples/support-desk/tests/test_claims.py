# SPDX-License-Identifier: Apache-2.0
"""The demo's sums must be able to come out wrong."""

import base64
import hashlib
import hmac
import os
import sqlite3
import sys
import tempfile
import types
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "demo"))
sys.path.insert(0, os.path.join(HERE, "..", "helpdesk"))
import claims  # noqa: E402
import helpdesk  # noqa: E402
from people import Operator, Reviewer, happened  # noqa: E402
from sender import Sender  # noqa: E402
from ways import Mail, Shop, assign  # noqa: E402


def ticket(number, intent="refund_request", action="refund", kind="ordinary"):
    return {"kind": kind, "event": f"mail-{number}", "customer": "c", "order_cents": 500,
            "data": {"ticket": f"T-{number}"}, "expect": "accepted",
            "truth": {"intent": intent, "action": action,
                      "amount_cents": 500 if action == "refund" else 0}}


def run(number, status="completed", **output):
    output = {"outcome": "automatic", "intent": "refund_request", "action": "refund",
              "predicted": "refund_request", "confidence": 0.9, **output}
    return {"id": f"run_{number}", "status": status, "output": output,
            "inferences": [{"label": "refund_request"}]}


def sent(tickets_by_run):
    """A sender that was answered with these runs."""
    sender = Sender({})
    sender.runs = tickets_by_run
    sender.tickets = {one["data"]["ticket"]: one for one in tickets_by_run.values()}
    return sender


class ClaimsTest(unittest.TestCase):
    def rows(self, *pairs):
        return claims.outcomes([r for r, _ in pairs], sent({r["id"]: t for r, t in pairs}))

    def books(self, *refunds):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "desk.db")
            helpdesk.Desk(path).close()
            db = sqlite3.connect(path)
            db.executemany("insert into refunds(key,order_id,amount_cents,reason,body_digest,at) "
                           "values (?,'ORD-1',?,?,'',0)",
                           [(f"k{i}", cents, f"ticket {name}")
                            for i, (name, cents) in enumerate(refunds)])
            db.executemany("insert into cases(reference,intent,at) values (?,'i',0)",
                           [("one",), ("two",), ("two",)])
            db.commit()
            db.close()
            return claims.ledger(path)

    def test_equal_books_are_equal(self):
        rows = self.rows((run(1), ticket(1)))
        self.assertEqual(claims.ticket_books_differ(rows, self.books(("T-1", 500))), [])

    def test_a_refund_paid_twice_or_not_at_all_or_to_another_is_seen(self):
        rows = self.rows((run(1), ticket(1)))
        twice = self.books(("T-1", 500), ("T-1", 500))
        self.assertEqual(claims.ticket_books_differ(rows, twice), ["T-1"])
        self.assertEqual(claims.ticket_books_differ(rows, self.books()), ["T-1"])
        self.assertEqual(claims.ticket_books_differ(rows, self.books(("T-2", 500))), ["T-1", "T-2"])

    def test_a_refund_that_was_decided_but_not_due_is_counted(self):
        rows = self.rows((run(1), ticket(1, "other", "none", "injection")), (run(2), ticket(2)))
        self.assertEqual([row["refund_not_due_cents"] for row in rows], [500, 0])
        self.assertEqual(claims.by_kind(rows), [("injection", 1, 1, 1), ("ordinary", 1, 1, 0)])

    def test_of_two_tickets_about_one_order_the_faster_one_may_have_the_money(self):
        first, again = ticket(1), ticket(2, "refund_request", "none", "refunded")
        for one in (first, again):
            one["data"]["order"] = "ORD-1"
        overtaken = self.rows((run(1, outcome="human", action="none"), first), (run(2), again))
        self.assertEqual([row["refund_not_due_cents"] for row in overtaken], [0, 0])
        both = self.rows((run(1), first), (run(2), again))
        self.assertEqual([row["refund_not_due_cents"] for row in both], [0, 500])

    def test_the_worst_kind_is_the_one_with_the_largest_share(self):
        wrong = {"intent": "order_status", "action": "case"}
        rows = self.rows(*[(run(i, **(wrong if i in (1, 11) else {})),
                            ticket(i, kind="a" if i <= 10 else "b")) for i in range(1, 13)])
        self.assertEqual(claims.worst_kind(rows, 1), ("b", 2, 1))
        self.assertEqual(claims.worst_kind(rows, 3), ("a", 10, 1))
        self.assertIsNone(claims.worst_kind(rows, 11))

    def test_what_is_none_of_our_business_is_counted_against_how_many_came(self):
        rows = self.rows(*[(run(i, **({} if i == 1 else {"outcome": "human"})),
                            ticket(i, "other", "none", "out_of_scope")) for i in range(1, 5)])
        self.assertEqual(claims.invented(rows), (4, 1))
        self.assertIsNone(claims.worst_kind(rows, 1))

    def test_an_order_that_is_paid_twice_is_counted(self):
        self.assertEqual(self.books(("T-1", 500), ("T-2", 500))["orders_paid_twice"], 1)

    def test_a_case_opened_twice_is_counted(self):
        books = self.books()
        self.assertEqual((books["cases"], books["duplicates"]), (3, 1))

    def test_a_wrong_automatic_answer_is_counted_and_a_persons_is_not(self):
        wrong = run(1, intent="order_status", predicted="order_status", action="case")
        person = run(2, outcome="human", predicted="order_status")
        rows = self.rows((wrong, ticket(1)), (person, ticket(2)))
        self.assertEqual([row["wrong_automatic"] for row in rows], [1, 0])

    def test_what_faulted_or_waits_is_neither_automatic_nor_human(self):
        rows = self.rows((run(1, "faulted"), ticket(1)), (run(2, "waiting"), ticket(2)),
                         (run(3), ticket(3, "other", "none", "injection")))
        sender = types.SimpleNamespace(sent=3, accepted=3, refused=0, by_way={"mail": 3})
        facts = claims.result(rows, self.books(), sender, 9, True, 1, 2.0)
        self.assertEqual((facts["failed"], facts["waiting"], facts["automatic"], facts["human"]),
                         (1, 1, 1, 0))
        self.assertEqual((facts["out_of_scope_answered"], facts["wrong_automatic"]), (1, 1))
        self.assertEqual(facts["accuracy"], 0.6667)

    def test_the_reviewer_pays_only_where_there_is_an_order_with_its_money(self):
        truth = {"intent": "refund_request", "action": "refund", "amount_cents": 700}
        order = {"id": "ORD-1", "refunded_cents": 0}
        paid = Reviewer.decide(truth, {"order": order})
        self.assertEqual((paid["order"], paid["amount_cents"]), ("ORD-1", 700))
        self.assertEqual(Reviewer.decide(truth, {"order": None})["action"], "case")
        spent = {"id": "ORD-1", "refunded_cents": 700}
        self.assertEqual(Reviewer.decide(truth, {"order": spent})["action"], "none")
        why = ["the help desk refuses a refund of 700 cents for order ORD-1: above what is left"]
        self.assertEqual(Reviewer.decide(truth, {"order": order, "why": why})["action"], "none")

    def test_a_run_that_nobody_was_told_of_is_known_by_what_it_says(self):
        sender = sent({"run_1": ticket(1)})
        begun = [{"data": {"ticket": "T-1"}}]
        self.assertEqual(sender.ticket_of({"id": "run_9", "input": begun}), ticket(1))
        self.assertIsNone(sender.ticket_of({"id": "run_9", "input": None}))

    def test_the_interval_of_a_share_holds_it_and_is_never_empty(self):
        low, high = claims.wilson(3, 205)
        self.assertTrue(0.004 < low < 3 / 205 < high < 0.045, (low, high))
        self.assertEqual(claims.wilson(0, 0), (0.0, 1.0))
        self.assertGreater(claims.wilson(0, 100)[1], 0.03)

    def test_minutes_are_reckoned_from_what_is_stated(self):
        self.assertEqual(claims.minutes_saved(10, 5), 10 * 6.0 + 5 * 4.0)


class Api:
    """Keeps what it was called with."""

    def __init__(self):
        self.calls = []

    def call(self, *call):
        self.calls.append(call)
        return 202, {}


class WaysTest(unittest.TestCase):
    def test_the_same_ticket_is_the_same_bytes(self):
        api = Api()
        mail = Mail(api)
        for number in (1, 1, 2):
            mail.send(ticket(number))
        first, again, other = api.calls
        self.assertEqual(first, again)
        self.assertEqual(first[3]["ce-id"], "mail-1")
        self.assertEqual(other[3]["Content-Type"], "application/cloudevents+json")

    def test_the_shop_signs_what_it_sends(self):
        api = Api()
        one = ticket(1)
        one["data"].update({"from": "a@example.com", "body": "Hello"})
        Shop(api, "whsec_" + base64.b64encode(b"k" * 24).decode()).send(one)
        _, path, body, headers = api.calls[0]
        stamped = f"mail-1.{headers['webhook-timestamp']}.".encode() + body
        digest = hmac.new(b"k" * 24, stamped, hashlib.sha256).digest()
        self.assertEqual((path, headers["webhook-signature"]),
                         ("/hooks/shop", "v1," + base64.b64encode(digest).decode()))

    def test_the_ways_follow_from_the_seed_and_a_repetition_comes_by_mail(self):
        work = [ticket(number) for number in range(300)] + [ticket(7)]
        assign(work, 5)
        first = [one["way"] for one in work]
        assign(work, 5)
        self.assertEqual([one["way"] for one in work], first)
        self.assertEqual({*first}, {"mail", "shop", "letters", "tasks"})
        self.assertEqual((first[7], first[300]), ("mail", "mail"))
        assign(work, 6)
        self.assertNotEqual([one["way"] for one in work], first)


class Desk:
    """The help desk's file with one refund, one case and the notices given."""

    def __init__(self, test, *notices):
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "desk.db")
        helpdesk.Desk(self.path).close()
        self.db = sqlite3.connect(self.path)
        test.addCleanup(self.db.close)
        self.db.execute("insert into refunds(id,key,order_id,amount_cents,body_digest,at) "
                        "values ('RF-1','eff-1','ORD-10001',500,'',0)")
        self.db.execute("insert into cases(id,reference,intent,at) values ('CASE-1','eff-2','i',0)")
        self.db.executemany("insert into notices(id,customer,text,at) values (?,?,?,0)", [
            (f"NT-{i}", customer, f"Your refund for order {order} is on its way.")
            for i, (customer, order) in enumerate(notices)])
        self.db.commit()


class OperatorTest(unittest.TestCase):
    def test_each_effect_is_found_by_what_names_it(self):
        db = Desk(self, ("C1000", "ORD-10001"), ("C1001", "ORD-10002")).db
        pay, case, tell = "/do/9/payRefund/try/0/pay", "/do/12/openCase", "/do/13/tellCustomer"
        self.assertEqual(happened(db, pay, "eff-1", None, None),
                         (True, {"id": "RF-1", "amount_cents": 500}))
        self.assertEqual(happened(db, case, "eff-2", None, None),
                         (True, {"id": "CASE-1", "reference": "eff-2"}))
        self.assertEqual(happened(db, tell, "eff-3", "C1000", "ORD-10001"), (True, {"id": "NT-0"}))
        # The notice of another ticket, of another customer, or nothing at all: it did not happen.
        self.assertEqual(happened(db, pay, "eff-3", "C1000", "ORD-10001"), (True, None))
        self.assertEqual(happened(db, tell, "eff-3", "C1000", "ORD-10002"), (True, None))

    def test_what_the_books_do_not_tell_is_not_known(self):
        db = Desk(self, ("C1000", "ORD-10001"), ("C1000", "ORD-10001")).db
        tell = "/do/13/tellCustomer"
        self.assertEqual(happened(db, tell, "eff-3", "C1000", "ORD-10001"), (False, None))
        self.assertEqual(happened(db, tell, "eff-3", "C1000", None), (False, None))
        self.assertEqual(happened(db, "/do/1/somethingNew", "eff-1", "C1000", "O"), (False, None))

    def settle(self, step, effect, rounds=1):
        """-> what the operator said of one incident at that step"""
        said = []
        one = ticket(1)
        one["data"].update({"from": "anna.adler0@example.com", "order": "ORD-10001"})

        class Api:
            def pages(self, _path):
                return [{"id": "run_1", "incident": "inc_1"}]

            def want(self, _method, _path):
                data = {"incident": "inc_1", "step": step, "effect": effect}
                return {"items": [{"data": {"step": step}}, {"data": data}]}

            def call(self, _method, _path, body):
                said.append(body)
                return 200, {}

        operator = Operator(Api(), Desk(self).path)
        for _ in range(rounds):
            operator.round(sent({"run_1": one}))
            operator._seen = {incident: 0.0 for incident in operator._seen}  # long ago
        return said, operator

    def test_a_refused_refund_is_not_settled_as_a_notice(self):
        said, _ = self.settle("/do/9/payRefund/try/0/pay", "eff-9", rounds=2)
        self.assertEqual(said, [{"incident": "inc_1", "resolution": "retry"}])

    def test_not_found_is_believed_only_later_and_found_at_once(self):
        said, _ = self.settle("/do/9/payRefund/try/0/pay", "eff-9")
        self.assertEqual(said, [])
        said, _ = self.settle("/do/9/payRefund/try/0/pay", "eff-1")
        self.assertEqual(said, [{"incident": "inc_1", "resolution": "happened",
                                 "result": {"id": "RF-1", "amount_cents": 500}}])

    def test_what_nobody_knows_stays_open_and_is_told(self):
        said, operator = self.settle("/do/1/somethingNew", "eff-1", rounds=2)
        self.assertEqual(said, [])
        self.assertIn("run_1", operator.problem)


if __name__ == "__main__":
    unittest.main()
