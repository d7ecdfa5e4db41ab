# SPDX-License-Identifier: Apache-2.0
"""Peers that lie, hang, flood and never end: 10,000 half-open connections, clients that do not read, systems
that answer anything but HTTP, and names that nobody answers for. Whoever behaves is served all the while."""

import json
import os
import resource
import select
import socket
import struct
import threading
import time
import unittest

from harness import FAULTS, Scene, Server, wait_for

MANIFEST = """name: web
version: 1.0.0
needs:
  secrets: [key]
  egress:
"""
FLOW = """
document: {dsl: '1.0.3', namespace: web, name: NAME, version: '1.0.0'}
do:
  - ask:
      try:
        - send:
            call: http
            with: {method: '${ .method }', endpoint: '${ .url }', output: response}
            TIMEOUT
      catch:
        as: problem
        do:
          - tell: {set: {status: '${ $problem.status }', detail: '${ $problem.detail }'}}
"""
OPINION = """
document: {dsl: '1.0.3', namespace: web, name: opinion, version: '1.0.0'}
do:
  - ask:
      try:
        - infer:
            call: infer:1.0.0@default
            with: {model: '${ .model }', input: {text: hello}}
            timeout: {after: PT6S}
      catch:
        as: problem
        do:
          - tell: {set: {status: '${ $problem.status }'}}
"""
TELL = """
document: {dsl: '1.0.3', namespace: web, name: tell, version: '1.0.0'}
do:
  - tell: {emit: {event: {with: {type: '${ .type }', source: /web, data: {n: 1}}}}}
"""
MODEL = """name: NAME
provider: openai
url: 'URL/v1'
model: m
region: eu
secret: key
labels: [good, bad]
price: {currency: EUR, inputPerMillion: 0, outputPerMillion: 0}
timeout: PT1S
limits: {retries: 1}
owner: o@example.com
intendedUse: A test.
"""
ALLOWED = "package aios.{}\n\nimport rego.v1\n\ndefault allow := false\n\nallow if true\n"
LIMIT = 64 << 20  # what a peer sends at most; far more than anybody here should take


def flood(connection, head, part):
    connection.sendall(head)
    for _ in range(LIMIT // len(part)):
        connection.sendall(part)


def drip(connection, head, part):
    connection.sendall(head)
    for _ in range(6000):  # longer than anybody here waits
        connection.sendall(part)
        time.sleep(0.05)


def never(connection):
    connection.settimeout(None)  # until the other side has had enough
    while connection.recv(65536):
        pass


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LIES = {
    "garbage": lambda c: c.sendall(os.urandom(4096) + b"\r\n\r\n"),
    "another protocol": lambda c: c.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "endless head": lambda c: flood(c, OK, b"X-More: " + b"x" * 1000 + b"\r\n"),
    "endless line": lambda c: flood(c, b"HTTP/1.1 200 ", b"x" * 65536),
    "endless interim": lambda c: flood(c, b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "endless body": lambda c: flood(c, OK + b"Transfer-Encoding: chunked\r\n\r\n",
                                    b"10000\r\n" + b" " * 65536 + b"\r\n"),
    "endless chunk size": lambda c: flood(c, OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 65536),
    "endless extension": lambda c: flood(c, OK + b"Transfer-Encoding: chunked\r\n\r\n1;a=", b"x" * 65536),
    "endless trailer": lambda c: flood(c, OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
                                       b"X-More: " + b"x" * 1000 + b"\r\n"),
    "endless without length": lambda c: flood(c, OK + b"\r\n", b" " * 65536),
    "slow head": lambda c: drip(c, OK, b"X"),
    "slow body": lambda c: drip(c, OK + b"Content-Length: 5000\r\n\r\n", b" "),
    "never": never,
    "closed": lambda c: None,
    "reset": reset,
    "cut body": lambda c: c.sendall(OK + b"Content-Length: 100\r\n\r\n{\"a\":"),
    "huge length": lambda c: c.sendall(OK + b"Content-Length: 99999999999999999999\r\n\r\n{}"),
    "negative length": lambda c: c.sendall(OK + b"Content-Length: -2\r\n\r\n{}"),
    "two lengths": lambda c: c.sendall(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    "length and chunks": lambda c: c.sendall(OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked"
                                             b"\r\n\r\n{}"),
    "no JSON": lambda c: c.sendall(OK + b"Content-Length: 5\r\n\r\n{\"a\":"),
    "deep JSON": lambda c: c.sendall(OK + b"Content-Length: 200000\r\n\r\n" + b"[" * 100000
                                     + b"]" * 100000),
    "no UTF-8": lambda c: c.sendall(OK + b"Content-Length: 4\r\n\r\n\"\xff\xfe\""),
}
# A handshake that comes to nothing: certainly nothing was sent.
TLS_LIES = {
    "no TLS": lambda c: c.sendall(OK + b"\r\n"),
    "TLS garbage": lambda c: c.sendall(b"\x16\x03\x03\x40\x00" + os.urandom(16384)),
    "endless TLS": lambda c: flood(c, b"", b"\x16\x03\x03\x00\x04\x00\x00\x00\x00" * 1000),
    "TLS never": never,
    "TLS closed": lambda c: None,
}


class Liar:
    """One system. Does as its lie says until it is told to be good."""

    def __init__(self, lie=None, scheme="http", host="127.0.0.1"):
        self.lie, self.seen, self.lock = lie, [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"{scheme}://{host}:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        with connection:
            try:
                connection.settimeout(10)
                asked = connection.recv(65536)
                with self.lock:
                    self.seen.append(asked)
                if self.lie is not None:
                    self.lie(connection)
                    return
                body = json.dumps({"choices": [{"message": {
                    "content": '{"label": "good", "confidence": 0.9}'},
                                                "finish_reason": "stop"}],
                                   "usage": {"prompt_tokens": 1, "completion_tokens": 1}}).encode()
                connection.sendall(OK + b"Connection: close\r\nContent-Length: %d\r\n\r\n%s"
                                   % (len(body), body))
                connection.shutdown(socket.SHUT_WR)
                connection.recv(65536)
            except OSError:
                pass  # whoever asked has left

    def close(self):
        self.listener.close()


def resident(process):
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Systems(unittest.TestCase):
    """What the server asks."""

    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)

    def liar(self, *arguments, **more):
        liar = Liar(*arguments, **more)
        self.addCleanup(liar.close)
        return liar

    def deploy(self, liars, models=None, **environment):
        self.scene.server = Server(self.scene.folder, {
            "AIOS_SECRET_KEY": "whsec_" + "a" * 32, **environment}).start()
        files = {"aios.yaml": MANIFEST + "".join(
            f"    - {{origin: '{liar.url}', region: eu, private: true, timeout: PT1S}}\n"
            for liar in liars) + "budgets: [{name: all, currency: EUR, window: month, limit: 5}]\n",
            "workflows/hurry.yaml": FLOW.replace("NAME", "hurry").replace(
                "TIMEOUT", "timeout: {after: PT6S}"),
            "workflows/ask.yaml": FLOW.replace("NAME", "ask").replace("TIMEOUT", ""),
            "workflows/opinion.yaml": OPINION, "workflows/tell.yaml": TELL}
        for point in ("connector_egress", "pre_model_call", "post_model_call"):
            files[f"policies/{point}.rego"] = ALLOWED.format(point)
        for name, liar in (models or {}).items():
            files[f"models/{name}.yaml"] = MODEL.replace("NAME", name).replace("URL", liar.url)
            files[f"subscriptions/{name}.yaml"] = (
                f"name: {name}\nregion: eu\nsecret: key\nurl: '{liar.url}/events'\n"
                f"types: [told.{name}]\ntimeout: PT1S\nretry: {{first: PT1S, most: PT2S}}\n")
        for name, text in files.items():
            self.scene.write("web/" + name, text)
        done = self.scene.cli("deploy", self.scene.path("web"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def start(self, method, url, workflow="hurry"):
        return self.scene.api().want("POST", "/api/v1/runs", {
            "workflow": f"web/{workflow}", "input": {"method": method, "url": url}})["id"]

    def of(self, workflow, **given):
        return self.scene.api().want("POST", "/api/v1/runs", {
            "workflow": f"web/{workflow}", "input": given})["id"]

    def good_one_is_answered(self, good):
        run = self.scene.api().run_when(self.start("GET", good.url + "/good"), seconds=10)
        self.assertEqual(run["output"].get("statusCode"), 200, run)

    def test_whatever_a_system_answers_is_an_error_or_an_incident_and_nothing_is_lost(self):
        good = self.liar()
        plain = {name: self.liar(lie) for name, lie in LIES.items()}
        secure = {name: self.liar(lie, "https") for name, lie in TLS_LIES.items()}
        posted = {name: self.liar(lie) for name, lie in LIES.items()}
        models = {"garbage": self.liar(LIES["garbage"]), "never": self.liar(never),
                  "endless": self.liar(LIES["endless body"])}
        told = {name: self.liar(liar.lie) for name, liar in models.items()}
        self.deploy([good, *plain.values(), *secure.values(), *posted.values()], models)
        for name, liar in told.items():  # receivers of their own: a breaker is of one system
            path = f"web/subscriptions/{name}.yaml"
            with open(self.scene.path(path), encoding="utf-8") as file:
                text = file.read()
            self.scene.write(path, text.replace(models[name].url, liar.url))
        done = self.scene.cli("deploy", self.scene.path("web"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.good_one_is_answered(good)
        before = resident(self.scene.server)
        reads = {name: self.start("GET", liar.url) for name, liar in (plain | secure).items()}
        writes = {name: self.start("POST", liar.url, "ask") for name, liar in posted.items()}
        opinions = {name: self.of("opinion", model=name) for name in models}
        for name in told:
            self.of("tell", type=f"told.{name}")
        self.good_one_is_answered(good)
        api = self.scene.api()
        for name, run in reads.items():
            output = api.run_when(run, seconds=40)["output"]
            self.assertIn(output.get("status"), (408, 500, 503), (name, output))
            self.assertLessEqual(len((plain | secure)[name].seen), 8, name)
        for name, run in writes.items():
            view = api.run_when(run, ("incident",), 40)
            self.assertEqual(len(posted[name].seen), 1, (name, view))
        for name, run in opinions.items():
            view = api.run_when(run, seconds=40)
            self.assertGreaterEqual(view["output"].get("status", 0), 400, (name, view))
        self.assertLess(resident(self.scene.server) - before, 100 << 20)
        self.good_one_is_answered(good)

        # They come to their senses, and all that was asked is done.
        for liar in [*posted.values(), *models.values(), *told.values()]:
            liar.lie = None
        for name, run in writes.items():
            incident = api.want("GET", f"/api/v1/runs/{run}")["incident"]
            api.want("POST", f"/api/v1/runs/{run}/resolve",
                     {"incident": incident, "resolution": "retry"})
        for name, run in writes.items():
            self.assertEqual(api.run_when(run)["output"].get("statusCode"), 200, name)
            self.assertEqual(len(posted[name].seen), 2, name)
        wait_for(lambda: len(list(api.pages("/api/v1/deliveries?status=delivered"))) == len(told),
                 "everybody was told in the end", 20, 0.1)
        for name in models:
            view = api.run_when(self.of("opinion", model=name))
            self.assertEqual(view["output"].get("label"), "good", (name, view))
        self.assertEqual(self.scene.server.stop(), 0)

    def test_what_comes_behind_an_answer_is_the_answer_to_nothing(self):
        forged = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

        def lie(connection):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
            connection.sendall(forged)
            never(connection)  # it is open, and would do for another call
        more = self.liar(lie)
        self.deploy([more])
        for _ in range(4):
            run = self.scene.api().run_when(self.start("GET", more.url))
            self.assertEqual(run["output"].get("content"), "good", run)
        self.assertEqual(len(more.seen), 4)

    @unittest.skipUnless(os.path.exists(FAULTS), f"SKIPPED: without {FAULTS} no name hangs")
    def test_names_that_are_unknown_or_hang_hold_up_nobody_else_and_their_runs_wait(self):
        names = self.scene.write("names", "gone.test=none\nslow.test=hang\ngood.test=127.0.0.1\n")
        good, gone, slow = (self.liar(host=f"{host}.test") for host in ("good", "gone", "slow"))
        self.deploy([good, gone, slow], LD_PRELOAD=FAULTS, AIOS_FAULTS_NAMES=names)
        api = self.scene.api()
        waiting = [self.start("POST", liar.url, "ask") for liar in (slow, gone) for _ in range(4)]
        hasty = self.start("GET", slow.url)  # has six seconds, whatever the name server does
        for _ in range(4):
            self.good_one_is_answered(good)
        self.assertEqual(api.run_when(hasty, seconds=10)["output"].get("status"), 408)
        for run in waiting:
            self.assertIn(api.want("GET", f"/api/v1/runs/{run}")["status"], ("waiting", "running"))
        wait_for(lambda: any("host name not found" in api.want(  # those behind it say: breaker
            "GET", f"/api/v1/runs/{run}/explain")["text"] for run in waiting[4:]), "one says why")
        self.assertEqual(self.scene.server.stop(), 0)  # though a look-up hangs
        self.scene.write("names", "gone.test=127.0.0.1\nslow.test=127.0.0.1\n")
        self.scene.server.start()
        for run in waiting:
            self.assertEqual(self.scene.api().run_when(run)["output"].get("statusCode"), 200)
        self.assertEqual((len(gone.seen), len(slow.seen)), (4, 4))


class Clients(unittest.TestCase):
    """Who asks the server."""

    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        cls.count = min(10_000, (hard - 512) // 9 * 8)  # as many as the server takes
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.with_server()

    def connect(self, number):
        """From one of four addresses: one alone has a share."""
        connection = socket.socket()
        connection.settimeout(20)
        connection.bind((f"127.0.0.{2 + number % 4}", 0))
        connection.connect(("127.0.0.1", self.scene.server.port))
        return connection

    def works(self):
        """Somebody new comes, asks, and changes something."""
        api = self.scene.api()
        self.assertEqual(api.call("GET", "/readyz"), (200, "ready\n"))
        api.want("POST", "/api/v1/keys", {"name": "more", "roles": ["auditor"]})

    def read_to_the_end(self, held, seconds):
        """-> how many were answered 408 before they were closed; all are closed."""
        late, open_ones = 0, {connection.fileno(): connection for connection in held}
        poll = select.epoll()
        for number in open_ones:
            poll.register(number, select.EPOLLIN)
        end = time.monotonic() + seconds
        while open_ones and time.monotonic() < end:
            for number, _ in poll.poll(0.5):
                try:
                    answer = open_ones[number].recv(4096)
                except OSError:
                    answer = b""
                if answer:
                    late += answer.startswith(b"HTTP/1.1 408 ")
                else:
                    poll.unregister(number)
                    del open_ones[number]
        poll.close()
        self.assertEqual(len(open_ones), 0, f"of {len(held)} are still open")
        return late

    def test_ten_thousand_half_open_connections(self):
        before, held = resident(self.scene.server), []
        try:
            for number in range(self.count):
                held.append(self.connect(number))
            for connection in held:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHos")  # and no more
            gauge = f"aios_http_connections {self.count}"
            wait_for(lambda: float(self.scene.api().want("GET", "/metrics").split(
                "\naios_http_connections ")[1].split()[0]) >= self.count - 50, gauge, 10)
            self.works()
            self.assertLess(resident(self.scene.server) - before, 25_000 * self.count)
            late = self.read_to_the_end(held, 20)
            self.assertGreaterEqual(late, self.count * 9 // 10)
            self.works()
        finally:
            for connection in held:
                connection.close()

    def test_who_does_not_read_costs_little_and_holds_up_nobody(self):
        before, held = resident(self.scene.server), []
        asked = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        try:
            for number in range(50):
                connection = self.connect(number)
                held.append(connection)
                connection.setblocking(False)
                try:
                    while True:  # as many requests as the kernel takes
                        connection.send(asked * 500)
                except BlockingIOError:
                    pass
            for _ in range(5):
                self.works()
            self.assertLess(resident(self.scene.server) - before, 60 << 20)
            held[0].setblocking(True)  # and who begins to read is given its answers
            held[0].settimeout(10)
            self.assertTrue(held[0].recv(4096).startswith(b"HTTP/1.1 200 "))
        finally:
            for connection in held:
                connection.close()


if __name__ == "__main__":
    unittest.main()
