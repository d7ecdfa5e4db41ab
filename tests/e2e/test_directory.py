# SPDX-License-Identifier: Apache-2.0
"""What the command line does to a data directory that no server has open: it reads, and no run goes on
because somebody looked."""

import datetime
import json
import os
import re
import unittest

from harness import SURE_CASE, SURE_REFUND, HelpDesk, Scene, aios, ticket_event, wait_for

DONE = "select (select count(*) from cases), (select count(*) from refunds), (select count(*) from notices)"
SECRET = {"AIOS_SECRET_HELPDESK_TOKEN": HelpDesk.TOKEN}


def utc_now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")


class Looking(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)

    def cli(self, *arguments):
        return aios("--data", self.scene.server.data, *arguments, environment=SECRET)

    def parked(self):
        """Six runs that wait for the help desk, which is up again, and whose time has come."""
        scene = self.scene.support_desk()
        scene.desk.set_faults("", outage_seconds=600)
        runs = []
        for number, (order, customer) in enumerate(scene.small_orders()[:3]):
            runs.append(scene.api("ingest").send(
                ticket_event(number, SURE_REFUND, customer, order))[1]["run"])
        for number in range(3, 6):
            runs.append(scene.api("ingest").send(
                ticket_event(number, SURE_CASE, scene.customers[number]))[1]["run"])
        for run in runs:
            scene.api().run_when(run, ("waiting",))
        scene.server.kill()
        scene.desk.set_faults("", outage_seconds=0)
        wakes = []
        for run in runs:
            text = self.cli("explain", run).stdout
            wakes.append(re.search(r"wakes: (\S+)Z", text).group(1))
        wait_for(lambda: utc_now() > max(wakes), "the parked runs are due")
        return runs

    def test_commands_that_only_read_leave_every_run_as_it_is(self):
        runs = self.parked()
        before = self.cli("runs", "list", "--json").stdout
        for command in (["runs", "list"], ["explain", runs[0]], ["events", "list"],
                        ["review", "list"], ["runs", "show", runs[5]],
                        ["key", "create", "--name", "another", "--role", "auditor"]):
            done = self.cli(*command)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.scene.desk.rows(DONE), [(0, 0, 0)])
        self.assertEqual(self.cli("runs", "list", "--json").stdout, before)
        self.assertEqual({run["status"] for run in json.loads(before)["items"]}, {"waiting"})
        self.scene.server.start()
        for run in runs:
            self.assertEqual(self.scene.api().run_when(run)["status"], "completed")
        self.assertEqual(self.scene.desk.rows(DONE)[0][:2], (3, 3))

    def test_looking_into_a_directory_without_a_key_makes_none(self):
        data = self.scene.path("empty")
        os.mkdir(data, 0o700)
        with open(os.path.join(data, "journal.db"), "wb"):
            pass
        done = aios("--data", data, "runs", "list")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("AIOS-1418", done.stderr)
        self.assertIn("aios serve", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(data, "first-key")))


if __name__ == "__main__":
    unittest.main()
