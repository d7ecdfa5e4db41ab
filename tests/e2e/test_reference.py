# SPDX-License-Identifier: Apache-2.0
"""The reference pages are what the program prints, and what it prints is what a running server has."""

import json
import os
import re
import unittest

from harness import ROOT, Scene, aios

FOLDER = os.path.join(ROOT, "docs", "guide", "reference")
PARTS = ("functions", "configuration", "policy-inputs", "metrics")


def printed(*arguments):
    done = aios("reference", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sources():
    for folder, _, names in os.walk(os.path.join(ROOT, "src")):
        for name in names:
            if name.endswith((".cc", ".h")) and not name.endswith("_test.cc"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    yield file.read()


class Pages(unittest.TestCase):
    def test_each_page_of_the_guide_is_what_the_program_prints(self):
        self.assertEqual(sorted(os.listdir(FOLDER)), sorted(f"{part}.md" for part in PARTS))
        for part in PARTS:
            with open(os.path.join(FOLDER, f"{part}.md"), encoding="utf-8") as file:
                self.assertEqual(file.read(), printed(part), f"{part}.md is old: ./dev reference writes it anew")

    def test_without_a_part_all_of_them_are_printed(self):
        self.assertEqual(printed(), "\n".join(printed(part) for part in PARTS))
        self.assertEqual(sorted(json.loads(printed("--json"))), sorted(PARTS))

    def test_another_part_is_wrong_use_and_those_there_are_are_named(self):
        done = aios("reference", "colours")
        self.assertEqual(done.returncode, 2)
        self.assertIn("policy-inputs", done.stderr)


class Metrics(unittest.TestCase):
    def setUp(self):
        self.rows = {row["name"]: row for row in json.loads(printed("metrics", "--json"))["metrics"]}

    def test_each_row_is_recorded_somewhere(self):
        used = set()
        for text in sources():
            used.update(re.findall(r'\bmetric\("(aios_[a-z_]+)"\)', text))
        self.assertEqual(sorted(self.rows), sorted(used))

    def test_what_a_server_exposes_is_what_the_rows_say(self):
        scene = Scene().with_server()
        self.addCleanup(scene.close)
        text = scene.api().call("GET", "/metrics")[1]
        types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
        self.assertGreater(len(types), 20)
        for name, kind in types.items():
            row = self.rows[name.removesuffix("_total") if kind == "counter" else name]
            self.assertEqual(row["type"], kind)
            self.assertIn(f"# HELP {name} {row['help']}\n", text)

    def test_each_alert_is_about_metrics_of_the_table(self):
        with open(os.path.join(ROOT, "operations", "alerts.yaml"), encoding="utf-8") as file:
            rules = file.read()
        for name in re.findall(r"\baios_[a-z_]+", "\n".join(re.findall(r"expr: (.*)", rules))):
            counter = self.rows.get(name.removesuffix("_total"), {}).get("type") == "counter"
            self.assertTrue(name in self.rows or counter and name.endswith("_total"), name)


if __name__ == "__main__":
    unittest.main()
