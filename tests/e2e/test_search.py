# SPDX-License-Identifier: Apache-2.0
"""Runs are found by search attributes: exact after kill -9, apart by tenant, refusals that say what to do."""

import json
import os
import unittest

from harness import Scene, bundle_files

WORKFLOW = """document:
  dsl: '1.0.3'
  namespace: shop
  name: order
  version: '1.0.0'
  metadata:
    aios:
      searchAttributes:
        intent: '${ $context.intent }'
        amount: {type: number, value: '${ .amount }'}
do:
  - look:
      set: {intent: '${ .intent }', fail: '${ .fail }'}
      export: {as: '${ . }'}
  - pause: {wait: PT0.05S}
  - judge:
      switch:
        - bad: {when: '${ $context.fail }', then: refuse}
        - good: {then: exit}
  - refuse:
      raise: {error: {type: 'https://shop.test/refused', status: 422, title: refused}}
"""


class Search(unittest.TestCase):
    def setUp(self):
        self.scene = Scene().with_server()
        self.addCleanup(self.scene.close)
        self.folder = self.scene.path("shop")
        os.makedirs(os.path.join(self.folder, "workflows"))
        self.write("aios.yaml", "name: shop\nversion: 1.0.0\n")
        self.write("workflows/order.yaml", WORKFLOW)
        self.files = bundle_files(self.folder)
        self.api = self.scene.api()
        self.deploy(self.api)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def deploy(self, api):
        return api.want("POST", "/api/v1/deployments", {"files": self.files})

    @staticmethod
    def start(api, intent, amount, fail=False):
        body = {"workflow": "order", "input": {"intent": intent, "amount": amount, "fail": fail}}
        return api.want("POST", "/api/v1/runs", body)["id"]

    def found(self, *arguments, role="admin"):
        done = self.scene.cli("runs", "search", *arguments, "--json", role=role)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [run["id"] for run in json.loads(done.stdout)["items"]]

    def test_all_failed_refunds_over_fifty_are_found_tried_again_and_survive_kill_9(self):
        small = self.start(self.api, "refund", 20, True)
        large = self.start(self.api, "refund", 80, True)
        paid = self.start(self.api, "refund", 90)
        other = self.start(self.api, "status", 70, True)
        for run in (small, large, paid, other):
            self.api.run_when(run)
        asked = ("--where", "intent=refund and amount>50", "--status", "faulted", "--since", "1d")
        self.assertEqual(self.found(*asked), [large])
        self.assertEqual(self.found("--where", "intent=refund"), [paid, large, small])
        self.assertEqual(self.found("--where", "intent=refund", "--where", "amount<=80"), [large, small])
        self.assertEqual(self.found("--where", "intent=refund", "--limit", "1", "--after", paid), [large])
        self.assertEqual(self.found("--step", "refuse"), [other, large, small])
        late = self.start(self.api, "refund", 85)
        self.scene.server.kill()
        self.scene.server.start()
        self.api = self.scene.api()
        self.api.run_when(late)
        self.assertEqual(self.found(*asked), [large])
        self.assertEqual(self.found("--where", "amount>50 and intent=refund"), [late, paid, large])

        table = self.scene.cli("runs", "search", *asked)
        self.assertRegex(table.stdout, rf"{large} +faulted +.*amount=80")
        retried = self.scene.cli("runs", "retry", "--workflow", "order", "--where", "amount>50 and intent=refund")
        self.assertEqual(retried.returncode, 0, retried.stderr)
        self.assertIn(large, retried.stdout)
        for run in (small, paid, other):
            self.assertNotIn(run, retried.stdout)
        shown = self.scene.cli("runs", "show", large)
        self.assertRegex(shown.stdout, r"FOUND BY +(intent: refund|amount: 80)")

    def test_roles_see_declared_values_and_who_may_not_read_runs_sees_nothing(self):
        run = self.start(self.api, "refund", 80)
        self.api.run_when(run)
        self.assertEqual(self.found("--where", "intent=refund", role="operator"), [run])
        refused = self.scene.cli("runs", "search", "--where", "intent=refund", role="ingest")
        self.assertEqual(refused.returncode, 1)
        self.assertNotIn(run, refused.stdout + refused.stderr)

    def test_another_tenants_runs_are_not_found(self):
        mine = self.start(self.api, "refund", 80)
        self.api.run_when(mine)
        made = self.scene.cli("tenant", "create", "acme", "--region", "us")
        self.assertEqual(made.returncode, 0, made.stderr)
        acme = self.scene.server.api(made.stdout.strip())
        path = "/api/v1/run-search?where=intent%3Drefund"
        status, answer = acme.call("GET", path)[:2]
        self.assertEqual(status, 400)
        self.assertIn("AIOS-1071", str(answer))  # not even the name is known there
        self.deploy(acme)
        theirs = self.start(acme, "refund", 70)
        acme.run_when(theirs)
        self.assertEqual([run["id"] for run in acme.want("GET", path)["items"]], [theirs])
        self.assertEqual([run["id"] for run in self.api.want("GET", path)["items"]], [mine])

    def test_a_condition_that_cannot_be_read_is_refused_with_what_was_wanted(self):
        for where, page, word in (("intent", "AIOS-1070", "one of ="),
                                  ("intent=refund or amount>5", "AIOS-1070", "'and'"),
                                  ("intend=refund", "AIOS-1071", "intent"),
                                  ("amount>much", "AIOS-1073", "a number"),
                                  ("intent>a", "AIOS-1073", "= and !=")):
            done = self.scene.cli("runs", "search", "--where", where)
            self.assertEqual(done.returncode, 1, where)
            self.assertIn(page, done.stderr)
            self.assertIn(word, done.stderr)
        done = self.scene.cli("runs", "search", "--since", "yesterday")
        self.assertIn("AIOS-1341", done.stderr)

    def test_check_warns_of_a_personal_one_and_refuses_a_wrong_one(self):
        self.write("workflows/order.yaml", WORKFLOW.replace(
            "        intent: '${ $context.intent }'", "        intent: '${ $context.customer.email }'"))
        done = self.scene.cli("check", self.folder)
        self.assertIn("workflows/order.yaml:9:9", done.stdout + done.stderr)
        self.assertIn("AIOS-1076", done.stdout + done.stderr)
        self.write("workflows/order.yaml", WORKFLOW.replace("type: number", "type: money"))
        done = self.scene.cli("check", self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("AIOS-1075", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
