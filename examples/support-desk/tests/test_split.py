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
texts = load("demo/texts.py", "texts")
tickets = load("demo/tickets.py", "tickets")


class SplitTest(unittest.TestCase):
    def setUp(self):
        self.training = check_split.read(os.path.join(DATASETS, "intents.csv"))
        self.heldout = check_split.read(os.path.join(DATASETS, "intents-heldout.csv"))

    def test_no_held_out_line_is_near_a_training_line(self):
        near = check_split.too_near([t for t, _ in self.heldout], [t for t, _ in self.training])
        self.assertEqual(near, [])

    def test_the_model_was_not_taught_what_the_demo_sends(self):
        pools = (texts.ORDINARY, texts.MISSPELT, texts.FOREIGN)
        sent = [t for pool in pools for lines in pool.values() for t in lines]
        sent += texts.OUT_OF_SCOPE + texts.INJECTIONS
        taught = [t for t, _ in self.training + self.heldout]
        self.assertEqual(check_split.too_near(sent, taught), [])

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


class TicketsTest(unittest.TestCase):
    def setUp(self):
        self.tickets = tickets.make(seed=5, count=340)

    def test_the_same_seed_makes_the_same_tickets(self):
        self.assertEqual(self.tickets, tickets.make(seed=5, count=340))
        self.assertNotEqual(self.tickets, tickets.make(seed=6, count=340))

    def test_every_kind_of_trouble_is_in_it(self):
        kinds = collections.Counter(ticket["kind"] for ticket in self.tickets)
        self.assertEqual(sum(kinds.values()), 340)
        for kind in tickets.SHARES:
            self.assertGreater(kinds[kind], 3, kind)

    def test_a_repeated_event_has_the_first_ones_body_and_a_conflicting_one_has_not(self):
        first = {}
        for ticket in self.tickets:
            if ticket["expect"] == "accepted":
                self.assertNotIn(ticket["event"], first)
                first[ticket["event"]] = ticket["data"]
            else:
                same = ticket["data"] == first[ticket["event"]]
                self.assertEqual(same, ticket["expect"] == "repeated")

    def test_no_order_is_used_twice_and_each_belongs_to_its_sender(self):
        rows = {row[0]: row for row in tickets.help_desk_rows(tickets.FIRST_ORDERS)[1]}
        orders = [t["data"]["order"] for t in self.tickets
                  if "order" in t["data"] and t["expect"] == "accepted"
                  and t["kind"] != "refunded"]
        self.assertEqual(len(orders), len(set(orders)))
        again = [t for t in self.tickets if t["kind"] == "refunded"]
        self.assertTrue(again)
        for ticket in again:
            first = next(t for t in self.tickets if t["data"].get("order") ==
                         ticket["data"]["order"])
            self.assertNotEqual(first["event"], ticket["event"])
            self.assertEqual((first["truth"]["action"], ticket["truth"]["action"]),
                             ("refund", "none"))
        for ticket in self.tickets:
            order = ticket["data"].get("order")
            if order and ticket["truth"]["action"] == "refund":
                self.assertEqual(ticket["truth"]["amount_cents"], rows[order][4])


if __name__ == "__main__":
    unittest.main()
