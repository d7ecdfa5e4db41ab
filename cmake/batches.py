#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts sources into batches that can be compiled as one file each: prints the number of its batch for each file given.

Two files share a batch only when no name that one of them keeps to itself (in an unnamed namespace, or static) is a word of
the other: so whoever names a helper need not know what its neighbours have named.

    batches.py SIZE FILE...
"""
import re
import sys

WORD = re.compile(r"[A-Za-z_]\w*")
# comments, texts, characters
NOISE = re.compile(r"//[^\n]*|/\*.*?\*/|R\"(\w*)\(.*?\)\1\"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])'", re.S)
UNNAMED = re.compile(r"^namespace \{\n", re.M)
# in the first column: a type; or what stands before a parameter list, an initialiser or a semicolon; or another's name, taken in
TYPE = re.compile(r"^(?:template <[^\n]*\n)?(?:class|struct|enum(?: class)?|concept) (\w+)|^using (\w+) =", re.M)
NAMED = re.compile(r"^(?!namespace|using |class |struct |enum )[A-Za-z][^\n(={;]*?[ *&](\w+)\s*[=({;\[]", re.M)
TAKEN = re.compile(r"^using ([\w:]+::(\w+));", re.M)
STATIC = re.compile(r"^static [^\n(={;]*?[ *&](\w+)\s*[=({;\[]", re.M)


def block(text, begin):
    """What stands between here, behind an opening brace, and the brace that closes it."""
    depth = 1
    for brace in re.finditer(r"[{}]", text[begin:]):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return text[begin:begin + brace.start()]
    return text[begin:]


class Source:
    """What a file says (words), what it names for itself (kept), and what it takes in by a short name (taken)."""

    def __init__(self, text=""):
        text = NOISE.sub(" ", text)
        self.words = set(WORD.findall(text))
        self.kept = set(STATIC.findall(text))
        self.taken = {name: whole for whole, name in TAKEN.findall(text)}
        for opened in UNNAMED.finditer(text):
            part = block(text, opened.end())
            self.kept.update(name for names in TYPE.findall(part) for name in names if name)
            self.kept.update(NAMED.findall(part))

    def hides_from(self, other):
        if not self.kept.isdisjoint(other.words):
            return True
        return any(name in other.words and other.taken.get(name) != whole for name, whole in self.taken.items())

    def join(self, other):
        self.words |= other.words
        self.kept |= other.kept
        self.taken.update(other.taken)


def main():
    size, batches = int(sys.argv[1]), []
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            source = Source(file.read())
        for number, batch in enumerate(batches):
            if batch[0] < size and not batch[1].hides_from(source) and not source.hides_from(batch[1]):
                break
        else:
            number = len(batches)
            batches.append([0, Source()])
        batches[number][0] += 1
        batches[number][1].join(source)
        print(number)


if __name__ == "__main__":
    main()
