#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the power away from the real server, under load, and then counts.

Load and checker are trial.py's; but a cut takes more than the process. What the server
wrote and did not fsync is forgotten, kept or torn, sector by sector and name by name, by a seed
(tests/faults: a library in front of libc writes the trace, disk.py makes of it what a disk may
hold). A cut comes from outside after a while, or right before the n-th call of a kind: in the
middle of a start too. The server must start again from every such disk. Rows beside the checker's:

  start refused   the server did not start from what the cut left
  unverified      the audit log does not verify, or not with the newest checkpoint seen before a cut
  unseen          files that are not what the trace says, after orderly stops: the library missed
                  a call, and what this program says is worth nothing

    AIOS_BINARY=build/dev/aios AIOS_FAULTS=build/dev/tests/faults/libaios_faults.so \\
      power.py [--cuts N] [--seconds T] [--floor N] [--first N] [--seed N] [--json F] [--lying]
"""

import argparse
import collections
import os
import random
import signal
import sys
import time

import trial  # sets the path for the two below
sys.path.insert(0, os.path.join(trial.HERE, "..", "faults"))
import disk as disks  # noqa: E402
from harness import ROOT, Scene, Server, Unreachable, aios  # noqa: E402

LIBRARY = disks.preloaded(os.environ.get("AIOS_FAULTS", os.path.join(
    ROOT, "build", "dev", "tests", "faults", "libaios_faults.so")))
MODES = ("forgotten", "forgotten", "kept", "torn", "torn", "mixed", "mixed", "mixed")
# Where a cut comes that is not a matter of time: right before a call, by function and path.
PLACES = (("fsync", "*"), ("fsync", "*-wal"), ("fsync", "*.db"), ("fsync", "audit/*"),
          ("write", "*"), ("write", "*-wal"), ("write", "*.db"), ("write", "audit/*"),
          ("rename", "*"), ("open", "*"), ("unlink", "*"), ("mkdir", "*"), ("ftruncate", "*"))
CALL_MAX = 400
LIFE_SECONDS = 1.5
ORDERLY_EACH = 10     # of so many lives one ends by SIGTERM and is compared with its trace


class PoweredServer(Server):
    """Its folder is away while a cut is made: the first key is read once."""

    key = None

    def first_key(self):
        self.key = self.key or super().first_key()
        return self.key


class PoweredScene(Scene):
    lying = False

    def with_server(self, *arguments):
        self.prepare()
        self.server.start(*arguments)
        return self

    def prepare(self, **settings):
        self.server = PoweredServer(self.folder)
        os.mkdir(self.server.data)
        self.disk = disks.Disk(self.server.data, self.lying)
        self.trace = self.path("trace")
        self.server.environment.update({
            "LD_PRELOAD": LIBRARY, "AIOS_FAULTS_ROOT": os.path.realpath(self.server.data),
            "AIOS_FAULTS_TRACE": self.trace, **settings})


class Powered(trial.Trial):
    def __init__(self, options):
        super().__init__(options)
        self.scene.close()
        self.scene = PoweredScene()
        self.scene.lying = options.lying
        self.cuts_by = collections.Counter()
        self.changes = self.lost_changes = 0
        self.unseen = set()
        self.refused = []
        self.unverified = []
        self.checkpoint = None

    # --- lives and cuts

    def kill_many(self):
        end = time.monotonic() + self.options.seconds
        while self.kills < self.options.kills and time.monotonic() < end:
            self.live()
            self.power_off()
            if self.kills % 20 == 0:
                self.say(f"power: {self.kills} cuts, {len(self.load.acknowledged)} events "
                         f"acknowledged, {max(0, end - time.monotonic()):.0f} s left at most")
            self.start_again()

    def live(self):
        """Until the call at which the power goes, or for a while."""
        end = time.monotonic() + LIFE_SECONDS * self.random.choice((0.05, 0.3, 1, 1))
        while time.monotonic() < end and self.scene.server.alive():
            time.sleep(0.02)
        self.remember_checkpoint()

    def remember_checkpoint(self):
        try:
            status, answer = self.scene.api().call("GET", "/api/v1/audit/checkpoint")
        except Unreachable:
            return
        if status == 200:
            self.checkpoint = answer["checkpoint"]

    def power_off(self):
        """Ends the process if it still lives, and leaves what a disk may hold."""
        server = self.scene.server
        if not server.alive() and server.process.returncode != -signal.SIGKILL:
            raise AssertionError("the server ended by itself:\n" + server.log()[-3000:])
        orderly = server.alive() and self.random.random() < 1 / ORDERLY_EACH
        how = "SIGTERM" if orderly else "time" if server.alive() else self.place
        if orderly:
            server.stop()
        else:
            server.kill()
        self.replay(orderly)
        mode = self.random.choice(MODES)
        changes, lost = self.scene.disk.cut(mode, self.random.random())
        self.changes += changes
        self.lost_changes += lost
        self.kills += 1
        self.cuts_by[how] += 1
        self.last = f"cut {self.kills} ({how}, {mode}: {lost} of {changes} changes lost)"

    def replay(self, whole):
        self.scene.disk.replay(self.scene.trace)
        os.remove(self.scene.trace)
        if whole:
            self.unseen.update(self.scene.disk.differences())

    def start_again(self):
        """With a cut at a call ahead, or without; more cuts when that comes before it is ready."""
        server = self.scene.server
        while True:
            self.place = None
            if self.kills < self.options.kills and self.random.random() < 0.6:
                function, pattern = self.random.choice(PLACES)
                number = int(CALL_MAX ** self.random.random())
                self.place = f"{function} {pattern}"
                server.environment["AIOS_FAULTS_RULES"] = f"{function}:{pattern}:{number}:CUT:once"
            else:
                server.environment.pop("AIOS_FAULTS_RULES", None)
            begin = time.monotonic()
            try:
                server.start(port=self.port)
            except AssertionError as error:
                if server.process.poll() == -signal.SIGKILL and self.place:
                    self.power_off()
                    continue
                self.refused.append(f"after {self.last}: {error}")
                raise
            self.starts_ms.append((time.monotonic() - begin) * 1000)
            return

    # --- what came of it

    def check(self):
        """After one more orderly end, whose unsynced rest is forgotten too."""
        self.scene.server.stop()
        self.replay(True)
        self.scene.disk.cut("forgotten", 0)
        self.scene.server.start(port=self.port)
        self.verify()
        return super().check()

    def verify(self):
        folder, key = self.scene.audit_log()
        more = []
        if self.checkpoint:
            more = ["--checkpoint", self.scene.write("kept", self.checkpoint)]
        done = aios("audit", "verify", folder, "--key", key, *more)
        if done.returncode != 0:
            self.unverified.append(done.stderr.strip()[:500])
        self.say(f"power: {done.stdout.strip()}")

    def bounds(self, done, statuses):
        rows = super().bounds(done, statuses)
        named = [("cuts" if name == "kills" else name, *rest) for name, *rest in rows]
        return [*named, *((name, len(found), "at most 0", not found) for name, found in
                          (("first starts lost", self.unusable), ("unverified", self.unverified),
                           ("unseen", self.unseen)))]

    def report(self, runs, lost, doubled):
        for text in [*self.unverified, *sorted(self.unseen)[:10]]:
            self.say(f"  ! {text}")
        self.say(f"changes that were not durable at a cut {self.changes}, lost or torn "
                 f"{self.lost_changes}; cuts by {dict(sorted(self.cuts_by.items()))}")
        return super().report(runs, lost, doubled)


class FirstStarts:
    """The power goes in the middle of the very first start: at every call in turn, or at so many.

    The next start must succeed from what is there, and its first key must open the door.
    """

    def __init__(self, options):
        self.random = random.Random(options.seed)
        self.cuts, self.unusable = 0, []

    def run(self, many):
        calls = self.calls()
        step = max(1, calls // many) if many else calls
        for number in range(1 + self.random.randrange(step), calls + 1, step) if many else ():
            for problem in self.one(number, self.random.choice(MODES)):
                self.unusable.append(problem)
                print(f"  ! {problem}", flush=True)
        print(f"power: {self.cuts} cuts in first starts of {calls} calls, "
              f"{len(self.unusable)} left what could not be used", flush=True)

    def calls(self):
        scene = PoweredScene()
        try:
            scene.prepare(AIOS_FAULTS_CALLS="1")
            scene.server.start()
            return sum(record[0] == disks.CALL for record in disks.records(scene.trace))
        finally:
            scene.close()

    def one(self, number, mode):
        scene = PoweredScene()
        try:
            scene.prepare(AIOS_FAULTS_RULES=f"*:*:{number}:CUT:once")
            try:
                scene.server.start()
                scene.server.kill()
            except AssertionError:
                pass
            scene.disk.replay(scene.trace)
            os.remove(scene.trace)
            scene.disk.cut(mode, self.random.random())
            self.cuts += 1
            left = sorted(os.listdir(scene.server.data))
            scene.server.environment.pop("AIOS_FAULTS_RULES")
            try:
                scene.server.start()
                scene.server.api().want("GET", "/api/v1/keys")
            except (AssertionError, OSError) as error:
                yield f"first start cut at call {number} ({mode}), which left {left}: {error}"
        finally:
            scene.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cuts", "--power", dest="kills", type=int, nargs="?", default=300,
                        const=300)
    parser.add_argument("--seconds", type=float, default=3600.0, help="time limit of the cuts")
    parser.add_argument("--floor", type=int, default=1, help="fewer cuts than this fail")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", help="where the rows go")
    parser.add_argument("--first", type=int, default=50, help="cuts in the very first start")
    parser.add_argument("--lying", action="store_true",
                        help="a disk that says synced and is not: this program must then fail")
    options = parser.parse_args()
    firsts = FirstStarts(options)
    firsts.run(options.first)
    if options.kills == 0:
        return 1 if firsts.unusable else 0
    powered = Powered(options)
    powered.unusable = firsts.unusable
    try:
        return powered.run()
    except (AssertionError, disks.Unseen) as error:
        print(f"power: {error}\n" + "\n".join(powered.refused), file=sys.stderr)
        return 1
    finally:
        powered.scene.close()


if __name__ == "__main__":
    sys.exit(main())
