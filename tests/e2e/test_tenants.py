# SPDX-License-Identifier: Apache-2.0
"""Several tenants on one server: made while it runs, apart from each other, there after a restart."""

import os
import unittest

import openapi
from harness import DESK_BUNDLE, SURE_CASE, HelpDesk, Scene, aios, bundle_files, entries_of, ticket_event, wait_for


class Tenants(unittest.TestCase):
    def setUp(self):
        self.scene = Scene().with_desk().with_server()
        self.addCleanup(self.scene.close)

    def create(self, name, region="us", code=0):
        done = self.scene.cli("tenant", "create", name, "--region", region)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def tenant_api(self, name):
        return self.scene.server.api(self.create(name).stdout.strip())

    def deploy(self, api):
        return api.want("POST", "/api/v1/deployments", {"files": bundle_files(DESK_BUNDLE),
                                                        "parameters": {"helpdesk_url": self.scene.desk.url}})

    def send(self, api, text):
        status, answer = api.send(ticket_event(1, text))
        self.assertEqual(status, 202, answer)
        return answer

    def test_a_second_tenant_is_made_without_restart_and_sees_only_itself(self):
        self.scene.deploy()
        acme = self.tenant_api("acme")
        self.assertEqual(acme.want("GET", "/api/v1/runs")["items"], [])
        self.assertEqual([key["tenant"] for key in acme.want("GET", "/api/v1/keys")["items"]], ["acme"])
        self.deploy(acme)
        first = self.send(self.scene.api(), "Where is my order?")
        second = self.send(acme, "I want my money back.")
        self.assertNotEqual(first["id"], second["id"])
        self.assertEqual([run["id"] for run in acme.want("GET", "/api/v1/runs")["items"]], [second["run"]])
        self.assertEqual(acme.call("GET", f"/api/v1/runs/{first['run']}")[0], 404)
        self.assertEqual(self.scene.api().call("GET", f"/api/v1/runs/{second['run']}")[0], 404)

    def test_what_is_about_all_tenants_is_refused_to_a_further_one(self):
        acme = self.tenant_api("acme")
        for method, path, body in (("GET", "/metrics", None), ("GET", "/api/v1/tenants", None),
                                   ("POST", "/api/v1/tenants", {"name": "third", "region": "us"}),
                                   ("POST", "/api/v1/operate/backup", {"directory": self.scene.path("out")})):
            status, answer = acme.call(method, path, body)[:2]
            self.assertEqual(status, 403, (path, answer))
            self.assertIn("AIOS-0518", str(answer))
        self.assertFalse(os.path.exists(self.scene.path("out")))

    def test_an_admin_of_a_further_tenant_may_do_all_but_what_is_about_all_tenants(self):
        """Every operation of the document with a key that has every role: which are refused for the
        tenant's sake. What is added to the API is refused here, or it is the tenant's own."""
        self.scene.deploy()
        acme = self.tenant_api("acme")
        refused = set()
        for name, (method, path, _) in openapi.operations(
                self.scene.server.api("").want("GET", "/openapi.json")).items():
            for word in ("{id}", "{name}", "{alias}", "{code}", "{version}"):
                path = path.replace(word, "1" if word == "{version}" else "none-of-that-name")
            status, answer = acme.call(method, path, {} if method == "POST" else None)
            self.assertNotIn("AIOS-0511", str(answer), name)
            if "AIOS-0518" in str(answer):
                self.assertEqual(status, 403, name)
                refused.add(name)
        self.assertEqual(refused, {"metrics", "doctor", "backup", "listTenants", "createTenant"})

    def test_secrets_of_the_first_tenant_are_not_a_second_ones(self):
        acme = self.tenant_api("acme")
        told = self.deploy(acme)
        self.assertIn("secrets/acme/helpdesk-token", str(told))
        self.assertNotIn("helpdesk-token", str(self.scene.deploy()))

    def paid_by(self, *arguments):
        """The status and the error of a run of acme's that calls the help desk on the loopback."""
        self.scene.server.stop()
        self.scene.server.start(*arguments)
        acme = self.scene.server.api(self.key)
        self.number += 1
        status, sent = acme.send(ticket_event(self.number, SURE_CASE, HelpDesk.seed_rows()[0][0]))
        self.assertEqual(status, 202, sent)
        run = acme.run_when(sent["run"], ("completed", "faulted", "review"))
        return run["status"], str(acme.call("GET", f"/api/v1/runs/{run['id']}/history")[1])

    def test_a_further_tenant_reaches_the_private_network_where_the_server_says_so_alone(self):
        self.key = self.create("acme", "eu").stdout.strip()  # where the help desk is
        self.number = 1
        os.makedirs(os.path.join(self.scene.server.data, "secrets", "acme"), mode=0o700)
        with open(os.path.join(self.scene.server.data, "secrets", "acme", "helpdesk-token"), "w", encoding="ascii") as file:
            file.write(HelpDesk.TOKEN)
        acme = self.scene.server.api(self.key)
        self.deploy(acme)
        acme_key = {role: acme.want("POST", "/api/v1/keys", {"name": role, "roles": [role]})["secret"]
                    for role in ("developer", "approver")}
        made = self.scene.server.api(acme_key["developer"]).want("POST", "/api/v1/models/intent/train")
        self.scene.server.api(acme_key["approver"]).want("POST", "/api/v1/models/intent/aliases/intent",
                                                         {"version": made["version"]})
        status, history = self.paid_by()
        self.assertIn("AIOS-1481", history)
        self.assertEqual(self.scene.desk.rows("SELECT count(*) FROM cases"), [(0,)])
        status, history = self.paid_by("--private-tenants", "acme")
        self.assertNotIn("AIOS-1481", history)
        self.assertEqual(status, "completed", history)
        self.assertEqual(self.scene.desk.rows("SELECT count(*) FROM cases"), [(1,)])

    def test_the_first_one_has_the_region_of_its_first_start_until_it_is_changed_by_name(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.with_server("--region", "us")
        api = scene.api()

        def region():
            return {one["name"]: one["region"] for one in api.want("GET", "/api/v1/tenants")["items"]}["default"]
        self.assertEqual(region(), "us")
        scene.restart()  # nothing said
        api = scene.api()
        self.assertEqual(region(), "us")
        scene.server.stop()
        data = ("--data", scene.server.data)
        self.assertRegex(aios("tenant", "list", *data).stdout, r"default +us")  # without a server too
        refused = aios("serve", *data, "--listen", "127.0.0.1:0", "--region", "eu")
        self.assertEqual(refused.returncode, 1)
        for part in ("region 'us', which is recorded, found 'eu'", "--region", "--change-region", "AIOS-0537"):
            self.assertIn(part, refused.stderr)
        unsaid = aios("serve", *data, "--listen", "127.0.0.1:0", "--change-region")
        self.assertEqual(unsaid.returncode, 1)
        self.assertIn("AIOS-1461", unsaid.stderr)
        scene.server.start("--region", "eu", "--change-region")
        api = scene.api()
        self.assertEqual(region(), "eu")
        folder, _ = scene.audit_log()
        wait_for(lambda: any('"region_changed"' in leaf and '"before":"us"' in leaf for leaf in entries_of(folder)),
                 "the change is in the log")

    def test_it_is_there_after_a_restart_and_its_first_key_is_given_once(self):
        made = self.create("acme")
        key = made.stdout.strip()
        again = self.create("acme")
        self.assertEqual(again.stdout, "")
        self.assertIn("no key was made", again.stderr)
        refused = self.create("acme", "eu", code=1)
        self.assertIn("AIOS-0519", refused.stderr)
        self.scene.restart()
        listed = self.scene.cli("tenant", "list").stdout
        self.assertRegex(listed, r"acme +us")
        self.assertEqual(self.scene.server.api(key).want("GET", "/api/v1/runs")["items"], [])


if __name__ == "__main__":
    unittest.main()
