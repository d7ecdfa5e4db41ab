# SPDX-License-Identifier: Apache-2.0
"""The examples of the guide, which people copy, are taken: each block of YAML and Rego stands in a bundle that
`aios check` finds nothing wrong with, and the scenario of its page holds."""

import os
import re
import shutil
import unittest

from harness import ROOT, Scene, aios

GUIDE = os.path.join(ROOT, "docs", "guide")
HEAD = "document: {{dsl: 1.0.3, namespace: app, name: {0}, version: 1.0.0}}\n" \
       "schedule: {{on: {{one: {{with: {{type: com.example.{1}.v1}}}}}}}}\ndo:\n"
NEEDS = """  shop_url: {type: string, default: 'https://shop.example'}
  crm_url: {type: string, default: 'http://10.0.0.1:81'}
  second_opinion_url: {type: string, default: 'https://models.example/v1'}
  second_opinion_daily_eur: {type: number, default: 5}
needs:
"""
PAY = """  pay_refund:
    method: POST
    path: /refunds
    effect: lookup
    arguments: {type: object}
    body: .
"""
# Parts of rules, and settings of the server.
OTHERS = {("models", "rego"), ("running", "yaml")}


class Examples(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.taken = set()

    def blocks(self, page, kind="yaml"):
        with open(os.path.join(GUIDE, page + ".md"), encoding="utf-8") as file:
            found = re.findall(rf"^```{kind}\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)
        self.taken.add((page, kind))
        return found

    def write(self, path, *texts):
        self.scene.write("app/" + path, "".join(text.rstrip() + "\n" for text in texts))

    def manifest(self, budgets):
        """The page's own, with what the other pages' examples need."""
        text, _ = self.blocks("bundle")
        egress = self.blocks("http")[1].partition("needs:\n")[2]
        text = text.replace("name: support-desk", "name: app").replace("needs:\n", NEEDS + egress)
        text = re.sub(r"^  egress: \[.*\n", "", text, flags=re.MULTILINE)
        secrets = "secrets: [helpdesk-token, shop-webhook, shop-key, second-opinion-key]"
        return text.replace("secrets: [helpdesk-token]", secrets) + budgets

    def bundle(self):
        for name, source in zip(("shop", "overdue", "returns"), self.blocks("sources"), strict=True):
            self.write(f"sources/{name}.yaml", source)
        self.write("subscriptions/shop.yaml", *self.blocks("deliveries"))
        self.write("policies/deliveries.rego", *self.blocks("deliveries", "rego"))
        http, = self.blocks("http", "rego")
        self.write("policies/http.rego", http.replace("default allow := false\n", ""))
        grounded, = self.blocks("knowledge", "rego")
        self.write("policies/knowledge.rego", "package app\nimport rego.v1\nallow if grounded(\"x\")", grounded)
        self.write("policies/models.rego", "package aios.pre_model_call\nimport rego.v1\nallow := true")
        model, budgets, ask = self.blocks("money")
        self.write("models/second-opinion.yaml", model.replace("labelsOf: intent", "labels: [a, b]"))
        self.write("aios.yaml", self.manifest(budgets))
        result, lookup = self.blocks("effects")
        self.write("connectors/help-desk/connector.yaml", *self.blocks("connectors"), PAY, result, lookup)
        with open(os.path.join(GUIDE, "knowledge.md"), encoding="utf-8") as file:
            article = re.search(r"^```\n(---.*?)^```", file.read(), re.MULTILINE | re.DOTALL)[1]
        self.write("knowledge/refund.md", article)
        attributes, = self.blocks("runs")
        named = HEAD.format("ticket", "order").replace("document: {", "").split("}\n", 1)
        self.write("workflows/ticket.yaml", attributes.replace(
            "  # dsl, namespace, name, version", "  " + named[0].replace(", ", "\n  ")), named[1], ask, *self.blocks("knowledge"))
        self.write("workflows/pet.yaml", HEAD.format("pet", "overdue"), self.blocks("http")[0])
        self.write("workflows/paid.yaml", HEAD.format("paid", "return"), *self.blocks("errors-in-workflows"), self.blocks("bundle")[1])
        self.write("tests/ticket.yaml", *self.blocks("scenarios"))

    def test_check_finds_nothing_wrong_with_them(self):
        self.bundle()
        done = aios("check", self.scene.path("app"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("app 1.0.0: 15 files", done.stdout)
        warned = [line for line in done.stderr.splitlines() if "no 'call: http' goes to" not in line]
        self.assertEqual(warned, [])

    def test_every_page_with_such_an_example_is_among_them(self):
        self.bundle()
        taken = set(self.taken)
        there = {(name[:-3], kind) for name in os.listdir(GUIDE) if name.endswith(".md") for kind in ("yaml", "rego")
                 if self.blocks(name[:-3], kind)}
        self.assertEqual(there - taken, OTHERS)

    def test_its_scenario_holds(self):
        shutil.copytree(os.path.join(ROOT, "examples", "support-desk"), self.scene.path("desk"))
        for name in os.listdir(self.scene.path("desk", "tests")):
            os.remove(self.scene.path("desk", "tests", name))
        self.scene.write("desk/tests/page.yaml", self.blocks("scenarios")[0])
        done = aios("test", self.scene.path("desk"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("1 passed, 0 failed", done.stdout)


if __name__ == "__main__":
    unittest.main()
