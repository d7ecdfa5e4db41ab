# SPDX-License-Identifier: Apache-2.0
"""`aios dev`: a look at each save, a server of its own, one step by itself."""

import json
import os
import signal
import subprocess
import unittest

from harness import BINARY, Scene, aios, clean_environment, wait_for


class Dev(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.app = self.scene.path("app")
        self.assertEqual(aios("new", "app", cwd=self.scene.folder).returncode, 0)

    def change(self, name, old, new, through=""):
        """@param through  a file that is written first and renamed then, as editors do"""
        path = os.path.join(self.app, name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        target = os.path.join(os.path.dirname(path), through) if through else path
        with open(target, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, 1))
        if through:
            os.replace(target, path)

    def start(self, *arguments):
        self.out, self.err = self.scene.path("out.log"), self.scene.path("err.log")
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            process = subprocess.Popen([BINARY, "dev", self.app, *arguments], stdout=out,
                                       stderr=err, stdin=subprocess.DEVNULL,
                                       env=clean_environment({"TMPDIR": self.scene.folder}))

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
        self.addCleanup(end)
        return process

    def read(self, path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def printed(self, text, what="said"):
        return wait_for(lambda: text in self.read(self.out) and self.read(self.out),
                        f"{what}: {text}")

    def test_each_save_is_looked_at_and_told_with_its_place(self):
        process = self.start()
        self.printed("ok: app, 7 files, 4 scenarios hold")
        self.change("workflows/request.yaml", "call: policy:1.0.0@default",
                    "call: polcy:1.0.0@default", through=".request.yaml.swp")
        self.assertRegex(self.printed("1 problem;"),
                         r"(?m)^workflows/request\.yaml:\d+:\d+: .*policy.*\[AIOS-\d{4}\]$")
        self.change("workflows/request.yaml", "call: polcy:1.0.0@default",
                    "call: policy:1.0.0@default")
        wait_for(lambda: self.read(self.out).count("4 scenarios hold\n") == 2, "mended")
        self.change("policies/requests.rego", "<= data.params.limit", "< 1")
        self.printed("test_at_the_limit_nobody_is_asked")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 0, self.read(self.err))

    def test_a_server_of_its_own_gets_what_is_good_and_goes_with_its_data(self):
        process = self.start("--serve")
        self.printed("deployed as deployment 1")
        data = self.read(self.err).partition("data in ")[2].splitlines()[0]
        self.assertTrue(data.startswith(self.scene.folder), data)
        sent = aios("--json", "events", "send", os.path.join(self.app, "demo", "small.json"),
                    "--data", data)
        self.assertEqual(json.loads(sent.stdout)["status"], "accepted", sent.stderr)
        self.change("policies/reviews.rego", "# Asked by", "# It is asked by")
        self.printed("~ policy policies/reviews.rego")
        self.printed("deployed as deployment 2")
        self.change("forms/decision.json", "{", "")
        self.assertIn("forms/decision.json:", self.printed("problem"))
        now = aios("deploy", self.app, "--plan", "--data", data)
        self.assertEqual(now.returncode, 1)  # nothing that is broken gets there
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0, self.read(self.err))
        self.assertFalse(os.path.exists(data))
        self.assertNotIn("deployment 3", self.read(self.out))

    def test_once_is_for_a_hook(self):
        good = aios("dev", self.app, "--once", "--json")
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertEqual(len(json.loads(good.stdout)["scenarios"]), 4)
        self.change("tests/requests.yaml", "granted: true", "granted: false")
        bad = aios("dev", self.app, "--once")
        self.assertEqual(bad.returncode, 1)
        self.assertRegex(bad.stdout, r"(?m)^tests/requests\.yaml:\d+:\d+: .*AIOS-1701")
        self.assertEqual(aios("dev", self.scene.path("nowhere"), "--once").returncode, 1)
        self.assertEqual(aios("dev", self.scene.path("nowhere")).returncode, 1)

    def step(self, task, *arguments, code=0):
        done = aios("dev", self.app, "--json", "--step", task, *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def test_one_step_runs_with_what_it_is_given(self):
        found = self.step("request/decide", "--context", '{"amount": 400}')
        self.assertEqual(found["output"], {"action": "ask",
                                           "reason": "400 is above the limit of 100"})
        self.assertEqual((found["context"]["ask"], found["next"]), (True, "askPerson"))
        path = self.scene.write("context.json", '{"amount": 40}')
        self.assertEqual(self.step("app/request/decide", "--context", path)["context"]["granted"],
                         True)
        asked = self.step("request/askPerson", "--context",
                          '{"ask": true, "who": "Ann", "amount": 5, "purpose": "x", "why": "y"}')
        self.assertEqual([one["title"] for one in asked["questions"]], ["Ann asks for 5"])
        self.assertIn({"point": "review_assign", "verdict": "allow", "reasons": []},
                      asked["decisions"])
        words = aios("dev", self.app, "--step", "request/decide", "--context", '{"amount": 400}')
        self.assertIn("status: completed", words.stdout)
        self.assertIn("goes on at: askPerson", words.stdout)

    def test_a_step_that_is_not_there_or_fails_says_so(self):
        self.assertIn("did you mean 'decide'?", self.step("request/decde", code=1))
        self.assertIn("AIOS-1426", self.step("reqest/decide", code=1))
        self.assertIn("AIOS-1427", self.step("decide", code=1))
        self.assertIn("AIOS-1427", self.step("request/decide", "--input", "{", code=1))
        self.assertIn("AIOS-1427", self.step("request/decide", "--input", "nowhere.json", code=1))
        failed = self.step("request/decide", "--context", "5", code=1)
        self.assertEqual(failed["status"], "faulted")
        self.assertEqual(aios("dev", self.app, "--step", "a/b", "--serve").returncode, 2)
        self.assertEqual(aios("dev", self.app, "--input", "1").returncode, 2)

    def test_a_step_calls_what_a_scenario_answers(self):
        self.assertEqual(aios("new", "desk", "--template", "support",
                              cwd=self.scene.folder).returncode, 0)
        self.app = self.scene.path("desk")
        found = self.step("ticket/classify", "--context", '{"text": "refund please"}',
                          "--scenario", "model is sure")
        self.assertEqual(found["output"]["label"], "refund_request")
        self.assertIn("pre_model_call", [one["point"] for one in found["decisions"]])
        alone = self.step("ticket/classify", "--context", '{"text": "refund please"}', code=1)
        self.assertEqual(len(alone["unscripted"]), 1)
        denied = self.step("ticket/openCase", "--scenario", "model is sure", "--context",
                           '{"intent": "refund_request", "text": "a"}', code=1)
        self.assertEqual(denied["requests"], [])
        self.assertIn("connector_egress", [one["point"] for one in denied["decisions"]])


if __name__ == "__main__":
    unittest.main()
