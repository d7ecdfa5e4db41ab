# SPDX-License-Identifier: Apache-2.0
"""SIGTERM while a system outside does not answer: a bounded number of runs hang in it, the server
ends within its drain, and the next start goes on with them, as bounded as before."""

import base64
import http.server
import signal
import threading
import time
import unittest

from harness import Scene, wait_for

WORKFLOW = """
document: {dsl: '1.0.3', namespace: stop, name: ask, version: '1.0.0'}
schedule: {on: {one: {with: {type: com.example.ask.v1}}}}
do:
  - ask:
      call: connector:1.0.0@default
      with: {connector: peer, operation: ask, arguments: {n: '${ .[0].data.n }'}}
"""
CONNECTOR = """name: peer
kind: http
region: eu
baseUrl: "http://127.0.0.1:PORT/"
limits: {timeout: PT60S, concurrency: 1000, retries: 8}
operations:
  ask:
    method: POST
    path: /ask
    effect: key
    keyHeader: Idempotency-Key
    body: '{n}'
    result: '.body'
    resultSchema: {type: object, required: [done], properties: {done: {const: true}}}
"""
PLACES = 384  # of one tenant, in workflow/engine.h
ANSWER = b'{"done": true}'
POLICIES = """package aios.event_admit
import rego.v1
default allow := true
""", """package aios.connector_egress
import rego.v1
default allow := true
"""


class Desk(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512  # all may connect at once


class Peer:
    """Answers nobody until it is told to; knows who asked by idempotency key."""

    def __init__(self):
        self.open, self.asked = threading.Event(), []
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                peer.asked.append(self.headers["Idempotency-Key"])
                if not peer.open.wait(120):
                    return
                try:
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(ANSWER)))
                    self.end_headers()
                    self.wfile.write(ANSWER)
                except OSError:
                    pass  # who asked has gone

            def log_message(self, *_):
                pass

        self.server = Desk(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server.server_address[1]

    def close(self):
        self.open.set()
        self.server.shutdown()
        self.server.server_close()


class Stop(unittest.TestCase):
    def setUp(self):
        self.peer = Peer()
        self.addCleanup(self.peer.close)
        self.scene = Scene().with_server()
        self.addCleanup(self.scene.close)
        files = {"aios.yaml": "name: app\nversion: 1.0.0\n", "workflows/a.yaml": WORKFLOW,
                 "connectors/peer/connector.yaml": CONNECTOR.replace("PORT", str(self.peer.port)),
                 "policies/admit.rego": POLICIES[0], "policies/egress.rego": POLICIES[1]}
        self.scene.api().want("POST", "/api/v1/deployments", {"files": {
            path: base64.b64encode(text.encode()).decode() for path, text in files.items()}})

    def ask(self, number):
        status, answer = self.scene.api().send(
            {"specversion": "1.0", "id": f"e{number}", "source": "/test",
             "type": "com.example.ask.v1", "data": {"n": number}})
        self.assertEqual(status, 202, answer)
        return answer["run"]

    def driven(self):
        _, _, text = self.scene.api().exchange("GET", "/metrics")
        return next(int(float(line.split()[1])) for line in text.decode().splitlines()
                    if line.startswith("aios_runs_driven "))

    def test_calls_that_hang_are_bounded_and_cut_and_their_runs_go_on_after_the_next_start(self):
        runs = [self.ask(number) for number in range(PLACES + 20)]
        self.assertEqual(self.driven(), PLACES)
        wait_for(lambda: self.peer.asked, "the peer is asked", 10)
        self.assertEqual(self.scene.server.stop(30), 0)
        log = self.scene.server.log()
        self.assertIn("calls were cut at the drain deadline", log)
        self.assertIn(f'"runs":{PLACES}', log)
        self.scene.server.start()
        wait_for(lambda: self.driven() == PLACES, "every place of the tenant is taken again", 20)
        self.peer.open.set()
        for run in runs:
            self.assertEqual(self.scene.api().run_when(run, seconds=60)["status"], "completed")
        self.assertEqual(len(set(self.peer.asked)), len(runs))  # the same keys again

    def test_a_second_signal_ends_at_once(self):
        self.ask(1)
        wait_for(lambda: self.peer.asked, "the peer is asked", 10)
        process = self.scene.server.process
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: "draining" in self.scene.server.log(), "it drains", 10)
        begin = time.monotonic()
        while process.poll() is None and time.monotonic() - begin < 8:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
        self.assertEqual(process.poll(), -signal.SIGTERM)


if __name__ == "__main__":
    unittest.main()
