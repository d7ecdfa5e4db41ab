#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the documents name in the sources is there. In backquotes: a path with a file's ending, or one that begins with a
folder of this tree; from the document's folder, from the root or from src/. And the target of each relative link. What
else a document names, and how it is to be read: doc_names.py."""
import pathlib
import re
import subprocess
import sys

import doc_names
from source_text import ROOT

PATH = re.compile(r"`([A-Za-z0-9_][\w.-]*(?:/[\w.-]+)*\.(?:cc|h|py|cmake|txt|md))`|`((?:src|tests|tools|docs|cmake|bridge|examples)/[\w./-]+)`")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def check(document, text, exists):
    """@param document  its path from the root. @param exists  whether a path from the root is there."""
    folder = pathlib.PurePosixPath(document).parent
    for number, line in enumerate(text.split("\n"), 1):
        for match in PATH.finditer(line):
            path = match[1] or match[2]
            if not any(exists(str(base / path)) for base in (folder, pathlib.PurePosixPath("."), pathlib.PurePosixPath("src"))):
                yield f"{document}:{number}: there is no '{path}'"
        for match in LINK.finditer(line):
            if not exists(str(folder / match[1])):
                yield f"{document}:{number}: the link leads to nothing: '{match[1]}'"


def documents():
    yield from ROOT.glob("*.md")
    for folder in ("docs", "src", "tests", "examples", "bridge", "operations"):
        yield from (ROOT / folder).rglob("*.md")


def read(path):
    """A file from the root, or None."""
    at = ROOT / path
    return at.read_text(encoding="utf-8", errors="replace") if at.is_file() else None


def sources():
    """path -> text of all that is no document, as git has it; else of all that lies there."""
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False)
    paths = done.stdout.split("\n") if done.returncode == 0 else [
        at.relative_to(ROOT).as_posix() for at in ROOT.rglob("*") if "build" not in at.relative_to(ROOT).parts[:1]]
    texts = {path: read(path) for path in paths if path and not path.endswith((".md", ".csv", ".db"))}
    return {path: text for path, text in texts.items() if text is not None}


def known(texts):
    words, options, cases = set(), set(), {}
    for path, text in texts.items():
        words.update(doc_names.NAME.findall(path + " " + text))
        options.update(doc_names.OPTION.findall(text))
        module = path.split("/")[1] if path.startswith("src/") else ""
        joined = re.sub(r'"\s*\n\s*"', "", text) if path.endswith("_test.cc") else ""
        cases.setdefault(module, []).extend(re.findall(r'TEST_CASE\(\s*"([^"]+)"', joined))
    words.update(f"aios_{module}_tests" for module in cases)
    for at in (ROOT / "docs" / "guide" / "reference").glob("*.md"):  # printed by the program: test_reference.py
        words.update(doc_names.NAME.findall(at.read_text(encoding="utf-8")))
    pages = {int(at.stem[5:]) for at in (ROOT / "docs" / "errors").glob("AIOS-*.md")}
    options.update("--" + word.replace("_", "-") for word in words if word.islower())
    return doc_names.Known(words, options, pages, cases, read)


def whole(texts):
    """What is held between one document and the sources."""
    yield from doc_names.modules(read("src/LAYERS"), read("docs/ARCHITECTURE.md"))
    yield from doc_names.functions(read("docs/guide/bundle.md"), read("docs/guide/reference/functions.md"))
    benches = "\n".join(text for path, text in texts.items() if re.match(r"tests/(?!e2e)", path))
    yield from doc_names.rows(read("docs/benchmarks.md"), benches)
    yield from doc_names.packages(read("dev"), read("bridge/Cargo.toml"), read("tests/requirements.txt"), read("THIRD_PARTY.md"))


def main():
    texts = sources()
    there = known(texts)
    problems = list(whole(texts))
    for path in sorted(documents()):
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        problems += check(name, text, lambda at: (ROOT / at).exists())
        if not name.startswith("docs/guide/reference/"):  # printed by the program
            problems += doc_names.check(name, text, there)
    print("\n".join(problems) or "docs ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
