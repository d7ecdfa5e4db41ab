# SPDX-License-Identifier: Apache-2.0
"""One event, heard inside and outside: runs that listen for a type that somebody subscribed to, and events
that are too large to leave."""

import json
import unittest

from harness import wait_for
from test_tasks import TaskScene, bundle

ADMIT = """package aios.event_admit
import rego.v1
default allow := false
allow if startswith(input.event.type, "order.")
"""
PAY = """
document: {dsl: '1.0.3', namespace: desk, name: pay, version: '1.0.0'}
do:
  - say:
      emit: {event: {with: {source: /shop/, type: order.paid, subject: '${ .order }', data: {text: '${ .text }'}}}}
  - out: {set: {said: true}}
"""
ORDER = """
document: {dsl: '1.0.3', namespace: desk, name: order, version: '%s'}
do:
  - keep: {set: {order: '${ .order }'}, export: {as: .}}
  - paid: %s
"""
LISTEN = "{listen: {to: {one: {with: {type: order.paid, subject: '${ $context.order }'}}}}}"


class Heard(TaskScene):
    def change(self, version, files):
        for path, text in files.items():
            self.scene.write("bundle/" + path, text)
        manifest = bundle(self.receiver.url)["aios.yaml"]
        self.scene.write("bundle/aios.yaml", manifest.replace("version: 1.0.0", f"version: {version}"))
        self.deploy()

    def begin(self, workflow, value):
        return self.api.want("POST", "/api/v1/runs", {"workflow": workflow, "input": value})["id"]

    def came(self):
        with self.receiver.lock:
            return [event for _, _, event in self.receiver.got]

    def pay(self, order, text="thanks"):
        return self.begin("pay", {"order": order, "text": text})

    def test_a_run_of_an_older_document_hears_what_somebody_subscribed_to(self):
        self.change("1.1.0", {"policies/events.rego": ADMIT, "workflows/pay.yaml": PAY,
                              "workflows/order.yaml": ORDER % ("1.0.0", LISTEN)})
        runs = {order: self.begin("order", {"order": order}) for order in ("A", "B")}
        for run in runs.values():
            wait_for(lambda run=run: self.api.want("GET", f"/api/v1/runs/{run}").get(
                "waiting_for", "").startswith("event"), f"{run} waits")
        self.pay("A")
        ended = self.api.run_when(runs["A"])
        self.assertEqual((ended["status"], ended["output"]), ("completed", [{"text": "thanks"}]))
        self.change("1.2.0", {"workflows/order.yaml": ORDER % ("2.0.0", "{set: {x: 1}}")})
        self.pay("B")
        ended = self.api.run_when(runs["B"])
        self.assertEqual((ended["status"], ended["output"]), ("completed", [{"text": "thanks"}]))
        self.pay("C")  # nobody inside waits any more
        wait_for(lambda: len(self.deliveries(status="delivered")) == 3, "all three left")
        told = sorted(event["subject"] for event in self.came())
        self.assertEqual(told, ["A", "B", "C"])
        self.assertEqual(list(self.api.pages("/api/v1/events?status=dead_letter")), [])

    def test_what_is_too_large_to_leave_is_not_replayed_without_its_data(self):
        self.change("1.1.0", {"policies/events.rego": ADMIT, "workflows/pay.yaml": PAY})
        self.api.run_when(self.pay("A", "x" * 600_000))
        dead = wait_for(lambda: self.deliveries(status="dead"), "it is dead")[0]
        self.assertTrue(dead["cut"])
        done = self.cli("deliveries", "replay", dead["id"])
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("AIOS-0947", done.stderr)
        self.assertIn("at most 524288 are sent", done.stderr)
        done = self.cli("--json", "deliveries", "replay", "--all")
        self.assertEqual((done.returncode, json.loads(done.stdout)["replayed"]), (0, 0), done.stderr)
        done = self.cli("deliveries", "replay", "--all", "--receiver", "shop")
        self.assertIn("none that can be replayed", done.stderr)
        self.assertEqual(self.came(), [])


if __name__ == "__main__":
    unittest.main()
