# SPDX-License-Identifier: Apache-2.0
"""A help desk that loses answers, fails, throttles and hangs up, and a server that is killed in the
middle: every run ends, every refund is paid once, every case opened once."""

import threading
import time
import unittest

from harness import SURE_CASE, SURE_REFUND, Scene, Unreachable, ticket_event, wait_for

FAULTS = ("find_customer.error=0.05,find_order.error=0.05,open_case.lost=0.2,open_case.error=0.15,"
          "open_case.throttle=0.05:1,pay_refund.lost=0.25,pay_refund.error=0.15,"
          "pay_refund.throttle=0.05:1,send_notice.slow=0.3:200")
TICKETS = 60
KILLS = 3


class KilledInTheMiddle(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.scene.support_desk(FAULTS)
        self.port = self.scene.server.port
        self.seen = {}  # run with an incident -> when it was seen first

    def send_all(self, events, sent):
        """Like a sender that never gives up: the same bytes until they are answered."""
        api = self.scene.api("ingest")
        for event in events:
            def answered():
                try:
                    status, answer = api.send(event)
                except Unreachable:
                    return None
                return answer if status == 202 else None
            sent[event["id"]] = wait_for(answered, f"{event['id']} is taken", 60, 0.05)

    def settle_incidents(self):
        """Notices can neither be repeated nor looked up: a person looks into the help desk, and not
        at once: a request that was sent before the kill may still be on its way (slow: 200 ms)."""
        api = self.scene.api()
        for run in api.pages("/api/v1/runs?status=waiting"):
            if "incident" not in (run.get("waiting_for") or ""):
                continue
            if time.monotonic() - self.seen.setdefault(run["id"], time.monotonic()) < 1.0:
                continue
            order = run["input"][0]["data"].get("order", "none")
            found = self.scene.desk.rows("select id from notices where text like ?", f"%{order}%")
            body = ({"resolution": "happened", "result": {"id": found[0][0]}} if found
                    else {"resolution": "retry"})
            body["incident"] = run["incident"]
            api.call("POST", f"/api/v1/runs/{run['id']}/resolve", body)

    def test_every_run_ends_and_nothing_is_done_twice(self):
        scene, sent = self.scene, {}
        refunds = scene.small_orders()[:TICKETS // 2]
        events = []
        for number in range(TICKETS):
            if number % 2:
                order, customer = refunds[number // 2]
                events.append(ticket_event(number, SURE_REFUND, customer, order))
            else:
                events.append(ticket_event(number, SURE_CASE, scene.customers[number]))
        scene.key("ingest")
        sender = threading.Thread(target=self.send_all, args=(events, sent), daemon=True)
        sender.start()
        for part in range(1, KILLS + 1):
            wait_for(lambda: len(sent) >= part * TICKETS // (KILLS + 1), "tickets are sent", 90)
            scene.server.kill()
            scene.server.start(port=self.port)
        sender.join(90)
        self.assertEqual(len(sent), TICKETS)

        def ended():
            self.settle_incidents()
            counts = scene.api().want("GET", "/api/v1/run-counts")
            return counts["running"] + counts["waiting"] == 0 and counts
        counts = wait_for(ended, "every run has ended", 90, 0.3)
        self.assertEqual(counts["completed"], TICKETS, counts)

        runs = {run["id"]: run for run in scene.api().pages("/api/v1/runs")}
        self.assertEqual(set(runs), {answer["run"] for answer in sent.values()})
        paid = scene.desk.rows("select order_id, count(*), sum(amount_cents) from refunds "
                               "group by 1 order by 1")
        self.assertEqual(paid, sorted((o[0], 1, o[4]) for o, _ in refunds))
        twice = scene.desk.rows("select reference, count(*) from cases group by 1 "
                                "having count(*) > 1")
        self.assertEqual(twice, [])
        opened = scene.desk.rows("select count(*) from cases")[0][0]
        self.assertEqual(opened, sum(1 for run in runs.values() if run["output"]["case"]))
        notices = scene.desk.rows("select text, count(*) from notices group by 1 "
                                  "having count(*) > 1")
        self.assertEqual(notices, [])
        met = scene.desk.rows("select count(*) from requests where fault is not null")[0][0]
        self.assertGreater(met, 5, "the faults were hardly met: this test shows little")


class LostNotice(unittest.TestCase):
    """Effect `none`, sent, no answer: never again without a person."""

    def test_an_unknown_outcome_waits_for_a_person_and_says_why(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.support_desk("send_notice.lost=1")
        order, customer = scene.small_orders()[0]
        _, sent = scene.api("ingest").send(ticket_event(1, SURE_REFUND, customer, order))
        run = scene.api().run_when(sent["run"], ("incident",))
        self.assertEqual(run["status"], "waiting")
        scene.restart("kill")
        text = scene.api().want("GET", f"/api/v1/runs/{sent['run']}/explain")["text"]
        self.assertIn("sendNotice", text)
        self.assertIn("resolve", text)
        self.assertEqual(scene.desk.rows("select count(*) from notices"), [(1,)])
        self.assertIn(f"aios runs resolve {sent['run']} {run['incident']} happened", text)
        other = scene.cli("runs", "resolve", sent["run"], "inc_of_yesterday", "fail",
                          role="operator")
        self.assertNotEqual(other.returncode, 0)
        self.assertIn("AIOS-1014", other.stderr)
        for wrong in ((), ("--result", '{"foo": 1}')):  # no notice: it has no id
            refused = scene.cli("runs", "resolve", sent["run"], run["incident"], "happened", *wrong,
                                role="operator")
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("AIOS-1020", refused.stderr)
        done = scene.cli("runs", "resolve", sent["run"], run["incident"], "happened", "--result",
                         '{"id": "NT-000001"}', role="operator")
        self.assertEqual(done.returncode, 0, done.stderr)
        run = scene.api().run_when(sent["run"])
        self.assertEqual(run["status"], "completed", run)
        self.assertEqual(scene.desk.rows("select count(*) from notices"), [(1,)])


class Outage(unittest.TestCase):
    def test_an_outage_parks_runs_and_they_go_on_by_themselves(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.support_desk()
        scene.desk.set_faults("", outage_seconds=3)
        ids = []
        for number in range(12):
            _, sent = scene.api("ingest").send(
                ticket_event(number, SURE_CASE, scene.customers[number]))
            ids.append(sent["run"])
        for run in ids:
            self.assertEqual(scene.api().run_when(run)["status"], "completed")
        self.assertEqual(scene.desk.rows("select count(*), count(distinct reference) from cases"),
                         [(12, 12)])


if __name__ == "__main__":
    unittest.main()
