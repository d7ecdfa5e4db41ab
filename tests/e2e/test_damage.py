# SPDX-License-Identifier: Apache-2.0
"""Data that cannot be used: the server says so where a machine looks, and gives up nothing for good."""

import base64
import os
import sqlite3
import unittest

from harness import SURE_CASE, SURE_REFUND, Scene, ticket_event


class WithoutItsBundle(unittest.TestCase):
    @staticmethod
    def blobs_of(scene):
        folders = os.walk(os.path.join(scene.server.data, "blobs"))
        return [os.path.join(where, name) for where, _, names in folders for name in names]

    def test_events_are_held_and_parked_runs_stay_until_the_bundle_is_there_again(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.with_desk().with_server()
        scene.deploy()
        bundle = self.blobs_of(scene)
        scene.train()
        scene.customers, scene.orders = scene.desk.seed_rows()
        order, customer = scene.small_orders()[0]
        scene.desk.set_faults("", outage_seconds=600)
        _, parked = scene.api("ingest").send(ticket_event(1, SURE_REFUND, customer, order))
        scene.api().run_when(parked["run"], ("waiting",))
        scene.key("operator")
        scene.server.stop()
        scene.desk.set_faults("", outage_seconds=0)
        for path in bundle:
            os.rename(path, path + ".away")
        scene.server.start()

        status, said = scene.api().call("GET", "/readyz")
        self.assertEqual(status, 503)
        self.assertNotIn("default", said)  # whoever asks has shown no key
        self.assertIn("AIOS-1116", said)
        self.assertIn("aios_tenants_held 1", scene.api().want("GET", "/metrics"))
        event = ticket_event(2, SURE_CASE, scene.customers[2])
        status, headers, _ = scene.api("ingest").exchange(
            "POST", "/api/v1/events", event, {"Content-Type": "application/cloudevents+json"})
        self.assertEqual(status, 503)
        self.assertIn("retry-after", headers)
        status, said = scene.api("ingest").send(event)
        self.assertEqual((said["page"], said["retry"]), ("AIOS-1116", "same_call"))
        self.assertEqual(scene.api().call("POST", "/api/v1/runs", {"workflow": "ticket"})[0], 503)
        self.assertEqual(scene.api().want("GET", f"/api/v1/runs/{parked['run']}")["status"],
                         "waiting")

        for path in bundle:
            os.rename(path + ".away", path)
        scene.deploy()
        self.assertEqual(scene.api().call("GET", "/readyz")[0], 200)
        status, taken = scene.api("ingest").send(event)
        self.assertEqual(status, 202, taken)
        for run in (parked["run"], taken["run"]):
            ended = scene.api().run_when(run)
            self.assertEqual(ended["status"], "completed", ended)

    def test_a_bundle_that_cannot_be_loaded_stops_its_tenant_alone(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.with_server()
        padding = "".join(f"# {number}\n" for number in range(9000))  # a file of its own

        def deploy(api, name):
            files = {"aios.yaml": f"name: {name}\nversion: 1.0.0\n{padding}",
                     "workflows/rest.yaml": "document: {dsl: 1.0.3, namespace: t, name: rest, "
                                            "version: 1.0.0}\ndo:\n  - a: {wait: PT4S}\n"}
            api.want("POST", "/api/v1/deployments", {"files": {
                path: base64.b64encode(text.encode()).decode() for path, text in files.items()}})

        first = scene.api()
        deploy(first, "one")
        bundle = self.blobs_of(scene)
        self.assertTrue(bundle)
        made = scene.cli("tenant", "create", "acme", "--region", "us")
        self.assertEqual(made.returncode, 0, made.stderr)
        key = made.stdout.strip()
        deploy(scene.server.api(key), "other")
        runs = [api.want("POST", "/api/v1/runs", {"workflow": "rest"})["id"]
                for api in (first, scene.server.api(key))]
        scene.server.kill()
        for path in bundle:
            os.rename(path, path + ".away")
        scene.server.start()

        first, acme = scene.api(), scene.server.api(key)
        self.assertEqual(acme.run_when(runs[1])["status"], "completed")
        self.assertEqual(first.want("GET", f"/api/v1/runs/{runs[0]}")["status"], "waiting")
        self.assertEqual(first.call("GET", "/readyz")[0], 200)
        self.assertIn("aios_tenants_held 1", first.want("GET", "/metrics"))
        for path, body in ((f"runs/{runs[0]}/cancel", {}), ("runs", {"workflow": "rest"})):
            status, said = first.call("POST", f"/api/v1/{path}", body)
            self.assertEqual((status, said["page"]), (503, "AIOS-1116"), path)
        doctor = scene.cli("doctor")
        self.assertEqual(doctor.returncode, 1)
        self.assertIn("the bundle of tenant 'default' could not be loaded", doctor.stdout)
        for path in bundle:
            os.rename(path + ".away", path)
        deploy(first, "one")
        self.assertEqual(first.run_when(runs[0])["status"], "completed")

    def test_a_tenant_that_never_had_a_bundle_is_ready_and_refuses(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.with_server()
        self.assertEqual(scene.api().call("GET", "/readyz")[0], 200)
        self.assertEqual(scene.api("ingest").send(ticket_event(1, SURE_CASE))[0], 403)


class DamagedRow(unittest.TestCase):
    def test_a_read_that_meets_damage_is_told_to_whoever_watches(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.support_desk()
        _, sent = scene.api("ingest").send(ticket_event(1, SURE_CASE, scene.customers[1]))
        scene.api().run_when(sent["run"])
        scene.server.stop()
        path = os.path.join(scene.server.data, "tables.db")
        tables = sqlite3.connect(path)
        changed = tables.execute("update streams set state = cast(substr(state, 1, "
                                 "length(state) - 4) || x'00000000' as blob) where id = ?",
                                 (sent["run"],)).rowcount
        tables.commit()
        tables.close()
        self.assertEqual(changed, 1)
        scene.server.start()
        self.assertEqual(scene.api().call("GET", "/readyz")[0], 200)
        for _ in range(3):
            status, said = scene.api().call("GET", f"/api/v1/runs/{sent['run']}")
            self.assertEqual((status, said["page"]), (500, "AIOS-0410"))
        self.assertEqual(scene.api().call("GET", "/readyz")[0], 503)
        self.assertIn("aios_store_damaged 1", scene.api().want("GET", "/metrics"))
        lines = [line for line in scene.server.log().splitlines() if "AIOS-0410" in line]
        self.assertEqual(len(lines), 1, lines)


if __name__ == "__main__":
    unittest.main()
