# SPDX-License-Identifier: Apache-2.0
"""`aios deploy --plan`: what would change, against a server or a data directory, and nothing does."""

import json
import os
import shutil
import unittest

from harness import Scene, aios


class Plan(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.app = self.scene.path("app")
        self.assertEqual(aios("new", "app", cwd=self.scene.folder).returncode, 0)

    def copy(self):
        target = self.scene.path("copy")
        shutil.copytree(self.app, target)
        return target

    def change(self, folder, name, old, new):
        path = os.path.join(folder, name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, 1))

    def said(self, *arguments, code=0):
        done = self.scene.cli(*arguments)
        self.assertEqual((done.returncode, done.stderr), (code, ""), (arguments, done.stdout))
        return done.stdout

    def test_a_plan_tells_part_by_part_and_the_deployment_does_it(self):
        self.scene.with_server()
        first = self.said("deploy", self.app, "--plan", "--exit-code", code=3)
        self.assertIn("nothing runs yet", first)
        self.assertIn("+ workflow app/request 1.0.0 (", first)
        self.assertIn("8 to add, 0 to change, 0 to remove; nothing was changed", first)
        self.assertEqual(self.scene.api().call("GET", "/api/v1/deployments/current")[0], 404)

        self.assertIn("deployed as deployment 1", self.said("deploy", self.app))
        self.assertIn("nothing changes: app 1.0.0 runs already as deployment 1",
                      self.said("deploy", self.app, "--plan", "--exit-code"))
        self.said("events", "send", os.path.join(self.app, "demo", "large.json"))
        copy = self.copy()
        self.change(copy, "workflows/request.yaml", "version: '1.0.0'", "version: '1.1.0'")
        self.change(copy, "aios.yaml", "default: 100", "default: 120")
        os.remove(os.path.join(copy, "policies", "requests_test.rego"))
        leaves = self.scene.api().want("GET", "/api/v1/audit")["leaves"]
        planned = self.said("deploy", copy, "--plan", "--exit-code", code=3)
        for line in (r"~ workflow app/request 1\.0\.0 \([0-9a-f]{12}\) -> 1\.1\.0 \([0-9a-f]{12}\)",
                     r"- policy test policies/requests_test\.rego", r"~ parameter limit: 100 -> 120",
                     r"= 1 run of app/request under way keeps version 1\.0\.0"):
            self.assertRegex(planned, rf"(?m)^{line}")
        current = self.scene.api().want("GET", "/api/v1/deployments/current")
        self.assertEqual(current["number"], 1)
        self.assertEqual(self.scene.api().want("GET", "/api/v1/audit")["leaves"], leaves)

        done = self.said("deploy", copy)
        changes = [line for line in planned.splitlines() if line[:2] in ("+ ", "- ", "~ ", "= ")]
        self.assertEqual(done.splitlines()[:len(changes)], changes)
        self.assertIn("deployed as deployment 2", done)

    def test_a_plan_as_json_shows_no_secret(self):
        self.scene.with_server()
        self.change(self.app, "aios.yaml", "parameters:\n",
                    "parameters:\n  desk_token: {type: string, default: first-canary}\n")
        self.said("deploy", self.app)
        done = self.said("deploy", self.app, "--plan", "--json", "--set",
                         "desk_token=second-canary")
        self.assertNotIn("canary", done)
        plan = json.loads(done)
        self.assertTrue(plan["changed"])
        self.assertEqual(plan["parameters"],
                         [{"name": "desk_token", "from": "(not shown)", "to": "(not shown)"}])
        self.assertEqual([one["part"] for one in plan["changes"]], ["setting"])
        self.assertNotIn("canary", self.said("deploy", self.app, "--set",
                                             "desk_token=second-canary"))

    def test_a_data_directory_is_asked_without_a_server(self):
        self.scene.with_server()
        self.said("deploy", self.app)
        self.scene.server.stop()
        data = ("--data", self.scene.server.data)
        same = aios("deploy", self.app, "--plan", "--exit-code", *data)
        self.assertEqual((same.returncode, same.stderr), (0, ""))
        self.assertIn("nothing changes", same.stdout)
        copy = self.copy()
        self.change(copy, "policies/reviews.rego", "package", "# more\npackage")
        other = aios("deploy", copy, "--plan", "--exit-code", *data)
        self.assertEqual(other.returncode, 3)
        self.assertIn("~ policy policies/reviews.rego", other.stdout)
        self.assertIn("nothing changes", aios("deploy", self.app, "--plan", *data).stdout)

    def test_refusals_are_those_of_a_deployment(self):
        self.scene.with_server()
        self.said("deploy", self.app)
        copy = self.copy()
        self.change(copy, "aios.yaml", "name: app", "name: other")
        done = self.scene.cli("deploy", copy, "--plan")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("AIOS-1107", done.stderr)
        self.change(copy, "workflows/request.yaml", "requests/decide", "requests/decid")
        broken = self.scene.cli("deploy", copy, "--plan")
        self.assertEqual(broken.returncode, 1)
        self.assertIn("AIOS-1104", broken.stderr)
        alone = self.scene.cli("deploy", self.app, "--exit-code")
        self.assertEqual(alone.returncode, 2)
        refused = self.scene.cli("deploy", self.app, "--plan", role="reviewer")
        self.assertEqual(refused.returncode, 1)


if __name__ == "__main__":
    unittest.main()
