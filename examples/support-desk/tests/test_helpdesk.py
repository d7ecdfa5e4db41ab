# SPDX-License-Identifier: Apache-2.0
"""The help desk as its callers see it: over a socket, with its own process and database."""

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "..", "helpdesk", "helpdesk.py")
TOKEN = "only-for-tests"


class HelpDesk:
    def __init__(self, *options):
        self.directory = tempfile.TemporaryDirectory()
        self.db = os.path.join(self.directory.name, "helpdesk.db")
        ready = os.path.join(self.directory.name, "ready")
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, "--db", self.db, "--port", "0", "--ready-file", ready,
             "--token", TOKEN, *options], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not os.path.exists(ready):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the help desk did not start")
            time.sleep(0.02)
        with open(ready, encoding="ascii") as file:
            self.port = int(file.read())
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def call(self, method, path, body=None, key=None, token=TOKEN):
        headers = {"Authorization": f"Bearer {token}"}
        if key:
            headers["Idempotency-Key"] = key
        text = json.dumps(body) if body is not None else None
        self.connection.request(method, path, text, headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers

    def rows(self, sql):
        db = sqlite3.connect(self.db)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def stop(self):
        self.connection.close()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=10)
        self.directory.cleanup()
        return status


class HelpDeskTest(unittest.TestCase):
    def start(self, *options):
        desk = HelpDesk(*options)
        self.addCleanup(lambda: desk.process.poll() is None and desk.stop())
        return desk

    def test_a_customer_is_found_by_address_and_by_id_and_an_unknown_one_is_not(self):
        desk = self.start()
        status, customer, _ = desk.call("GET", "/customers/C1003")
        self.assertEqual(status, 200)
        again = desk.call("GET", "/customers/" + customer["email"].replace("@", "%40"))[1]
        self.assertEqual(again, customer)
        self.assertEqual(desk.call("GET", "/customers/nobody%40example.com")[0], 404)
        self.assertEqual(desk.call("GET", "/orders/ORD-10001")[1]["customer"], "C1000")
        self.assertEqual(desk.call("GET", "/orders/ORD-1")[0], 404)

    def test_seeds_are_the_same_everywhere(self):
        rows = self.start().rows("select count(*), sum(amount_cents) from orders")
        self.assertEqual(rows[0][0], 400)
        self.assertEqual(rows, self.start().rows("select count(*), sum(amount_cents) from orders"))

    def test_the_same_key_and_body_give_the_first_answer_and_another_body_409(self):
        desk = self.start()
        body = {"order": "ORD-10001", "amount_cents": 500, "reason": "test"}
        first = desk.call("POST", "/refunds", body, key="k1")
        self.assertEqual(first[0], 201)
        self.assertEqual(desk.call("POST", "/refunds", body, key="k1")[1], first[1])
        other = desk.call("POST", "/refunds", {**body, "amount_cents": 501}, key="k1")
        self.assertEqual(other[0], 409)
        self.assertEqual(desk.call("POST", "/refunds", body)[0], 400)
        self.assertEqual(desk.rows("select count(*), sum(amount_cents) from refunds"), [(1, 500)])
        self.assertEqual(desk.rows("select count(*) from requests"), [(4,)])

    def test_an_order_is_refunded_up_to_its_amount_and_says_how_much_it_was(self):
        desk = self.start()
        order = desk.call("GET", "/orders/ORD-10001")[1]
        self.assertEqual(order["refunded_cents"], 0)
        whole = {"order": "ORD-10001", "amount_cents": order["amount_cents"]}
        self.assertEqual(desk.call("POST", "/refunds", whole, key="a")[0], 201)
        self.assertEqual(desk.call("POST", "/refunds", whole, key="a")[0], 201)
        one_more = {"order": "ORD-10001", "amount_cents": 1}
        self.assertEqual(desk.call("POST", "/refunds", one_more, key="b")[0], 422)
        self.assertEqual(desk.call("GET", "/orders/ORD-10001")[1]["refunded_cents"],
                         order["amount_cents"])

    def test_a_refund_above_the_order_or_of_an_unknown_order_is_refused(self):
        desk = self.start()
        high = {"order": "ORD-10001", "amount_cents": 1000000}
        self.assertEqual(desk.call("POST", "/refunds", high, key="a")[0], 422)
        unknown = {"order": "ORD-99999", "amount_cents": 1}
        self.assertEqual(desk.call("POST", "/refunds", unknown, key="b")[0], 404)
        for amount in (0, -5, 1.5, "5", True, None):
            bad = {"order": "ORD-10001", "amount_cents": amount}
            self.assertEqual(desk.call("POST", "/refunds", bad, key="c")[0], 422)
        self.assertEqual(desk.rows("select count(*) from refunds"), [(0,)])

    def test_cases_honour_no_key_but_can_be_looked_up(self):
        desk = self.start()
        body = {"reference": "eff_1", "intent": "order_status", "customer": "C1000"}
        self.assertEqual(desk.call("GET", "/cases?reference=eff_1")[1], {"cases": []})
        first = desk.call("POST", "/cases", body, key="same")[1]
        second = desk.call("POST", "/cases", body, key="same")[1]
        self.assertNotEqual(first["id"], second["id"])
        found = desk.call("GET", "/cases?reference=eff_1")[1]["cases"]
        self.assertEqual([c["id"] for c in found], [first["id"], second["id"]])
        self.assertEqual(desk.call("POST", "/cases", {"intent": "x"})[0], 422)

    def test_what_ends_in_the_middle_of_a_write_leaves_no_row_without_an_id(self):
        desk = self.start()
        db = sqlite3.connect(desk.db)
        for table in ("cases", "notices"):
            db.execute(f"create trigger cut_{table} before update of id on {table} "
                       "begin select raise(fail, 'here it ends'); end")
        db.close()
        for path, body in (("/cases", {"reference": "T-1", "intent": "other"}),
                           ("/notices", {"customer": "C-0001", "text": "hello"})):
            with self.assertRaises((http.client.HTTPException, OSError)):
                desk.call("POST", path, body)
            desk.connection.close()
        self.assertEqual(desk.rows("select id from cases union all select id from notices"), [])

    def test_a_lost_reply_comes_after_the_commit(self):
        desk = self.start("--faults", "pay_refund.lost=1")
        body = {"order": "ORD-10002", "amount_cents": 700}
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionError)):
            desk.call("POST", "/refunds", body, key="k")
        self.assertEqual(desk.rows("select amount_cents from refunds"), [(700,)])
        self.assertEqual(desk.rows("select fault, status from requests"), [("lost", None)])
        desk.call("POST", "/_faults", {"spec": "none"})
        self.assertEqual(desk.call("POST", "/refunds", body, key="k")[0], 201)
        self.assertEqual(desk.rows("select count(*) from refunds"), [(1,)])

    def test_an_error_comes_before_the_commit_and_429_says_when_to_come_back(self):
        desk = self.start("--faults", "open_case.error=1,send_notice.throttle=1:2")
        case = {"reference": "r", "intent": "i"}
        self.assertEqual(desk.call("POST", "/cases", case)[0], 500)
        self.assertEqual(desk.rows("select count(*) from cases"), [(0,)])
        status, _, headers = desk.call("POST", "/notices", {"customer": "C1", "text": "hello"})
        self.assertEqual((status, headers["Retry-After"]), (429, "2"))
        self.assertEqual(desk.rows("select operation, fault, status from requests"),
                         [("open_case", "error", 500), ("send_notice", "throttle", 429)])

    def test_an_outage_hangs_up_and_ends_when_told(self):
        desk = self.start()
        desk.call("POST", "/_faults", {"outage_seconds": 60})
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionError)):
            desk.call("GET", "/customers/C1000")
        desk.call("POST", "/_faults", {"outage_seconds": 0})
        self.assertEqual(desk.call("GET", "/customers/C1000")[0], 200)

    def test_the_same_seed_gives_the_same_faults(self):
        def statuses():
            desk = self.start("--faults", "find_order.error=0.5", "--seed", "11")
            return [desk.call("GET", "/orders/ORD-10001")[0] for _ in range(40)]
        first = statuses()
        self.assertEqual(first, statuses())
        self.assertEqual({200, 500}, set(first))

    def test_strangers_and_bad_bodies_are_refused(self):
        desk = self.start()
        self.assertEqual(desk.call("GET", "/customers/C1000", token="wrong")[0], 401)
        self.assertEqual(desk.call("POST", "/cases", [1])[0], 400)
        self.assertEqual(desk.call("GET", "/elsewhere")[0], 404)
        self.assertEqual(desk.call("POST", "/_faults", {"spec": "pay_refund.nonsense=1"})[0], 422)
        desk.connection.putrequest("POST", "/cases")
        desk.connection.putheader("Authorization", f"Bearer {TOKEN}")
        desk.connection.putheader("Content-Length", "100000000")
        desk.connection.endheaders()
        self.assertEqual(desk.connection.getresponse().status, 413)

    def test_it_stops_cleanly_and_keeps_its_rows(self):
        desk = self.start()
        desk.call("POST", "/notices", {"customer": "C1000", "text": "hello"})
        self.assertEqual(desk.rows("select count(*) from notices"), [(1,)])
        self.assertEqual(desk.stop(), 0)


if __name__ == "__main__":
    unittest.main()
