#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says whether the held-out lines were really written apart from the training lines.

    check_split.py [TRAINING.csv HELDOUT.csv]     exit 0: apart; 1: too near, repeated or malformed

Two lines are too near when the Jaccard index of their sets of character 3-grams (lower case, runs
of blanks as one) is above 0.6.
"""

import csv
import os
import sys

JACCARD_MAX = 0.6
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "datasets")


def read(path):
    """-> [(text, label)]"""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    if not rows or rows[0] != ["text", "label"]:
        raise ValueError(f"{path}: columns {rows[:1]} found, wanted text,label")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != 2 or not row[0].strip() or not row[1].strip():
            raise ValueError(f"{path}: row {number}: {row} found, wanted a text and a label")
    return [tuple(row) for row in rows[1:]]


def grams(text):
    flat = " ".join(text.lower().split())
    return frozenset(flat[i:i + 3] for i in range(max(1, len(flat) - 2)))


def jaccard(left, right):
    return len(left & right) / len(left | right)


def nearest(texts, others):
    """For each text: (highest index, text, the line it is nearest to)."""
    sets = [(grams(other), other) for other in others]
    for text in texts:
        own = grams(text)
        yield max((jaccard(own, theirs), text, other) for theirs, other in sets)


def too_near(texts, others):
    return [hit for hit in nearest(texts, others) if hit[0] > JACCARD_MAX]


def main(arguments):
    names = arguments or [os.path.join(FOLDER, n) for n in ("intents.csv", "intents-heldout.csv")]
    try:
        training, heldout = read(names[0]), read(names[1])
    except (OSError, ValueError, IndexError) as error:
        print(f"check_split: {error}", file=sys.stderr)
        return 1
    near = too_near([t for t, _ in heldout], [t for t, _ in training])
    for index, text, other in near:
        print(f"{index:.2f}  held-out: {text}\n      training: {other}")
    repeated = len(training) - len({" ".join(t.lower().split()) for t, _ in training})
    strange = {label for _, label in heldout} - {label for _, label in training}
    print(f"{len(training)} training lines, {len({label for _, label in training})} labels, "
          f"{len(heldout)} held-out lines; {len(near)} too near, {repeated} repeated, "
          f"{len(strange)} unknown labels")
    return 1 if near or repeated or strange else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
