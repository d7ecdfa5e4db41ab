# SPDX-License-Identifier: Apache-2.0
"""The demo's sums must be able to come out wrong."""

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
from people import Reviewer  # noqa: E402
from sender import encode  # noqa: E402


def ticket(number, intent="refund_request", action="refund", kind="ordinary"):
    return {"kind": kind, "event": f"mail-{number}", "customer": "c", "order_cents": 500,
            "data": {"ticket": f"T-{number}"}, "expect": "accepted",
            "truth": {"intent": intent, "action": action, "amount_cents": 500}}


def run(number, status="completed", **output):
    output = {"outcome": "automatic", "intent": "refund_request", "action": "refund",
              "predicted": "refund_request", "confidence": 0.9, **output}
    return {"id": f"run_{number}", "status": status, "output": output,
            "inferences": [{"label": "refund_request"}]}


class ClaimsTest(unittest.TestCase):
    def rows(self, *pairs):
        return claims.outcomes([r for r, _ in pairs], {r["id"]: t for r, t in pairs})

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
        sender = types.SimpleNamespace(sent=3, accepted=3, refused=0)
        facts = claims.result(rows, self.books(), sender, 9, True, 1, 2.0)
        self.assertEqual((facts["failed"], facts["waiting"], facts["automatic"], facts["human"]),
                         (1, 1, 1, 0))
        self.assertEqual((facts["out_of_scope_answered"], facts["wrong_automatic"]), (1, 1))
        self.assertEqual(facts["accuracy"], 0.6667)

    def test_the_reviewer_pays_only_where_there_is_an_order(self):
        truth = {"intent": "refund_request", "action": "refund", "amount_cents": 700}
        self.assertEqual(Reviewer.decide(truth, {"order": {"id": "ORD-1"}})["amount_cents"], 700)
        self.assertEqual(Reviewer.decide(truth, {"order": None})["action"], "case")

    def test_the_same_ticket_is_the_same_bytes(self):
        first = encode(ticket(1), "2026-01-01T00:00:00Z", binary=True)
        self.assertEqual(first, encode(ticket(1), "2026-01-01T00:00:00Z", binary=True))
        self.assertEqual(first[1]["ce-id"], "mail-1")
        structured = encode(ticket(1), "2026-01-01T00:00:00Z", binary=False)
        self.assertEqual(structured[1]["Content-Type"], "application/cloudevents+json")


if __name__ == "__main__":
    unittest.main()
