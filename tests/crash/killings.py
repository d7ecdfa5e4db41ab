# SPDX-License-Identifier: Apache-2.0
"""What crash.py does: who is killed, when, and what else goes on meanwhile.

Beside the tickets, the server is asked for what seldom happens: a deployment, a training, a backup,
an event that leaves for a receiver. A row more:

  unheard   an event that an acknowledged run was to send and that the receiver never got
"""

import collections
import json
import os
import signal
import time

import trial  # sets the path for what follows
from failpoints import Failpoints
from harness import (DESK_BUNDLE, TICKET, Scene, Server, Unreachable, bundle_files, wait_for)
from test_tasks import SECRET, Receiver

PART_KILLS = 250
DESK_SHARE, BOTH_SHARE = 0.12, 0.12   # of the kills at random moments
HIT_SECONDS = 5.0       # for the server to come to a failpoint
ROUNDS_MAX = 3          # over the failpoints that were not hit before
# How late in a life: what every commit passes is hit at any of so many passes.
OFTEN = ("journal.before_write", "journal.before_sync", "commit.before_answer", "effect.before_send",
         "effect.after_send", "fold.before_commit", "fold.after_commit")
OFTEN_PASSES = 12
BARREN_KILLS = 4        # one after the other without an event that was taken in between
BARREN_SECONDS = 5.0    # for the next event after those

# One event leaves for the receiver, one starts another run.
TELL = """# %d
document: {dsl: '1.0.3', namespace: crash, name: tell, version: '1.0.0'}
do:
  - keep: {set: {n: '${ .n }'}, export: {as: .}}
  - one: {emit: {event: {with: {source: /crash/, type: crash.told, data: {n: '${ $context.n }'}}}}}
  - two: {emit: {event: {with: {source: /crash/, type: inside.told, data: {n: '${ $context.n }'}}}}}
"""
INSIDE = """
document: {dsl: '1.0.3', namespace: crash, name: inside, version: '1.0.0'}
schedule: {on: {one: {with: {type: inside.told}}}}
do:
  - take: {set: {n: '${ .[0].data.n }'}}
"""
OURS = ("crash/tell", "crash/inside")
ALLOW_EGRESS = """package aios.connector_egress

import rego.v1

allow if input.connector.name == "delivery/crash"
"""
ALLOW_EVENT = """package aios.event_admit

import rego.v1

allow if input.event.type == "inside.told"
"""
SUBSCRIPTION = """name: crash
region: eu
url: "%s/events"
types: ["crash.*"]
source: /crash/
secret: shop-key
timeout: PT2S
concurrency: 4
retry: {first: PT0.2S, most: PT1S, giveUpAfter: PT10M}
"""
SETTINGS = "retention: {runs: P8D, events: P8D}\n"


def read(*names):
    with open(os.path.join(DESK_BUNDLE, *names), encoding="utf-8") as file:
        return file.read()


class KilledScene(Scene):
    """The support desk, and a workflow whose event leaves for a receiver."""

    def __init__(self):
        super().__init__()
        self.receiver = Receiver()
        self.receiver.server.handle_error = lambda *_: None  # a sender that is killed is none
        self.failpoints = Failpoints(self.path("failpoints"))
        self.limit = 10000  # moved by each deployment, so that each differs from those before

    def close(self):
        super().close()
        self.receiver.close()

    def with_server(self, *arguments):
        self.server = Server(self.folder, {"AIOS_SECRET_SHOP_KEY": SECRET,
                                           **self.failpoints.environment()})
        self.server.start(*arguments)
        self.write(os.path.join(self.server.data, "server.yaml"), SETTINGS)  # from the next start on
        return self

    def files(self):
        manifest = read("aios.yaml").replace("shop-webhook", "shop-key")
        egress = read("policies", "connector_egress.rego").replace(
            'input.connector.name != "help-desk"',
            'not input.connector.name in {"help-desk", "delivery/crash"}').replace(
            "not operation in known", 'not operation in (known | {"event"})')
        admit = read("policies", "events.rego").replace(
            f'input.event.type != "{TICKET}"',
            f'not input.event.type in {{"{TICKET}", "inside.told"}}')
        changed = {"aios.yaml": manifest, "policies/connector_egress.rego": egress,
                   "policies/events.rego": admit, "policies/crash_egress.rego": ALLOW_EGRESS,
                   "policies/crash_event.rego": ALLOW_EVENT,
                   "workflows/tell.yaml": TELL % self.limit, "workflows/inside.yaml": INSIDE,
                   "subscriptions/crash.yaml": SUBSCRIPTION % self.receiver.url}
        return {path: text.encode() for path, text in changed.items()}

    def deploy(self, replaced=None, **parameters):
        return super().deploy({**self.files(), **(replaced or {})}, **parameters)


class Killing(trial.Trial):
    def __init__(self, options):
        super().__init__(options)
        self.scene.close()
        self.scene = KilledScene()
        self.victims = collections.Counter()
        self.told = set()      # numbers of runs that were acknowledged and are to send an event
        self.number = 0
        self.unheard = []
        self.taken = self.barren = 0

    def prepare(self):
        super().prepare()
        if self.options.failpoints == "all" and not self.scene.failpoints.lines():
            raise AssertionError("this build has no failpoints (AIOS_FAILPOINTS is OFF)")

    # --- what seldom happens

    def tell(self):
        self.number += 1
        status, _ = self.scene.api().call("POST", "/api/v1/runs",
                                          {"workflow": "crash/tell", "input": {"n": self.number}})
        if 200 <= status < 300:
            self.told.add(self.number)

    def deploy(self):
        self.scene.limit += 1
        self.scene.api().call("POST", "/api/v1/deployments", {
            "files": bundle_files(DESK_BUNDLE, self.scene.files()),
            "parameters": {"helpdesk_url": self.scene.desk.url,
                           "refund_limit_cents": self.scene.limit}})

    def train(self):
        self.scene.api().call("POST", "/api/v1/models/intent/train")

    def make_tenant(self):
        self.number += 1
        self.scene.api().call("POST", "/api/v1/tenants", {"name": f"t{self.number}", "region": "eu"})

    def back_up(self):
        self.number += 1
        self.scene.api().call("POST", "/api/v1/operate/backup",
                              {"directory": self.scene.path(f"backup-{self.number}")})

    def provoke(self, name):
        """Asks for what passes the failpoint; the others are passed by themselves."""
        asked = {"file": self.deploy, "deployment": self.deploy, "model": self.train,
                 "backup": self.back_up, "keystore": self.make_tenant, "outbox": self.tell,
                 "delivery": self.tell}
        work = asked.get(name.partition(".")[0])
        if work is not None:
            try:
                work()
            except Unreachable:
                pass

    # --- kills

    def kill_many(self):
        end = time.monotonic() + self.options.seconds
        if self.options.failpoints != "none":
            self.kill_at_failpoints(end)
        while self.kills < self.options.kills and time.monotonic() < end:
            self.let_live()
            self.kill_one()
            if self.kills % 20 == 0:
                self.say(f"crash: {self.kills} kills, {len(self.load.acknowledged)} events "
                         f"acknowledged, {max(0, end - time.monotonic()):.0f} s left at most")

    def let_live(self):
        """Often right after the start, when recovery runs; sometimes after a while. Kills that let
        nothing in would go on with the same backlog: after some of them until an event is taken."""
        time.sleep(self.random.choice((0.0, 0.02, 0.1, 0.3, 0.6, 1.2)) * self.random.random())
        taken = len(self.load.acknowledged)
        self.barren = self.barren + 1 if taken == self.taken else 0
        end = time.monotonic() + BARREN_SECONDS
        while self.barren >= BARREN_KILLS and time.monotonic() < end:
            if len(self.load.acknowledged) > taken:
                self.barren = 0
            time.sleep(0.02)
        self.taken = taken

    def draw(self):
        allowed = self.options.victims.split(",")
        number = self.random.random()
        victim = ("desk" if number < DESK_SHARE
                  else "both" if number < DESK_SHARE + BOTH_SHARE else "server")
        return victim if victim in allowed else self.random.choice(allowed)

    def kill_one(self):
        if not self.scene.server.alive():
            raise AssertionError("the server ended by itself:\n" + self.scene.server.log()[-3000:])
        victim = self.draw()
        if self.random.random() < 0.1:
            self.provoke("outbox")
        desk_port = self.scene.desk.port
        if victim != "server":
            self.scene.desk.kill()
        if victim != "desk":
            self.scene.server.kill()
        self.victims[victim] += 1
        self.kills += 1
        if victim == "both" and self.random.random() < 0.5:
            self.start_again()  # before the help desk is there
        if victim != "server":
            self.scene.desk.start(port=desk_port)
        if victim == "server" or (victim == "both" and not self.scene.server.alive()):
            self.start_again()

    def kill_at_failpoints(self, end):
        """Each in turn; what was not hit in its time is tried again, a few times."""
        failpoints = self.scene.failpoints
        for _ in range(ROUNDS_MAX):
            for name in failpoints.never_hit():
                if time.monotonic() > end or self.kills >= self.options.kills:
                    return
                self.kill_at(name)
        self.say(f"crash: {self.kills} kills, at {len(failpoints.lines())} failpoints")

    def kill_at(self, name):
        server = self.scene.server
        number = self.random.randint(1, OFTEN_PASSES) if name in OFTEN else 1
        server.kill()
        self.kills += 1
        self.victims["server"] += 1
        server.environment["AIOS_FAILPOINT"] = f"{name}:{number}"
        try:
            self.start_again()
            self.provoke(name)
            end = time.monotonic() + HIT_SECONDS
            while server.alive() and time.monotonic() < end:
                time.sleep(0.02)
        except AssertionError:
            if server.process.poll() != -signal.SIGKILL:
                raise
        finally:
            server.environment.pop("AIOS_FAILPOINT")
        if not server.alive():
            if server.process.returncode != -signal.SIGKILL:
                raise AssertionError("the server ended by itself:\n" + server.log()[-3000:])
            self.kills += 1
            self.victims["failpoint"] += 1
        else:
            server.kill()
        self.start_again()

    # --- what came of it

    def settle(self):
        super().settle()
        heard = self.scene.receiver
        try:
            wait_for(lambda: self.told <= self.heard() & self.inside(), "every event was heard",
                     30.0, 0.2)
        except AssertionError:
            self.unheard = [f"event {n} of an acknowledged run did not come"
                            for n in sorted(self.told - self.heard())]
        if heard.bad:
            self.unheard.append(f"{len(heard.bad)} requests to the receiver were not signed well")

    def heard(self):
        with self.scene.receiver.lock:
            return {event["data"]["n"] for _, _, event in self.scene.receiver.got}

    def inside(self):
        return {run["output"]["n"] for run in self.scene.api().pages(
            "/api/v1/runs?workflow=crash/inside&status=completed")}

    def books(self):
        runs, lost, doubled = super().books()
        ours = {run_id for run_id, run in runs.items() if run["workflow"] in OURS}
        doubled = [text for text in doubled if not any(f"run {run_id} " in text for run_id in ours)]
        inside = collections.Counter(run["output"]["n"] for run in runs.values()
                                     if run["workflow"] == "crash/inside")
        lost += [f"event {n} of an acknowledged run started none" for n in self.told - set(inside)]
        doubled += [f"event {n} started {times} runs" for n, times in inside.items() if times > 1]
        runs = {run_id: run for run_id, run in runs.items() if run_id not in ours}
        return runs, lost + self.unheard, doubled

    def bounds(self, done, statuses):
        rows = super().bounds(done, statuses)
        if self.options.failpoints == "all":
            missed = len(self.scene.failpoints.never_hit())
            rows.append(("failpoints missed", missed, "at most 0", missed == 0))
        return rows

    def report(self, runs, lost, doubled):
        for line in self.scene.failpoints.table():
            self.say(line)
        self.say(f"killed: {dict(self.victims)}; events that left {len(self.told)}, heard "
                 f"{len(self.heard())}")
        return super().report(runs, lost, doubled)

    def write(self, rows):
        self.rows = rows


# --- parts that add up

def earlier(options):
    """-> what earlier parts of the same commit left; nothing without a file, or of another commit"""
    if not options.json or not os.path.exists(options.json):
        return {"parts": 0, "rows": []}
    with open(options.json, encoding="utf-8") as file:
        there = json.load(file)
    same = there.get("commit") == trial.commit() and there.get("parts", 0) > 0
    return there if same else {"parts": 0, "rows": []}


def added(there, rows):
    """Counts add up; a bound is kept when each part kept it."""
    before = {row["name"]: row for row in there["rows"]}
    out = []
    for name, value, mark, holds in rows:
        old = before.get(name, {"value": 0, "holds": True})
        out.append({"name": name, "value": old["value"] + value, "unit": "", "mark": mark,
                    "holds": bool(old["holds"] and holds)})
    return {"machine": trial.machine(), "commit": trial.commit(), "parts": there["parts"] + 1,
            "rows": out}


def keep(options, there):
    if not options.json:
        return
    os.makedirs(os.path.dirname(os.path.abspath(options.json)), exist_ok=True)
    with open(options.json + ".new", "w", encoding="utf-8") as file:
        json.dump(there, file, indent=2)
        file.write("\n")
    os.replace(options.json + ".new", options.json)


def value_of(there, name):
    return next((row["value"] for row in there["rows"] if row["name"] == name), 0)


def run_parts(options):
    """Until so many kills are made in all, or the time is over. -> exit code"""
    there, end, code = earlier(options), time.monotonic() + options.seconds, 0
    wanted, seed = options.kills, options.seed
    if there["parts"]:
        print(f"crash: goes on after {value_of(there, 'kills')} kills in {there['parts']} parts",
              flush=True)
    while code == 0 and value_of(there, "kills") < wanted and time.monotonic() < end:
        options.seconds = end - time.monotonic()
        options.kills = min(PART_KILLS, wanted - value_of(there, "kills"))
        if there["parts"]:
            options.floor = 1  # what a part is to bring at least was asked of the first
        options.seed = seed + there["parts"]
        part = Killing(options)
        try:
            code = part.run()
        finally:
            part.scene.close()
        there = added(there, part.rows)
        keep(options, there)
    for row in there["rows"]:
        print(f"{row['name']:<18}{row['value']:>8}  in all, {there['parts']} parts", flush=True)
    return code if all(row["holds"] for row in there["rows"]) else 1
