# SPDX-License-Identifier: Apache-2.0
"""Secrets as canaries: used in calls that succeed and in every kind of failure, by systems that say them
back, and then looked for in all that is written, answered, printed, kept and backed up. Each is where it
belongs (which shows that the search finds it) and nowhere else."""

import base64
import http.client
import http.server
import json
import os
import ssl
import subprocess
import threading
import unittest
import urllib.parse

from harness import Scene, Server, aios, entries_of, wait_for
from test_sources import signed
from test_tls import Certificates

WEB, LOGIN, ERP, MODEL = ("wEb-canary-91xQ7", "clerk:pAss-canary-52vR3", "eRp-canary-64tK8",
                          "sk-cAnary-33nM1-vendor")
HOOK_KEY, TELL_KEY = b"hook key canary of 24 b", b"tell key canary of 24 b"
HOOK, TELL = ("whsec_" + base64.b64encode(key).decode() for key in (HOOK_KEY, TELL_KEY))
PHRASE = "pass phrase canary of nobody 17"
PASSWORD = "uRl-canary-80"  # typed where none belongs
CROOKED = "cRooked\x07canary-45"  # a secret that no header can carry
MANIFEST = """name: canary
version: 1.0.0
parameters: {web: {type: string}, api_token: {type: string}}
needs:
  secrets: [web-token, web-login, erp-token, model-key, shop-webhook, tell-key, crooked, crooked-key]
  egress: [ORIGINS]
budgets: [{name: all, currency: EUR, window: month, limit: 5}]
"""
ASK = """
document: {dsl: '1.0.3', namespace: canary, name: ask-NAME, version: '1.0.0'}
use: {secrets: [SECRET]}
do:
  - ask:
      try:
        - send:
            call: http
            with: {method: '${ .method }', endpoint: {uri: '${ .url }', authentication: {KIND: {use: SECRET}}}}
            timeout: {after: PT4S}
      catch:
        as: problem
        do:
          - tell: {set: {problem: '${ $problem }'}}
"""
# Without a word of the document on errors: they are the run's own.
CALL = """
document: {dsl: '1.0.3', namespace: canary, name: call, version: '1.0.0'}
do:
  - call:
      call: connector:1.0.0@default
      with: {connector: erp, operation: '${ .operation }', arguments: {path: '${ .path }'}}
      timeout: {after: PT4S}
"""
INFER = """
document: {dsl: '1.0.3', namespace: canary, name: infer, version: '1.0.0'}
do:
  - infer:
      call: infer:1.0.0@default
      with: {model: '${ .model }', input: {text: hello}}
      timeout: {after: PT4S}
  - emit: {emit: {event: {with: {type: canary.told, source: /canary, data: {n: 1}}}}}
"""
ORDER = """
document: {dsl: '1.0.3', namespace: canary, name: order, version: '1.0.0'}
schedule: {on: {one: {with: {type: shop.order}}}}
do:
  - take: {set: {got: '${ .[0].data.n }'}}
"""
CONNECTOR = """name: erp
kind: http
region: eu
baseUrl: "${params.web}"
auth: {bearer: {secret: erp-token}}
limits: {timeout: PT2S, retries: 1, breaker: {failures: 1000}}
operations:
  read:
    method: GET
    path: "/{path}"
    effect: read
    arguments: {type: object, required: [path], properties: {path: {type: string}}}
  act:
    method: POST
    path: "/{path}"
    effect: none
    resultSchema: {}
    arguments: {type: object, required: [path], properties: {path: {type: string}}}
"""
HOSTED = """name: NAME
provider: openai
url: '${params.web}/NAME'
model: m
region: eu
secret: model-key
labels: [good, bad]
price: {currency: EUR, inputPerMillion: 0, outputPerMillion: 0}
timeout: PT2S
limits: {retries: 0}
owner: o@example.com
intendedUse: A test.
"""
SOURCE = """kind: webhook
name: NAME
secrets: [SECRET]
event: {type: shop.order, data: '${ .body }'}
schema: {type: object, required: [n]}
"""
TELLING = """name: NAME
region: eu
secret: SECRET
url: '${params.web}/NAME'
types: ['canary.*']
timeout: PT2S
retry: {first: PT1S, most: PT1S, giveUpAfter: PT3S}
"""
ALLOWED = "package aios.{}\n\nimport rego.v1\n\ndefault allow := false\n\nallow if true\n"
LIES = ("400", "401", "403", "404", "409", "429", "500", "503", "302", "cut", "garbage", "json", "lost")


class Echo:
    """Says back all it was sent, in every failure: in the reason, in headers, in the body."""

    heard = []

    def __init__(self):
        echo = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def act(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                said = self.headers.get("Authorization", "none")
                echo.heard.append(f"{self.path} {self.headers}".encode() + body)
                what = self.path.split("/")[1]
                told = json.dumps({"error": {"code": said, "message": said, "type": said}, "said": said}).encode()
                if what in ("ok", "good", "tell"):
                    told = json.dumps({"choices": [{"message": {
                        "content": '{"label": "good", "confidence": 0.9}'},
                                                    "finish_reason": "stop"}],
                                       "usage": {"prompt_tokens": 1, "completion_tokens": 1}}).encode()
                    said, what = "none", "200"
                if what in ("garbage", "lost", "cut"):
                    self.close_connection = True
                    self.wfile.write({"garbage": f"{said}\r\n\r\n{said}".encode(), "lost": b"", "cut":
                                      b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + told}[what])
                    return
                status = int(what) if what.isdigit() else 200
                self.send_response(status, said if status != 200 else "OK")
                for name, value in (("Content-Type", "application/json"), ("WWW-Authenticate", said),
                                    ("X-Said", said), ("Location", f"http://127.0.0.1:9/?{said}"),
                                    ("Content-Length", str(len(told) - (what == "json")))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(told[:len(told) - (what == "json")])

            do_GET = do_POST = do_PUT = act

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def forms(raw):
    """What the bytes may look like in another one's text: base64 whatever stands before them, too."""
    out = {raw, raw.hex().encode(), raw.hex().upper().encode(), urllib.parse.quote(raw).encode(),
           json.dumps(raw.decode("latin-1"))[1:-1].encode()}
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw)
        middle = coded[(0, 2, 3)[shift]:len(coded) // 4 * 4 - 4]  # what no neighbour changes
        out |= {middle, middle.replace(b"+", b"-").replace(b"/", b"_")}
    return {form for form in out if len(form) >= 10}


class Canaries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = scene = Scene()
        cls.addClassCleanup(scene.close)
        cls.echo = Echo()
        cls.origins = {what: Echo() for what in ("ok", *LIES)}  # a breaker is of one
        for echo in (cls.echo, *cls.origins.values()):
            cls.addClassCleanup(echo.close)
        cls.said = {}  # where -> bytes
        cls.bundle()
        scene.server = Server(scene.folder, {
            "AIOS_SECRET_WEB_TOKEN": WEB, "AIOS_SECRET_WEB_LOGIN": LOGIN, "AIOS_SECRET_MODEL_KEY": MODEL,
            "AIOS_SECRET_TELL_KEY": TELL, "AIOS_SECRET_CROOKED": CROOKED,
            "AIOS_SECRET_CROOKED_KEY": CROOKED.replace("\x07", "")}).start("--log-level", "debug")
        folder = os.path.join(scene.server.data, "secrets")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for name, value in (("erp-token", ERP), ("shop-webhook", HOOK)):
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write(value + "\n")
        cls.keys = [scene.server.first_key(), *(scene.key(role) for role in ("operator", "ingest"))]
        cls.run_cli("deploy", scene.path("canary"), "--set", f"web={cls.echo.url}", "--set",
                    f"api_token={PASSWORD}")
        cls.work()
        cls.look()
        cls.mistakes()
        cls.copy()
        cls.tls()

    @classmethod
    def bundle(cls):
        origins = ", ".join(f"{{origin: '{one.url}', region: eu, private: true, timeout: PT2S}}"
                            for one in cls.origins.values())
        files = {"aios.yaml": MANIFEST.replace("ORIGINS", origins), "workflows/call.yaml": CALL, "workflows/infer.yaml": INFER,
                 "workflows/order.yaml": ORDER, "connectors/erp/connector.yaml": CONNECTOR,
                 "sources/shop.yaml": SOURCE.replace("NAME", "shop").replace("SECRET", "shop-webhook"),
                 "sources/bent.yaml": SOURCE.replace("NAME", "bent").replace("SECRET", "crooked-key")}
        for name, secret, kind in (("bearer", "web-token", "bearer"), ("basic", "web-login", "basic"),
                                   ("crooked", "crooked", "bearer")):
            files[f"workflows/ask-{name}.yaml"] = ASK.replace("NAME", name).replace(
                "SECRET", secret).replace("KIND", kind)
        for point in ("connector_egress", "pre_model_call", "post_model_call", "event_admit"):
            files[f"policies/{point}.rego"] = ALLOWED.format(point)
        for name in ("good", *LIES):
            files[f"models/m{name}.yaml"] = HOSTED.replace("NAME", name).replace(
                f"name: {name}\n", f"name: m{name}\n", 1)
        for name, secret in (("tell", "tell-key"), ("500", "tell-key"), ("bent", "crooked-key")):
            files[f"subscriptions/s{name}.yaml"] = TELLING.replace("SECRET", secret).replace(
                "name: NAME", f"name: s{name}").replace("NAME", name)
        for name, text in files.items():
            cls.scene.write("canary/" + name, text)

    # --- what is done

    @classmethod
    def keep(cls, where, *texts):
        cls.said[where] = cls.said.get(where, b"") + b"\n".join(
            text.encode() if isinstance(text, str) else text for text in texts)

    @classmethod
    def run_cli(cls, *arguments, environment=None, code=0, role=None):
        done = cls.scene.cli(*arguments, environment=environment, role=role)
        name = " ".join(arguments)
        cls.keep(f"aios {name}", done.stdout, done.stderr)
        assert code is None or done.returncode == code, (name, done.returncode, done.stderr)
        return done

    @classmethod
    def ask(cls, method, path, body=None, token=None, headers=None):
        status, fields, raw = cls.scene.server.api(token).exchange(method, path, body, headers)
        cls.keep(f"{method} {path}", json.dumps(fields), raw)
        try:
            return status, json.loads(raw)
        except ValueError:
            return status, raw

    @classmethod
    def work(cls):
        """Every way out, with an answer of every kind, and the ways in."""
        started = []
        for what in ("ok", *LIES):
            url = cls.origins[what].url
            for name in ("bearer", "basic"):
                for method in ("GET", "POST", "PUT"):
                    started.append((f"ask-{name}", {"method": method, "url": f"{url}/{what}/{method}{name}"}))
            for operation in ("read", "act"):
                started.append(("call", {"operation": operation, "path": what}))
            started.append(("infer", {"model": "m" + ("good" if what == "ok" else what)}))
        started.append(("ask-crooked", {"method": "GET", "url": f"{cls.origins['ok'].url}/ok"}))
        cls.runs = [cls.ask("POST", "/api/v1/runs", {"workflow": f"canary/{name}", "input": given})[1]["id"]
                    for name, given in started]
        body = b'{"n": 1}'
        for at, headers in enumerate((signed(body, "c-1", key=HOOK_KEY), signed(body, "c-2", key=b"k"),
                                      signed(body, "c-3", key=HOOK_KEY, at=1), {})):
            for name in ("shop", "bent", "none"):
                answer = cls.ask("POST", f"/hooks/{name}", body, "", headers)
                assert name != "shop" or at > 0 or answer[0] == 202, answer
        for token in (cls.keys[0] + "x", cls.keys[0][:-1], "aios_" + "A" * 43):
            assert cls.ask("GET", "/api/v1/runs", token=token)[0] == 401
        cls.ask("GET", "/api/v1/keys", token=cls.keys[2])
        misplaced = cls.scene.api().exchange("GET", f"/api/v1/runs?token={cls.keys[1]}")
        cls.keep("a key in the query", json.dumps(misplaced[1]), misplaced[2])
        settled = ("completed", "faulted", "incident", "waiting")
        for run in cls.runs:
            cls.scene.api().run_when(run, settled, 40)
        wait_for(lambda: list(cls.scene.api().pages("/api/v1/deliveries?status=dead")), "one is dead", 30)

    @classmethod
    def look(cls):
        """Every command and list that shows something. What a system answers is content: sealed, and
        for those who may read content, whatever it says; so runs are looked at by an operator."""
        for run in cls.runs:
            for path in ("", "/explain", "/history"):
                cls.ask("GET", f"/api/v1/runs/{run}{path}", token=cls.keys[1])
            cls.ask("GET", f"/api/v1/runs/{run}/explain")  # and by an administrator, but for content
        for name in ("runs", "events", "reviews", "deliveries", "subscriptions", "deployments",
                     "deployments/current", "keys", "models", "budgets", "audit", "run-counts"):
            cls.ask("GET", f"/api/v1/{name}")
        for path in ("/metrics", "/readyz", "/healthz", "/openapi.json"):
            cls.ask("GET", path)
        for run in cls.runs[:12] + cls.runs[-3:]:
            cls.run_cli("runs", "show", run, role="operator")
            cls.run_cli("--json", "explain", run)
        for delivery in list(cls.scene.api().pages("/api/v1/deliveries"))[:6]:
            cls.run_cli("--json", "deliveries", "show", delivery["id"])
        for command in (("runs", "list"), ("events", "list"), ("deliveries", "list"), ("doctor",),
                        ("key", "list"), ("deployments", "list"), ("budgets", "list"), ("model", "list"),
                        ("runs", "export", "--format", "jsonl"), ("runs", "export", "--format", "csv"),
                        ("config", "--explain"), ("deploy", "--plan", cls.scene.path("canary")),
                        ("check", cls.scene.path("canary"))):
            cls.run_cli(*command, code=None)
        folder, _ = cls.scene.audit_log()
        cls.keep("the audit log", *entries_of(folder))

    @classmethod
    def mistakes(cls):
        """Mistakes with a secret in the hand."""
        key = cls.keys[0]
        for arguments, environment in (
                (("runs", "list", "--server", f"http://{PASSWORD}@127.0.0.1:1"), {}),
                (("runs", "list", "--server", f"http://u:{PASSWORD}@127.0.0.1:1"), {}),
                (("runs", "list"), {"AIOS_SERVER": "http://127.0.0.1:1"}),
                (("runs", "list"), {"AIOS_KEY": key + "x"}),
                (("runs", "list"), {"AIOS_KEY": key[:-2] + "\x07"}),
                (("runs", "list", "--key-file", cls.scene.path("none")), {}),
                (("deploy", cls.scene.path("canary"), "--set", f"api_tokne={PASSWORD}"), {}),
                (("deploy", cls.scene.path("canary"), "--set", "web=1", "--set", f"api_token={PASSWORD}"), {})):
            cls.run_cli(*arguments, environment=environment, code=None)
        cls.said = {name.replace(PASSWORD, "..."): text for name, text in cls.said.items()}

    @classmethod
    def copy(cls):
        scene = cls.scene
        scene.restart("kill")
        scene.server.stop()
        phrase = scene.write("phrase", PHRASE + "\n")
        wrong = scene.write("wrong-phrase", "another phrase, and a wrong one\n")
        made = aios("backup", scene.path("copy.archive"), "--keys", scene.path("copy.keys"),
                    "--passphrase-file", phrase, "--data", scene.server.data)
        assert made.returncode == 0, made.stderr
        for name, file in (("right", phrase), ("wrong", wrong)):
            done = aios("restore", scene.path("copy.archive"), "--keys", scene.path("copy.keys"),
                        "--passphrase-file", file, "--data", scene.path("restored-" + name))
            assert (done.returncode == 0) == (name == "right"), (name, done.stderr)
            cls.keep("aios restore", done.stdout, done.stderr)
        cls.keep("aios backup", made.stdout, made.stderr)

    @classmethod
    def tls(cls):
        """A server with TLS: its key is read, and told of in every mistake but by name."""
        folder = cls.scene.path("tls")
        os.mkdir(folder)
        certificates = Certificates(folder)
        cert, key = certificates.make("one")
        other, other_key = certificates.make("two")
        server = Server(folder)
        server.start("--tls-cert", cert, "--tls-key", key, "--log-level", "debug")
        context = ssl.create_default_context(cafile=certificates.ca)
        connection = http.client.HTTPSConnection("localhost", server.port, timeout=20, context=context)
        connection.request("GET", "/metrics", headers={"Authorization": "Bearer " + server.first_key()})
        cls.keep("GET /metrics over TLS", connection.getresponse().read())
        connection.close()
        cls.keys.append(server.first_key())
        cls.keep("aios doctor over TLS", aios("doctor", "--data", server.data).stdout)
        server.stop()
        damaged = cls.scene.path("tls", "damaged.key")
        with open(key, encoding="ascii") as file:
            text = file.read()
        with open(damaged, "w", encoding="ascii") as file:
            file.write(text.replace("\n", "\n\n", 2)[:-40])
        for pair in ((cert, other_key), (key, cert), (cert, damaged), (other, key), (key, key)):
            done = aios("serve", "--data", server.data, "--listen", "127.0.0.1:0", "--tls-cert", pair[0],
                        "--tls-key", pair[1], timeout=30)
            assert done.returncode == 1, (pair, done.stderr)
            cls.keep("aios serve with wrong files of TLS", done.stdout, done.stderr)
        der = [subprocess.run(["openssl", "ec", "-in", one, "-outform", "DER"], check=True,
                              capture_output=True).stdout for one in (key, other_key)]
        cls.tls_keys = [raw[7:39] for raw in der]  # the private number (SEC 1)
        cls.tls_lines = [line.encode() for line in text.splitlines() if "-" not in line and len(line) > 20]

    # --- what is looked for

    def kept(self):
        """(where, bytes) of all that anybody but the owner of the keys may come to see."""
        yield from self.said.items()
        own = {"root.key", "audit-signing.key", "first-key"}
        for folder in (self.scene.server.data, self.scene.path("restored-right"),
                       self.scene.path("restored-wrong"), self.scene.path("tls", "data")):
            for where, _, names in os.walk(folder):
                for name in names:
                    if name not in own and os.path.basename(where) != "secrets":
                        with open(os.path.join(where, name), "rb") as file:
                            yield os.path.relpath(os.path.join(where, name), self.scene.folder), file.read()
        for path in (self.scene.server.log_path, self.scene.path("copy.archive"), self.scene.path("copy.keys"),
                     self.scene.path("tls", "server.log")):
            with open(path, "rb") as file:
                yield os.path.basename(path), file.read()

    def nowhere(self, **secrets):
        seen, found = 0, []
        wanted = [(name, form) for name, raw in secrets.items()
                  for form in forms(raw.encode() if isinstance(raw, str) else raw)]
        for where, content in self.kept():
            seen += len(content)
            for name, form in wanted:
                at = content.find(form)
                if at >= 0:  # assertNotIn would print all of it
                    found.append(f"{name} is in '{where}': ...{content[max(0, at - 100):at]!r} HERE")
        self.assertEqual(found, [])
        self.assertGreater(seen, 1_000_000)

    def data_file(self, *names):
        with open(os.path.join(self.scene.server.data, *names), "rb") as file:
            return file.read()

    def test_the_search_finds_what_is_there(self):
        heard = b"\n".join(self.echo.heard)
        for secret in (WEB, ERP, MODEL, base64.b64encode(LOGIN.encode()).decode()):
            self.assertIn(secret.encode(), heard, "it was never used")
        self.assertIn(HOOK.encode(), self.data_file("secrets", "shop-webhook"))
        self.assertTrue(any(form in b'{"x":"' + base64.b64encode(b"Bearer " + WEB.encode()) + b'"}'
                            for form in forms(WEB.encode())))
        for what in LIES:
            for path in (f"/{what}/GETbearer", f"/{what}/chat/completions", f"/{what} "):
                self.assertTrue(any(one.startswith(path.encode()) for one in self.echo.heard), path)
        self.assertGreater(len(self.said), 200)

    def test_secrets_of_systems_are_nowhere(self):
        self.nowhere(web=WEB, login=LOGIN, password=LOGIN.partition(":")[2], erp=ERP, model=MODEL,
                     crooked=CROOKED, bent=CROOKED.replace("\x07", ""))

    def test_secrets_that_sign_are_nowhere(self):
        self.nowhere(hook=HOOK, hook_key=HOOK_KEY, tell=TELL, tell_key=TELL_KEY)

    def test_keys_of_the_api_are_nowhere(self):
        made = [f"POST {path}" for path in ("/api/v1/keys",)]
        self.assertFalse(set(made) & set(self.said))  # they are shown to who makes them, once
        self.nowhere(**{f"key{at}": key for at, key in enumerate(self.keys)})
        for at, key in enumerate(self.keys):
            self.nowhere(**{f"random{at}": key.partition("_")[2]})

    def test_keys_of_the_data_directory_are_nowhere(self):
        root = self.data_file("root.key")
        self.assertEqual(len(root), 32)
        seed = base64.b64decode(self.data_file("audit-signing.key").strip().split(b"+", 4)[4])[1:]
        self.assertEqual(len(seed), 32)
        self.nowhere(root=root, seed=seed)

    def test_passphrases_and_passwords_are_nowhere(self):
        self.nowhere(phrase=PHRASE, password=PASSWORD)

    def test_keys_of_tls_are_nowhere(self):
        self.nowhere(**{f"number{at}": raw for at, raw in enumerate(self.tls_keys)},
                     **{f"line{at}": raw for at, raw in enumerate(self.tls_lines)})


if __name__ == "__main__":
    unittest.main()
