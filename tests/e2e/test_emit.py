# SPDX-License-Identifier: Apache-2.0
"""What one workflow emits starts another, once, also when the server is killed in between."""

import time
import unittest

from harness import Scene

FIRST = """
document: {dsl: '1.0.3', namespace: chain, name: first, version: '1.0.0'}
schedule: {on: {one: {with: {type: com.example.first.v1}}}}
do:
  - tell:
      emit:
        event:
          with:
            type: com.example.second.v1
            source: https://example.com/chain
            data: {n: '${ .[0].data.n }'}
"""
SECOND = """
document: {dsl: '1.0.3', namespace: chain, name: second, version: '1.0.0'}
schedule: {on: {one: {with: {type: com.example.second.v1}}}}
do:
  - take:
      set: {got: '${ .[0].data.n }'}
"""
POLICY = """package aios.event_admit

import rego.v1

default allow := false

allow if startswith(input.event.type, "com.example.")
"""


class Emit(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.scene.with_server()
        bundle = self.scene.path("chain")
        for name, text in {"aios.yaml": "name: chain\nversion: 1.0.0\n",
                           "workflows/first.yaml": FIRST, "workflows/second.yaml": SECOND,
                           "policies/events.rego": POLICY}.items():
            self.scene.write("chain/" + name, text)
        done = self.scene.cli("deploy", bundle)
        self.assertEqual(done.returncode, 0, done.stderr)

    def second_runs(self):
        return [run for run in self.scene.api().pages("/api/v1/runs?limit=100")
                if run["workflow"].endswith("second")]

    def wait_for_second(self, count):
        end = time.monotonic() + 20
        while time.monotonic() < end and len(self.second_runs()) < count:
            time.sleep(0.1)
        return sorted(run["output"]["got"] for run in self.second_runs())

    def send(self, number):
        self.scene.api().send({"specversion": "1.0", "id": f"e-{number}", "source": "test",
                               "type": "com.example.first.v1", "data": {"n": number}})

    def test_an_emitted_event_starts_the_workflow_it_triggers(self):
        for number in range(5):
            self.send(number)
        self.assertEqual(self.wait_for_second(5), [0, 1, 2, 3, 4])

    def test_a_kill_neither_loses_nor_doubles_it(self):
        for number in range(20):
            self.send(number)
        self.scene.restart("kill")
        self.assertEqual(self.wait_for_second(20), list(range(20)))
        time.sleep(0.5)  # a doubled delivery would come with the next look at the outbox
        self.assertEqual(len(self.second_runs()), 20)


if __name__ == "__main__":
    unittest.main()
