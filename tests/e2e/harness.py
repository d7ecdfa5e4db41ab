# SPDX-License-Identifier: Apache-2.0
"""Starts the real binary and the example's help desk for tests, and talks to both.

The binary is named by AIOS_BINARY. Every process listens on a port of its own choice on the
loopback, works in a temporary folder and is ended by its own id.
"""

import base64
import http.client
import importlib.util
import json
import mmap
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DESK_BUNDLE = os.path.join(ROOT, "examples", "support-desk")
MODEL_PROGRAM = os.path.join(DESK_BUNDLE, "secondopinion", "modelserver.py")
DESK_PROGRAM = os.path.join(DESK_BUNDLE, "helpdesk", "helpdesk.py")
BINARY = os.path.abspath(os.environ.get("AIOS_BINARY", os.path.join(ROOT, "build", "dev", "aios")))
# In front of libc (tests/faults); not built where sanitizers want to be first.
FAULTS = os.environ.get("AIOS_FAULTS", os.path.join(os.path.dirname(BINARY), "tests", "faults",
                                                    "libaios_faults.so"))
TICKET = "com.example.support.ticket.created.v1"
SETTLED = ("completed", "faulted", "cancelled")

sys.path.append(os.path.join(ROOT, "build", "python"))  # what ./dev setup loads for tests
try:
    from standardwebhooks import Webhook
except ImportError:  # a machine without a Python index
    Webhook = None

# Lines that the intent model is sure of (checked by the tests that use them).
SURE_CASE = "Where is my order? The tracking number has not been updated for days."
SURE_REFUND = "I sent the item back two weeks ago, please refund my money."
UNSURE = "Do you know a good recipe for apple pie?"


class Unreachable(Exception):
    """No whole answer came; what was sent may have arrived."""


def clean_environment(more=None):
    """Ours, without any setting a developer may have for aios."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIOS_", "HELPDESK_"))}
    return {**kept, **(more or {})}


def wait_for(probe, what, seconds=30.0, pause=0.02):
    """The first true value of probe(); AssertionError naming `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:g} s still not: {what}")
        time.sleep(pause)


class Process:
    """A program that writes its port into a ready file; its output goes to a log file."""

    def __init__(self, folder, name, environment=None):
        self.folder, self.name = folder, name
        self.log_path = os.path.join(folder, f"{name}.log")
        self.ready_path = os.path.join(folder, f"{name}.ready")
        self.environment = environment or {}
        self.process, self.port = None, 0

    def launch(self, arguments):
        if os.path.exists(self.ready_path):
            os.remove(self.ready_path)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True,
                                            env=clean_environment(self.environment))

    def wait_ready(self, seconds=60.0):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode} before it "
                                     f"was ready:\n{self.log()[-3000:]}")
            return os.path.exists(self.ready_path)
        wait_for(ready, f"{self.name} is ready", seconds)
        with open(self.ready_path, encoding="ascii") as file:
            self.port = int(file.read().strip())

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def kill(self):
        if self.alive():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds=20.0):
        """SIGTERM; -> exit code."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end {seconds:g} s after SIGTERM:\n"
                                 f"{self.log()[-3000:]}") from None


class Outside(Process):
    """One of the systems outside: what reached it stands in a database of its own."""

    def __init__(self, folder, name, environment=None):
        super().__init__(folder, name, environment)
        self.db_path = os.path.join(folder, f"{name}.db")

    def rows(self, sql, *values):
        db = sqlite3.connect(self.db_path, timeout=10)
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()


class HelpDesk(Outside):
    TOKEN = "helpdesk-token-canary-5f1d"

    def __init__(self, folder, faults="", seed=1):
        super().__init__(folder, "helpdesk", {"HELPDESK_TOKEN": self.TOKEN})
        self.faults, self.seed = faults, seed

    def start(self, port=0):
        self.launch([sys.executable, DESK_PROGRAM, "--db", self.db_path, "--port", str(port),
                     "--ready-file", self.ready_path, "--faults", self.faults,
                     "--seed", str(self.seed)])
        self.wait_ready()
        return self

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def set_faults(self, spec, **more):
        status, answer = Api(self.port, self.TOKEN).call("POST", "/_faults", {"spec": spec, **more})
        assert status == 200, answer

    @staticmethod
    def seed_rows():
        """The help desk's own customers and orders: [(id, email, ...)], [(id, customer, ...)]."""
        spec = importlib.util.spec_from_file_location("helpdesk", DESK_PROGRAM)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.seed_rows()


class ModelServer(Outside):
    """Somebody else's model: counts what reaches it in a database of its own."""

    TOKEN = "model-key-canary-77a2"

    def __init__(self, folder):
        super().__init__(folder, "models")

    def start(self, port=0, slow_seconds=3.0):
        self.launch([sys.executable, MODEL_PROGRAM, "--db", self.db_path, "--port", str(port),
                     "--ready-file", self.ready_path, "--token", self.TOKEN,
                     "--slow-seconds", str(slow_seconds)])
        self.wait_ready()
        return self

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def fail(self, kind, count):
        status, answer = Api(self.port, self.TOKEN).call("POST", "/faults",
                                                         {"kind": kind, "count": count})
        assert status == 200, answer


class Server(Process):
    def __init__(self, folder, environment=None):
        super().__init__(folder, "server", {"AIOS_SECRET_HELPDESK_TOKEN": HelpDesk.TOKEN,
                                            "AIOS_SECRET_SECOND_OPINION_KEY": ModelServer.TOKEN,
                                            **(environment or {})})
        self.data = os.path.join(folder, "data")

    def start(self, *arguments, port=0):
        self.launch([BINARY, "serve", "--data", self.data, "--listen", f"127.0.0.1:{port}",
                     "--ready-file", self.ready_path, *arguments])
        self.wait_ready()
        return self

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def first_key(self):
        with open(os.path.join(self.data, "first-key"), encoding="ascii") as file:
            return file.read().strip()

    def api(self, token=None):
        return Api(self.port, self.first_key() if token is None else token)


class Clocks:
    """What a server with this environment() takes for the time of the wall and for the steady one."""

    def __init__(self, path):
        with open(path, "wb") as file:
            file.write(bytes(16))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 16)
        self.path, self.wall, self.steady = path, 0, 0

    def environment(self, **more):
        return {"LD_PRELOAD": FAULTS, "AIOS_FAULTS_CLOCK": self.path, **more}

    def set(self, wall, steady=0):
        """Seconds ahead of the true time."""
        struct.pack_into("<q", self.map, 8, steady * 10**9)
        struct.pack_into("<q", self.map, 0, wall * 10**9)
        self.wall, self.steady = wall, steady

    def time(self):
        return int(time.time()) + self.wall


class Api:
    """JSON over kept-alive HTTP, one connection a thread."""

    def __init__(self, port, token="", seconds=30.0):
        self.port, self.token, self.seconds = port, token, seconds
        self._local = threading.local()

    def __del__(self):
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()

    def exchange(self, method, path, body=None, headers=None):
        """-> (status, headers with lower-case names, bytes)"""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.seconds)
            self._local.connection = connection
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            raw = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self._local.connection = None
            raise Unreachable(repr(error)) from None
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, raw

    def call(self, method, path, body=None, headers=None):
        """-> (status, parsed JSON, or text where it is none)"""
        status, _, raw = self.exchange(method, path, body, headers)
        try:
            return status, json.loads(raw) if raw else None
        except ValueError:
            return status, raw.decode("utf-8", "replace")

    def want(self, method, path, body=None, headers=None):
        """The answer of a call that must succeed."""
        status, answer = self.call(method, path, body, headers)
        if not 200 <= status < 300:
            raise AssertionError(f"{method} {path} was answered {status}: {answer}")
        return answer

    def pages(self, path):
        joiner, after = "&" if "?" in path else "?", ""
        while True:
            page = self.want("GET", f"{path}{joiner}limit=200{'&after=' + after if after else ''}")
            yield from page["items"]
            after = page.get("next")
            if not after:
                return

    def send(self, event, headers=None):
        """One CloudEvent in structured mode. -> (status, answer)"""
        return self.call("POST", "/api/v1/events", event,
                         {"Content-Type": "application/cloudevents+json", **(headers or {})})

    def run_when(self, run_id, statuses=SETTLED, seconds=30.0):
        """The run once its status is one of these (or it waits for a person, with "review")."""
        def there():
            run = self.want("GET", f"/api/v1/runs/{run_id}")
            if run["status"] in statuses:
                return run
            if "review" in statuses and "review" in (run.get("waiting_for") or ""):
                return run
            if "incident" in statuses and "incident" in (run.get("waiting_for") or ""):
                return run
            return None
        return wait_for(there, f"run {run_id} is {' or '.join(statuses)}", seconds, 0.03)


def ticket_event(number, body, customer=None, order=None, event_id=None, subject=None, **more):
    """customer, order: rows of HelpDesk.seed_rows()."""
    data = {"ticket": f"T-{number:05d}", "body": body}
    if customer:
        data["from"] = customer[1]
    if order:
        data["order"] = order[0]
    data.update(more)
    event = {"specversion": "1.0", "id": event_id or f"mail-{number:05d}", "source": "/test/mail",
             "type": TICKET, "datacontenttype": "application/json", "data": data}
    if subject:
        event["subject"] = subject
    return event


def bundle_files(directory, replaced=None):
    """The files of a bundle as POST /api/v1/deployments takes them."""
    files = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), directory)
            if path.split(os.sep)[0] in ("workflows", "policies", "models", "datasets",
                                         "connectors", "forms", "knowledge") or path == "aios.yaml":
                with open(os.path.join(folder, name), "rb") as file:
                    files[path.replace(os.sep, "/")] = file.read()
    if not any(path.startswith("sources/") for path in files):  # nor then a secret of theirs
        files["aios.yaml"] = files.get("aios.yaml", b"").replace(b", shop-webhook", b"")
    files.update(replaced or {})
    return {path: base64.b64encode(raw).decode() for path, raw in files.items()}


def aios(*arguments, environment=None, timeout=120, cwd=None, stdin=None):
    """Runs the command line to its end. -> CompletedProcess with text."""
    return subprocess.run([BINARY, *arguments], timeout=timeout, text=True, check=False, cwd=cwd,
                          stdin=subprocess.DEVNULL if stdin is None else stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=clean_environment(environment))


class Scene:
    """A temporary folder with, on demand, a help desk and a server that runs the support desk."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="aios-e2e-")
        self.desk = self.server = None
        self.keys = {}

    def close(self):
        for process in (self.server, self.desk):
            if process is not None and process.alive():
                process.kill()
        if os.environ.get("AIOS_KEEP"):
            print(f"kept: {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def with_server(self, *arguments):
        self.server = Server(self.folder).start(*arguments)
        return self

    def with_desk(self, faults="", seed=1):
        self.desk = HelpDesk(self.folder, faults, seed).start()
        return self

    def key(self, role):
        """The secret of a key with that role, made once."""
        if role not in self.keys:
            made = self.server.api().want("POST", "/api/v1/keys", {"name": role, "roles": [role]})
            self.keys[role] = made["secret"]
        return self.keys[role]

    def api(self, role=None):
        return self.server.api(self.key(role) if role else None)

    def cli(self, *arguments, role=None, environment=None):
        """The command line against the running server, with the key of a role (else the first)."""
        key = self.key(role) if role else self.server.first_key()
        return aios(*arguments, environment={"AIOS_SERVER": self.server.url, "AIOS_KEY": key,
                                             **(environment or {})})

    def deploy(self, replaced=None, **parameters):
        return self.api().want("POST", "/api/v1/deployments",
                               {"files": bundle_files(DESK_BUNDLE, replaced),
                                "parameters": {"helpdesk_url": self.desk.url, **parameters}})

    def train(self):
        """By a developer's key, promoted by an approver's."""
        made = self.api("developer").want("POST", "/api/v1/models/intent/train")
        self.api("approver").want("POST", "/api/v1/models/intent/aliases/intent",
                                  {"version": made["version"]})
        return made

    def support_desk(self, faults="", seed=1):
        """Help desk and server up, bundle deployed, model serving."""
        self.with_desk(faults, seed).with_server()
        self.deploy()
        self.train()
        self.customers, self.orders = HelpDesk.seed_rows()
        return self

    def small_orders(self):
        """[(order row, its customer row)] with an amount a refund needs no person for."""
        by_id = {row[0]: row for row in self.customers}
        return [(order, by_id[order[1]]) for order in self.orders if order[4] <= 10000]

    def restart(self, how="kill"):
        """The same data directory again, after SIGKILL or an orderly stop."""
        if how == "kill":
            self.server.kill()
        else:
            self.server.stop()
        self.server.start()

    def audit_log(self):
        """-> (directory, verifier key) of the tenant's audit log, folded up to now."""
        state = self.api().want("GET", "/api/v1/audit")
        return os.path.join(self.server.data, "audit", state["tenant"]), state["verifier_key"]


def entries_of(folder):
    """Every leaf of an audit log, as text (from the widest file of each bundle)."""
    bundles = {}
    for where, _, names in os.walk(os.path.join(folder, "tile", "entries")):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as file:
                raw = file.read()
            index = path.rpartition(".p/")[0] or path
            if len(raw) >= len(bundles.get(index, b"")):
                bundles[index] = raw
    leaves = []
    for _, raw in sorted(bundles.items()):
        at = 0
        while at < len(raw):
            size = struct.unpack(">H", raw[at:at + 2])[0]
            leaves.append(raw[at + 2:at + 2 + size].decode())
            at += 2 + size
    return leaves
