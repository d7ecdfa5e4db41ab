# SPDX-License-Identifier: Apache-2.0
"""Bad input by every way in: each is refused with the page that explains it, and nothing that was accepted
is lost by it. A row says: what it is, how it comes in, the answer's status and page."""

import base64
import glob
import json
import os
import shutil
import socket
import sqlite3
import time
import unittest

from harness import ROOT, SURE_CASE, Api, Scene, Server, aios, ticket_event, wait_for
from test_sources import SECRET, signed

DEEP = b"[" * 100_000 + b"]" * 100_000
ALLOW = "package aios.{}\n\nimport rego.v1\n\ndefault allow := false\n\nallow if {}\n"
TASK = """
document: {{dsl: '1.0.3', namespace: bad, name: {0}, version: '1.0.0'}}
input: {{schema: {{format: json, document: {{type: object, required: [n], properties: {{n: {{type: number}}}}}}}}}}
do:
  - work: {{set: {{out: '${{ {1} }}'}}}}
"""
# Expressions that are good to read and without end to carry out, with the page of the run's error.
ENDLESS = {
    "recursion": ("def f: 1 + f; f", "AIOS-0109"),
    "tail-recursion": ("def f: f; f", "AIOS-0109"),
    "explosion": ("[range(1000000000)]", "AIOS-0109"),
    "doubling": ('reduce range(60) as $i ("x"; . + .) | length', "AIOS-0109"),
    "product": ("[range(3000) as $a | range(3000) as $b | range(3000) as $c | 1] | length", "AIOS-0109"),
    "nesting": ("reduce range(100000) as $i (0; [.])", "AIOS-0109"),
    "regex": ('("a" * 3000) + "b" | test("(a+)+(a+)+(a+)+$")', None),
    "no-value": ("empty", "AIOS-0110"),
    "several": (".n, .n", "AIOS-0110"),
    "wrong-type": (".n | length | .x", "AIOS-0108"),
}
BUNDLE = {
    "aios.yaml": "name: bad\nversion: 1.0.0\nneeds: {secrets: [shop-webhook]}\n",
    "policies/event_admit.rego": ALLOW.format("event_admit", 'startswith(input.event.type, "bad.")')
    + "\nallow if {\n\tinput.event.type == \"multiplies\"\n\tnumbers := numbers.range(1, 3000)\n"
      "\tcount({[a, b, c] | some a in numbers; some b in numbers; some c in numbers}) > 0\n}\n",
    "workflows/order.yaml": """
document: {dsl: '1.0.3', namespace: bad, name: order, version: '1.0.0'}
schedule: {on: {one: {with: {type: bad.order}}}}
input:
  schema:
    format: json
    document:
      type: array
      items: {type: object, properties: {data: {type: object, required: [n], properties: {n: {type: number}}}}}
do:
  - take: {set: {got: '${ .[0].data.n }'}}
""",
    "workflows/task.yaml": TASK.format("task", ".n"),
    "sources/shop.yaml": "kind: webhook\nname: shop\nsecrets: [shop-webhook]\n"
                         "event: {type: bad.order, data: '${ .body }'}\nschema: {type: object, required: [n]}\n",
    "sources/rows.yaml": "kind: file\nname: rows\nfolder: rows\npattern: '*.csv'\nformat: csv\nstable: PT0S\n"
                         "bytes_max: 100000\nevent: {type: bad.order, data: {n: '${ .record.n | tonumber }'}}\n",
    "sources/lines.yaml": "kind: file\nname: lines\nfolder: lines\npattern: '*.jsonl'\nformat: jsonl\n"
                          "stable: PT0S\nevent: {type: bad.order, data: '${ .record }'}\n",
    "sources/whole.yaml": "kind: file\nname: whole\nfolder: whole\npattern: '*.json'\nformat: json\n"
                          "stable: PT0S\nevent: {type: bad.order, data: '${ .record }'}\n",
    **{f"workflows/{name}.yaml": TASK.format(name, text) for name, (text, _) in ENDLESS.items()},
}


def event(number, **more):
    return {"specversion": "1.0", "id": f"e-{number}", "source": "/test", "type": "bad.order",
            "data": {"n": 1}, **more}


def with_data(number, raw):
    """An event whose data are these very bytes."""
    return json.dumps(event(number, data="HERE")).encode().replace(b'"HERE"', raw)


# name, body, status, page. What json says of a text is said where it came in.
TEXTS = [
    ("cut off", b'{"n": 1', 400, "AIOS-0001"),
    ("no JSON at all", b"n = 1", 400, "AIOS-0001"),
    ("empty", b"", 400, "AIOS-0001"),
    ("two values", b'{"n": 1} {"n": 2}', 400, "AIOS-0001"),
    ("deep nesting", b'{"n": ' + DEEP + b"}", 400, "AIOS-0001"),
    ("a number beyond a double", b'{"n": 1e999}', 400, "AIOS-0001"),
    ("an integer of 10,000 digits", b'{"n": ' + b"9" * 10_000 + b"}", 400, "AIOS-0001"),
    ("NaN", b'{"n": NaN}', 400, "AIOS-0001"),
    ("a key twice", b'{"n": 1, "n": 2}', 400, "AIOS-0001"),
    ("no UTF-8", b'{"n": "\xff\xfe"}', 400, "AIOS-0001"),
    ("an overlong form", b'{"n": "\xc0\xaf"}', 400, "AIOS-0001"),
    ("half a surrogate pair", b'{"n": "\\ud800"}', 400, "AIOS-0001"),
    ("a NUL", b'{"n": "a\x00b"}', 400, "AIOS-0001"),
    ("a byte order mark", b'\xef\xbb\xbf{"n": 1}', 400, "AIOS-0001"),
]
EVENTS = [
    ("a list", b"[1, 2]", 400, "AIOS-1201"),
    ("no attributes", b'{"n": 1}', 400, "AIOS-1201"),
    ("another version", json.dumps(event(1, specversion="9.9")).encode(), 400, "AIOS-1201"),
    ("an empty id", json.dumps(event("x", id="")).encode(), 400, "AIOS-1201"),
    ("a subject of ours", json.dumps(event(2, subject="aios:x")).encode(), 400, "AIOS-1201"),
    ("data twice", json.dumps(event(3, data_base64="AA==")).encode(), 400, "AIOS-1201"),
    ("no base64", json.dumps({**event(4), "data_base64": "!", "data": None}).encode(), 400, "AIOS-1201"),
    ("the source of a declared one", json.dumps(event(5, source="/hooks/shop")).encode(), 403, "AIOS-1214"),
    ("what no policy admits", json.dumps(event(6, type="other.order")).encode(), 403, "AIOS-0501"),
    ("a policy that multiplies", json.dumps(event(7, type="multiplies")).encode(), 403, "AIOS-0501"),
    ("too large", b'{"n": "' + b"x" * (1 << 20) + b'"}', 413, "AIOS-0303"),
]
# Kept with the reason: a person may mend it and replay it.
DEAD = [
    ("data that break the schema", event("d1", data={"m": 1}), "AIOS-1011"),
    ("a text for a number", event("d2", data={"n": "1"}), "AIOS-1011"),
    ("no data", event("d3", data=None), "AIOS-1011"),
    ("a type nobody takes", event("d4", type="bad.nobody"), None),
]
TASKS = [
    ("no object", b"[]", 400, "AIOS-1301"),
    ("no workflow", b"{}", 400, "AIOS-1301"),
    ("an unknown workflow", b'{"workflow": "bad/tsak", "input": {"n": 1}}', 404, "AIOS-1010"),
    ("an input that breaks the schema", b'{"workflow": "bad/task", "input": {"n": "1"}}', 400, "AIOS-1011"),
    ("no input", b'{"workflow": "bad/task"}', 400, "AIOS-1011"),
    ("a time-out that is none", b'{"workflow": "bad/task", "input": {"n": 1}, "timeout": "soon"}', 400,
     "AIOS-1320"),
    ("a callback nobody allowed", b'{"workflow": "bad/task", "input": {"n": 1}, "callback": '
     b'{"url": "http://127.0.0.1:9/x"}}', 403, "AIOS-0942"),
    ("a member nobody knows", b'{"workflow": "bad/task", "input": {"n": 1}, "timeuot": "PT1S"}', 400,
     "AIOS-1320"),
]
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\n"
# Sent as they are, with a request behind that must not be answered.
WIRE = [
    ("garbage", os.urandom(200) + b"\r\n\r\n", 400, "AIOS-0301"),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "AIOS-0309"),
    ("a head too large", GET + b"X-A: " + b"x" * 7000 + b"\r\n" + b"".join(
        b"X-%d: " % i + b"y" * 7000 + b"\r\n" for i in range(8)) + b"\r\n", 431, "AIOS-0302"),
    ("a line too long", GET + b"X-A: " + b"x" * 60_000 + b"\r\n\r\n", 431, "AIOS-0302"),
    ("too many fields", GET + b"a: b\r\n" * 5000 + b"\r\n", 431, "AIOS-0302"),
    ("a target too long", b"GET /" + b"x" * 60_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "AIOS-0302"),
    ("two lengths", POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", 400, "AIOS-0301"),
    ("length and chunks", POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     "AIOS-0301"),
    ("chunks twice", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, "AIOS-0301"),
    ("another coding", POST + b"Transfer-Encoding: gzip\r\n\r\n", 400, "AIOS-0301"),
    ("a folded line", GET + b"X-A: b\r\n c\r\n\r\n", 400, "AIOS-0301"),
    ("a blank before the colon", GET + b"X-A : b\r\n\r\n", 400, "AIOS-0301"),
    ("a bare line feed", b"GET /healthz HTTP/1.1\nHost: x\n\n", 400, "AIOS-0301"),
    ("no host", b"GET /healthz HTTP/1.1\r\n\r\n", 400, "AIOS-0301"),
    ("two hosts", GET + b"Host: y\r\n\r\n", 400, "AIOS-0301"),
    ("a path out of it", b"GET /docs/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 400, "AIOS-0306"),
    ("a hidden path out of it", b"GET /docs/%2e%2e/x HTTP/1.1\r\nHost: x\r\n\r\n", 400, "AIOS-0306"),
    ("a bad escape", b"GET /docs/%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, "AIOS-0306"),
]
# Of a bundle: file, text, what `aios check` says.
ALIASES = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}]\n"
    for old, new in zip("abcdefgh", "bcdefghi"))
FLOW = BUNDLE["workflows/task.yaml"]
FILES = [
    ("YAML that is none", "workflows/x.yaml", b"do: [", "AIOS-0100"),
    ("an alias bomb", "workflows/x.yaml", ALIASES.encode(), "AIOS-0101"),
    ("an alias of itself", "workflows/x.yaml", b"a: &a [*a]\n", "AIOS-0100"),
    ("deep YAML", "workflows/x.yaml", b"a: " + DEEP[:5000] + DEEP[-5000:] + b"\n", "AIOS-0101"),
    ("deep YAML by blanks", "workflows/x.yaml", b"".join(
        b" " * i + b"a:\n" for i in range(2000)), "AIOS-0101"),
    ("a key twice", "workflows/x.yaml", b"do: []\ndo: []\n", "AIOS-0100"),
    ("no UTF-8", "workflows/x.yaml", b"do: '\xff\xfe'\n", "AIOS-0100"),
    ("a NUL", "workflows/x.yaml", b"do: 'a\x00b'\n", "AIOS-0100"),
    ("a huge number", "workflows/x.yaml", FLOW.replace("'${ .n }'", "1e999").replace(
        "name: task", "name: x").encode(), "AIOS-0100"),
    ("YAML too large", "workflows/x.yaml", b"# " + b"x" * (5 << 20) + b"\n", "AIOS-"),
    ("an expression that is none", "workflows/x.yaml", FLOW.replace(".n }", ".n | }").encode(), "AIOS-1005"),
    ("an expression of 100,000 brackets", "workflows/x.yaml", FLOW.replace(
        ".n }", "(" * 100_000 + ")" * 100_000 + " }").encode(), "AIOS-1005"),
    ("a policy that is none", "policies/x.rego", b"package aios.model_promote\n\nallow if {", "AIOS-0502"),
    ("a policy that recurses", "policies/x.rego",
     b"package aios.model_promote\n\nimport rego.v1\n\nallow if a\n\na if b\n\nb if a\n", "AIOS-0502"),
    ("a policy with deep brackets", "policies/x.rego",
     b"package aios.model_promote\n\nimport rego.v1\n\nallow if " + DEEP[:20000] + DEEP[-20000:], "AIOS-0502"),
    ("a form that is no schema", "forms/x.json", b'{"type": "objekt"}', "AIOS-0105"),
    ("a form that is no JSON", "forms/x.json", b'{"type": ', "AIOS-0001"),
    ("a source that is none", "sources/x.yaml", b"kind: webhook\nname: x\nsecret: y\n", "AIOS-1220"),
    ("a manifest that is none", "aios.yaml", b"name: [\n", "AIOS-0100"),
]
CSV = [
    ("a row too short", "rows/{}.csv", b"n,t\n1,a\n2\n"),
    ("a quote never closed", "rows/{}.csv", b'n\n"1\n'),
    ("a column twice", "rows/{}.csv", b"n,n\n1,2\n"),
    ("no UTF-8", "rows/{}.csv", b"n\n\xff\xfe\n"),
    ("nothing", "rows/{}.csv", b""),
    ("more columns than may be", "rows/{}.csv", b",".join(b"c%d" % i for i in range(2000)) + b"\n"),
    ("too large", "rows/{}.csv", b"n\n" + b"1\n" * 60_000),
    ("a line that is no JSON", "lines/{}.jsonl", b'{"n": 1}\n{"n": \n'),
    ("deep nesting in a line", "lines/{}.jsonl", b'{"n": 1}\n' + DEEP + b"\n"),
    ("a key twice in a line", "lines/{}.jsonl", b'{"n": 1, "n": 2}\n'),
    ("no JSON", "whole/{}.json", b'{"n": '),
    ("a huge number", "whole/{}.json", b'{"n": 1e999}'),
]
SAID = set()  # every page that was seen


class Base(unittest.TestCase):
    def page_is_there(self, said, name):
        page = said.get("page") or ""
        self.assertRegex(page, r"^AIOS-\d{4}$", (name, said))
        self.assertTrue(os.path.exists(os.path.join(ROOT, "docs", "errors", page + ".md")), page)
        self.assertLess(len(said["detail"]), 2000, (name, "a message does not repeat what it was sent"))
        SAID.add(page)
        return page


class BadInput(Base):
    @classmethod
    def setUpClass(cls):
        cls.scene = scene = Scene()
        cls.addClassCleanup(scene.close)
        cls.root = scene.path("watched")
        for folder in ("rows", "lines", "whole"):
            os.makedirs(os.path.join(cls.root, folder))
        scene.server = Server(scene.folder, {"AIOS_SECRET_SHOP_WEBHOOK": SECRET}).start(
            "--watch-root", cls.root)
        for name, text in BUNDLE.items():
            scene.write("bad/" + name, text)
        done = scene.cli("deploy", scene.path("bad"))
        assert done.returncode == 0, done.stderr
        cls.pid, cls.number = scene.server.pid, 1000
        cls.taken = []  # runs of what was accepted

    def setUp(self):
        self.good()
        self.addCleanup(self.good)  # and after each kind of bad input, too

    def good(self):
        """A good message by each way in is taken, and comes to its end."""
        type(self).number += 1
        number, api = self.number, self.scene.api()
        status, sent = api.send(event(number, data={"n": number}))
        self.assertEqual((status, sent["status"]), (202, "accepted"))
        task = api.want("POST", "/api/v1/tasks", {"workflow": "bad/task", "input": {"n": number}})
        body = json.dumps({"n": number}).encode()
        status, hooked = self.hook(body, signed(body, f"m-{number}"))
        self.assertEqual((status, hooked["status"]), (202, "accepted"))
        self.drop(f"rows/good-{number}.csv", b"n\n%d\n" % number)
        run = api.want("GET", f"/api/v1/events/{hooked['id']}")["run"]
        for one in (sent["run"], task["id"], run):
            self.assertEqual(api.run_when(one)["status"], "completed")
            self.taken.append(one)
        wait_for(lambda: os.path.exists(os.path.join(self.root, "rows", "done", f"good-{number}.csv")),
                 "the good file is taken", 20)
        self.assertEqual(self.scene.server.pid, self.pid)
        self.assertTrue(self.scene.server.alive())

    def hook(self, body, headers, path="/hooks/shop"):
        return Api(self.scene.server.port).call("POST", path, body, headers)

    def drop(self, name, content):
        path = os.path.join(self.root, name)
        with open(path + ".part", "wb") as file:
            file.write(content)
        os.rename(path + ".part", path)

    def refused(self, answer, name, status, page):
        self.assertEqual((answer[0], answer[1].get("page")), (status, page), (name, answer))
        self.page_is_there(answer[1], name)

    def counts(self):
        return sum(1 for _ in self.scene.api().pages("/api/v1/runs"))

    def test_events(self):
        api, before = self.scene.api("ingest"), self.counts()
        for name, body, status, page in TEXTS + EVENTS:
            self.refused(api.send(body), name, status, page)
        for at, (name, body, status, page) in enumerate(TEXTS[3:]):
            self.refused(api.send(with_data(at, body)), "data: " + name, status, page)
        for content_type in ("application/cloudevents-batch+json", "application/cloudevents+avro"):
            answer = api.call("POST", "/api/v1/events", b"[]", {"Content-Type": content_type})
            self.refused(answer, content_type, 400, "AIOS-1202")
        binary = {"ce-specversion": "1.0", "ce-id": "b", "ce-source": "/x", "ce-type": "bad.order"}
        for name, more in (("an escape", {"ce-x": "%zz"}), ("no UTF-8", {"ce-x": "%ff"})):
            answer = api.call("POST", "/api/v1/events", b'{"n": 1}', {**binary, **more})
            self.refused(answer, name, 400, "AIOS-1201")
        first = event("same")
        self.assertEqual(api.send(first)[0], 202)
        self.refused(api.send({**first, "data": {"n": 2}}), "the id again", 409, "AIOS-1203")
        self.assertEqual(self.counts(), before + 1)

    def test_events_that_are_kept_as_dead_letters(self):
        api, before = self.scene.api(), self.counts()
        for name, one, page in DEAD:
            status, said = api.send(one)
            self.assertEqual((status, said["status"]), (202, "dead_letter"), name)
            kept = api.want("GET", f"/api/v1/events/{said['id']}")
            if page:
                self.assertIn(f"[{page}]", kept["reason"], name)
        self.assertEqual(self.counts(), before)

    def test_webhooks(self):
        before, good = self.counts(), b'{"n": 1}'
        now = int(time.time())
        for name, headers, path, status, page in (
                ("no signature", {}, "/hooks/shop", 401, "AIOS-1204"),
                ("a wrong signature", signed(good, "w-1", key=b"k" * 24), "/hooks/shop", 401, "AIOS-1204"),
                ("of another body", signed(b"{}", "w-2"), "/hooks/shop", 401, "AIOS-1204"),
                ("of another id", {**signed(good, "w-3"), "webhook-id": "w-4"}, "/hooks/shop", 401, "AIOS-1204"),
                ("of another time", {**signed(good, "w-5"), "webhook-timestamp": str(now - 1)},
                 "/hooks/shop", 401, "AIOS-1204"),
                ("no time", {**signed(good, "w-6"), "webhook-timestamp": "soon"}, "/hooks/shop", 401, "AIOS-1204"),
                ("an unknown source", signed(good, "w-7"), "/hooks/shpo", 401, "AIOS-1204"),
                ("too late", signed(good, "w-8", at=now - 400), "/hooks/shop", 400, "AIOS-1205"),
                ("too early", signed(good, "w-9", at=now + 400), "/hooks/shop", 400, "AIOS-1205")):
            self.refused(self.hook(good, headers, path), name, status, page)
        large = b'{"n": "' + b"x" * (1 << 20) + b'"}'
        self.refused(self.hook(large, signed(large, "w-l")), "too large", 413, "AIOS-0303")
        for at, (name, body, _, _) in enumerate(TEXTS):  # its sender is known: kept, with the reason
            status, said = self.hook(body, signed(body, f"t-{at}"))
            self.assertEqual((status, said.get("status")), (202, "dead_letter"), (name, said))
            reason = self.scene.api().want("GET", f"/api/v1/events/{said['id']}")["reason"]
            self.assertRegex(reason, r"\[AIOS-(1208|1209|0001)\]", name)
        self.assertEqual(self.counts(), before)

    def test_tasks_and_lists(self):
        api, before = self.scene.api(), self.counts()
        for name, body, status, page in TEXTS + TASKS:
            self.refused(api.call("POST", "/api/v1/tasks", body), name, status, page)
        for path in ("runs?limit=x", "runs?limit=0", "runs?limit=999999", "runs?nothing=1", "runs?status=x",
                     "events?status=x"):
            self.refused(api.call("GET", f"/api/v1/{path}"), path, 400, "AIOS-1302")
        answer = api.call("POST", "/api/v1/tasks", {"workflow": "bad/task", "input": {"n": 1}},
                          {"Idempotency-Key": "x" * 5000})
        self.refused(answer, "a key too long", 400, "AIOS-1306")
        self.refused(api.call("GET", "/api/v1/nothing"), "no path", 404, "AIOS-0304")
        self.refused(api.call("PATCH", "/api/v1/tasks"), "no method", 405, "AIOS-0305")
        self.refused(api.call("GET", "/api/v1/runs/run_nothing"), "no run", 404, "AIOS-1012")
        self.refused(self.scene.server.api("aios_x").call("GET", "/api/v1/runs"), "no key", 401, "AIOS-0510")
        self.refused(self.scene.api("ingest").call("GET", "/api/v1/keys"), "no role", 403, "AIOS-0511")
        self.assertEqual(self.counts(), before)

    def test_expressions_without_end(self):
        api = self.scene.api()
        runs = {name: api.want("POST", "/api/v1/tasks", {"workflow": f"bad/{name}", "input": {"n": 1}})["id"]
                for name in ENDLESS}
        self.assertEqual(api.call("GET", "/readyz")[0], 200)
        for name, run in runs.items():
            view, page = api.run_when(run, seconds=40), ENDLESS[name][1]
            if page:
                self.assertEqual(view["status"], "faulted", (name, view))
                self.assertIn(page, json.dumps(view["error"]), name)
        size = os.path.getsize
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            self.assertLess(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"), 600 << 20)
        self.assertGreater(size(self.scene.server.log_path), 0)

    def test_what_is_no_http(self):
        for name, raw, status, page in WIRE:
            with socket.create_connection(("127.0.0.1", self.scene.server.port), 20) as connection:
                try:
                    connection.sendall(raw + b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
                    connection.shutdown(socket.SHUT_WR)
                except OSError:
                    pass  # refused before it was all sent
                answer = b""
                try:
                    while part := connection.recv(65536):
                        answer += part
                except OSError:
                    pass
            head, _, body = answer.partition(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 %d " % status), (name, answer[:300]))
            self.assertIn(b"application/problem+json", head, name)
            said = json.loads(body)  # one answer alone: nothing behind it
            self.assertEqual(said["page"], page, name)
            self.page_is_there(said, name)

    def test_files(self):
        before = self.counts()
        for at, (name, path, content) in enumerate(CSV):
            self.drop(path.format(f"bad-{at}"), content)
        for at, (name, path, _) in enumerate(CSV):
            folder, file_name = os.path.split(path.format(f"bad-{at}"))
            told = os.path.join(self.root, folder, "failed", file_name + ".error.txt")
            wait_for(lambda told=told: os.path.exists(told), f"it is refused: {name}", 20)
            with open(told, encoding="utf-8") as file:
                self.assertRegex(file.read(), r"\[AIOS-(1211|0103|0104|0001)\]", name)
        self.assertEqual(self.counts(), before)

    def test_deployments(self):
        api = self.scene.api()
        number = api.want("GET", "/api/v1/deployments/current")["number"]
        for name, body, status, page in TEXTS[:4] + TEXTS[8:10]:
            self.refused(api.call("POST", "/api/v1/deployments", body), name, status, page)
        for name, files in (("no base64", {"aios.yaml": "!"}), ("a path out of it", {"../x.yaml": ""}),
                            ("no file at all", {})):
            status, said = api.call("POST", "/api/v1/deployments", {"files": files})
            self.assertIn(status, (400, 404), (name, said))
            self.page_is_there(said, name)
        files = {path: base64.b64encode(text.encode()).decode() for path, text in BUNDLE.items()}
        for name, path, content, page in FILES:
            if len(content) > 1 << 20:
                continue
            body = {"files": {**files, path: base64.b64encode(content).decode()}}
            status, said = api.call("POST", "/api/v1/deployments", body)
            self.assertIn(status, (400, 422), name)
            self.assertIn(page, json.dumps(said), name)
        self.assertEqual(api.want("GET", "/api/v1/deployments/current")["number"], number)


class CommandLine(Base):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)

    def test_bundles(self):
        for name, path, content, page in FILES:
            folder = self.scene.path("bundle")
            shutil.rmtree(folder, ignore_errors=True)
            for one, text in BUNDLE.items():
                self.scene.write("bundle/" + one, text)
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(content)
            done = aios("check", folder, timeout=60)
            self.assertEqual(done.returncode, 1, (name, done.stderr[:2000]))
            self.assertIn(page, done.stderr, name)
            self.assertIn(path, done.stderr, name)
            self.assertLess(len(done.stderr), 20_000, name)

    def test_settings(self):
        for name, text, page in (("no YAML", "listen: [", "AIOS-0100"), ("an alias bomb", ALIASES, "AIOS-0101"),
                                 ("a name nobody knows", "lisen: x\n", "AIOS-1460"),
                                 ("a wrong value", "threads: 9999\n", "AIOS-1461"),
                                 ("a list", "- a\n", "AIOS-1460")):
            path = self.scene.write("server.yaml", text)
            done = aios("serve", "--config", path, "--data", self.scene.path("data"), "--listen",
                        "127.0.0.1:0")
            self.assertEqual(done.returncode, 1, (name, done.stderr))
            self.assertIn(page, done.stderr, name)
        self.assertFalse(os.path.exists(self.scene.path("data", "journal.db")))

    def test_a_newer_data_directory_is_refused_and_left_as_it_is(self):
        self.scene.with_server()
        self.assertEqual(self.scene.server.stop(), 0)
        data = self.scene.server.data
        for name in ("journal.db", "tables.db", "keystore.db"):
            path = os.path.join(data, name)
            with sqlite3.connect(path) as db:
                version = db.execute("pragma user_version").fetchone()[0]
                db.execute(f"pragma user_version = {version + 1}")
            db.close()
            with open(path, "rb") as file:
                before = file.read()
            done = aios("serve", "--data", data, "--listen", "127.0.0.1:0")
            self.assertEqual(done.returncode, 1, name)
            self.assertIn("[AIOS-0408]", done.stderr)
            self.assertIn(name, done.stderr)
            with open(path, "rb") as file:
                self.assertEqual(file.read(), before, name)
            with sqlite3.connect(path) as db:
                db.execute(f"pragma user_version = {version}")
            db.close()
        self.scene.server.start()
        self.assertEqual(self.scene.server.api().call("GET", "/readyz")[0], 200)


class DamagedModel(Base):
    @staticmethod
    def models(scene):
        report = json.loads(scene.cli("doctor", "--json").stdout)
        return next(one for one in report["findings"] if one["part"] == "models")

    def test_its_version_serves_no_more_and_no_ticket_is_lost(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.with_desk().with_server()
        scene.deploy()
        blobs = os.path.join(scene.server.data, "blobs", "**")

        def files():
            return {path for path in glob.glob(blobs, recursive=True) if os.path.isfile(path)}
        before = files()
        scene.train()
        made = files() - before
        self.assertTrue(made)
        self.assertEqual(self.models(scene)["health"], "good")
        for path in made:
            with open(path, "r+b") as file:
                file.seek(os.path.getsize(path) // 2)
                byte = file.read(1)[0]
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte ^ 1]))
        told = self.models(scene)
        self.assertEqual(told["health"], "bad")
        self.assertRegex(told["found"], "alias 'intent': it serves until the next start: version 1 of 'intent': .*AIOS-0")
        scene.server.stop()
        scene.server.start()
        told = self.models(scene)
        self.assertEqual(told["health"], "bad")
        self.assertIn("what serves the alias 'intent' cannot be read", told["found"])
        self.assertIn("aios model promote", told["next"])
        self.assertRegex(scene.server.log(), r"AIOS-(0703|0410|0020)")
        customer = scene.desk.seed_rows()[0][3]
        status, sent = scene.api("ingest").send(ticket_event(1, SURE_CASE, customer))
        self.assertEqual(status, 202, sent)
        wait_for(lambda: "a model that serves" in scene.api().want(
            "GET", f"/api/v1/runs/{sent['run']}/explain")["text"], "the run waits for a model")
        scene.train()
        self.assertEqual(scene.api().run_when(sent["run"])["status"], "completed")
        self.assertEqual(self.models(scene)["health"], "good")


if __name__ == "__main__":
    unittest.main()
