# SPDX-License-Identifier: Apache-2.0
"""A clock that jumps by an hour, forwards, back, and over a kill; and a machine that is paused for hours
with work under way. Nothing is lost, late for ever, doubled, or let in that came too late."""

import base64
import json
import os
import signal
import threading
import time
import unittest

from harness import FAULTS, Api, Clocks, Scene, Server, aios, wait_for
from test_http_call import Web
from test_sources import SECRET, signed

HOUR = 3600
SETTLE_SECONDS = 60  # a busy machine may need them; what a clock put off would take an hour
MANIFEST = """name: shop
version: 1.0.0
parameters:
  web: {type: string}
needs:
  secrets: [shop-webhook]
  egress: [{origin: '${params.web}', region: eu, private: true, timeout: PT1S}]
"""
# Waits, then asks a system that fails at first, then tells somebody.
ORDER = """
document: {dsl: '1.0.3', namespace: shop, name: order, version: '1.0.0'}
schedule: {on: {one: {with: {type: shop.order}}}}
do:
  - rest: {wait: PT1S}
  - book:
      call: http
      with: {method: PUT, endpoint: '${ .[0].data.url }', body: {n: '${ .[0].data.number }'}}
  - tell:
      emit: {event: {with: {type: shop.booked, source: /shop, data: {n: 1}}}}
"""
TICK = """
document: {dsl: '1.0.3', namespace: shop, name: tick, version: '1.0.0'}
schedule: {on: {one: {with: {type: shop.tick}}}}
do:
  - take: {set: {at: '${ .[0].data.scheduled }'}}
"""
ASK = """
document: {dsl: '1.0.3', namespace: shop, name: ask, version: '1.0.0'}
do:
  - ask:
      call: http
      with: {method: '${ .method }', endpoint: '${ .url }', output: response}
"""
POLICY = """package aios.event_admit

import rego.v1

default allow := false

allow if startswith(input.event.type, "shop.")
"""
EGRESS = """package aios.connector_egress

import rego.v1

default allow := false

allow if true
"""
BUNDLE = {
    "aios.yaml": MANIFEST, "workflows/order.yaml": ORDER, "workflows/tick.yaml": TICK,
    "workflows/ask.yaml": ASK, "policies/events.rego": POLICY, "policies/egress.rego": EGRESS,
    "sources/shop.yaml": "kind: webhook\nname: shop\nsecrets: [shop-webhook]\n"
                         "event: {type: shop.order, data: '${ .body }'}\n",
    "sources/tick.yaml": "kind: schedule\nname: tick\nevery: PT1S\nevent: {type: shop.tick}\n",
    "subscriptions/booked.yaml": "name: booked\nregion: eu\nsecret: shop-webhook\n"
                                 "url: '${params.web}/fail/3'\ntypes: [shop.booked]\ntimeout: PT1S\n"
                                 "retry: {first: PT1S, most: PT5S}\n"}


@unittest.skipUnless(os.path.exists(FAULTS), f"SKIPPED: without {FAULTS} no clock can be moved")
class Clock(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.web = Web()
        self.addCleanup(self.web.close)
        self.clocks = Clocks(self.scene.path("clock"))
        self.scene.server = Server(self.scene.folder, self.clocks.environment(
            AIOS_SECRET_SHOP_WEBHOOK=SECRET)).start()
        for name, text in BUNDLE.items():
            self.scene.write("shop/" + name, text)
        done = self.scene.cli("deploy", self.scene.path("shop"), "--set", f"web={self.web.url}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.accepted = []

    def hook(self, number, at=None):
        """-> (status, answer)"""
        body = json.dumps({"number": number, "url": f"{self.web.url}/fail/1/{number}"}).encode()
        return Api(self.scene.server.port).call("POST", "/hooks/shop", body, signed(
            body, f"m-{number}", at=self.clocks.time() if at is None else at))

    def send(self, *numbers):
        for number in numbers:
            status, answer = self.hook(number)
            self.assertEqual((status, answer["status"]), (202, "accepted"))
            self.accepted.append((number, answer["id"]))

    def runs(self, name):
        return [run for run in self.scene.api().pages("/api/v1/runs")
                if run["workflow"].endswith("/" + name)]

    def ticks(self):
        return len(self.runs("tick"))

    def settle(self):
        """All that was accepted ends in the time that it takes by a clock nobody touches, and the
        schedule goes on: neither an hour's times at once nor none for an hour."""
        begun, before = time.monotonic(), self.ticks()
        wait_for(lambda: self.ticks() > before, "the schedule fires", SETTLE_SECONDS, 0.1)

        def settled():
            runs = self.runs("order")
            return len(runs) == len(self.accepted) and all(
                run["status"] == "completed" for run in runs)
        wait_for(settled, "every accepted event has one run, which is completed", SETTLE_SECONDS, 0.1)
        wait_for(lambda: not list(self.scene.api().pages("/api/v1/deliveries?status=pending")),
                 "everybody was told", SETTLE_SECONDS, 0.1)
        self.assertLessEqual(self.ticks() - before, time.monotonic() - begun + 4)

    def verified(self):
        folder, key = self.scene.audit_log()
        done = aios("audit", "verify", folder, "--key", key)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_clock_that_jumps_by_an_hour_loses_doubles_and_delays_nothing(self):
        clocks = self.clocks
        self.send(1, 2, 3)
        clocks.set(HOUR)
        # A sender's clock is right, so it is an hour late here; it is told so, and may come again.
        status, late = self.hook(4, at=int(time.time()))
        self.assertEqual((status, late["page"]), (400, "AIOS-1205"))
        self.send(5, 6)
        self.settle()

        self.send(7, 8)  # and so they are parked by a clock that is ahead
        clocks.set(0)
        status, early = self.hook(9, at=int(time.time()) + HOUR)
        self.assertEqual((status, early["page"]), (400, "AIOS-1205"))
        self.send(4, 9)
        self.settle()

        self.send(10, 11)
        self.scene.server.kill()
        clocks.set(-HOUR)
        self.scene.server.start()
        self.send(12)
        self.settle()
        self.assertIn("clock", self.scene.cli("doctor").stdout)

        clocks.set(0)
        self.send(13)
        self.settle()
        for number, _ in self.accepted:
            # One was refused; on a busy machine an answer may come too late besides.
            self.assertGreaterEqual(len(self.web.at(f"/fail/1/{number}")), 2, number)
            keys = {one[2]["idempotency-key"] for one in self.web.at(f"/fail/1/{number}")}
            self.assertEqual(len(keys), 1)
        times = [run["output"]["at"] for run in self.runs("tick")]
        self.assertEqual(len(times), len(set(times)), "a time of the schedule came twice")
        self.verified()

    def test_a_machine_that_is_paused_for_hours_goes_on_and_does_nothing_twice(self):
        api = self.scene.api()
        started = [api.want("POST", "/api/v1/runs", {"workflow": "shop/ask", "input": {
            "method": method, "url": self.web.url + path}})["id"]
            for method, path in (("PUT", "/hold/1"), ("POST", "/hold"), ("GET", "/hold/2"))]
        wait_for(lambda: len(self.web.seen) >= 3, "the calls are under way")
        self.send(1, 2, 3)
        server = self.scene.server
        server.process.send_signal(signal.SIGSTOP)
        self.web.hold.set()  # the answers come while nobody runs
        answers, lock = {}, threading.Lock()

        def knock(number):
            answer = self.hook(number, at=int(time.time()) + 2 * HOUR)
            with lock:
                answers[number] = answer
        senders = [threading.Thread(target=knock, args=(number,)) for number in range(20, 30)]
        for sender in senders:
            sender.start()
        time.sleep(0.5)
        self.clocks.set(2 * HOUR, 2 * HOUR)
        server.process.send_signal(signal.SIGCONT)
        for sender in senders:
            sender.join(30)
        self.assertEqual({number: answer[0] for number, answer in answers.items()},
                         {number: 202 for number in range(20, 30)})
        self.accepted += [(number, answer[1]["id"]) for number, answer in answers.items()]
        self.settle()
        put, post, get = (self.scene.api().run_when(run, ("completed", "incident"))
                          for run in started)
        self.assertEqual((put["status"], get["status"]), ("completed", "completed"))
        self.assertEqual(len(self.web.at("/hold")), 1, "nobody vouched that it may be sent again")
        self.assertLessEqual(len(self.web.at("/hold/1")), 2)
        self.assertEqual(len({one[2]["idempotency-key"] for one in self.web.at("/hold/1")}), 1)
        if post["status"] != "completed":  # its answer came too late: a person says so
            done = self.scene.cli("runs", "resolve", post["id"], post["incident"], "happened",
                                  "--result", '{"statusCode": 200}')
            self.assertEqual(done.returncode, 0, done.stderr)
        for number, _ in self.accepted:
            self.assertEqual(len(self.web.at(f"/fail/1/{number}")), 2, number)
        self.assertEqual(self.scene.api("").call("GET", "/readyz")[0], 200)
        self.verified()


@unittest.skipUnless(os.path.exists(FAULTS), f"SKIPPED: without {FAULTS}")
class Kept(unittest.TestCase):
    def test_a_start_with_a_clock_that_is_ahead_takes_nothing_away(self):
        scene = Scene()
        self.addCleanup(scene.close)
        clocks = Clocks(scene.path("clock"))
        settings = scene.write("server.yaml", "retention: {runs: P30D, events: P30D}\n")
        server = scene.server = Server(scene.folder, clocks.environment())
        server.start("--config", settings)
        task = "document: {dsl: '1.0.3', namespace: a, name: b, version: '1.0.0'}\ndo:\n  - c: {set: {d: 1}}\n"
        files = {"aios.yaml": "name: a\nversion: 1.0.0\n", "workflows/b.yaml": task}
        scene.api().want("POST", "/api/v1/deployments", {"files": {
            name: base64.b64encode(text.encode()).decode() for name, text in files.items()}})
        run = scene.api().want("POST", "/api/v1/tasks", {"workflow": "a/b", "input": {}})["id"]
        scene.api().run_when(run)
        for _ in range(2):
            server.stop()
            clocks.set(400 * 24 * HOUR)
            said = server.log().count('"area":"retention"')
            server.start("--config", settings)
            wait_for(lambda said=said: server.log().count('"area":"retention"') > said,
                     "what is kept was looked at")
            self.assertEqual(scene.api().want("GET", f"/api/v1/runs/{run}")["status"], "completed")
        server.stop()
        clocks.set(0)
        server.start("--config", settings)
        self.assertEqual(scene.api().want("GET", f"/api/v1/runs/{run}")["status"], "completed")


if __name__ == "__main__":
    unittest.main()
