# SPDX-License-Identifier: Apache-2.0
"""What went wrong is seen by who mends it: in lists, by the doctor, before and after a deployment."""

import json
import os
import unittest

from harness import Scene, aios, wait_for

FLOW = """document: {dsl: 1.0.3, namespace: t, name: flow, version: 1.0.0}
input:
  schema:
    format: json
    document:
      type: array
      items: {type: object, properties: {data: {type: object, required: [number]}}}
schedule:
  on:
    one:
      with: {type: order.v1}
do:
  - refuse:
      raise:
        error:
          type: https://open-workflow-specification.org/dsl/errors/types/validation
          status: 400
          title: no such customer
          detail: customer Eve Canary is not there
"""
SOURCE = """kind: file
name: letters
folder: letters
format: json
event:
  type: order.v1
  data: '${ .record }'
"""


class Seen(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.bundle({"aios.yaml": "name: app\nversion: 1.0.0\n", "workflows/flow.yaml": FLOW,
                     "policies/events.rego": "package aios.event_admit\nimport rego.v1\n"
                                             "default allow := true\n"})

    def bundle(self, files):
        for name, text in files.items():
            path = self.scene.path(os.path.join("app", name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

    def send(self, identity, kind="order.v1", data=None):
        path = self.scene.write(f"{identity}.json", json.dumps({
            "specversion": "1.0", "id": identity, "source": "/t", "type": kind, "data": data}))
        return self.scene.cli("events", "send", path)

    def operator(self, *arguments):
        key = self.scene.path("operator.key")
        if not os.path.exists(key):
            made = self.scene.cli("key", "create", "--name", "eve", "--role", "operator", "--out",
                                  key)
            self.assertEqual(made.returncode, 0, made.stderr)
        return aios("--data", self.scene.server.data, "--key-file", key, *arguments)

    def deploy(self, *more):
        done = self.scene.cli("deploy", self.scene.path("app"), *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_faulted_runs_are_counted_and_say_where_and_why(self):
        self.scene.with_server()
        self.deploy()
        for number in range(3):
            self.assertEqual(self.send(f"e{number}", data={"number": 1}).returncode, 0)
        wait_for(lambda: self.scene.api().want("GET", "/api/v1/run-counts")["faulted"] == 3,
                 "three runs faulted")
        parts = {one["part"]: one for one in
                 json.loads(self.scene.cli("doctor", "--json").stdout)["findings"]}
        self.assertEqual(parts["runs"]["found"], "3 faulted in the last day")
        self.assertIn("aios runs retry", parts["runs"]["next"])
        listed = self.scene.cli("runs", "list", "--status", "faulted").stdout
        self.assertRegex(listed.splitlines()[0], r"^ID +ERROR +STEP +UPDATED +WORKFLOW$")
        self.assertEqual(listed.count("customer Eve Canary is not there"), 3, listed)
        self.assertEqual(listed.count("/do/0/refuse"), 3, listed)
        self.assertNotIn("Canary", self.operator("runs", "list", "--status", "faulted").stdout)
        metrics = self.scene.api().call("GET", "/metrics")[1]
        self.assertIn('aios_runs_ended_total{status="cancelled"} 0', metrics)
        self.assertIn("aios_deliveries_dead 0", metrics)

    def test_who_may_not_read_payload_sees_why_an_event_is_a_dead_letter(self):
        self.scene.with_server()
        self.deploy()
        metrics = self.scene.api().call("GET", "/metrics")[1]
        self.assertIn('aios_events_total{outcome="dead_letter"} 0', metrics)
        self.send("no-number", data={"name": "Eve Canary"})
        self.send("no-workflow", kind="other.v1", data={"number": 1})
        listed = self.operator("events", "list", "--status", "dead_letter")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn("The input does not fit the workflow [AIOS-1011]", listed.stdout)
        self.assertIn("No workflow is started by its type", listed.stdout)
        self.assertNotIn("Canary", listed.stdout)
        items = json.loads(self.operator("--json", "events", "list", "--status",
                                         "dead_letter").stdout)["items"]
        self.assertEqual([one.get("page") for one in items], [None, "AIOS-1011"])
        self.assertFalse(any("reason" in one for one in items), items)
        whole = self.scene.cli("--json", "events", "list", "--status", "dead_letter").stdout
        self.assertTrue(all("reason" in one for one in json.loads(whole)["items"]), whole)

    def test_a_plan_warns_of_what_the_deployment_warns_of(self):
        self.bundle({"aios.yaml": "name: app\nversion: 1.0.0\nneeds: {secrets: [shop]}\n",
                     "sources/letters.yaml": SOURCE,
                     "sources/shop.yaml": "kind: webhook\nname: shop\nscheme: standard\n"
                                          "secrets: [shop]\nevent: {type: order.v1}\n"})
        self.scene.with_server()
        planned = json.loads(self.deploy("--plan", "--json").stdout)["warnings"]
        done = json.loads(self.deploy("--json").stdout)["warnings"]
        for warnings in (planned, done):
            self.assertEqual(len(warnings), 2, warnings)
            self.assertTrue(any("secret 'shop'" in one and "AIOS-1402" in one
                                for one in warnings), warnings)
            self.assertTrue(any("--watch-root" in one and "'letters'" in one and "AIOS-1210" in one
                                for one in warnings), warnings)

    def test_what_was_deployed_before_is_listed_and_deployed_again(self):
        self.bundle({"aios.yaml": "name: app\nversion: 1.0.0\nparameters:\n"
                                  "  limit: {type: integer, default: 1}\n"})
        self.scene.with_server()
        self.deploy("--set", "limit=5")
        self.bundle({"aios.yaml": "name: app\nversion: 2.0.0\nparameters:\n"
                                  "  limit: {type: integer, default: 2}\n"})
        self.deploy("--reset", "limit")
        listed = self.scene.cli("deployments", "list").stdout.splitlines()
        self.assertRegex(listed[1], r"^2 +runs +app +2\.0\.0 +[0-9a-f]{12} ")
        self.assertRegex(listed[2], r"^1 +app +1\.0\.0 +[0-9a-f]{12} ")
        plan = self.scene.cli("deployments", "again", "1", "--plan").stdout
        self.assertIn("~ parameter limit: 2 -> 5", plan)
        back = self.scene.cli("deployments", "again", "1")
        self.assertIn("deployed as deployment 3", back.stdout, back.stderr)
        now = self.scene.api().want("GET", "/api/v1/deployments/current")
        self.assertEqual((now["version"], now["parameters"], now["number"]), ("1.0.0", {"limit": 5}, 3))
        again = self.scene.cli("deployments", "again", "2")
        self.assertIn("deployed as deployment 4", again.stdout, again.stderr)
        now = self.scene.api().want("GET", "/api/v1/deployments/current")
        self.assertEqual((now["parameters"], now["set"]), ({"limit": 2}, {}))
        none = self.scene.cli("deployments", "again", "9")
        self.assertEqual(none.returncode, 1)
        self.assertIn("AIOS-1108", none.stderr)
        self.assertIn("aios deployments list", none.stderr)

    def test_a_broken_scenario_is_a_problem_of_the_bundle(self):
        self.assertEqual(aios("check", self.scene.path("app")).returncode, 0)
        self.bundle({"tests/flow.yaml": "scenarios:\n  - name: one\n    expct: {}\n"})
        done = aios("check", self.scene.path("app"))
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stderr, r"tests/flow\.yaml:\d+:\d+: .*\[AIOS-1700\]")

    def test_an_address_without_a_scheme_is_told_with_how_it_is_written(self):
        self.bundle({"aios.yaml": "name: app\nversion: 1.0.0\nparameters:\n"
                                  "  url: {type: string, default: 'http://127.0.0.1:1'}\n"
                                  "needs: {connectors: [desk]}\n",
                     "connectors/desk/connector.yaml":
                         "name: desk\nkind: http\nregion: eu\nbaseUrl: '${params.url}'\n"
                         "operations:\n  look: {method: GET, path: /x, effect: read}\n",
                     "policies/out.rego": "package aios.connector_egress\nimport rego.v1\n"
                                          "default allow := true\n"})
        done = aios("check", self.scene.path("app"), "--set", "url=localhost:1")
        self.assertRegex(done.stderr, r"connectors/desk/connector\.yaml:4:10: the URL 'localhost:1' does not "
                                      r"begin with .*; it is written '\$\{params\.url\}'")


if __name__ == "__main__":
    unittest.main()
