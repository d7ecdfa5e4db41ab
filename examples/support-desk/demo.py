#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo of the support desk: real processes, real faults, and claims anybody can check.

Starts the help desk (with faults) and the server, deploys the bundle next to this file, trains and
promotes the intent model, sends tickets at a steady rate with an outage and a kill in the middle,
then a kind that the model has never seen, which it learns from people, then a burst of tickets with a second kill of the server and one of the help desk, answers reviews by a
simulated reviewer, and compares the outcome with the help desk's own books.

    demo.py --aios PATH/TO/aios [--keep] [--seed N] [--rate N] [--count N] [--burst N] [--json FILE]
"""

import argparse
import os
import shlex
import signal
import sqlite3
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "demo"))
import claims  # noqa: E402
import proof  # noqa: E402
import recall  # noqa: E402
import report  # noqa: E402
import ways  # noqa: E402
import tickets  # noqa: E402
from house import House, ORDERS, ROOT  # noqa: E402
from people import Approver, Operator, Reviewer  # noqa: E402
from processes import DemoError, Unreachable  # noqa: E402
from screen import Screen  # noqa: E402
from sender import Sender  # noqa: E402
from viewer import Viewer, wait_for_kill  # noqa: E402

OUTAGE_SECONDS = 2.0
DRAIN_SECONDS = 75.0
BURST_DRAIN_SECONDS = 300.0
BURST_MAX = 8000
JSON_FILE = os.path.join("build", "demo-result.json")
RECALLS = 44
RECALL_RATE = 20.0
RECALL_ORDERS = (400, 800)  # of the help desk; the burst has those behind them
HTML_FILE = os.path.join("build", "demo-report.html")


class Demo:
    def __init__(self, options):
        self.options = options
        steady, burst = options.count / options.rate, options.burst / 60.0
        self.screen = Screen([
            ("Starting the help desk and the server", 2.0), ("Deploying the bundle", 1.0),
            ("Training the intent model; a second key promotes it", 8.0),
            (f"Sending {options.count} tickets at {options.rate:g} a second", steady),
            ("Waiting until every run has ended", 12.0),
            ("A product recall, which the model has never seen: people answer", 10.0),
            ("It learns from them; a second key promotes; the same kind again", 15.0),
            (f"A burst of {options.burst} tickets, as fast as they are taken", burst / 3),
            ("Waiting until every run has ended", burst),
            ("Checking the books", 5.0)],
            color=not options.no_color and "NO_COLOR" not in os.environ)
        self.house = House(options, self.screen.line)
        self.reviewer = self.approver = self.sender = self.operator = self.viewer = None

    def stop_all(self):
        for part in (self.sender, self.reviewer, self.approver):
            if part is not None:
                part.stop()
        self.house.stop()

    def train(self, *how):
        house = self.house
        house.aios("model", "train", "intent", *how, key=house.keys["model engineer"])
        model = house.admin.want("GET", "/api/v1/models/intent")["versions"][-1]
        house.aios("model", "promote", f"intent@{model['version']}", "intent",
                   key=house.keys["model approver"])
        self.screen.line(f"  intent@{model['version']}: {model['examples']} examples, "
                         f"{model['heldout']['accuracy']:.3f} right on the held-out part, "
                         f"data {model['dataset_digest'][:12]}")

    def learn(self, first, second):
        """Tickets of an intent that the model does not know; then of the same kind, once it does."""
        self.send(first, RECALL_RATE, {})
        self.drain(DRAIN_SECONDS)
        self.screen.stage()
        self.train("--with-corrections")
        self.send(second, RECALL_RATE, {})
        self.drain(DRAIN_SECONDS)

    # --- what is shown meanwhile

    def rows(self):
        status, counts = self.house.admin.call("GET", "/api/v1/run-counts")
        if status != 200:
            raise Unreachable(f"answered {status}")
        books = claims.ledger(self.house.desk_db)
        sender, reviewer = self.sender, self.reviewer
        return [("tickets sent", sender.sent), ("accepted", sender.accepted),
                ("repeated, answered as before", sender.repeated), ("refused", sender.refused),
                ("sent again after no answer", sender.again), ("runs ended", counts["completed"]),
                ("runs under way", counts["running"]), ("runs waiting", counts["waiting"]),
                ("runs failed", counts["faulted"] + counts["cancelled"]),
                ("answered by the simulated reviewer", reviewer.answered),
                ("of them looked at by the simulated approver", self.approver.answered),
                ("cases in the help desk", books["cases"]),
                ("refunds in the help desk, EUR", f"{books['cents'] / 100:.2f}"),
                ("requests the help desk got", books["attempts"]),
                ("of them met by a fault", books["faults"])]

    def show(self):
        try:
            self.screen.table(self.rows())
        except (Unreachable, sqlite3.OperationalError):
            pass  # the server is just starting again, or the help desk is writing: next time

    # --- the tickets

    def open_shop(self):
        api, keys = self.house.admin, self.house.keys
        if self.options.you_review:
            self.viewer = Viewer(api.with_token(keys["viewer"]), self.screen)
        leave = self.viewer.wants if self.viewer else lambda review_id: False
        self.reviewer = Reviewer(api.with_token(keys["simulated reviewer"]), leave)
        self.sender = Sender({
            "mail": ways.Mail(api.with_token(keys["mail gateway"])),
            "shop": ways.Shop(api.with_token(""), self.house.shop_secret),
            "letters": ways.Letters(os.path.join(self.house.inbox, "letters")),
            "tasks": ways.Tasks(api.with_token(keys["back office"]))})
        self.operator = Operator(api, self.house.desk_db)
        kept = self.viewer.kept if self.viewer else []
        self.approver = Approver(api.with_token(keys["simulated approver"]), kept.__contains__)
        self.reviewer.start()
        self.approver.start()

    def send(self, work, rate, events):
        """@param events  {how many were sent by then: what happens}, in that order"""
        self.reviewer.learn_truths(work)
        self.approver.learn_truths(work)
        already = self.sender.sent
        self.sender.start(work, rate)
        while self.sender.at_work():
            for at in [at for at in events if self.sender.sent - already >= at]:
                events.pop(at)()
            self.check_server()
            self.show()
            time.sleep(0.25)
        for happens in events.values():  # all were sent between two looks
            happens()

    def check_server(self):
        server = self.house.server
        if not server.alive():
            raise DemoError(f"the server ended by itself with status {server.process.returncode}; "
                            f"the last of {server.log_path}:\n{server.log_tail()}")

    def outage(self):
        self.house.desk_api.want("POST", "/_faults", {"outage_seconds": OUTAGE_SECONDS})
        self.screen.line(f"  the help desk hangs up on everybody for {OUTAGE_SECONDS:g} s")

    def kill(self):
        if self.options.you_kill:
            wait_for_kill(self.house, self.screen, self.show)
        else:
            self.house.kill_server()

    def drain(self, seconds):
        operator, before = self.operator, self.operator.settled
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            counts = self.house.admin.want("GET", "/api/v1/run-counts")
            ended = counts["completed"] + counts["faulted"] + counts["cancelled"]
            if counts["running"] + counts["waiting"] == 0 and ended >= self.sender.accepted:
                break
            if self.viewer and counts["running"] == 0 and self.viewer.kept:
                self.screen.clear()
                self.viewer.review_all()
            operator.round(self.sender)
            self.show()
            time.sleep(0.4)
        if operator.settled > before:
            self.screen.line(f"  {operator.settled - before} incident(s) settled by the simulated "
                             "operator, who looked into the help desk")

    # --- what came of it

    def check(self):
        house = self.house
        self.reviewer.stop()
        self.approver.stop()
        runs = list(house.admin.pages("/api/v1/runs"))
        audit = house.admin.want("GET", "/api/v1/audit")
        rows = claims.outcomes(runs, self.sender)
        case = report.one_case(house, rows)
        if not self.options.keep:
            self.stop_all()
        directory = os.path.join(house.data, "audit", audit["tenant"])
        verified, said = claims.verify_audit(self.options.aios, directory, audit["verifier_key"])
        books = claims.ledger(house.desk_db)
        elsewhere = claims.asked_elsewhere(house.models_db)
        claims.write_outcomes(house.path("outcomes.csv"), rows)
        claims.write_answers(house.path("sent.csv"), self.sender.answers)
        facts = claims.result(rows, books, self.sender, audit["leaves"], verified, house.kills,
                              self.screen.seconds())
        refunds = claims.leaves_by_outcome(self.options.aios, directory, audit["verifier_key"],
                                           "kind=effect_outcome", "facts.operation=pay_refund")
        facts.update(claims.learning(rows), **claims.spending(rows, books, elsewhere, refunds))
        places = proof.Places(house, directory, audit["verifier_key"])
        lines = [*proof.books_claims(facts, books, rows, self.sender, self.work, places),
                 *proof.quality_claims(facts, rows, places),
                 *proof.learning_claims(facts, places), *proof.money_claims(facts, places),
                 proof.audit_claim(facts, said, places)]
        for path in (self.options.json, self.options.html):
            os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        claims.write_result(self.options.json, facts)
        report.write(self.options.html, facts, rows, lines, case)
        self.tell(facts, rows, lines)
        return all(holds for holds, _, _ in lines)

    def tell(self, facts, rows, lines):
        screen = self.screen
        screen.line()
        screen.line(screen.paint("What came of it, and how to check it by hand:", 1))
        for holds, text, command in lines:
            screen.claim(holds, text, command)
        screen.line(screen.paint("\nBy kind of ticket: accepted, automatic, of these wrong:", 1))
        for kind, accepted, automatic, wrong in claims.by_kind(rows):
            share = f"{wrong / automatic:>5.0%}" if wrong else ""
            screen.line(f"  {kind:<14}{accepted:>5}{automatic:>6}{wrong:>5}{share}")
        screen.line(screen.paint("\nBy the way they came in: ", 1)
                    + ", ".join(f"{way} {count}" for way, count in sorted(facts["by_way"].items())))
        screen.line(f"\n  {facts['minutes_saved'] / 60:.0f} hours of work saved, if a ticket takes "
                    f"{claims.MINUTES_BY_HAND:g} minutes by hand and {claims.MINUTES_REVIEWED:g} "
                    "as a question with everything beside it (stated, not measured)")
        problems = [part.problem for part in (self.reviewer, self.approver, self.operator) if part.problem]
        for text in [*self.sender.surprises[:5], *problems]:
            screen.line(f"  ! {text}")
        screen.line(f"\n  {facts['seconds']:.0f} s; the figures: {os.path.relpath(self.options.json)}"
                    f"; to read: {os.path.relpath(self.options.html)}; every ticket: "
                    f"{os.path.relpath(self.house.path('outcomes.csv'))}")

    def keep_up(self):
        house = self.house
        pids = [child.pid for child in house.children if child.alive()]
        with open(house.path("pids"), "w", encoding="ascii") as file:
            file.write(" ".join(map(str, pids)))
        self.screen.line(
            f"\n  Still up: the server on http://127.0.0.1:{house.server.port}, the help desk on "
            f"http://127.0.0.1:{house.desk.port}")
        self.screen.command(f"{shlex.quote(os.path.relpath(self.options.aios))} runs list --data "
                            f"{shlex.quote(os.path.relpath(house.data))}", "  Try:  ")
        self.screen.command(f"kill {' '.join(map(str, pids))}", "  Stop: ")

    def run(self):
        house, options = self.house, self.options
        house.prepare()
        try:
            steady = tickets.make(options.seed, options.count)
            first = recall.make(options.seed, "first", RECALLS, RECALL_ORDERS)
            second = recall.make(options.seed, "second", RECALLS, RECALL_ORDERS)
            burst = tickets.make_burst(options.seed, options.burst, RECALL_ORDERS[1], ORDERS)
        except ValueError as error:
            raise DemoError(str(error)) from None
        self.work = steady + first + second + burst
        ways.assign(self.work, options.seed)
        self.screen.stage()
        house.start_desk()
        house.start_models()
        house.start_server()
        self.screen.stage()
        house.make_keys()
        house.deploy()
        self.screen.stage()
        self.train()
        self.screen.stage()
        self.open_shop()
        self.send(steady, options.rate, {len(steady) // 4: self.outage, len(steady) // 2: self.kill})
        self.screen.stage()
        self.drain(DRAIN_SECONDS)
        self.screen.stage()
        self.learn(first, second)
        self.screen.stage()
        self.send(burst, None, {len(burst) // 3: house.kill_server,
                                2 * len(burst) // 3: house.kill_desk} if burst else {})
        self.screen.stage()
        self.drain(BURST_DRAIN_SECONDS)
        self.screen.stage()
        holds = self.check()
        if options.keep:
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
                        help="of the tickets, their order and the faults, any whole number "
                             "(default: 1)")
    parser.add_argument("--rate", type=float, default=10.0, metavar="N",
                        help="tickets a second, 0.1 to 1000 (default: 10)")
    parser.add_argument("--count", type=int, default=340, metavar="N",
                        help="tickets, repeated ones included, 20 to 500 (default: 340)")
    parser.add_argument("--burst", type=int, default=5000, metavar="N",
                        help=f"tickets after them, as fast as they are taken, 0 to {BURST_MAX} "
                             "(default: 5000)")
    parser.add_argument("--you-review", action="store_true",
                        help="three questions are asked of you, at this terminal")
    parser.add_argument("--you-kill", action="store_true",
                        help="the first kill of the server is yours: its pid is told")
    parser.add_argument("--json", default=os.path.join(ROOT, JSON_FILE), metavar="FILE",
                        help=f"where the figures go (default: {JSON_FILE})")
    parser.add_argument("--html", default=os.path.join(ROOT, HTML_FILE), metavar="FILE",
                        help=f"where the report to read goes (default: {HTML_FILE})")
    parser.add_argument("--no-color", action="store_true",
                        help="without colours, as with NO_COLOR in the environment")
    parser.add_argument("--check-options", action="store_true",
                        help="only say whether the options are right")
    options = parser.parse_args()
    if not 20 <= options.count <= 500 or not 0.1 <= options.rate <= 1000:
        parser.error("--count from 20 to 500 and --rate from 0.1 to 1000 wanted")
    if not 0 <= options.burst <= BURST_MAX:
        parser.error(f"--burst from 0 to {BURST_MAX} wanted")
    if options.you_review and not sys.stdin.isatty() and not options.check_options:
        parser.error("--you-review wants a terminal to ask at")
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
