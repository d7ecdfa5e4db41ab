# SPDX-License-Identifier: Apache-2.0
"""`call: http` against a server that is slow, cuts, fails, redirects, answers too much, loses answers, and
an aios that is killed while it waits: what acts happens once, or a person is asked."""

import http.server
import json
import threading
import time
import unittest

from harness import Scene, Server, aios, entries_of, wait_for

TOKEN = "web-token-canary-9c1e"
FLOW = """
document: {dsl: '1.0.3', namespace: web, name: ask, version: '1.0.0'}
use: {secrets: [web-token]}
do:
  - ask:
      try:
        - send:
            call: http
            with:
              method: '${ .method }'
              endpoint: {uri: '${ .url }', authentication: {bearer: {use: web-token}}}
              headers: '${ .headers // {} }'
              body: '${ .body }'
              output: response
      catch:
        as: problem
        do:
          - tell: {set: {type: '${ $problem.type | split("/") | last }', status: '${ $problem.status }',
                         detail: '${ $problem.detail }'}}
"""
POLICY = """package aios.connector_egress

import rego.v1

default allow := false

allow if {
  startswith(input.connector.name, "http://127.0.0.1:")
  input.http.host == "127.0.0.1"
  input.http.path != "/forbidden"
}
"""
MANIFEST = """name: web
version: 1.0.0
parameters:
  web: {type: string}
  patience: {type: string, default: PT1S}
needs:
  secrets: [web-token]
  egress:
    - {origin: '${params.web}', region: eu, private: true, timeout: '${params.patience}'}
"""


class Web:
    """Counts what reaches it. /x/N: does x for the first N requests of that path, then is good."""

    def __init__(self):
        self.seen, self.lock = [], threading.Lock()
        self.hold = threading.Event()
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body=b'{"ok": true}', **headers):
                self.send_response(status)
                for name, value in {"Content-Type": "application/json",
                                    "Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def act(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with web.lock:
                    web.seen.append((self.command, self.path, dict(self.headers), body))
                    times = sum(1 for one in web.seen if one[1] == self.path)
                _, what, *more = self.path.split("/")
                if more and times > int(more[0]):
                    what = "good"
                if what == "slow":
                    time.sleep(2.0)
                elif what == "cut":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
                    self.close_connection = True
                    return
                elif what == "lost":
                    self.close_connection = True
                    return
                elif what == "fail":
                    return self.answer(500, b"{}")
                elif what == "missing":
                    return self.answer(404, b"{}")
                elif what == "away":
                    return self.answer(302, b"", Location="http://127.0.0.1:9/stolen")
                elif what == "huge":
                    return self.answer(200, b"[" + b"0," * (1 << 20) + b"0]")
                elif what == "hold":
                    web.hold.wait(20)
                self.answer(200)

            do_GET = do_POST = do_PUT = do_DELETE = act

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # who asked has left, as it should

        self.server = Quiet(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def at(self, path):
        with self.lock:
            return [one for one in self.seen if one[1] == path]

    def close(self):
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()


class HttpCall(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.web = Web()
        self.addCleanup(self.web.close)
        self.bundle = self.scene.path("web")
        for name, text in {"aios.yaml": MANIFEST, "workflows/ask.yaml": FLOW,
                           "policies/egress.rego": POLICY}.items():
            self.scene.write("web/" + name, text)

    def serve(self, patience="PT1S"):
        self.scene.server = Server(self.scene.folder, {"AIOS_SECRET_WEB_TOKEN": TOKEN}).start()
        done = self.scene.cli("deploy", self.bundle, "--set", f"web={self.web.url}",
                              "--set", f"patience={patience}")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def start(self, method, path, **more):
        run = self.scene.api().want("POST", "/api/v1/runs", {
            "workflow": "web/ask",
            "input": {"method": method, "url": path if "//" in path else self.web.url + path, **more}})
        return run["id"]

    def settled(self, run, *statuses):
        return self.scene.api().run_when(run, statuses or ("completed", "faulted"), 40)

    def test_answers_and_failures_come_out_by_class(self):
        plan = self.serve()
        self.assertIn(f"+ egress {self.web.url}", plan)
        runs = {path: (self.start(method, path), wanted) for method, path, wanted in (
            ("GET", "/good", 200), ("GET", "/slow/1", 200), ("GET", "/cut/1", 200),
            ("GET", "/fail/2", 200), ("PUT", "/lost/1", 200), ("GET", "/missing", 404),
            ("GET", "/away", 302), ("GET", "/huge", 500), ("GET", "/forbidden", 403),
            ("GET", "http://127.0.0.1:9/elsewhere", 403))}
        for path, (run, wanted) in runs.items():
            output = self.settled(run)["output"]
            self.assertEqual(output.get("statusCode", output.get("status")), wanted, (path, output))
        for path, times in (("/slow/1", 2), ("/cut/1", 2), ("/fail/2", 3), ("/lost/1", 2),
                            ("/missing", 1), ("/away", 1), ("/huge", 1), ("/forbidden", 0)):
            self.assertEqual(len(self.web.at(path)), times, path)
        keys = {one[2].get("idempotency-key") for one in self.web.at("/lost/1")}
        self.assertEqual(len(keys), 1)
        self.assertNotIn(None, keys)
        self.assertEqual(self.web.at("/good")[0][2]["authorization"], f"Bearer {TOKEN}")
        text = json.dumps(list(self.scene.api().pages("/api/v1/runs")))
        self.assertNotIn(TOKEN, text)
        folder, _ = self.scene.audit_log()
        wait_for(lambda: len(entries_of(folder)) > 20, "the leaves are folded")
        log = "\n".join(entries_of(folder))
        self.assertNotIn(TOKEN, log)
        self.assertIn(self.web.url, log)

    def test_a_post_whose_answer_is_lost_happens_once_and_a_person_says_so(self):
        self.serve()
        run = self.start("POST", "/lost/9", body={"a": 1})
        view = self.settled(run, "incident")
        self.assertEqual(len(self.web.at("/lost/9")), 1)
        done = self.scene.cli("runs", "resolve", run, view["incident"], "happened", "--result",
                              '{"statusCode": 200}')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.settled(run)["status"], "completed")
        self.assertEqual(len(self.web.at("/lost/9")), 1)

    def test_a_post_with_a_key_of_its_own_is_sent_again_with_it(self):
        self.serve()
        run = self.start("POST", "/lost/2", headers={"Idempotency-Key": "order-1"})
        self.assertEqual(self.settled(run)["output"]["statusCode"], 200)
        self.assertEqual([one[2]["idempotency-key"] for one in self.web.at("/lost/2")],
                         ["order-1"] * 3)

    def test_a_kill_during_the_call(self):
        self.serve("PT30S")
        post, put = self.start("POST", "/hold"), self.start("PUT", "/hold/1")
        wait_for(lambda: self.web.at("/hold") and self.web.at("/hold/1"), "both are under way")
        self.scene.restart("kill")
        self.web.hold.set()
        self.settled(post, "incident")
        self.assertEqual(self.settled(put)["output"]["statusCode"], 200)
        self.assertEqual(len(self.web.at("/hold")), 1)
        first, second = self.web.at("/hold/1")
        self.assertEqual(first[2]["idempotency-key"], second[2]["idempotency-key"])

    def test_check_and_test_know_it(self):
        self.scene.write("web/workflows/ask.yaml", FLOW.replace(
            "{uri: '${ .url }', ", "{uri: 'https://elsewhere.test/a', "))
        done = aios("check", self.bundle, "--set", "web=http://127.0.0.1:9")
        self.assertEqual(done.returncode, 1)
        self.assertIn("AIOS-1062", done.stdout + done.stderr)
        self.assertIn("workflows/ask.yaml:11:", done.stdout + done.stderr)
        self.scene.write("web/workflows/ask.yaml", FLOW.replace(
            "use: {", "schedule: {on: {one: {with: {type: t.asked}}}}\nuse: {").replace(
            "${ .url }", "${ .[0].data.url }").replace("${ .method }", "GET").replace(
            "${ .headers // {} }", "${ {} }").replace("              body: '${ .body }'\n", ""))
        self.scene.write("web/tests/ask.yaml", """
given:
  parameters: {web: 'http://127.0.0.1:8089'}
scenarios:
  - name: an answer comes
    event: {type: t.asked, data: {url: 'http://127.0.0.1:8089/a'}}
    systems:
      GET http://127.0.0.1:8089/a: [{status: 503}, {status: 200, body: {x: 1}}]
    expect:
      status: completed
      output: {statusCode: 200, content: {x: 1}}
      requests: ['GET http://127.0.0.1:8089/a', 'GET http://127.0.0.1:8089/a']
""")
        done = aios("test", self.bundle)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
