# SPDX-License-Identifier: Apache-2.0
"""The data of the intent model: enough, varied, and its held-out part written apart."""

import collections
import importlib.util
import os
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
DATASETS = os.path.join(HERE, "..", "datasets")


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, os.path.join(HERE, "..", path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check_split = load("tools/check_split.py", "check_split")


class SplitTest(unittest.TestCase):
    def setUp(self):
        self.training = check_split.read(os.path.join(DATASETS, "intents.csv"))
        self.heldout = check_split.read(os.path.join(DATASETS, "intents-heldout.csv"))

    def test_no_held_out_line_is_near_a_training_line(self):
        near = check_split.too_near([t for t, _ in self.heldout], [t for t, _ in self.training])
        self.assertEqual(near, [])

    def test_there_is_enough_of_everything(self):
        counts = collections.Counter(label for _, label in self.training)
        self.assertGreaterEqual(len(self.training), 1100)
        self.assertGreaterEqual(len(counts), 15)
        self.assertGreaterEqual(min(counts.values()), 60)
        self.assertGreaterEqual(len(self.heldout), 250)
        self.assertEqual({label for _, label in self.heldout}, set(counts))

    def test_no_training_line_is_there_twice(self):
        lines = [" ".join(text.lower().split()) for text, _ in self.training]
        self.assertEqual(len(lines), len(set(lines)))

    def test_a_near_line_is_found(self):
        near = check_split.too_near(["Please cancel my order ORD-10088 now."],
                                    ["Where is it?", "Please cancel my order ORD-10087."])
        self.assertEqual(len(near), 1)
        self.assertEqual(near[0][2], "Please cancel my order ORD-10087.")

    def test_a_malformed_file_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bad.csv")
            with open(path, "w", encoding="utf-8") as file:
                file.write("text,label\nonly a text\n")
            with self.assertRaisesRegex(ValueError, "row 2"):
                check_split.read(path)
            self.assertEqual(check_split.main([path, path]), 1)


if __name__ == "__main__":
    unittest.main()
