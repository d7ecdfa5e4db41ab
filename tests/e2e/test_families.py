# SPDX-License-Identifier: Apache-2.0
"""Loops, branches, runs of other workflows and events that are waited for, through the real binary and
over kills."""

import unittest

from harness import Scene, wait_for

POLICY = """package aios.event_admit

import rego.v1

default allow := false

allow if startswith(input.event.type, "shop.")
"""
LOOP = """
document: {dsl: '1.0.3', namespace: shop, name: loop, version: '1.0.0'}
do:
  - each:
      for: {each: line, in: '${ .lines }'}
      do:
        - rest: {if: '${ $index == 2 }', wait: PT1S}
        - add: {set: {sum: '${ (.sum // 0) + $line }'}}
"""
FORK = """
document: {dsl: '1.0.3', namespace: shop, name: fork, version: '1.0.0'}
do:
  - both:
      fork:
        branches:
          - quick: {set: {n: 1}}
          - slow: {do: [{rest: {wait: PT2S}}, {out: {set: {n: 2}}}]}
          - other: {run: {workflow: {namespace: shop, name: child, version: latest, input: {n: 3}}}}
      output: {as: '${ map(.n) }'}
"""
CHILD = """
document: {dsl: '1.0.3', namespace: shop, name: child, version: '1.0.0'}
do:
  - rest: {wait: PT1S}
  - out: {set: {n: '${ .n }'}}
"""
TICKET = """
document: {dsl: '1.0.3', namespace: shop, name: ticket, version: '1.0.0'}
schedule: {on: {one: {with: {type: shop.ticket}}}}
do:
  - keep: {set: {ticket: '${ .[0].subject }'}, export: {as: .}}
  - reply: {listen: {to: {one: {with: {type: shop.reply, subject: '${ $context.ticket }'}}}}}
  - out: {set: {said: '${ .[0].text }'}}
"""
BROKEN = """
document: {dsl: '1.0.3', namespace: shop, name: broken, version: '1.0.0'}
do:
  - both:
      fork:
        branches:
          - good: {set: {n: 1}}
          - bad: {set: {n: '${ .n | WORD }'}}
"""


class Families(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.scene.with_server()
        self.deployed = 0
        self.deploy({})

    def deploy(self, more):
        self.deployed += 1
        files = {"aios.yaml": f"name: shop\nversion: 1.{self.deployed}.0\n", "policies/events.rego": POLICY,
                 "workflows/loop.yaml": LOOP, "workflows/fork.yaml": FORK,
                 "workflows/child.yaml": CHILD, "workflows/ticket.yaml": TICKET, **more}
        for name, text in files.items():
            self.scene.write("shop/" + name, text)
        done = self.scene.cli("deploy", self.scene.path("shop"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def begin(self, workflow, value):
        return self.scene.api().want("POST", "/api/v1/runs",
                                     {"workflow": workflow, "input": value})["id"]

    def kill(self):
        self.scene.server.kill()
        self.scene.server.start()

    def waits(self, run, word):
        wait_for(lambda: self.scene.api().want("GET", f"/api/v1/runs/{run}").get(
            "waiting_for", "").startswith(word), f"{run} waits for {word}")

    def send(self, number, kind, subject):
        status, answer = self.scene.api().send(
            {"specversion": "1.0", "id": str(number), "source": "/shop", "type": "shop." + kind,
             "subject": subject, "data": {"text": f"thanks {number}"}})
        self.assertEqual(status, 202, answer)
        return answer

    def test_a_loop_goes_on_in_the_turn_in_which_it_was_killed(self):
        run = self.begin("loop", {"lines": [1, 2, 3, 4]})
        self.waits(run, "timer")
        self.kill()
        ended = self.scene.api().run_when(run)
        self.assertEqual(ended["status"], "completed", ended)
        self.assertEqual(ended["output"]["sum"], 10)

    def test_branches_and_a_workflow_below_them_end_once_over_kills(self):
        run = self.begin("fork", {})
        self.waits(run, "child")
        self.kill()
        self.kill()
        ended = self.scene.api().run_when(run)
        self.assertEqual((ended["status"], ended["output"]), ("completed", [1, 2, 3]), ended)
        below = [one for one in self.scene.api().pages("/api/v1/runs?limit=100&branches=shown")
                 if one["id"].startswith(run)]
        self.assertTrue(all(one["status"] == "completed" for one in below), below)

    def test_an_event_reaches_the_run_that_listens_once_over_kills(self):
        first = self.send(1, "ticket", "T1")["run"]
        second = self.send(2, "ticket", "T2")["run"]
        self.waits(first, "event")
        self.waits(second, "event")
        self.kill()
        answer = self.send(3, "reply", "T2")
        self.assertEqual(answer["delivered"], second)
        self.kill()
        again = self.send(3, "reply", "T2")
        self.assertTrue(again["repeated"])
        self.assertEqual(again["delivered"], second)
        shown = self.scene.api().want("GET", f"/api/v1/events/{answer['id']}")
        self.assertEqual((shown["status"], shown["delivered"]), ("accepted", second))
        ended = self.scene.api().run_when(second)
        self.assertEqual(ended["output"], {"said": "thanks 3"})
        self.assertEqual(self.scene.api().want("GET", f"/api/v1/runs/{first}")["status"], "waiting")
        early = self.send(4, "reply", "T3")  # before its run listens
        self.assertNotIn("delivered", early)
        self.kill()
        third = self.send(5, "ticket", "T3")["run"]
        self.assertEqual(self.scene.api().run_when(third)["output"], {"said": "thanks 4"})

    def test_a_fork_that_faulted_goes_on_with_its_branches_after_the_fix(self):
        self.deploy({"workflows/broken.yaml": BROKEN.replace("WORD", 'error("no")')})
        run = self.begin("broken", {"n": 2})
        self.assertEqual(self.scene.api().run_when(run)["status"], "faulted")
        below = [one["id"] for one in self.scene.api().pages("/api/v1/runs?limit=100&branches=shown")
                 if one["id"].startswith(run + "-") and one["status"] == "faulted"]
        self.assertEqual(len(below), 1, below)
        refused = self.scene.cli("runs", "retry", below[0])
        self.assertEqual(refused.returncode, 1)
        self.assertIn("AIOS-1081", refused.stdout + refused.stderr)
        self.deploy({"workflows/broken.yaml": BROKEN.replace("WORD", ". + 1").replace(
                         "version: '1.0.0'", "version: '1.1.0'")})
        done = self.scene.cli("runs", "retry", run, "--definition", "newest")
        self.assertEqual(done.returncode, 0, done.stderr)
        ended = self.scene.api().run_when(run)
        self.assertEqual((ended["status"], ended["output"]), ("completed", [{"n": 1}, {"n": 3}]))


if __name__ == "__main__":
    unittest.main()
