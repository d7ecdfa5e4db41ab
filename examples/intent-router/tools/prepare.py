#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gives a labelled CSV the column names that training reads: text and label.

    prepare.py IN.csv OUT.csv [--text-column text] [--label-column category]

Other columns are left out; quotes and line breaks inside a field are kept. Prints how many rows and
labels were written.
"""

import argparse
import csv
import os
import sys


def prepare(source, target, text_column, label_column):
    """-> (rows, labels). ValueError with the line when a column or a value is missing."""
    rows, labels = 0, set()
    with open(source, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = {text_column, label_column} - set(reader.fieldnames or [])
        if missing:
            raise ValueError(f"{source} has no column {', '.join(sorted(missing))}; its columns "
                             f"are {', '.join(reader.fieldnames or [])}")
        os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
        with open(target + ".part", "w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(("text", "label"))
            for row in reader:
                text, label = row[text_column], row[label_column]
                if not text or not label:
                    raise ValueError(f"{source}:{reader.line_num}: text or label is empty")
                writer.writerow((text, label))
                rows += 1
                labels.add(label)
    os.replace(target + ".part", target)
    return rows, len(labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--label-column", default="category")
    options = parser.parse_args()
    try:
        rows, labels = prepare(options.source, options.target, options.text_column,
                               options.label_column)
    except (OSError, ValueError) as error:
        print(f"prepare: {error}", file=sys.stderr)
        return 1
    print(f"{options.target}: {rows} rows, {labels} labels")
    return 0


if __name__ == "__main__":
    sys.exit(main())
