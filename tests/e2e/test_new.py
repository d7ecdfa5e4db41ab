# SPDX-License-Identifier: Apache-2.0
"""`aios new`: a bundle that checks, tests, deploys and runs as it was made."""

import json
import os
import subprocess
import sys
import unittest

from harness import BINARY, Scene, aios, clean_environment, wait_for


class New(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)

    def make(self, *arguments):
        done = aios("new", *arguments, cwd=self.scene.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def cli(self, *arguments, **more):
        done = self.scene.cli(*arguments, **more)
        self.assertEqual(done.returncode, 0, (arguments, done.stderr))
        return done.stdout

    def run_of(self, event):
        sent = json.loads(self.cli("--json", "events", "send", event))
        return self.scene.api().run_when(sent["run"], ("completed", "review"))

    def test_a_minimal_bundle_checks_tests_deploys_and_decides(self):
        said = self.make("my-app")
        self.assertIn("made my-app from the template minimal: 12 files", said)
        folder = self.scene.path("my-app")
        self.assertIn("no problems", aios("check", folder).stdout)
        self.assertIn("4 passed, 0 failed", aios("test", folder).stdout)
        for command, said in (("check", "no problems"), ("test", "4 passed, 0 failed"),
                              ("dev", "4 scenarios hold")):  # the folder it stands in
            more = ("--once",) if command == "dev" else ()
            self.assertIn(said, aios(command, *more, cwd=folder).stdout)
        self.scene.with_server()
        deployed = self.scene.cli("deploy", folder)
        self.assertEqual((deployed.returncode, deployed.stderr), (0, ""), deployed.stdout)
        small = self.run_of(os.path.join(folder, "demo", "small.json"))
        self.assertEqual(small["output"], {"granted": True, "why": "within the limit",
                                           "by": "policy"})
        self.assertEqual(self.run_of(os.path.join(folder, "demo", "large.json"))["status"],
                         "waiting")
        twice = self.cli("events", "send", os.path.join(folder, "demo", "small.json"))
        self.assertRegex(twice, r"evt_\w+  accepted before  run_")
        rows = self.scene.write("rows.csv", "who,amount,purpose\nAnn,40,pens\nBen,0.5,ink\n")
        as_text = self.scene.cli("run", "request", "--input", rows)
        self.assertEqual((as_text.returncode, as_text.stdout), (1, ""))
        self.assertIn("AIOS-1412", as_text.stderr)
        report = json.loads(self.cli("run", "request", "--input", rows, "--numbers", "amount",
                                     "--json"))
        self.assertEqual(report["statuses"], {"completed": 2})
        for columns, said in (("who", "column 'who' is 'Ann', wanted a number"),
                              ("amont", "no column 'amont'")):
            wrong = self.scene.cli("run", "request", "--input", rows, "--numbers", columns)
            self.assertEqual((wrong.returncode, wrong.stdout), (1, ""))
            self.assertIn(said, wrong.stderr)
        with open(os.path.join(folder, ".gitignore"), encoding="utf-8") as file:
            self.assertTrue({"aios-data/\n", "*.key\n"} <= set(file))
        questions = json.loads(self.cli("--json", "review", "list"))["items"]
        self.assertEqual([one["title"] for one in questions], ["Ben asks for 400"])

    def test_a_support_bundle_learns_and_opens_a_case(self):
        self.make("my-desk", "--template", "support")
        folder = self.scene.path("my-desk")
        self.assertIn("no problems", aios("check", folder).stdout)
        self.assertIn("4 passed, 0 failed", aios("test", folder).stdout)
        with open(self.scene.path("desk.log"), "wb") as log:
            desk = subprocess.Popen([sys.executable, os.path.join(folder, "demo", "helpdesk.py"),
                                     "0"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.addCleanup(desk.wait)
        self.addCleanup(desk.kill)

        def address():
            with open(self.scene.path("desk.log"), encoding="utf-8") as file:
                return file.read().partition("help desk on ")[2].strip()
        url = wait_for(address, "the help desk says where it is")
        self.scene.with_server()
        self.cli("deploy", folder, "--set", f"helpdesk_url={url}")
        self.cli("model", "train", "intent")
        self.cli("model", "promote", "intent@1", "intent", role="approver")
        run = self.run_of(os.path.join(folder, "demo", "ticket.json"))
        self.assertEqual((run["output"]["intent"], run["output"]["case"]),
                         ("refund_request", "CASE-1"), run)

    def test_the_next_commands_are_those_of_the_readme(self):
        made = json.loads(self.make("my-app", "--json"))
        with open(self.scene.path("my-app", "README.md"), encoding="utf-8") as file:
            readme = file.read()
        self.assertEqual(made["next"][0], "cd my-app")
        self.assertEqual(len(made["next"]), 7)
        self.assertIn("\n".join(made["next"][1:]), readme)
        self.assertEqual(sorted(made["files"]), sorted(
            os.path.relpath(os.path.join(at, name), self.scene.path("my-app"))
            for at, _, names in os.walk(self.scene.path("my-app")) for name in names))

    def test_the_next_commands_work_when_they_are_pasted_at_once(self):
        os.symlink(BINARY, self.scene.path("aios"))
        environment = clean_environment({"AIOS_LISTEN": "127.0.0.1:0"})  # a port that is free
        environment["PATH"] = self.scene.folder + os.pathsep + environment["PATH"]
        for name, template in (("my-app", "minimal"), ("my-desk", "support")):
            made = json.loads(self.make(name, "--template", template, "--json"))
            script = "\n".join(["set -e", "trap 'kill $(jobs -p); wait' EXIT", *made["next"]])
            done = subprocess.run(["bash", "-c", script], cwd=self.scene.folder, env=environment,
                                  capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(done.returncode, 0, (script, done.stdout, done.stderr))
            self.assertIn(f"{name} 1.0.0 deployed as deployment 1", done.stdout)
            if template == "minimal":
                self.assertRegex(done.stdout, r"evt_\w+  accepted  run_")

    def test_nothing_is_overwritten_and_a_wrong_name_makes_nothing(self):
        self.scene.write("taken/own.txt", "mine")
        for arguments, page in ((("taken",), "AIOS-1423"), (("Taken",), "AIOS-1424"),
                                (("a/b",), "AIOS-1424"), (("ok", "--directory", "taken"),
                                                          "AIOS-1423")):
            done = aios("new", *arguments, cwd=self.scene.folder)
            self.assertEqual((done.returncode, done.stdout), (1, ""), arguments)
            self.assertIn(page, done.stderr)
        unknown = aios("new", "ok", "--template", "odd", cwd=self.scene.folder)
        self.assertEqual(unknown.returncode, 2)
        self.assertIn("minimal", unknown.stderr)
        self.assertEqual(os.listdir(self.scene.folder), ["taken"])
        self.assertEqual(os.listdir(self.scene.path("taken")), ["own.txt"])

    def test_an_empty_folder_is_taken_and_the_name_may_differ_from_it(self):
        os.mkdir(self.scene.path("My desk"))
        self.make("desk", "--directory", "My desk")
        with open(self.scene.path("My desk", "aios.yaml"), encoding="utf-8") as file:
            self.assertIn("name: desk\n", file.read())


if __name__ == "__main__":
    unittest.main()
