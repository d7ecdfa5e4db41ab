#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets every call of the real server to its data directory fail, once and for ever, one at a time.

One life without faults lists the sites: phase (start, or running under load), function, path (parts
that are numbers or ids count as one), and how often. Then each site is tried on a copy of the same
directory: its first and its middle call fail with EIO, ENOSPC or EMFILE, once or from then on.
What is allowed: a start that is refused with an error page, a server that waits for room, requests
that are refused, a server that ends with an error page, also at once (SIGABRT after last words that
name one: how the store stops when it cannot know what its disk holds). What is not:

  killed     the process died by another signal, or without last words
  silent     it ended, or did not start, without naming an error page
  hung       it neither got ready nor ended, or did not end after SIGTERM
  refused    the next start, without faults, did not succeed
  lost, doubled, unverified    as in trial.py and power.py, after that start

    AIOS_BINARY=build/dev/aios AIOS_FAULTS=build/dev/tests/faults/libaios_faults.so \\
      sites.py [--seconds T] [--floor N] [--seed N] [--only TEXT] [--json F]
"""

import argparse
import collections
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import trial
import power
from harness import (BINARY, SURE_CASE, SURE_REFUND, HelpDesk, Unreachable, aios,  # noqa: E402
                     ticket_event)
import disk as disks  # noqa: E402

ERRORS = {"read": ("EIO",), "write": ("ENOSPC", "EIO"), "fsync": ("EIO",),
          "open": ("EMFILE", "EIO", "ENOSPC"), "rename": ("EIO",), "mkdir": ("ENOSPC",),
          "unlink": ("EIO",), "ftruncate": ("EIO",), "fallocate": ("ENOSPC",), "link": ("EIO",),
          "rmdir": ("EIO",), "accept": ("EMFILE",), "socket": ("EMFILE",)}
PAGE = re.compile(r"AIOS-\d{4}")
READY_SECONDS = 90.0
END_SECONDS = 60.0
EVENTS = 4
TRY_SECONDS = 1.5     # for an event to be accepted, and for its run to end, under the fault


def pattern_of(path):
    """Parts with a digit (of an id, of a tile) stand for each other."""
    return "/".join("*" if re.search(r"\d", part) else part for part in path.split("/"))


class Sites(trial.Trial):
    """One site at a time; the load, the reviewer and the books are trial.py's."""

    def __init__(self, options):
        super().__init__(options)
        self.results = collections.Counter()
        self.found = collections.defaultdict(list)
        self.tried = self.met = 0

    # --- the directory that every trial starts from

    def prepare(self):
        scene = self.scene
        scene.support_desk()
        for role in ("ingest", "reviewer", "operator"):
            scene.key(role)
        self.first_key = scene.server.first_key()
        self.port, self.desk_port = scene.server.port, scene.desk.port
        scene.server.stop()
        scene.desk.kill()
        self.template = scene.path("template")
        shutil.copytree(scene.server.data, self.template)
        scene.server = power.PoweredServer(scene.folder)
        scene.server.key = self.first_key
        self.trace, self.armed = scene.path("trace"), scene.path("armed")
        scene.server.environment.update({
            "LD_PRELOAD": power.LIBRARY, "AIOS_FAULTS_TRACE": self.trace,
            "AIOS_FAULTS_ROOT": os.path.realpath(scene.server.data)})

    def begin(self, number):
        scene = self.scene
        shutil.rmtree(scene.server.data)
        shutil.copytree(self.template, scene.server.data)
        if scene.desk.alive():
            scene.desk.kill()
        for path in (self.trace, self.armed, scene.server.log_path,
                     *(scene.desk.db_path + end for end in ("", "-wal", "-shm", "-journal"))):
            if os.path.exists(path):
                os.remove(path)
        scene.desk = HelpDesk(scene.folder)
        scene.desk.start(port=self.desk_port)
        self.load = trial.Load(scene, number)
        self.load.number = 10000 + number * EVENTS

    def launch(self, rule="", phase="start", calls=False):
        server = self.scene.server
        for name, value in (("RULES", rule), ("ARMED", self.armed if phase == "run" else ""),
                            ("CALLS", "1" if calls else "")):
            server.environment[f"AIOS_FAULTS_{name}"] = value
        server.launch([BINARY, "serve", "--data", server.data, "--listen",
                       f"127.0.0.1:{self.port}", "--ready-file", server.ready_path])

    def work(self):
        """A few events; each is tried for a while."""
        api = self.scene.api("ingest")
        for index in range(EVENTS):
            self.load.number += 1
            order, customer = self.load.refundable[index]
            event = (ticket_event(self.load.number, SURE_REFUND, customer, order) if index % 2
                     else ticket_event(self.load.number, SURE_CASE, customer))
            self.load.unanswered[event["id"]] = event
            end = time.monotonic() + TRY_SECONDS / EVENTS
            while time.monotonic() < end and self.scene.server.alive():
                try:
                    status, answer = api.send(event)
                except Unreachable:
                    status, answer = 0, None
                if status == 202:
                    self.load.acknowledged[event["id"]] = (event, answer)
                    self.load.unanswered.pop(event["id"])
                    break
                time.sleep(0.05)
        end = time.monotonic() + TRY_SECONDS
        while time.monotonic() < end and self.scene.server.alive():
            try:
                if self.load.unfinished() == 0:
                    return
            except Unreachable:
                pass
            time.sleep(0.05)

    # --- which sites there are

    def sites(self):
        """[(phase, function, pattern, number, error, once or ever)]"""
        self.begin(0)
        self.launch(calls=True)
        self.scene.server.wait_ready()
        started = os.path.getsize(self.trace)
        self.work()
        self.scene.server.stop()
        counts = {"start": collections.Counter(), "run": collections.Counter()}
        at = 0
        for kind, _, _, _, path, other, data in disks.records(self.trace):
            at += disks.HEAD.size + len(path) + len(other.encode()) + len(data)
            if kind == disks.CALL and not path.endswith("-shm"):
                phase = "start" if at <= started else "run"
                counts[phase][other, pattern_of(path)] += 1
        found = []
        for phase, by_site in counts.items():
            for (function, pattern), count in sorted(by_site.items()):
                for number in sorted({1, (count + 1) // 2}):  # under load: at least about that many
                    found += [(phase, function, pattern, number, error, often)
                              for error in ERRORS[function] for often in ("once", "ever")]
        return found

    # --- one trial

    def one(self, index, site):
        phase, function, pattern, number, error, often = site
        self.begin(index)
        server = self.scene.server
        self.launch(f"{function}:{pattern}:{number}:{error}:{often}", phase)
        outcome = self.started()
        if outcome == "ready":
            if phase == "run":
                with open(self.armed, "w", encoding="ascii"):
                    pass
            self.work()
            outcome = "went on" if server.alive() else self.ended()
        told = server.log()
        self.end(site)
        if any(kind == disks.CALL and other.startswith("!")
               for kind, _, _, _, _, other, _ in disks.records(self.trace)):
            self.met += 1
        self.tried += 1
        self.results[outcome] += 1
        if outcome in ("killed", "silent", "hung"):
            self.tell(outcome, site, told[-1500:])
        self.afterwards(site)

    def started(self):
        server, end = self.scene.server, time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            if not server.alive():
                return self.ended("not started")
            if os.path.exists(server.ready_path):
                server.wait_ready()
                return "ready"
            for words in ("waits for room", "it is tried again"):
                if words in server.log():
                    return words
            time.sleep(0.02)
        return "hung"

    def ended(self, well="ended"):
        server = self.scene.server
        server.process.wait()
        if server.process.returncode < 0:
            return "stopped at once" if self.stopped_at_once() else "killed"
        return well if PAGE.search(server.log()) else "silent"

    def stopped_at_once(self):
        lines = self.scene.server.log().splitlines() or [""]
        return (self.scene.server.process.returncode == -signal.SIGABRT
                and "the store stops at once" in lines[-1] and PAGE.search(lines[-1]))

    def end(self, site):
        server = self.scene.server
        if not server.alive():
            return
        server.process.send_signal(signal.SIGTERM)
        try:
            server.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            self.tell("hung", site, "no end after SIGTERM\n" + server.log()[-1500:])
        if (server.process.returncode < 0 and server.process.returncode != -signal.SIGKILL
                and not self.stopped_at_once()):
            self.tell("killed", site, f"at the end, {server.process.returncode}\n"
                      + server.log()[-1500:])

    def afterwards(self, site):
        """Without faults everything that was acknowledged is there, once."""
        if os.path.exists(self.armed):
            os.remove(self.armed)
        self.launch()
        try:
            self.scene.server.wait_ready()
        except AssertionError as error:
            self.tell("refused", site, str(error)[-1500:])
            self.scene.server.kill()
            return
        self.finish_sending()
        self.settle()
        _, lost, doubled = self.books()
        for name, texts in (("lost", lost), ("doubled", doubled)):
            for text in texts:
                self.tell(name, site, text)
        folder, key = self.scene.audit_log()
        done = aios("audit", "verify", folder, "--key", key)
        if done.returncode != 0:
            self.tell("unverified", site, done.stderr[:800])
        self.scene.server.stop()
        self.scene.desk.kill()

    def tell(self, what, site, text):
        self.found[what].append(site)
        self.say(f"  ! {what}: {' '.join(map(str, site))}: {text}")

    # --- all of them

    def run(self):
        self.prepare()
        sites = self.sites()
        if self.options.only:
            sites = [site for site in sites if self.options.only in " ".join(map(str, site))]
        everything = len(sites)
        random.Random(self.options.seed).shuffle(sites)
        end = time.monotonic() + self.options.seconds
        for index, site in enumerate(sites, 1):
            if time.monotonic() > end:
                break
            begin = time.monotonic()
            self.one(index, site)
            if self.options.loud:
                self.say(f"{' '.join(map(str, site))}: {dict(self.results)} "
                         f"{time.monotonic() - begin:.1f} s")
            elif index % 20 == 0:
                self.say(f"sites: {index} of {everything}, {dict(self.results)}")
        return self.told(everything)

    def told(self, everything):
        wanted = min(self.options.floor, everything)
        rows = [("sites", everything, "", True),
                ("tried", self.tried, f"at least {wanted}", self.tried >= wanted),
                ("met", self.met, f"at least {(self.tried + 1) // 2}", self.met * 2 >= self.tried)]
        rows += [(name, len(self.found[name]), "at most 0", not self.found[name]) for name in
                 ("killed", "silent", "hung", "refused", "lost", "doubled", "unverified")]
        self.say("")
        for name, value, mark, _ in rows:
            self.say(f"{name:<18}{value:>8}  {mark}")
        self.say(f"under the fault: {dict(self.results)}")
        self.write(rows)
        return 0 if all(row[-1] for row in rows) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", action="store_true", help="for ./dev bench crash: this program")
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--floor", type=int, default=1, help="fewer tried than this fail")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="sites whose line has this text")
    parser.add_argument("--loud", action="store_true")
    parser.add_argument("--json", help="where the rows go")
    options = parser.parse_args()
    sites = Sites(options)
    try:
        return sites.run()
    finally:
        sites.scene.close()


if __name__ == "__main__":
    sys.exit(main())
