# SPDX-License-Identifier: Apache-2.0
"""Events in, outcomes out, against the real help desk."""

import copy
import json
import unittest

from harness import SURE_CASE, SURE_REFUND, TICKET, UNSURE, Scene, entries_of, ticket_event


class Tickets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.support_desk()
        cls.desk = cls.scene.desk
        cls.ingest = cls.scene.api("ingest")
        cls.admin = cls.scene.api()
        cls.order, cls.customer = cls.scene.small_orders()[0]

    def accepted(self, event, headers=None):
        status, answer = self.ingest.send(event, headers)
        self.assertEqual(status, 202, answer)
        return answer

    # --- the two automatic ways

    def test_a_clear_question_opens_one_case(self):
        sent = self.accepted(ticket_event(1, SURE_CASE, self.customer))
        run = self.admin.run_when(sent["run"])
        self.assertEqual(run["status"], "completed", run)
        output = run["output"]
        self.assertEqual((output["outcome"], output["action"], output["intent"]),
                         ("automatic", "case", "order_status"))
        rows = self.desk.rows("select id, intent, customer from cases where id=?", output["case"])
        self.assertEqual(rows, [(output["case"], "order_status", self.customer[0])])
        self.assertEqual(run["inferences"][0]["version"], "intent@1")

    def test_a_small_refund_is_paid_once_and_the_customer_told(self):
        order, customer = self.scene.small_orders()[1]
        sent = self.accepted(ticket_event(2, SURE_REFUND, customer, order))
        run = self.admin.run_when(sent["run"])
        self.assertEqual(run["status"], "completed", run)
        self.assertEqual(run["output"]["refund_cents"], order[4])
        paid = self.desk.rows("select amount_cents from refunds where order_id=?", order[0])
        self.assertEqual(paid, [(order[4],)])
        told = self.desk.rows("select count(*) from notices where text like ?", f"%{order[0]}%")
        self.assertEqual(told, [(1,)])

    def test_history_and_explain_tell_the_same_story(self):
        sent = self.accepted(ticket_event(3, SURE_CASE, self.customer))
        self.admin.run_when(sent["run"])
        history = self.admin.want("GET", f"/api/v1/runs/{sent['run']}/history")["items"]
        self.assertTrue(history)
        self.assertIn("openCase", json.dumps(history))
        text = self.admin.want("GET", f"/api/v1/runs/{sent['run']}/explain")["text"]
        self.assertIn("completed", text)

    # --- what comes in twice

    def test_the_same_event_again_gets_the_first_answer_and_no_second_case(self):
        event = ticket_event(10, SURE_CASE, self.customer)
        first = self.accepted(event)
        self.admin.run_when(first["run"])
        before = self.desk.rows("select count(*) from cases")
        again = self.accepted(event)
        self.assertEqual((again["id"], again["run"]), (first["id"], first["run"]))
        self.assertTrue(again["repeated"])
        reordered = dict(reversed(list(event.items())))
        self.assertEqual(self.accepted(reordered)["run"], first["run"])
        self.assertEqual(self.desk.rows("select count(*) from cases"), before)

    def test_the_same_event_in_the_other_mode_is_the_same_event(self):
        event = ticket_event(11, SURE_CASE, self.customer)
        first = self.accepted(event)
        headers = {f"ce-{k}": event[k] for k in ("specversion", "id", "source", "type")}
        status, again = self.ingest.call("POST", "/api/v1/events", event["data"], headers)
        self.assertEqual((status, again["run"]), (202, first["run"]))

    def test_the_same_id_with_another_body_is_refused(self):
        event = ticket_event(12, SURE_CASE, self.customer)
        self.accepted(event)
        other = copy.deepcopy(event)
        other["data"]["body"] += " Hurry."
        status, answer = self.ingest.send(other)
        self.assertEqual(status, 409)
        self.assertEqual(answer["page"], "AIOS-1203")

    def test_the_same_id_from_another_source_is_another_event(self):
        event = ticket_event(13, SURE_CASE, self.customer)
        first = self.accepted(event)
        event["source"] = "/test/chat"
        self.assertNotEqual(self.accepted(event)["run"], first["run"])

    # --- what does not start a run

    def test_an_event_that_does_not_fit_is_a_dead_letter_with_its_reason(self):
        event = ticket_event(20, SURE_CASE)
        del event["data"]["ticket"]
        answer = self.accepted(event)
        self.assertEqual(answer["status"], "dead_letter")
        self.assertIn("ticket", answer["reason"])
        self.assertNotIn("run", answer)
        kept = self.admin.want("GET", f"/api/v1/events/{answer['id']}")
        self.assertEqual(kept["event"]["data"]["body"], SURE_CASE)
        letters = self.admin.want("GET", "/api/v1/events?status=dead_letter&limit=1000")["items"]
        self.assertIn(answer["id"], [letter["id"] for letter in letters])
        self.assertEqual(self.accepted(event)["id"], answer["id"])

    def test_an_event_type_that_policy_does_not_admit(self):
        event = ticket_event(21, SURE_CASE)
        event["type"] = "com.example.other"
        status, answer = self.ingest.send(event)
        self.assertEqual(status, 403)
        self.assertIn("com.example.other", answer["detail"])

    def test_events_that_are_none(self):
        whole = ticket_event(22, SURE_CASE)
        for missing in ("specversion", "id", "source", "type"):
            event = {k: v for k, v in whole.items() if k != missing}
            status, answer = self.ingest.send(event)
            self.assertEqual(status, 400, missing)
            self.assertIn(missing, answer["detail"])
        for body in (b"", b"{", b"[]", b"\xff\xfe", b'{"a": 1' + b"0" * 400 + b"e", b"[" * 5000):
            status, answer = self.ingest.send(body)
            self.assertEqual(status, 400, body[:20])
            self.assertRegex(answer["page"], r"^AIOS-\d{4}$")

    # --- who may

    def test_without_a_good_key_nothing_is_answered(self):
        event = ticket_event(30, SURE_CASE)
        for token in ("", "aios_" + "A" * 43, "nonsense"):
            api = self.scene.server.api(token)
            for method, path in (("GET", "/api/v1/runs"), ("GET", "/metrics"),
                                 ("POST", "/api/v1/events")):
                status, answer = api.call(method, path, event if method == "POST" else None)
                self.assertEqual(status, 401, (token, path))
                self.assertEqual(answer["status"], 401)

    def test_a_key_that_may_only_send_may_only_send(self):
        for method, path, body in (("GET", "/api/v1/runs", None), ("GET", "/api/v1/reviews", None),
                                   ("GET", "/api/v1/keys", None), ("GET", "/metrics", None),
                                   ("POST", "/api/v1/deployments", {"files": {}}),
                                   ("POST", "/api/v1/models/intent/train", None)):
            status, answer = self.ingest.call(method, path, body)
            self.assertEqual(status, 403, path)
            self.assertEqual(answer["page"], "AIOS-0511")
        status, _ = self.scene.api("reviewer").send(ticket_event(31, SURE_CASE))
        self.assertEqual(status, 403)

    def test_a_revoked_key_is_refused_at_once(self):
        made = self.admin.want("POST", "/api/v1/keys", {"name": "short", "roles": ["ingest"]})
        api = self.scene.server.api(made["secret"])
        self.assertEqual(api.send(ticket_event(32, SURE_CASE))[0], 202)
        self.admin.want("DELETE", f"/api/v1/keys/{made['id']}")
        self.assertEqual(api.send(ticket_event(33, SURE_CASE))[0], 401)

    def test_payloads_are_for_those_who_may_read_them(self):
        sent = self.accepted(ticket_event(34, SURE_CASE, self.customer))
        self.admin.run_when(sent["run"])
        seen = self.scene.api("operator").want("GET", f"/api/v1/runs/{sent['run']}")
        self.assertNotIn("input", seen)
        self.assertNotIn("output", seen)

    # --- how it can be followed

    def test_the_senders_trace_reaches_the_run_and_the_audit_log(self):
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        sent = self.accepted(ticket_event(40, SURE_CASE, self.customer),
                             {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
        run = self.admin.run_when(sent["run"])
        self.assertEqual(run["trace_id"], trace)
        folder, _ = self.scene.audit_log()
        leaves = entries_of(folder)
        mine = [leaf for leaf in leaves if trace in leaf]
        kinds = {json.loads(leaf)["kind"] for leaf in mine}
        self.assertLessEqual({"event", "model_call", "effect_intent", "effect_outcome"}, kinds)

    def test_metrics_in_both_forms(self):
        status, headers, raw = self.admin.exchange("GET", "/metrics")
        self.assertEqual(status, 200)
        self.assertIn("version=0.0.4", headers["content-type"])
        text = raw.decode()
        self.assertIn('aios_events_total{outcome="accepted"}', text)
        for line in text.splitlines():
            self.assertRegex(line, r"^(# (HELP|TYPE) .+|[a-zA-Z_:][\w:]*(\{.*\})? [-+.\deEInfNa]+)$")
        status, headers, raw = self.admin.exchange(
            "GET", "/metrics", None, {"Accept": "application/openmetrics-text"})
        self.assertIn("openmetrics-text", headers["content-type"])
        self.assertTrue(raw.decode().endswith("# EOF\n"))

    def test_lists_are_paged_and_filtered(self):
        for number in range(50, 54):
            self.accepted(ticket_event(number, SURE_CASE, self.customer))
        all_ids = [run["id"] for run in self.admin.pages("/api/v1/runs")]
        self.assertEqual(len(all_ids), len(set(all_ids)))
        first = self.admin.want("GET", "/api/v1/runs?limit=2")
        self.assertEqual([r["id"] for r in first["items"]], all_ids[:2])
        second = self.admin.want("GET", f"/api/v1/runs?limit=2&after={first['next']}")
        self.assertEqual([r["id"] for r in second["items"]], all_ids[2:4])
        newest = self.admin.want("GET", "/api/v1/runs?limit=1&order=newest")["items"]
        self.assertEqual(newest[0]["id"], sorted(all_ids)[-1])
        for bad in ("0", "1001", "x", "-1"):
            self.assertEqual(self.admin.call("GET", f"/api/v1/runs?limit={bad}")[0], 400, bad)

    def test_an_unsure_ticket_goes_to_a_person(self):
        sent = self.accepted(ticket_event(60, UNSURE, self.customer))
        run = self.admin.run_when(sent["run"], ("review",))
        self.assertEqual(run["status"], "waiting")

    def test_a_run_that_waits_can_be_cancelled(self):
        sent = self.accepted(ticket_event(61, UNSURE, self.customer))
        self.admin.run_when(sent["run"], ("review",))
        self.admin.want("POST", f"/api/v1/runs/{sent['run']}/cancel")
        self.assertEqual(self.admin.run_when(sent["run"])["status"], "cancelled")
        open_runs = {r["run"] for r in self.admin.pages("/api/v1/reviews?status=open")}
        self.assertNotIn(sent["run"], open_runs)

    def test_a_trigger_type_is_listed_with_its_definition(self):
        items = self.admin.want("GET", "/api/v1/definitions")["items"]
        self.assertEqual([(d["name"], d["triggers"]) for d in items], [("ticket", [TICKET])])


if __name__ == "__main__":
    unittest.main()
