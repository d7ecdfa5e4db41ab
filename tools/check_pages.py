#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pages that code gives and the texts in docs/errors are the same set, and each page lies in the range of the
module that gives it, or stands among the shared ones (both tables: docs/errors/README.md). A page is given by
`.page(...)` or as "[AIOS-nnnn]" in a message; what stands in `.page(...)` is a number, a constant, `?:` between them, a
local `int`, or an `int ...page` parameter of a helper, then at each of its calls. What cannot be read so is a finding
too: nobody could say whether its text is true."""
import re
import sys

from source_text import ROOT, SRC, cpp_files, line_of, name, plain

# Of an error that is passed on, and of one that a server sent: counted where they are made.
PASSED_ON = re.compile(r"[\w.>()*-]*\bpage\(\)|(page_of|parse_page)\(text_or\(.*", re.S)
IN_TEXT = re.compile(r"\[AIOS-(?!0000)(\d{4})\]")  # 0000 stands for the form
COMMENT = re.compile(r'R"([^()\\ ]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(//[^\n]*|/\*.*?\*/)', re.S)
PARAMETER = re.compile(r"\bint\s+(\w*page)\b")
CONSTANT = re.compile(r"\bconstexpr\s+(?:std::)?\w+\s+(\w+)\s*=\s*(\d+)\s*;")
IS_TEST = re.compile(r"_test\.cc$|/test/")


def ranges(readme):
    """The first table of docs/errors/README.md: module -> (lowest, highest)."""
    return {m[3]: (int(m[1]), int(m[2])) for m in re.finditer(r"^\| (\d{4})-(\d{4}) \| (\w+) \|$", readme, re.M)}


def shared(readme):
    """The second: (module, page) for what a module gives though the page is another's."""
    return {(one, int(m[1])) for m in re.finditer(r"^\| (\d{4}) \| ([\w, ]+) \|", readme, re.M)
            for one in m[2].split(", ")}


def bracketed(text, opening):
    """The arguments between the bracket at `opening` and its partner, and the offset behind that."""
    depth, parts, begin = 0, [], opening + 1
    for at in range(opening, len(text)):
        if text[at] in "([{":
            depth += 1
        elif text[at] in ")]}":
            depth -= 1
            if depth == 0:
                return [part.strip() for part in [*parts, text[begin:at]]], at + 1
        elif text[at] == "," and depth == 1:
            parts.append(text[begin:at])
            begin = at + 1
    return [], len(text)


class Helper:
    """A function that is handed a page: which argument it is, and how many there are."""

    def __init__(self, called, index, count, path):
        self.called, self.index, self.count, self.path = called, index, count, path

    def reaches(self, path):
        private = self.path.endswith(".cc")
        return self.path == path if private and "::" not in self.called else module(path) == module(self.path)


def module(path):
    return path.split("/")[1]


class Pages:
    def __init__(self, files):
        files = {path: text for path, text in files.items() if not IS_TEST.search(path)}
        self.files = {path: plain(text) for path, text in files.items()}
        self.given, self.problems = {}, []
        self.constants = {path: {m[1]: int(m[2]) for m in CONSTANT.finditer(text)} for path, text in self.files.items()}
        self.helpers = [helper for path, text in self.files.items() for helper in self.helpers_in(path, text)]
        for path, text in self.files.items():
            self.read(path, text)
        for path, text in files.items():
            said = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]) if m[2] else m[0], text)
            for match in IN_TEXT.finditer(said):
                self.give(int(match[1]), path, said, match.start())

    def helpers_in(self, path, text):
        for match in re.finditer(r"([\w:]+)\(", text):
            arguments, _ = bracketed(text, match.end() - 1)
            for index, argument in enumerate(arguments):
                if re.fullmatch(PARAMETER, argument):
                    called = match[1]
                    yield Helper(called, index, len(arguments), path)

    def read(self, path, text):
        for match in re.finditer(r"[.>]page\(", text):
            arguments, _ = bracketed(text, match.end() - 1)
            if arguments != [""]:
                self.take(path, text, match.start(), arguments[0])
        own = {helper.called for helper in self.helpers if helper.path == path}
        for helper in self.helpers:
            if not helper.reaches(path) or (helper.called in own and helper.path != path):
                continue  # one's own hides another of the same name
            for match in re.finditer(rf"\b{helper.called.split('::')[-1]}\(", text):
                arguments, _ = bracketed(text, match.end() - 1)
                if len(arguments) == helper.count and not PARAMETER.fullmatch(arguments[helper.index]):
                    self.take(path, text, match.start(), arguments[helper.index])

    def take(self, path, text, at, expression):
        """All pages that this expression may be."""
        parts = re.split(r"(?<!:)([?:])(?!:)", expression)
        for index in range(0, len(parts), 2):
            if parts[index + 1:index + 2] != ["?"]:  # that would be a condition
                self.take_one(path, text, at, parts[index].strip())

    def take_one(self, path, text, at, branch):
        number = int(branch) if branch.isdecimal() else self.constant(path, branch)
        if number is not None:
            self.give(number, path, text, at)
        elif not PASSED_ON.fullmatch(branch) and not self.local(path, text, at, branch):
            self.problems.append(f"{path}:{line_of(text, at)}: cannot read which page '{branch}' is")

    def give(self, number, path, text, at):
        self.given.setdefault(number, []).append((path, line_of(text, at)))

    def constant(self, path, word):
        if word in self.constants[path]:
            return self.constants[path][word]
        found = {constants[word] for other, constants in self.constants.items()
                 if module(other) == module(path) and other.endswith(".h") and word in constants}
        return found.pop() if len(found) == 1 else None

    def local(self, path, text, at, word):
        """A parameter of the function it stands in, or a variable that was given its value before."""
        if not word.isidentifier():
            return False
        places = []
        if word.endswith("page"):  # the parameters that helpers_in() knows
            places += [(m.start(), None) for m in re.finditer(rf"\bint\s+{word}\s*[,)]", text[:at])]
        places += [(m.start(), m[1]) for m in re.finditer(rf"\bint\s+{word}\s*=\s*([^;]*);", text[:at])]
        if not places:
            return False
        where, value = max(places, key=lambda place: place[0])
        if value is not None:
            self.take(path, text, where, value)
        return True


def check(files, texts, readme):
    """@param files path -> text below src/. @param texts numbers that have a page in docs/errors."""
    pages, modules, unused = Pages(files), ranges(readme), shared(readme)
    allowed = set(unused)
    yield from pages.problems
    for number, places in sorted(pages.given.items()):
        for path, line in places:
            low, high = modules.get(module(path), (1, 0))
            unused.discard((module(path), number))
            if not low <= number <= high and (module(path), number) not in allowed:
                yield f"{path}:{line}: page {number:04} is outside the range of '{module(path)}', {low:04}-{high:04}"
        if number not in texts:
            yield f"{places[0][0]}:{places[0][1]}: page {number:04} has no docs/errors/AIOS-{number:04}.md"
    for number in sorted(texts - set(pages.given)):
        yield f"docs/errors/AIOS-{number:04}.md: no code gives this page"
    for one, number in sorted(unused):
        yield f"docs/errors/README.md: '{one}' does not give page {number:04}"


def main():
    folder = ROOT / "docs" / "errors"
    files = {name(path): path.read_text(encoding="utf-8") for path in cpp_files()}
    texts = {int(p.stem[5:]) for p in folder.glob("AIOS-[0-9][0-9][0-9][0-9].md")}
    problems = list(check(files, texts, (folder / "README.md").read_text(encoding="utf-8")))
    print("\n".join(problems) or f"pages ok: {len(texts)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
