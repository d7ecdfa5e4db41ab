#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo of the support desk: real processes, real faults, and claims anybody can check.

Starts the help desk (with faults) and the server, deploys the bundle next to this file, trains and
promotes the intent model, sends tickets at a steady rate, kills the server in the middle, answers
reviews by a simulated reviewer, and compares the outcome with the help desk's own books.

    demo.py --aios PATH/TO/aios [--keep] [--seed N] [--rate N] [--count N] [--json FILE]
"""

import argparse
import fcntl
import os
import re
import secrets
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, os.path.join(HERE, "demo"))
import claims  # noqa: E402
import tickets  # noqa: E402
from people import Operator, Reviewer  # noqa: E402
from processes import Api, Child, DemoError, Unreachable  # noqa: E402
from screen import Screen  # noqa: E402
from sender import Sender  # noqa: E402

FAULTS = ",".join((
    "find_customer.error=0.03", "find_customer.slow=0.03:200", "find_order.error=0.03",
    "open_case.lost=0.06", "open_case.error=0.05", "open_case.throttle=0.02:1",
    "pay_refund.lost=0.10", "pay_refund.error=0.08", "pay_refund.throttle=0.02:1",
    "send_notice.error=0.05", "send_notice.slow=0.10:200"))
OUTAGE_SECONDS = 2.0
DRAIN_SECONDS = 75.0
WRONG_SHARE_MAX = 0.05
KIND_WRONG_SHARE_MAX = 0.25  # of one kind of ticket, where so many were automatic:
KIND_AUTOMATIC_MIN = 10
JSON_FILE = os.path.join("build", "demo-result.json")


def runs_in(folder, pid):
    """Whether that id is still a program of ours: ids are used again, and the dead leave rests."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return folder.encode() in file.read()
    except OSError:
        return False


class Demo:
    def __init__(self, options):
        self.options = options
        self.folder = os.path.join(ROOT, "build", "demo")
        self.data = os.path.join(self.folder, "data")
        self.desk_db = os.path.join(self.folder, "helpdesk.db")
        self.desk_token = secrets.token_urlsafe(24)
        self.children = []
        self.kills = 0
        self.lock = None  # an open file: another demo in this checkout would delete our folder
        self.reviewer = self.sender = self.operator = None
        drain = 12.0
        self.screen = Screen([
            ("Starting the help desk and the server", 2.0), ("Deploying the bundle", 1.0),
            ("Training the intent model; a second key promotes it", 8.0),
            (f"Sending {options.count} tickets at {options.rate:g} a second",
             options.count / options.rate),
            ("Waiting until every run has ended", drain), ("Checking the books", 3.0)],
            color=not options.no_color and "NO_COLOR" not in os.environ)

    # --- processes

    def path(self, name):
        return os.path.join(self.folder, name)

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

    def start_desk(self):
        desk = Child("the help desk",
                     [sys.executable, os.path.join(HERE, "helpdesk", "helpdesk.py"),
                      "--db", self.desk_db, "--port", "0", "--ready-file", self.path("desk.ready"),
                      "--faults", FAULTS, "--seed", str(self.options.seed)],
                     self.path("helpdesk.log"), self.path("desk.ready"),
                     {"HELPDESK_TOKEN": self.desk_token})
        self.children.append(desk)
        desk.wait_ready()
        self.desk = desk
        self.desk_api = Api(desk.port, self.desk_token)

    def start_server(self, port=0):
        server = Child("the server",
                       [self.options.aios, "serve", "--data", self.data,
                        "--listen", f"127.0.0.1:{port}", "--ready-file", self.path("server.ready")],
                       self.path("server.log"), self.path("server.ready"),
                       {"AIOS_SECRET_HELPDESK_TOKEN": self.desk_token})
        self.children.append(server)
        server.wait_ready()
        self.server = server

    def kill_server(self):
        """Like a power cut for the process: no warning, no clean-up. Then up again, same data."""
        port = self.server.port
        self.server.kill()
        self.kills += 1
        self.screen.line(f"  SIGKILL to the server (pid {self.server.pid}); starting it again "
                         "on the same data")
        self.start_server(port)

    def stop_all(self):
        for part in (self.sender, self.reviewer):
            if part is not None:
                part.stop()
        for child in reversed(self.children):
            child.stop()

    # --- the command line, as a user would use it

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
                            ("simulated reviewer", ["reviewer"]), ("mail gateway", ["ingest"])):
            made = self.admin.want("POST", "/api/v1/keys", {"name": name, "roles": roles})
            self.keys[name] = made["secret"]

    def train(self):
        self.aios("model", "train", "intent", key=self.keys["model engineer"])
        model = self.admin.want("GET", "/api/v1/models/intent")["versions"][-1]
        self.aios("model", "promote", f"intent@{model['version']}", "intent",
                  key=self.keys["model approver"])
        self.screen.line(f"  intent@{model['version']}: {model['examples']} examples, "
                         f"{model['heldout']['accuracy']:.3f} right on the held-out part, "
                         f"data {model['dataset_digest'][:12]}")

    # --- the tickets

    def rows(self):
        status, counts = self.admin.call("GET", "/api/v1/run-counts")
        if status != 200:
            raise Unreachable(f"answered {status}")
        books = claims.ledger(self.desk_db)
        sender, reviewer = self.sender, self.reviewer
        return [("tickets sent", sender.sent), ("accepted", sender.accepted),
                ("repeated, answered as before", sender.repeated), ("refused", sender.refused),
                ("sent again after no answer", sender.again), ("runs ended", counts["completed"]),
                ("runs under way", counts["running"]), ("runs waiting", counts["waiting"]),
                ("runs failed", counts["faulted"] + counts["cancelled"]),
                ("answered by the simulated reviewer", reviewer.answered),
                ("cases in the help desk", books["cases"]),
                ("refunds in the help desk, EUR", f"{books['cents'] / 100:.2f}"),
                ("requests the help desk got", books["attempts"]),
                ("of them met by a fault", books["faults"])]

    def show(self):
        try:
            self.screen.table(self.rows())
        except (Unreachable, sqlite3.OperationalError):
            pass  # the server is just starting again, or the help desk is writing: next time

    def send(self, work):
        truths = {t["data"]["ticket"]: t["truth"] for t in work if t["expect"] == "accepted"}
        self.reviewer = Reviewer(self.admin.with_token(self.keys["simulated reviewer"]), truths)
        self.sender = Sender(self.admin.with_token(self.keys["mail gateway"]), work,
                             self.options.rate)
        self.reviewer.start()
        self.sender.start()
        outage_at, kill_at = len(work) // 4, len(work) // 2
        while self.sender.is_alive():
            if outage_at is not None and self.sender.sent >= outage_at:
                outage_at = None
                self.desk_api.want("POST", "/_faults", {"outage_seconds": OUTAGE_SECONDS})
                self.screen.line(f"  the help desk hangs up on everybody for {OUTAGE_SECONDS:g} s")
            if kill_at is not None and self.sender.sent >= kill_at:
                kill_at = None
                self.kill_server()
            if not self.server.alive():
                raise DemoError(f"the server ended by itself with status "
                                f"{self.server.process.returncode}; the last of "
                                f"{self.server.log_path}:\n{self.server.log_tail()}")
            self.show()
            time.sleep(0.25)

    def drain(self):
        operator = self.operator = Operator(self.admin, self.desk_db)
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline:
            counts = self.admin.want("GET", "/api/v1/run-counts")
            if counts["running"] + counts["waiting"] == 0:
                break
            operator.round(self.sender.runs)
            self.show()
            time.sleep(0.4)
        if operator.settled:
            self.screen.line(f"  {operator.settled} incident(s) settled by the simulated operator, "
                             "who looked into the help desk")

    # --- what came of it

    def check(self):
        self.reviewer.stop()
        runs = list(self.admin.pages("/api/v1/runs"))
        audit = self.admin.want("GET", "/api/v1/audit")
        rows = claims.outcomes(runs, self.sender.runs)
        if not self.options.keep:
            self.stop_all()
        directory = os.path.join(self.data, "audit", audit["tenant"])
        verified, said = claims.verify_audit(self.options.aios, directory, audit["verifier_key"])
        books = claims.ledger(self.desk_db)
        claims.write_outcomes(self.path("outcomes.csv"), rows)
        claims.write_answers(self.path("sent.csv"), self.sender.answers)
        facts = claims.result(rows, books, self.sender, audit["leaves"], verified, self.kills,
                              self.screen.seconds())
        os.makedirs(os.path.dirname(os.path.abspath(self.options.json)), exist_ok=True)
        claims.write_result(self.options.json, facts)
        return self.report(facts, rows, books, directory, audit["verifier_key"], said)

    def report(self, facts, rows, books, directory, key, said):
        total = facts["automatic"] + facts["human"] + facts["waiting"] + facts["failed"]
        differ = claims.ticket_books_differ(rows, books)
        expected_refused = sum(t["expect"] == "refused" for t in self.work)
        automatic_cents = max((row["refund_expected_cents"] for row in rows
                               if row["outcome"] == "automatic"), default=0)
        aios = shlex.quote(os.path.relpath(self.options.aios))
        db = shlex.quote(os.path.relpath(self.desk_db))
        table = shlex.quote(os.path.relpath(self.path("outcomes.csv")))
        sent = shlex.quote(os.path.relpath(self.path("sent.csv")))
        sql = f"sqlite3 {db} "
        worst = claims.worst_kind(rows, KIND_AUTOMATIC_MIN)
        worst_share = worst[2] / worst[1] if worst else 0.0
        lines = [
            (facts["accepted"] == facts["automatic"] + facts["human"] == total,
             f"accepted {facts['accepted']} = automatic {facts['automatic']} + person "
             f"{facts['human']}; left waiting {facts['waiting']}, failed {facts['failed']}",
             f"cut -d, -f4 {table} | sort | uniq -c"),
            (facts["refused"] == expected_refused and not self.sender.surprises,
             f"refused {facts['refused']}: same event id, other content; {self.sender.repeated} "
             "exact repetitions got the first answer again",
             f"cut -d, -f4,5 {sent} | sort | uniq -c"),
            (not differ and books["orders_paid_twice"] == 0
             and facts["refunds_expected_cents"] == facts["refunds_ledger_cents"],
             f"refunds decided {facts['refunds_expected_cents'] / 100:.2f} EUR, in the help desk's"
             f" ledger {facts['refunds_ledger_cents'] / 100:.2f} EUR, ticket by ticket; orders paid"
             f" twice {books['orders_paid_twice']}",
             sql + '"select sum(amount_cents), count(*) - count(distinct order_id) from refunds"'
             f"; awk -F, '{{s+=$10}} END {{print s}}' {table}"),
            (facts["refunds_not_due_cents"] == 0,
             f"refunds beyond what was due for an order "
             f"{facts['refunds_not_due_cents'] / 100:.2f} EUR",
             f"awk -F, '$11 > 0' {table}"),
            (automatic_cents <= tickets.REFUND_LIMIT_CENTS,
             f"highest refund without a person {automatic_cents / 100:.2f} EUR, limit "
             f"{tickets.REFUND_LIMIT_CENTS / 100:.2f} EUR",
             f"grep ',automatic,' {table} | cut -d, -f10 | sort -n | tail -1"),
            (facts["cases_duplicated"] == 0,
             f"cases opened {facts['cases_opened']}, opened twice {facts['cases_duplicated']}, "
             f"in {facts['attempts']} requests ({books['faults']} met by a fault) and "
             f"{facts['kills']} kill",
             sql + '"select reference, count(*) from cases group by 1 having count(*) > 1"'),
            (facts["wrong_automatic"] <= WRONG_SHARE_MAX * facts["automatic"],
             f"wrong automatic answers {facts['wrong_automatic']} of {facts['automatic']} (at most "
             f"{WRONG_SHARE_MAX:.0%} wanted), of them out of scope "
             f"{facts['out_of_scope_answered']}; the model's accuracy over all tickets "
             f"{facts['accuracy']:.3f}", f"grep ',1$' {table}"),
            (worst_share <= KIND_WRONG_SHARE_MAX,
             f"worst of all kinds of ticket with {KIND_AUTOMATIC_MIN} automatic answers or more: "
             + (f"{worst[0]}, {worst[2]} of {worst[1]} wrong ({worst_share:.0%}" if worst
                else "none had so many (0%") + f", at most {KIND_WRONG_SHARE_MAX:.0%} wanted)",
             f"grep ',1$' {table} | cut -d, -f2 | sort | uniq -c"),
            (facts["audit_verified"], f"audit log of {facts['leaves']} leaves: {said}",
             f"{aios} audit verify {shlex.quote(os.path.relpath(directory))} "
             f"--key {shlex.quote(key)}"),
        ]
        self.screen.line()
        self.screen.line(self.screen.paint("What came of it, and how to check it by hand:", 1))
        for holds, text, command in lines:
            self.screen.claim(holds, text, command)
        self.screen.line(self.screen.paint("\nBy kind of ticket: accepted, automatic, of these wrong:",
                                           1))
        for kind, accepted, automatic, wrong in claims.by_kind(rows):
            share = f"{wrong / automatic:>5.0%}" if wrong else ""
            self.screen.line(f"  {kind:<14}{accepted:>5}{automatic:>5}{wrong:>5}{share}")
        problems = [part.problem for part in (self.reviewer, self.operator) if part.problem]
        for text in [*self.sender.surprises[:5], *problems]:
            self.screen.line(f"  ! {text}")
        if differ:
            self.screen.line(f"  ! refunds differ for {', '.join(differ[:10])}")
        self.screen.line(f"\n  {facts['seconds']:.0f} s; the figures: "
                         f"{os.path.relpath(self.options.json)}; every ticket: {table}")
        return all(holds for holds, _, _ in lines)

    def keep_up(self):
        pids = [child.pid for child in self.children if child.alive()]
        with open(self.path("pids"), "w", encoding="ascii") as file:
            file.write(" ".join(map(str, pids)))
        self.screen.line(
            f"\n  Still up: the server on http://127.0.0.1:{self.server.port}, the help desk on "
            f"http://127.0.0.1:{self.desk.port}")
        self.screen.command(f"{shlex.quote(os.path.relpath(self.options.aios))} runs list --data "
                            f"{shlex.quote(os.path.relpath(self.data))}", "  Try:  ")
        self.screen.command(f"kill {' '.join(map(str, pids))}", "  Stop: ")

    def run(self):
        self.prepare()
        try:
            self.work = tickets.make(self.options.seed, self.options.count)
        except ValueError as error:
            raise DemoError(str(error)) from None
        self.screen.stage()
        self.start_desk()
        self.start_server()
        self.screen.stage()
        self.make_keys()
        self.aios("deploy", HERE, "--set", f"helpdesk_url=http://127.0.0.1:{self.desk.port}",
                  key=self.keys["admin"])
        self.screen.stage()
        self.train()
        self.screen.stage()
        self.send(self.work)
        self.screen.stage()
        self.drain()
        self.screen.stage()
        holds = self.check()
        if self.options.keep:
            self.keep_up()
        return 0 if holds else 1


def arguments():
    parser = argparse.ArgumentParser(
        description="The demo of the support desk: sends tickets to a real server with faults "
                    "around it, and compares what came of them with the help desk's own books.",
        epilog="Ends with 0 when every claim holds, with 1 when one is broken or the demo could "
               "not run. One demo at a time in a checkout: it works in build/demo.")
    aios = os.path.join("build", "release", "aios")
    parser.add_argument("--aios", default=os.path.join(ROOT, aios), metavar="PROGRAM",
                        help=f"the aios program (default: {aios})")
    parser.add_argument("--keep", action="store_true",
                        help="leave server and help desk up afterwards, and say how to stop them")
    parser.add_argument("--seed", type=int, default=1, metavar="N",
                        help="of the tickets and the faults, any whole number (default: 1)")
    parser.add_argument("--rate", type=float, default=10.0, metavar="N",
                        help="tickets a second, 0.1 to 1000 (default: 10)")
    parser.add_argument("--count", type=int, default=340, metavar="N",
                        help="tickets, repeated ones included, 20 to 500 (default: 340)")
    parser.add_argument("--json", default=os.path.join(ROOT, JSON_FILE), metavar="FILE",
                        help=f"where the figures go (default: {JSON_FILE})")
    parser.add_argument("--no-color", action="store_true",
                        help="without colours, as with NO_COLOR in the environment")
    parser.add_argument("--check-options", action="store_true",
                        help="only say whether the options are right")
    options = parser.parse_args()
    if not 20 <= options.count <= 500 or not 0.1 <= options.rate <= 1000:
        parser.error("--count from 20 to 500 and --rate from 0.1 to 1000 wanted")
    options.aios = os.path.abspath(options.aios)
    return options


def interrupted(_signal, _frame):
    raise KeyboardInterrupt


def main():
    options = arguments()
    if options.check_options:
        return 0
    signal.signal(signal.SIGTERM, interrupted)
    demo = Demo(options)
    finished = False
    try:
        status = demo.run()
        finished = True
    except DemoError as error:
        demo.screen.clear()
        print(f"demo: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        demo.screen.clear()
        print("demo: interrupted, stopping what was started", file=sys.stderr)
        status = 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the cleaning up is not to be interrupted
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if not (options.keep and finished):
            demo.stop_all()
    return status


if __name__ == "__main__":
    sys.exit(main())
