# SPDX-License-Identifier: Apache-2.0
"""The files for operators: what they name is there."""

import os
import re
import unittest

from harness import ROOT, SURE_CASE, Scene, aios, ticket_event

FOLDER = os.path.join(ROOT, "operations")


def text_of(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


class Files(unittest.TestCase):
    def test_each_alert_is_about_a_metric_that_there_is(self):
        rules = text_of("alerts.yaml")
        self.assertEqual(len(re.findall(r"- alert: ", rules)), 12)
        scene = Scene().with_desk().with_server()
        self.addCleanup(scene.close)
        scene.deploy()
        event = ticket_event(1, SURE_CASE)
        del event["data"]["body"]  # the workflow's input wants one: a dead letter
        self.assertEqual(scene.api().send(event)[1]["status"], "dead_letter")
        metrics = scene.api().call("GET", "/metrics")[1]
        for expression in re.findall(r"expr: (.*)", rules):
            for name in re.findall(r"aios_[a-z_]+", expression):
                self.assertIn(f"\n{name}", metrics, expression)
        self.assertIn('outcome="dead_letter"', metrics)

    def test_the_unit_starts_the_server_with_arguments_it_takes(self):
        command = re.search(r"ExecStart=/usr/local/bin/aios (.*)", text_of("aios.service")).group(1)
        done = aios("--parse-only", *command.split())
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
