# SPDX-License-Identifier: Apache-2.0
"""Sources of a bundle: signed webhooks, dead letters and their replay, through the real binary."""

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import time
import unittest

from harness import ROOT, Api, Scene

KEY = b"a key of twenty-four by"
GUIDE = os.path.join(ROOT, "docs", "guide", "sources.md")
SECRET = "whsec_" + base64.b64encode(KEY).decode()
POLICY = """package aios.event_admit

import rego.v1

default allow := false

allow if startswith(input.event.type, "shop.")
"""
WORKFLOW = """
document: {dsl: '1.0.3', namespace: shop, name: order, version: '1.0.0'}
schedule: {on: {one: {with: {type: shop.order}}}}
do:
  - take:
      set: {got: '${ .[0].data.number }'}
"""
SOURCE = """kind: webhook
name: shop
secrets: [shop-webhook]
event:
  type: '${ .body.type }'
  data: '${ .body }'
schema: {type: object, required: [number]}
"""
BUNDLE = {"aios.yaml": "name: shop\nversion: 1.0.0\nneeds: {secrets: [shop-webhook]}\n",
          "workflows/order.yaml": WORKFLOW, "policies/events.rego": POLICY,
          "sources/shop.yaml": SOURCE}


def signed(body, event_id, key=KEY, at=None):
    stamp = str(int(time.time()) if at is None else at)
    digest = hmac.new(key, f"{event_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {"webhook-id": event_id, "webhook-timestamp": stamp,
            "webhook-signature": "v1," + base64.b64encode(digest).decode()}


class Sources(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.scene.with_server()
        self.deploy(BUNDLE)

    def deploy(self, files, code=0):
        for name, text in files.items():
            self.scene.write("shop/" + name, text)
        done = self.scene.cli("deploy", self.scene.path("shop"))
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def put_secret(self):
        folder = os.path.join(self.scene.server.data, "secrets")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(os.path.join(folder, "shop-webhook"), "w", encoding="ascii") as file:
            file.write(SECRET + "\n")

    def hook(self, payload, event_id, path="/hooks/shop", **more):
        body = json.dumps(payload).encode()
        return Api(self.scene.server.port).call("POST", path, body, signed(body, event_id, **more))

    def test_a_signed_webhook_starts_a_run_once_also_after_a_kill(self):
        self.put_secret()
        order = {"type": "shop.order", "number": 7}
        status, first = self.hook(order, "m-1")
        self.assertEqual((status, first["status"]), (202, "accepted"))
        self.scene.server.kill()
        self.scene.server.start()
        status, again = self.hook(order, "m-1")
        self.assertEqual((status, again["id"], again["repeated"]), (202, first["id"], True))
        status, other = self.hook({"type": "shop.order", "number": 8}, "m-1")
        self.assertEqual((status, other["status"]), (202, "dead_letter"))
        event = self.scene.api().want("GET", f"/api/v1/events/{other['id']}")
        self.assertIn("AIOS-1203", event["reason"])
        event = self.scene.api().want("GET", f"/api/v1/events/{first['id']}")
        run = self.scene.api().run_when(event["run"])
        self.assertEqual(run["output"], {"got": 7})
        self.assertEqual(len(list(self.scene.api().pages("/api/v1/runs?limit=100"))), 1)

    def test_the_commands_of_the_guide_sign_one(self):
        self.put_secret()
        with open(GUIDE, encoding="utf-8") as file:
            commands = next(block for block in re.findall(r"```sh\n(.*?)```", file.read(), re.S)
                            if "openssl dgst" in block)
        commands = commands.replace("http://127.0.0.1:8787", self.scene.server.url)
        commands = commands.replace("aios-data/", self.scene.server.data + "/")
        done = subprocess.run(["bash", "-euc", commands], text=True, capture_output=True, timeout=30)
        self.assertEqual(json.loads(done.stdout)["status"], "accepted", done.stderr)

    def test_who_has_no_secret_learns_nothing(self):
        order = {"type": "shop.order", "number": 7}
        without = self.hook(order, "m-1")                     # the server has none yet
        self.put_secret()
        wrong = self.hook(order, "m-1", key=b"some other key")
        unknown = self.hook(order, "m-1", path="/hooks/nobody")
        self.assertEqual(without[0], 401)
        self.assertIn("AIOS-1204", json.dumps(without[1]))
        self.assertEqual(wrong, without)
        self.assertEqual(unknown, without)
        status, late = self.hook(order, "m-1", at=int(time.time()) - 400)
        self.assertEqual(status, 400)
        self.assertIn("AIOS-1205", json.dumps(late))
        self.assertEqual(list(self.scene.api().pages("/api/v1/events?limit=100")), [])
        # Who runs the server learns all the more.
        told = " ".join(self.scene.cli("doctor").stdout.split())
        self.assertIn("source 'shop': 1 too old, or of a wrong clock, last 20", told)
        self.assertIn("source 'shop': 2 with a wrong signature, last 20", told)
        self.assertIn("no declared source: 1 at a webhook that is not declared, last 20", told)
        for advice in ("is the secret there, and the sender's", "set the clocks right",
                       "declare it, or tell its sender"):
            self.assertIn(advice, told)
        self.assertNotIn("raise it", told)  # nothing came beyond a rate

    def test_beyond_its_rate_a_source_takes_nothing_and_says_when_to_come_back(self):
        self.put_secret()
        refused = self.deploy({"sources/shop.yaml": SOURCE + "rate: 0\n"}, code=1)
        self.assertIn("AIOS-1220", refused.stdout + refused.stderr)
        manifest = BUNDLE["aios.yaml"] + "parameters: {webhooks_a_minute: {type: integer, default: 1}}\n"
        self.deploy({"aios.yaml": manifest, "sources/shop.yaml": SOURCE + "rate: '${ $params.webhooks_a_minute }'\n"})
        order = {"type": "shop.order", "number": 7}
        self.assertEqual(self.hook(order, "m-1", key=b"some other key")[0], 401)  # takes nothing of it
        self.assertEqual(self.hook(order, "m-1")[0], 202)
        body = json.dumps(order).encode()
        status, headers, said = Api(self.scene.server.port).exchange("POST", "/hooks/shop", body, signed(body, "m-2"))
        self.assertEqual(status, 429, said)
        self.assertIn("AIOS-1235", said.decode())
        self.assertGreater(int(headers["retry-after"]), 0)
        self.assertEqual(len(list(self.scene.api().pages("/api/v1/events?limit=100"))), 1)
        self.assertIn("source 'shop': 1 beyond the source's rate, last 20",
                      " ".join(self.scene.cli("doctor").stdout.split()))

    def test_dead_letters_are_kept_and_replayed_once(self):
        self.put_secret()
        kept = []
        for number in range(3):
            status, answer = self.hook({"type": "shop.order", "nr": number}, f"m-{number}")
            self.assertEqual((status, answer["status"]), (202, "dead_letter"))
            kept.append(answer["id"])
        self.hook({"type": "shop.other", "number": 1}, "m-9")
        listed = self.scene.cli("events", "list", "--status", "dead_letter", "--type", "shop.order")
        self.assertEqual(sum("shop.order" in line for line in listed.stdout.splitlines()), 3)
        shown = self.scene.cli("events", "show", kept[0])
        self.assertRegex(shown.stdout, r"(?s)^INBOX +evt_\w+ dead_letter\nWHY .*\[AIOS-1209\].*SOURCE +shop\n")
        self.assertIn(f"NEXT       aios events replay {kept[0]}\n", shown.stdout)
        self.assertRegex(shown.stdout, r"(?m)^DATA +type: shop.order$")
        told = " ".join(self.scene.cli("doctor").stdout.split())
        self.assertIn("watch sources source 'shop': 4 dead letters", told)
        early = self.scene.cli("events", "replay", kept[0])
        self.assertEqual(early.returncode, 1, early.stdout)
        self.assertIn("AIOS-1206", early.stdout)
        self.deploy({"sources/shop.yaml": SOURCE.replace(
            "data: '${ .body }'", "data: {number: '${ .body.number // .body.nr }'}")})
        done = self.scene.cli("events", "replay", "--all", "--type", "shop.order", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        replayed = json.loads(done.stdout)["items"]
        self.assertEqual([one["id"] for one in replayed], kept)
        for number, one in enumerate(replayed):
            run = self.scene.api().run_when(one["run"])
            self.assertEqual(run["output"], {"got": number})
        again = self.scene.cli("events", "replay", kept[1], "--json")
        self.assertEqual(json.loads(again.stdout)["items"][0]["run"], replayed[1]["run"])
        self.assertEqual(len(list(self.scene.api().pages("/api/v1/runs?limit=100"))), 3)
        rest = self.scene.cli("events", "replay", "--all")  # the one that nothing takes
        self.assertEqual(rest.returncode, 1)
        self.assertEqual(self.scene.cli("events", "replay").returncode, 2)
        self.assertEqual(self.scene.cli("events", "replay", "evt_none").returncode, 1)

    def test_a_deployment_changes_sources_without_a_restart_or_not_at_all(self):
        self.put_secret()
        wrong = self.deploy({"sources/shop.yaml": SOURCE.replace("secrets:", "secret:")}, code=1)
        self.assertIn("sources/shop.yaml:3:1", wrong.stderr)
        self.assertIn("AIOS-1220", wrong.stderr)
        self.assertEqual(self.hook({"type": "shop.order", "number": 1}, "m-1")[0], 202)
        os.remove(self.scene.path("shop", "sources", "shop.yaml"))
        self.deploy({"aios.yaml": "name: shop\nversion: 1.1.0\n"})
        self.assertEqual(self.hook({"type": "shop.order", "number": 2}, "m-2")[0], 401)


if __name__ == "__main__":
    unittest.main()
