#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the documents name in the sources is there. In backquotes: a path with a file's ending, or one that begins with a
folder of this tree; from the document's folder, from the root or from src/. And the target of each relative link."""
import pathlib
import re
import sys

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
    for folder in ("docs", "src", "tests", "examples", "bridge"):
        yield from (ROOT / folder).rglob("*.md")


def main():
    problems = []
    for path in sorted(documents()):
        name = path.relative_to(ROOT).as_posix()
        problems += check(name, path.read_text(encoding="utf-8"), lambda at: (ROOT / at).exists())
    print("\n".join(problems) or "docs ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
