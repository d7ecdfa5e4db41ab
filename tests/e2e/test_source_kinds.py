# SPDX-License-Identifier: Apache-2.0
"""Schedules, dropped files and the order of events, through the real binary."""

import os
import time
import unittest

from harness import Scene, wait_for

POLICY = """package aios.event_admit

import rego.v1

default allow := false

allow if startswith(input.event.type, "shop.")
"""
WORKFLOW = """
document: {dsl: '1.0.3', namespace: shop, name: order, version: '1.0.0'}
schedule: {on: {one: {with: {type: shop.order}}}}
do:
  - take:
      set: {got: '${ .[0].data }'}
"""
SLOW = """
document: {dsl: '1.0.3', namespace: shop, name: slow, version: '1.0.0'}
schedule: {on: {one: {with: {type: shop.slow}}}}
do:
  - rest: {wait: PT1S}
"""
FILES = """kind: file
name: drop
folder: drop
pattern: '*.csv'
format: csv
stable: PT0S
event: {type: shop.order, data: '${ .record }'}
"""
TICK = """kind: schedule
name: tick
every: PT1S
event: {type: shop.order}
"""


class SourceKinds(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.root = self.scene.path("watched")
        os.makedirs(os.path.join(self.root, "drop"))

    def start(self, sources, *arguments):
        self.scene.with_server(*arguments)
        for name, text in {"aios.yaml": "name: shop\nversion: 1.0.0\n",
                           "workflows/order.yaml": WORKFLOW, "workflows/slow.yaml": SLOW,
                           "policies/events.rego": POLICY, **sources}.items():
            self.scene.write("shop/" + name, text)
        done = self.scene.cli("deploy", self.scene.path("shop"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def runs(self, name="order"):
        return [run for run in self.scene.api().pages("/api/v1/runs?limit=100")
                if run["workflow"].endswith(name)]

    def drop(self, name, text):
        path = os.path.join(self.root, "drop", name)
        with open(path + ".part", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".part", path)

    def there(self, *names):
        return os.path.exists(os.path.join(self.root, "drop", *names))

    def test_a_dropped_file_makes_an_event_a_line_once(self):
        self.start({"sources/drop.yaml": FILES}, "--watch-root", self.root)
        self.drop("a.csv", "n,t\n1,x\n2,y\n")
        wait_for(lambda: self.there("done", "a.csv"), "the file is done")
        self.assertEqual(len(self.runs()), 2)
        self.scene.server.kill()
        self.drop("a.csv", "n,t\n1,x\n2,y\n")  # the same once more
        self.drop("b.csv", "n,t\n1\n")         # a field is missing
        self.scene.server.start("--watch-root", self.root)
        wait_for(lambda: self.there("done", "a.csv.1"), "the same file is done again")
        wait_for(lambda: self.there("failed", "b.csv.error.txt"), "the bad one has failed")
        with open(os.path.join(self.root, "drop", "failed", "b.csv.error.txt"),
                  encoding="utf-8") as file:
            self.assertIn("AIOS-1211", file.read())
        self.assertEqual(len(self.runs()), 2)

    def test_a_record_of_its_own_id_is_the_same_in_whichever_file_it_comes(self):
        named = FILES.replace("event: {", "event: {id: '${ .record.n }', ")
        self.start({"sources/drop.yaml": named}, "--watch-root", self.root)
        self.drop("monday.csv", "n,t\n1,x\n2,y\n")
        wait_for(lambda: self.there("done", "monday.csv"), "the first export is done")
        self.drop("tuesday.csv", "n,t\n2,y\n3,z\n")  # all that is open, as each day
        wait_for(lambda: self.there("done", "tuesday.csv"), "the second export is done")
        self.assertEqual(len(self.runs()), 3)
        self.drop("wrong.csv", "n,t\n3,other\n")
        wait_for(lambda: self.there("failed", "wrong.csv.error.txt"), "another content is refused")

    def test_without_a_watch_root_no_file_is_read_and_no_path_leads_outside(self):
        self.start({"sources/drop.yaml": FILES})
        self.drop("a.csv", "n,t\n1,x\n")
        wait_for(lambda: "AIOS-1210" in self.scene.server.log(), "the log says so")
        self.assertTrue(self.there("a.csv"))
        self.scene.write("shop/sources/drop.yaml", FILES.replace("folder: drop", "folder: ../etc"))
        done = self.scene.cli("check", self.scene.path("shop"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("sources/drop.yaml:3:", done.stderr)

    def test_a_schedule_fires_and_goes_on_after_a_kill(self):
        self.start({"sources/tick.yaml": TICK})
        wait_for(lambda: len(self.runs()) >= 2, "it fired twice")
        self.scene.server.kill()
        time.sleep(3)
        self.scene.server.start()
        before = len(self.runs())
        wait_for(lambda: len(self.runs()) >= before + 2, "it goes on")
        times = [run["input"][0]["data"]["scheduled"] for run in self.runs()]
        self.assertEqual(len(times), len(set(times)))

    def test_events_of_one_key_keep_their_order_also_over_a_kill(self):
        self.start({})
        api = self.scene.api()
        ids = []
        for number in range(3):
            status, answer = api.send({"specversion": "1.0", "id": str(number), "source": "/t",
                                       "type": "shop.slow", "partitionkey": "ann"})
            self.assertEqual(status, 202, answer)
            ids.append(answer["run"])
        last = api.want("GET", f"/api/v1/runs/{ids[2]}")
        self.assertEqual(last["waiting_for"], f"turn {ids[1]}")
        told = self.scene.cli("explain", ids[2])
        self.assertIn("its turn", told.stdout)
        self.scene.server.kill()
        self.scene.server.start()
        api = self.scene.api()
        ended = [api.run_when(run)["updated"] for run in ids]
        self.assertEqual(ended, sorted(ended))


if __name__ == "__main__":
    unittest.main()
