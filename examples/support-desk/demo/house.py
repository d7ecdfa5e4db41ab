# SPDX-License-Identifier: Apache-2.0
"""What runs in the demo: the help desk, the model server and the server itself, their folder, and
the command line as a user would use it. Every process is ended by its own id."""

import base64
import fcntl
import os
import re
import secrets
import shutil
import subprocess
import sys

from processes import Api, Child, DemoError

HERE = os.path.dirname(os.path.abspath(__file__))
BUNDLE = os.path.dirname(HERE)
ROOT = os.path.normpath(os.path.join(BUNDLE, "..", ".."))

FAULTS = ",".join((
    "find_customer.error=0.03", "find_customer.slow=0.03:200", "find_order.error=0.03",
    "open_case.lost=0.06", "open_case.error=0.05", "open_case.throttle=0.02:1",
    "pay_refund.lost=0.10", "pay_refund.error=0.08", "pay_refund.throttle=0.02:1",
    "send_notice.error=0.05", "send_notice.slow=0.10:200"))
ORDERS = 6400  # of the help desk: the burst's tickets have orders of their own


def runs_in(folder, pid):
    """Whether that id is still a program of ours: ids are used again, and the dead leave rests."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return folder.encode() in file.read()
    except OSError:
        return False


class House:
    def __init__(self, options, say):
        self.options, self.say = options, say
        self.folder = os.path.join(ROOT, "build", "demo")
        self.data = os.path.join(self.folder, "data")
        self.desk_db = os.path.join(self.folder, "helpdesk.db")
        self.desk_token = secrets.token_urlsafe(24)
        self.children = []
        self.kills = 0
        self.keys = {}
        self.lock = None  # an open file: another demo in this checkout would delete our folder
        self.models_db = os.path.join(self.folder, "models.db")
        self.models_token = secrets.token_urlsafe(24)
        self.shop_secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        self.desk = self.server = self.models = None

    def path(self, name):
        return os.path.join(self.folder, name)

    @property
    def inbox(self):
        """Where sources of kind `file` look."""
        return self.path("inbox")

    def prepare(self):
        if not (os.path.isfile(self.options.aios) and os.access(self.options.aios, os.X_OK)):
            raise DemoError(f"no program at {self.options.aios}: build it first (./dev build), or "
                            "name it with --aios")
        self.take_lock()
        pids = self.path("pids")
        if os.path.exists(pids):
            with open(pids, encoding="ascii") as file:
                left = [pid for pid in map(int, file.read().split()) if runs_in(self.folder, pid)]
            if left:
                raise DemoError("an earlier demo (--keep) is still up; stop it with: kill "
                                + " ".join(map(str, left)))
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder, mode=0o700)
        os.makedirs(os.path.join(self.inbox, "letters"))

    def take_lock(self):
        """Held until this process ends, however it ends; beside the folder, which is deleted."""
        os.makedirs(os.path.dirname(self.folder), exist_ok=True)
        self.lock = open(self.folder + ".lock", "a+", encoding="ascii")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            with self.lock:
                self.lock.seek(0)
                process = self.lock.read().strip() or "unknown"
            raise DemoError(f"another demo is at work in this checkout (process {process}): wait "
                            "until it has ended, or stop it with Ctrl-C there") from None
        self.lock.truncate(0)
        self.lock.write(str(os.getpid()))
        self.lock.flush()

    def start_desk(self, port=0):
        desk = Child("the help desk",
                     [sys.executable, os.path.join(BUNDLE, "helpdesk", "helpdesk.py"),
                      "--db", self.desk_db, "--port", str(port), "--ready-file",
                      self.path("desk.ready"), "--faults", FAULTS, "--orders", str(ORDERS),
                      "--seed", str(self.options.seed)],
                     self.path("helpdesk.log"), self.path("desk.ready"),
                     {"HELPDESK_TOKEN": self.desk_token})
        self.children.append(desk)
        desk.wait_ready()
        self.desk = desk
        self.desk_api = Api(desk.port, self.desk_token)

    def kill_desk(self):
        """The business system dies with requests under way; up again on the same books."""
        port = self.desk.port
        self.desk.kill()
        self.kills += 1
        self.say(f"  SIGKILL to the help desk (pid {self.desk.pid}); starting it again")
        self.start_desk(port)

    def start_models(self):
        """Somebody else's model, in another region, which costs money."""
        models = Child("the model server",
                       [sys.executable, os.path.join(BUNDLE, "secondopinion", "modelserver.py"),
                        "--db", self.models_db, "--ready-file", self.path("models.ready"),
                        "--token", self.models_token],
                       self.path("models.log"), self.path("models.ready"))
        self.children.append(models)
        models.wait_ready()
        self.models = models

    def deploy(self):
        self.aios("deploy", BUNDLE, "--set", f"helpdesk_url=http://127.0.0.1:{self.desk.port}",
                  "--set", "second_opinion=true",
                  "--set", f"second_opinion_url=http://127.0.0.1:{self.models.port}/v1",
                  key=self.keys["admin"])

    def start_server(self, port=0):
        server = Child("the server",
                       [self.options.aios, "serve", "--data", self.data,
                        "--listen", f"127.0.0.1:{port}", "--ready-file", self.path("server.ready"),
                        "--watch-root", self.inbox],
                       self.path("server.log"), self.path("server.ready"),
                       {"AIOS_SECRET_HELPDESK_TOKEN": self.desk_token,
                        "AIOS_SECRET_SECOND_OPINION_KEY": self.models_token,
                        "AIOS_SECRET_SHOP_WEBHOOK": self.shop_secret})
        self.children.append(server)
        server.wait_ready()
        self.server = server

    def kill_server(self):
        """Like a power cut for the process: no warning, no clean-up. Then up again, same data."""
        self.server.kill()
        self.say(f"  SIGKILL to the server (pid {self.server.pid}); starting it again on the same "
                 "data")
        self.server_died()

    def server_died(self):
        """By whose hand ever: it is started again on its port."""
        self.kills += 1
        self.start_server(self.server.port)

    def stop(self):
        for child in reversed(self.children):
            child.stop()

    def aios(self, *arguments, key):
        done = subprocess.run([self.options.aios, *arguments], timeout=170, text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              env={**os.environ, "AIOS_KEY": key,
                                   "AIOS_SERVER": f"http://127.0.0.1:{self.server.port}"})
        if done.returncode != 0:
            raise DemoError(f"aios {' '.join(arguments)} ended with {done.returncode}:\n"
                            f"{done.stdout.strip()}")
        return done.stdout

    def make_keys(self):
        with open(os.path.join(self.data, "first-key"), encoding="ascii") as file:
            found = re.search(r"aios_[A-Za-z0-9_-]+", file.read())
        if not found:
            raise DemoError(f"no key in {self.data}/first-key")
        self.admin = Api(self.server.port, found.group())
        self.keys = {"admin": found.group()}
        for name, roles in (("model engineer", ["developer"]), ("model approver", ["approver"]),
                            ("simulated reviewer", ["reviewer"]),
                            ("simulated approver", ["approver"]), ("viewer", ["reviewer"]),
                            ("mail gateway", ["ingest"]), ("back office", ["operator"])):
            made = self.admin.want("POST", "/api/v1/keys", {"name": name, "roles": roles})
            self.keys[name] = made["secret"]
