# SPDX-License-Identifier: Apache-2.0
"""Signatures against the reference implementation of Standard Webhooks (tests/requirements.txt): it takes what we sign,
and we take what it signs."""

import datetime
import json
import os
import unittest

import test_sources
import test_tasks
from harness import Api, Scene, Webhook, wait_for

MISSING = "standardwebhooks is not in build/python: ./dev setup puts it there"


@unittest.skipIf(Webhook is None, MISSING)
class Outgoing(test_tasks.TaskScene):
    def test_the_reference_takes_our_signature_and_refuses_the_same_over_another_body(self):
        seen = []
        self.receiver.signed = lambda headers, raw: seen.append((dict(headers), raw)) or True
        _, _, answer = self.submit(more={"input": {"text": "hi"}, **self.callback()})
        self.told(answer["id"])
        headers, raw = seen[0]
        event = Webhook(test_tasks.SECRET).verify(raw, headers)
        self.assertEqual((event["subject"], event["data"]["output"]), (answer["id"], {"said": "hi"}))
        with self.assertRaises(Exception):
            Webhook(test_tasks.SECRET).verify(raw.replace(b"hi", b"ho"), headers)


@unittest.skipIf(Webhook is None, MISSING)
class Incoming(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.scene.with_server()
        for name, text in test_sources.BUNDLE.items():
            self.scene.write("shop/" + name, text)
        done = self.scene.cli("deploy", self.scene.path("shop"))
        self.assertEqual(done.returncode, 0, done.stderr)
        folder = os.path.join(self.scene.server.data, "secrets")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(os.path.join(folder, "shop-webhook"), "w", encoding="ascii") as file:
            file.write(test_sources.SECRET + "\n")

    def hook(self, body, ident, signature, at):
        headers = {"webhook-id": ident, "webhook-timestamp": str(int(at.timestamp())),
                   "webhook-signature": signature}
        return Api(self.scene.server.port).call("POST", "/hooks/shop", body.encode(), headers)

    def test_what_the_reference_signs_starts_a_run_and_over_another_body_it_is_refused(self):
        body = json.dumps({"type": "shop.order", "number": 7, "name": "Žofie ☂"}, ensure_ascii=False)
        at = datetime.datetime.now(tz=datetime.timezone.utc)
        signature = Webhook(test_sources.SECRET).sign("m-1", at, body)
        status, refused = self.hook(body.replace("7", "8"), "m-1", signature, at)
        self.assertEqual(status, 401, refused)
        status, answer = self.hook(body, "m-1", f"v1a,{signature[3:]} {signature}", at)
        self.assertEqual((status, answer["status"]), (202, "accepted"))
        event = wait_for(lambda: self.scene.api().want("GET", f"/api/v1/events/{answer['id']}"), "the event")
        self.assertEqual(self.scene.api().run_when(event["run"])["output"], {"got": 7})


if __name__ == "__main__":
    unittest.main()
