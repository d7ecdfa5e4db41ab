# SPDX-License-Identifier: Apache-2.0
"""`aios check`: every problem of a bundle at once, each with file, line and column."""

import json
import os
import re
import shutil
import unittest

from harness import DESK_BUNDLE, ROOT, Scene, aios

PLACED = re.compile(r"^([\w./-]+):(\d+):(\d+): .+\[AIOS-\d{4}\]$", re.MULTILINE)


class Check(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)

    def copy(self):
        target = self.scene.path("bundle")
        shutil.copytree(DESK_BUNDLE, target, ignore=shutil.ignore_patterns("__pycache__"))
        return target

    def change(self, bundle, name, old, new):
        path = os.path.join(bundle, name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, 1))
        return text[:text.index(old)].count("\n") + 1  # the line of the change

    def places(self, bundle, *more):
        done = aios("check", bundle, *more)
        self.assertEqual(done.returncode, 1, done.stdout)
        return [(file, int(line)) for file, line, _ in PLACED.findall(done.stderr)], done.stderr

    def test_the_examples_are_good(self):
        for name in sorted(os.listdir(os.path.join(ROOT, "examples"))):
            done = aios("check", os.path.join(ROOT, "examples", name))
            self.assertEqual(done.returncode, 0, f"{name}: {done.stderr}")
            self.assertIn("no problems", done.stdout)

    def test_all_errors_of_all_files_come_at_once_with_their_places(self):
        bundle = self.copy()
        flow = "workflows/ticket.yaml"
        expected = [
            (flow, self.change(bundle, flow, "call: redact:1.0.0@default",
                               "call: redakt:1.0.0@default")),
            (flow, self.change(bundle, flow, "'${ $context.text }'",
                               "'${ $context.text + }'")),
            (flow, self.change(bundle, flow, "then: openCase", "then: openCases")),
            (flow, self.change(bundle, flow, "operation: find_order", "operation: find_ordr")),
            ("connectors/help-desk/connector.yaml",
             self.change(bundle, "connectors/help-desk/connector.yaml", "effect: key",
                         "effect: kee")),
            ("policies/reviews.rego",
             self.change(bundle, "policies/reviews.rego", "default allow := false",
                         "default allow := ")),
            ("forms/ticket-review.json",
             self.change(bundle, "forms/ticket-review.json", '"type": "object",',
                         '"type": "objekt",')),
            ("models/intent.yaml", self.change(bundle, "models/intent.yaml", "engine: text_linear",
                                               "engine: text_liner")),
        ]
        found, said = self.places(bundle)
        files = [file for file, _ in found]
        for file, line in expected:
            self.assertIn(file, files, said)
            if file.endswith(".yaml"):
                near = [at for name, at in found if name == file and abs(at - line) <= 2]
                self.assertTrue(near, f"nothing at {file}:{line} in:\n{said}")
        for right in ("redact", "openCase", "find_order", "text_linear"):
            self.assertIn(right, said)
        self.assertGreaterEqual(len(found), len(expected))

    def test_a_deployment_tells_the_same_places_as_the_check(self):
        bundle = self.copy()
        self.change(bundle, "workflows/ticket.yaml", "call: redact", "call: redcat")
        self.change(bundle, "models/intent.yaml", "engine: text_linear", "engine: text_liner")
        checked = [line for line in aios("check", bundle).stderr.splitlines()
                   if "[AIOS-" in line and not line.startswith(("warning", "aios"))]
        self.assertGreater(len(checked), 1)
        self.scene.with_server()
        for command in (("deploy",), ("deploy", "--plan")):
            done = self.scene.cli(*command, bundle)
            self.assertEqual(done.returncode, 1)
            for line in checked:
                self.assertIn(line, done.stderr.splitlines())
            self.assertIn(f"{len(checked)} problems in", done.stderr)
        done = self.scene.cli("--json", "deploy", bundle)
        told = json.loads(done.stdout)
        self.assertFalse(told["ok"])
        self.assertEqual(len(told["errors"]), len(checked))
        self.assertTrue(all(error["line"] > 0 for error in told["errors"]))

    def test_a_parameter_named_like_a_secret_is_kept_and_not_shown(self):
        bundle = self.scene.path("quiet")
        os.mkdir(bundle)
        with open(os.path.join(bundle, "aios.yaml"), "w", encoding="utf-8") as file:
            file.write("name: quiet\nversion: 1.0.0\n"
                       "parameters: {api_token: {type: string, default: none}}\n")
        self.scene.with_server()
        done = self.scene.cli("deploy", bundle, "--set", "api_token=canary-81")
        self.assertEqual(done.returncode, 0, done.stderr)
        current = self.scene.api().want("GET", "/api/v1/deployments/current")
        self.assertEqual(current["parameters"], {"api_token": "(not shown)"})
        self.assertNotIn("canary-81", str(current) + done.stdout)
        status, said = self.scene.api().call("POST", "/api/v1/deployments/plan", {
            "files": {}, "parameters": current["parameters"]})
        self.assertEqual((status, said["page"]), (400, "AIOS-1331"))
        self.scene.restart()
        again = self.scene.cli("deploy", bundle)
        self.assertIn("runs already", again.stdout)  # with the value that was set

    def test_what_is_missing_is_named(self):
        bundle = self.copy()
        os.remove(os.path.join(bundle, "datasets", "intents.csv"))
        os.remove(os.path.join(bundle, "forms", "ticket-review.json"))
        _, said = self.places(bundle)
        self.assertIn("datasets/intents.csv", said)
        self.assertIn("ticket-review", said)

    def test_a_failing_policy_test_fails_the_check(self):
        bundle = self.copy()
        self.change(bundle, "policies/support.rego", "confidence >= floor(intent)",
                    "confidence > floor(intent)")
        done = aios("check", bundle)
        self.assertEqual(done.returncode, 1)
        self.assertIn("test_a_confident_known_intent_is_automatic", done.stderr)

    def test_what_is_no_plain_file_is_refused_and_a_file_linked_inside_is_read(self):
        for name, make, told in (
                ("workflows/other.yaml", os.mkdir, "found a directory, wanted a file"),
                ("forms/lost.json", lambda path: os.symlink("nowhere", path), "leads to no file"),
                ("datasets/more", lambda path: os.symlink("/", path), "not followed")):
            bundle = self.copy()
            make(os.path.join(bundle, name))
            done = aios("check", bundle)
            self.assertEqual(done.returncode, 1, name)
            self.assertIn(f"{name}: found a", done.stderr)
            self.assertIn(told, done.stderr)
            shutil.rmtree(bundle)
        bundle = self.copy()
        os.rename(os.path.join(bundle, "policies"), self.scene.path("elsewhere"))
        os.symlink(self.scene.path("elsewhere"), os.path.join(bundle, "policies"))
        done = aios("check", bundle)
        self.assertEqual(done.returncode, 1)
        self.assertIn("policies: found a symbolic link", done.stderr)
        os.remove(os.path.join(bundle, "policies"))
        os.mkdir(os.path.join(bundle, "policies"))
        for name in os.listdir(self.scene.path("elsewhere")):
            os.symlink(self.scene.path("elsewhere", name), os.path.join(bundle, "policies", name))
        done = aios("check", bundle)
        self.assertEqual(done.returncode, 1)
        self.assertIn("leads out of the bundle", done.stderr)
        os.rename(self.scene.path("elsewhere"), os.path.join(bundle, "notes"))
        for name in os.listdir(os.path.join(bundle, "notes")):
            os.remove(os.path.join(bundle, "policies", name))
            os.symlink(f"../notes/{name}", os.path.join(bundle, "policies", name))
        done = aios("check", bundle)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no problems", done.stdout)

    def test_names_that_are_nearly_a_part_and_what_no_policy_can_allow_are_warned_of(self):
        bundle = self.copy()
        os.rename(os.path.join(bundle, "policies", "connector_egress.rego"),
                  os.path.join(bundle, "policies", "connector_egress.reg"))
        for name in os.listdir(os.path.join(bundle, "policies")):
            if name.endswith("_test.rego"):  # they ask the rules that are gone
                os.remove(os.path.join(bundle, "policies", name))
        os.mkdir(os.path.join(bundle, "polices"))
        done = aios("check", bundle)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("3 warnings", done.stdout)
        self.assertIn("polices/:1:1: nothing reads this folder; did you mean 'policies/'?",
                      done.stderr)
        self.assertIn("policies/connector_egress.reg:1:1: this file is not read", done.stderr)
        self.assertRegex(done.stderr, r"connector.yaml:\d+:\d+: no policy can allow any call of "
                                      r"this connector: .* no package aios.connector_egress")

    def test_a_label_that_nothing_measures_and_no_form_offers_is_warned_of(self):
        bundle = self.copy()
        with open(os.path.join(bundle, "datasets/intents.csv"), "a", encoding="utf-8") as file:
            file.writelines(f'"please wrap it as a gift, number {n}",gift_wrap\n' for n in range(5))
        done = aios("check", bundle)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"models/intent.yaml:\d+:\d+: datasets/intents-heldout.csv "
                                      r"has no line with 'gift_wrap'")
        self.assertRegex(done.stderr, r"forms/ticket-review.json:\d+:\d+: the label 'gift_wrap'")

    def test_a_warning_is_no_failure(self):
        bundle = self.copy()
        shutil.rmtree(os.path.join(bundle, "workflows"))
        done = aios("check", bundle)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 warning", done.stdout)
        self.assertRegex(done.stderr, r"^warning: aios.yaml:1:1: .*AIOS-1113")

    def test_parameters_are_checked(self):
        for setting, right in (("refund_limit_cents=many", "refund_limit_cents"),
                               ("helpdesk_ulr=x", "helpdesk_url")):
            done = aios("check", DESK_BUNDLE, "--set", setting)
            self.assertEqual(done.returncode, 1, setting)
            self.assertIn(right, done.stderr)

    def test_a_yaml_bomb_and_bytes_that_are_no_text_are_refused(self):
        bundle = self.copy()
        bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n"
            for i in range(12))
        with open(os.path.join(bundle, "models", "bomb.yaml"), "w", encoding="utf-8") as file:
            file.write(bomb)
        with open(os.path.join(bundle, "workflows", "bytes.yaml"), "wb") as file:
            file.write(b"document: \xff\xfe\n")
        done = aios("check", bundle, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("models/bomb.yaml", done.stderr)
        self.assertIn("workflows/bytes.yaml", done.stderr)


if __name__ == "__main__":
    unittest.main()
