# SPDX-License-Identifier: Apache-2.0
"""One case whole on a page, and faulted runs that are tried again after a fix."""

import json
import unittest

from harness import SURE_CASE, SURE_REFUND, Scene, aios, ticket_event


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.support_desk()
        order, customer = cls.scene.small_orders()[0]
        status, sent = cls.scene.api("ingest").send(ticket_event(1, SURE_REFUND, customer, order))
        assert status == 202, sent
        cls.id = sent["run"]
        cls.customer = customer
        cls.scene.api().run_when(cls.id)

    def show(self, role, *more):
        done = self.scene.cli("runs", "show", self.id, *more, role=role)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_a_case_is_whole_for_an_auditor(self):
        case = json.loads(self.show("auditor", "--json"))
        self.assertEqual(case["shown"], "all")
        paid = [one for one in case["effects"] if one["step"].endswith("/payRefund") or
                "efund" in one["step"]]
        self.assertTrue(paid, case["effects"])
        self.assertEqual({one["outcome"] for one in paid}, {"done"})
        self.assertTrue(case["inferences"][0]["reasons"])
        kinds = [leaf["kind"] for leaf in case["leaves"]["items"]]
        for kind in ("event", "model_call", "effect_intent", "effect_outcome", "run"):
            self.assertIn(kind, kinds)
        self.assertTrue(case["leaves"]["complete"])
        # The log's own files say the same of every index.
        folder, key = self.scene.audit_log()
        done = aios("audit", "leaves", folder, "--key", key, "--limit", "10000", "--json")
        by_index = {item["index"]: item for item in json.loads(done.stdout)["items"]}
        for leaf in case["leaves"]["items"]:
            self.assertEqual(leaf["hash"], by_index[leaf["index"]]["hash"])
        named = [item["index"] for item in by_index.values() if self.id in json.dumps(item["leaf"])]
        self.assertEqual(sorted(named), [leaf["index"] for leaf in case["leaves"]["items"]])

    def test_the_page_reads_at_80_and_at_200_columns(self):
        page = self.show("auditor")
        for word in ("RUN ", "DATA ", "MODEL", "EFFECT", "STEPS", "LEAVES", "TRACE", "OPEN WITH"):
            self.assertIn(word, page)
        self.assertIn(SURE_REFUND[:30], page)

    def test_who_may_not_read_payload_sees_none(self):
        page = self.show("operator") + self.show("operator", "--json")
        for text in (self.customer[1], SURE_REFUND[:20], "reasons"):
            self.assertNotIn(text, page)
        self.assertIn("not shown", page)
        self.assertEqual(json.loads(self.show("operator", "--json"))["effects"][0]["outcome"], "done")


    def test_a_column_that_no_run_has_is_told(self):
        done = self.scene.cli("runs", "export", "--workflow", "ticket", "--columns", "id,foo",
                              role="auditor")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no run has: foo\n", done.stderr)

    def test_outcomes_are_rows_for_a_spreadsheet(self):
        done = self.scene.cli("runs", "export", "--workflow", "ticket", "--columns",
                              "id,status,output.action,seconds", role="auditor")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.replace("\r", "").splitlines()
        self.assertEqual(lines[0], "id,status,output.action,seconds")
        self.assertTrue(lines[1].startswith(f"{self.id},completed,refund,"), lines)
        out = self.scene.path("out.jsonl")
        for wanted in (0, 1):  # a file is never replaced
            done = self.scene.cli("runs", "export", "--format", "jsonl", "--out", out, role="operator")
            self.assertEqual(done.returncode, wanted, done.stderr)
        with open(out, encoding="utf-8") as file:
            row = json.loads(file.readline())
        self.assertEqual(row["id"], self.id)
        self.assertNotIn("output.action", row)


class Retry(unittest.TestCase):
    WORKFLOW = """document:
  dsl: '1.0.3'
  namespace: support
  name: case
  version: '{version}'
do:
  - classify:
      call: infer:1.0.0@default
      with: {{model: intent, input: {{text: '${{ .text }}'}}}}
      output: {{as: '${{ {{intent: .label}} }}'}}
  - open:
      call: connector:1.0.0@default
      with:
        connector: help-desk
        operation: open_case
        arguments: {{intent: '${{ .intent }}', customer: null, order: null, summary: late}}
      output: {{as: '${{ {{opened: .id}} }}'}}
  - check: {{set: {check}}}
"""

    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.scene.support_desk()

    def deploy(self, version, check):
        self.scene.deploy({"workflows/case.yaml":
                           self.WORKFLOW.format(version=version, check=check).encode()})

    def runs(self, count):
        ids = []
        for number in range(count):
            made = self.scene.api("operator").want("POST", "/api/v1/runs", {
                "workflow": "support/case", "input": {"text": SURE_CASE, "number": number}})
            ids.append(made["id"])
        return [self.scene.api().run_when(run) for run in ids]

    def test_the_page_of_a_faulted_run_says_what_was_asked_and_answered(self):
        self.deploy("1.0.0", "{open: 1}")
        look = self.WORKFLOW.format(version="1.1.0", check="{open: 1}")
        look = look.replace("operation: open_case", "operation: find_order")
        look = look.replace("{intent: '${ .intent }', customer: null, order: null, summary: late}",
                            "{order: ORD-999999999}")
        self.scene.deploy({"workflows/case.yaml": look.encode()})
        run = self.runs(1)[0]
        self.assertEqual(run["status"], "faulted")
        page = self.scene.cli("runs", "show", run["id"], role="auditor").stdout
        for part in ("help-desk.find_order failed after 1 attempt", 'with: {"order":"ORD-999999999"}',
                     f"sent: GET {self.scene.desk.url}/orders/ORD-999999999",
                     'answered: 404 {"error": "no such order"}'):
            self.assertIn(part, " ".join(page.split()))
        hidden = self.scene.cli("runs", "show", run["id"], role="operator").stdout
        self.assertIn("help-desk.find_order failed", " ".join(hidden.split()))
        for part in ("no such order", "ORD-999999999", "sent:"):
            self.assertNotIn(part, hidden)
        for role in ("auditor", "operator"):
            told = self.scene.cli("explain", run["id"], role=role).stdout
            self.assertIn(f"aios runs retry {run['id']}", told)
        history = self.scene.cli("runs", "history", run["id"], role="auditor").stdout
        self.assertRegex(history, r"effect_intended .*connector help-desk .*operation find_order")
        self.assertNotIn("salt", history)

    def test_faulted_runs_end_after_a_fix_and_nothing_is_opened_twice(self):
        self.deploy("1.0.0", "{open: '${ .opened | error(\"no\") }'}")
        faulted = self.runs(6)
        self.assertEqual({run["status"] for run in faulted}, {"faulted"})
        opened = self.scene.desk.rows("SELECT COUNT(*) FROM cases")[0][0]
        self.assertEqual(opened, 6)
        self.deploy("1.1.0", "{open: '${ .opened }'}")
        many = ("runs", "retry", "--workflow", "case", "--status", "faulted", "--since", "1h",
                "--error", "AIOS-0108", "--definition", "newest")
        dry = self.scene.cli(*many, role="operator")
        self.assertEqual(dry.returncode, 0, dry.stderr)
        self.assertIn("6 runs would be tried again", dry.stderr)
        self.assertEqual({self.scene.api().want("GET", f"/api/v1/runs/{run['id']}")["status"]
                          for run in faulted}, {"faulted"})
        done = self.scene.cli(*many, "--max", "4", "--yes", "--json", role="operator")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual([item["retried"] for item in told["items"]], [True] * 4)
        self.assertTrue(told["more"])
        for run in told["items"]:
            ended = self.scene.api().run_when(run["id"], ("completed", "cancelled"))
            self.assertEqual(ended["version"], "1.1.0")
        last = faulted[5]["id"]
        self.assertEqual(self.scene.cli("runs", "retry", last, "--definition", "newest",
                                        role="operator").returncode, 0)
        self.scene.api().run_when(last, ("completed",))
        self.assertEqual(self.scene.desk.rows("SELECT COUNT(*) FROM cases")[0][0], 6)
        again = self.scene.cli("runs", "retry", last, role="operator")
        self.assertEqual(again.returncode, 1)
        self.assertIn("[AIOS-1090]", again.stderr)
        history = self.scene.api("auditor").want("GET", f"/api/v1/runs/{last}/history")["items"]
        self.assertEqual([one["type"] for one in history].count("retried"), 1)
        self.assertEqual(history[-1]["type"], "completed")
        self.assertLess([one["type"] for one in history].index("faulted"), len(history) - 1)

    def test_what_cannot_be_tried_again_says_why(self):
        self.deploy("1.0.0", "{open: '${ .opened | error(\"no\") }'}")
        run = self.runs(1)[0]["id"]
        self.scene.deploy({"workflows/case.yaml": self.WORKFLOW.format(version="2.0.0", check="{a: 1}")
                           .replace("- open:", "- start:").encode()})
        refused = self.scene.cli("runs", "retry", run, "--definition", "newest", role="operator")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("[AIOS-1092]", refused.stderr)
        self.assertIn("has another task 'start' in the place of 'open'", refused.stderr)
        for wrong in (("--workflow", "case", "--since", "yesterday"), ()):
            said = self.scene.cli("runs", "retry", *wrong, role="operator")
            self.assertEqual(said.returncode, 1, said.stdout)
            self.assertIn("[AIOS-1341]", said.stderr)
        self.assertEqual(self.scene.cli("runs", "retry", run, role="auditor").returncode, 1)


if __name__ == "__main__":
    unittest.main()
