# SPDX-License-Identifier: Apache-2.0
"""What every trial is made of: the load, the reviewer, the operator, and the checker.

A help desk with faults on; senders that repeat an event until it is answered; a simulated reviewer.
Who is killed and when is the trial's own (killings.py, power.py, sites.py). At the end the faults are
switched off and a checker reads nothing but the public API, the receiver's records and the help desk's
own database. test_checker.py shows that it sees what it is there to see.
"""

import collections
import json
import os
import queue
import random
import re
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
from harness import (SURE_CASE, SURE_REFUND, UNSURE, Scene, Unreachable,  # noqa: E402
                     ticket_event)

FAULTS = ("find_customer.error=0.03,find_order.error=0.03,open_case.lost=0.08,open_case.error=0.06,"
          "open_case.throttle=0.02:1,pay_refund.lost=0.12,pay_refund.error=0.08,"
          "pay_refund.throttle=0.02:1,send_notice.lost=0.03,send_notice.error=0.03,"
          "*.slow=0.02:120")
SENDERS = 4
BACKLOG_MAX = 300       # unfinished runs at which the senders wait
SETTLE_SECONDS = 120.0
INCIDENT = "incident"
# What each kill of --floor brings at least: a fifth of what a machine busy with other work did.
WORK = {"acknowledged": 2, "completed": 2, "cases": 1, "refunds": 0.2, "notices": 0.2,
        "met by a fault": 0.5, "looked up": 1, "incidents settled": 0.03}
FAULTED_SHARE_MAX = 0.01
FAULTED_STATUSES = (408, 429, 503)  # the help desk was silent, throttled or away until the tries ended


class Load:
    """Events, who sent them and what was answered."""

    def __init__(self, scene, seed):
        self.scene = scene
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.halt = threading.Event()
        self.refundable = scene.small_orders()
        self.number = 0
        self.acknowledged = {}  # event id -> (event, answer)
        self.unanswered = {}    # event id -> event, sent at least once
        self.differing = []     # ids whose second answer named another run
        self.backlog = 0
        self.surprises = collections.Counter()

    def next_event(self):
        with self.lock:
            self.number += 1
            draw = self.random.random()
            if draw < 0.35:
                order, customer = self.random.choice(self.refundable)
                return ticket_event(self.number, SURE_REFUND, customer, order)
            customer = self.random.choice(self.scene.customers)
            body = SURE_CASE if draw < 0.85 else UNSURE
            return ticket_event(self.number, body, customer)

    def send(self, api, event):
        """Until it is answered or the load ends; sometimes once more, as a nervous sender does."""
        with self.lock:
            self.unanswered[event["id"]] = event
        wait = 0.02
        while True:
            try:
                status, answer = api.send(event)
            except Unreachable:
                status, answer = 0, None
            if status == 202:
                break
            if status not in (0, 429, 503):
                with self.lock:
                    self.surprises[f"{status} {answer}"[:200]] += 1
                return
            if self.halt.wait(wait):
                return
            wait = min(wait * 2, 0.5)
        with self.lock:
            first = self.acknowledged.setdefault(event["id"], (event, answer))[1]
            self.unanswered.pop(event["id"], None)
            if first["run"] != answer["run"]:
                self.differing.append(event["id"])

    def sender(self, index):
        rng = random.Random(index)
        api = self.scene.api("ingest")
        while not self.halt.is_set():
            if self.backlog > BACKLOG_MAX:
                self.halt.wait(0.1)
                continue
            event = self.next_event()
            self.send(api, event)
            if rng.random() < 0.1:
                self.send(api, event)
            self.halt.wait(rng.random() * 0.02)

    def reviewer(self):
        """The simulated reviewer: everything it is asked gets a case for a person to read."""
        api = self.scene.api("reviewer")
        while not self.halt.is_set():
            try:
                self.backlog = self.unfinished()
                status, page = api.call("GET", "/api/v1/reviews?status=open&limit=50")
                for review in page["items"] if status == 200 else ():
                    api.call("POST", f"/api/v1/reviews/{review['id']}/answer",
                             {"answer": {"intent": "other", "action": "case"}})
            except Unreachable:
                pass
            self.halt.wait(0.05)

    def unfinished(self):
        status, counts = self.scene.server.api().call("GET", "/api/v1/run-counts")
        return counts["running"] + counts["waiting"] if status == 200 else self.backlog


class Trial:
    def __init__(self, options):
        self.options = options
        self.kills = self.incidents = 0
        self.unsettled = {}
        self.starts_ms = []
        self.random = random.Random(options.seed)
        self.scene = Scene()

    def say(self, text):
        print(text, flush=True)

    def start_again(self):
        begin = time.monotonic()
        self.scene.server.start(port=self.port)
        self.starts_ms.append((time.monotonic() - begin) * 1000)

    def kill_many(self):
        """Until so many kills are made, or the time is over."""
        raise NotImplementedError

    def prepare(self):
        self.scene.support_desk(FAULTS, self.options.seed)

    def run(self):
        scene = self.scene
        self.prepare()
        self.port = scene.server.port
        for role in ("ingest", "reviewer", "operator"):
            scene.key(role)
        self.load = Load(scene, self.options.seed)
        threads = [threading.Thread(target=self.load.sender, args=(i,), daemon=True)
                   for i in range(SENDERS)]
        people = threading.Thread(target=self.load.reviewer, daemon=True)
        for thread in [*threads, people]:
            thread.start()
        try:
            self.kill_many()
        finally:
            self.load.halt.set()
            for thread in [*threads, people]:
                thread.join(30)
        scene.desk.set_faults("")
        self.finish_sending()
        self.settle()
        return self.check()

    def finish_sending(self):
        """What was sent and never answered is sent once more, so that each has an answer."""
        api = self.scene.api("ingest")
        self.load.halt.clear()
        pending = queue.SimpleQueue()
        for event in list(self.load.unanswered.values()):
            pending.put(event)
        while not pending.empty():
            self.load.send(api, pending.get())

    def settle(self):
        """The reviewer goes on, a simulated operator settles incidents; until nothing is left."""
        time.sleep(1)  # what was sent before the last kill may still be on its way
        api, end = self.scene.api(), time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end:
            for review in list(api.pages("/api/v1/reviews?status=open")):
                self.scene.api("reviewer").call(
                    "POST", f"/api/v1/reviews/{review['id']}/answer",
                    {"answer": {"intent": "other", "action": "case"}})
            for run in list(api.pages("/api/v1/runs?status=waiting")):
                if INCIDENT in (run.get("waiting_for") or ""):
                    self.resolve(api, run)
            counts = api.want("GET", "/api/v1/run-counts")
            if counts["running"] + counts["waiting"] == 0:
                return
            time.sleep(0.3)

    def resolve(self, api, run):
        """Looks into the help desk, as a person would, and says what happened there."""
        text = api.want("GET", f"/api/v1/runs/{run['id']}/explain")["text"]
        found = self.happened(text, run["input"][0]["data"].get("order", "none"))
        body = ({"resolution": "happened", "result": found} if found
                else {"resolution": "retry"})
        body["incident"] = run["incident"]
        status, answer = api.call("POST", f"/api/v1/runs/{run['id']}/resolve", body)
        self.incidents += status == 200
        if status != 200:
            self.unsettled[run["id"]] = f"{body} was answered {status} {str(answer)[:400]}"

    def happened(self, text, order):
        """What the step would have got as its answer; none: the help desk knows nothing of it."""
        rows = self.scene.desk.rows
        if "/payRefund/" in text:
            effect = re.search(r"for effect ([^\s,]+),", text)[1]
            paid = rows("select id, amount_cents from refunds where key = ?", effect)
            return {"id": paid[0][0], "amount_cents": paid[0][1]} if paid else None
        sent = rows("select id from notices where text like ?", f"% {order} %")
        return {"id": sent[-1][0]} if sent else None

    # --- what came of it

    def check(self):
        return self.report(*self.books())

    def books(self):
        """-> (runs by id, what was lost, what was doubled)"""
        runs = {run["id"]: run for run in self.scene.api().pages("/api/v1/runs")}
        desk = self.scene.desk
        cases = dict(desk.rows("select id, reference from cases"))
        refunds = dict(desk.rows("select reason, count(*) from refunds group by 1"))
        lost, doubled = [], []
        for event_id, (event, answer) in self.load.acknowledged.items():
            lost += self.missing(event_id, event, runs.get(answer["run"]), cases, refunds)
        for run_id in set(runs) - {a["run"] for _, a in self.load.acknowledged.values()}:
            doubled.append(f"run {run_id} belongs to no acknowledged event")
        doubled += [f"{event_id}: two runs for one event" for event_id in self.load.differing]
        doubled += [f"case of {ref} opened {n} times" for ref, n in
                    collections.Counter(cases.values()).items() if n > 1]
        doubled += [f"refund for {reason} paid {n} times" for reason, n in refunds.items() if n > 1]
        doubled += self.notices_too_many()
        return runs, lost, doubled

    def notices_too_many(self):
        """A notice names the order: there may be as many as refunds of that order, not more."""
        paid = dict(self.scene.desk.rows("select order_id, count(*) from refunds group by 1"))
        sent = collections.Counter(text.split(" for order ")[1].split(" ")[0] for (text,) in
                                   self.scene.desk.rows("select text from notices"))
        return [f"{n} notices for {paid.get(order, 0)} refunds of {order}"
                for order, n in sent.items() if n > paid.get(order, 0)]

    def missing(self, event_id, event, run, cases, refunds):
        if run is None:
            return [f"{event_id}: acknowledged, and no run"]
        if run["status"] != "completed":
            if run["status"] == "faulted" and (run.get("error") or {}).get("status") in FAULTED_STATUSES:
                return []  # how many may is bounded below
            text = self.scene.api().want("GET", f"/api/v1/runs/{run['id']}/explain")["text"]
            said = self.unsettled.get(run["id"], "nobody asked to settle it")
            return [f"{event_id}: {run['id']} is {run['status']} ({said}): {text[:300]}"]
        output = run["output"]
        if output["action"] == "case" and output["case"] not in cases:
            return [f"{event_id}: case {output['case']} is not in the help desk"]
        reason = f"ticket {event['data']['ticket']}"
        if output["action"] == "refund" and reason not in refunds:
            return [f"{event_id}: the refund for {reason} is not in the help desk"]
        return []

    def done(self, statuses):
        """What happened, by the names of WORK."""
        rows = self.scene.desk.rows
        return {"acknowledged": len(self.load.acknowledged), "completed": statuses["completed"],
                **{table: rows(f"select count(*) from {table}")[0][0]
                   for table in ("cases", "refunds", "notices")},
                "met by a fault": rows(
                    "select count(*) from requests where fault is not null")[0][0],
                "looked up": rows(
                    "select count(*) from requests where operation = 'find_case'")[0][0],
                "incidents settled": self.incidents}

    def bounds(self, done, statuses):
        """(name, value, floor or ceiling, whether it holds): too little work, too many faults."""
        wanted = {"kills": self.options.floor,
                  **{name: int(each * self.options.floor) for name, each in WORK.items()}}
        rows = [(name, value, f"at least {wanted[name]}", value >= wanted[name])
                for name, value in {"kills": self.kills, **done}.items()]
        faulted, most = statuses["faulted"], int(FAULTED_SHARE_MAX * done["acknowledged"])
        return [*rows, ("faulted", faulted, f"at most {most}", faulted <= most)]

    def report(self, runs, lost, doubled):
        statuses = collections.Counter(run["status"] for run in runs.values())
        bounds = self.bounds(self.done(statuses), statuses)
        asked = self.scene.desk.rows("select count(*) from requests")[0][0]
        starts = sorted(self.starts_ms) or [0.0]
        self.say("")
        rows = [*bounds, ("lost", len(lost), "at most 0", not lost),
                ("doubled", len(doubled), "at most 0", not doubled)]
        for name, value, wanted, _ in rows:
            self.say(f"{name:<18}{value:>8}  {wanted}")
        self.say(f"runs {dict(statuses)}; requests at the help desk {asked}; start after a kill "
                 f"{starts[len(starts) // 2]:.0f} ms in the middle, {starts[-1]:.0f} ms at most")
        for text in [*lost[:10], *doubled[:10]]:
            self.say(f"  ! {text}")
        for text, count in self.load.surprises.most_common(5):
            self.say(f"  ! {count} times: {text}")
        for name, value, wanted, holds in bounds:
            if not holds:
                self.say(f"  ! {name}: {value}, {wanted} wanted")
        self.write(rows)
        return 0 if all(row[-1] for row in rows) and not self.load.surprises else 1

    def write(self, rows):
        if not self.options.json:
            return
        os.makedirs(os.path.dirname(os.path.abspath(self.options.json)), exist_ok=True)
        with open(self.options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": machine(), "commit": commit(), "rows": [
                {"name": name, "value": value, "unit": "", "mark": mark, "holds": holds}
                for name, value, mark, holds in rows]}, file, indent=2)
            file.write("\n")


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return f"{models[0] if models else 'unknown'}, {os.cpu_count()} cores"


def commit():
    done = subprocess.run(["git", "-C", HERE, "rev-parse", "HEAD"], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.strip() or "unknown"
