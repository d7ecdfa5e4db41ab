# SPDX-License-Identifier: Apache-2.0
"""clinc150 through the product's own path: trained, advised, routed; what is out of scope stays out.

The data (Larson et al., "An Evaluation Dataset for Intent Classification and Out-of-Scope
Prediction", 2019) is read where it lies beside the project ($AIOS_CONFORMANCE_DIR) and is no part
of it.
"""

import csv
import json
import os
import unittest

from harness import ROOT, Scene, bundle_files

ROUTER = os.path.join(ROOT, "examples", "intent-router")
PACKS = os.environ.get("AIOS_CONFORMANCE_DIR",
                       os.path.join(ROOT, "..", "shared", "conformance"))
PACK = os.path.join(PACKS, "clinc150", "data_full.json")


@unittest.skipUnless(os.path.exists(PACK), f"SKIPPED: clinc150 is not at {PACK}")
class OutOfScope(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(PACK, encoding="utf-8") as file:
            cls.pack = json.load(file)
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.with_server()
        cls.files = bundle_files(ROUTER, {
            "datasets/questions.csv": cls.table(cls.pack["train"]),
            "datasets/questions-heldout.csv": cls.table(cls.pack["val"])})
        cls.deploy({})
        api = cls.scene.api("developer")
        api.seconds = 280.0
        cls.version = api.want("POST", "/api/v1/models/intent77/train")
        cls.scene.api("approver").want("POST", "/api/v1/models/intent77/aliases/intent77",
                                       {"version": 1})

    @classmethod
    def deploy(cls, parameters):
        cls.scene.api().want("POST", "/api/v1/deployments",
                             {"files": cls.files, "parameters": parameters})

    @staticmethod
    def table(rows):
        lines = ["text,label"]
        for text, label in rows:
            quoted = text.replace('"', '""')
            lines.append(f'"{quoted}",{label}')
        return ("\n".join(lines) + "\n").encode()

    def routed(self, name, rows):
        path = self.scene.path(f"{name}.csv")
        with open(path, "wb") as file:
            file.write(self.table(rows))
        done = self.scene.cli("--json", "run", "route", "--input", path, "--label-column", "label")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(sum(report["outcomes"].values()), len(rows))
        return report

    def test_at_the_advised_floor_hardly_anything_out_of_scope_is_automatic(self):
        self.assertEqual((len(self.pack["train"]), len(self.pack["oos_test"])), (15000, 1000))
        strangers = self.scene.path("strangers.csv")
        with open(strangers, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("text",))
            writer.writerows([text] for text, _ in self.pack["oos_val"] + self.pack["oos_train"])
        done = self.scene.cli("--json", "model", "advise", "intent77", "--error-max", "0.05",
                              "--out-of-scope", strangers)
        self.assertEqual(done.returncode, 0, done.stderr)
        advice = json.loads(done.stdout)
        self.assertEqual((advice["rows"], advice["out_of_scope"]), (3000, 200))
        safe = advice["safe"]
        self.assertIsNotNone(safe)
        self.deploy({"floor": safe["floor"], "novelty_max": safe["novelty_max"]})
        strange = self.routed("strange", self.pack["oos_test"])
        inside = self.routed("inside", self.pack["test"])
        print("\nclinc150:", json.dumps({
            "accuracy_val": self.version["heldout"]["accuracy"], "floor": safe["floor"],
            "novelty_max": safe["novelty_max"], "out_of_scope": strange["outcomes"],
            "in_scope": inside}))
        self.assertLessEqual(strange["outcomes"].get("automatic", 0), 50)
        self.assertGreaterEqual(inside["outcomes"]["automatic"], 0.65 * 4500)
        self.assertGreaterEqual(self.version["heldout"]["accuracy"], 0.9)


if __name__ == "__main__":
    unittest.main()
