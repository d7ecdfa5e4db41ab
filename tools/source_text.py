# SPDX-License-Identifier: Apache-2.0
"""What the style checks share: the C++ files, and their text without comments and literals."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
_LITERAL = re.compile(
    r'R"([^()\\ ]{0,16})\(.*?\)\1"'          # raw string
    r'|//[^\n]*|/\*.*?\*/'                   # comments
    r'|"(?:\\.|[^"\\\n])*"'                  # string
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'",  # character, not a digit separator
    re.S)
_COMMENT = re.compile(_LITERAL.pattern, re.S)


def cpp_files(folder=SRC):
    return sorted(p for p in folder.rglob("*") if p.suffix in (".h", ".cc"))


def name(path):
    return path.relative_to(ROOT).as_posix()


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def plain(text):
    """Comments and the insides of literals become blanks; offsets and lines stay."""
    def replace(match):
        found = match.group()
        if found.startswith(("//", "/*")):
            return _blank(found)
        return found[0] + _blank(found[1:-1]) + found[-1] if found[0] != "R" else '"' + _blank(found[1:-1]) + '"'
    return _LITERAL.sub(replace, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


class Block:
    """One pair of braces: what stands before it says what it is."""

    def __init__(self, kind, head, start, opening, parent):
        self.kind, self.head, self.start, self.opening, self.parent = kind, head, start, opening, parent
        self.closing = None

    def outer_function(self):
        found, block = None, self
        while block is not None:
            if block.kind == "function":
                found = block
            block = block.parent
        return found


def _kind(head, parent):
    head = head.strip()
    inside = parent is not None and parent.kind in ("function", "lambda", "control", "catch", "braces")
    if re.search(r"\bnamespace\b[\w:\s]*$", head) or head.endswith('extern " "') or re.match(r'extern\s+"', head):
        return "namespace"
    if re.search(r"\[[^\[\]]*\]\s*(\([^{}]*\))?\s*(mutable|noexcept|->\s*[\w:<>,&*\s]+)*$", head) and (
            re.search(r"(=|\(|,|\breturn|\bco_return|^)\s*\[[^\[\]]*\]\s*(\([^{}]*\))?\s*"
                      r"(mutable|noexcept|->\s*[\w:<>,&*\s]+)*$", head)):
        return "lambda"
    if re.match(r"(template\s*<.*>\s*)?(class|struct|union|enum)\b", head, re.S) and not re.search(r"\)\s*(const)?\s*$", head):
        return "type"
    if re.search(r"\bcatch\s*\([^()]*\)\s*$", head):
        return "catch"
    if inside:
        if not head or re.match(r"(if|else|for|while|do|switch|case|default|try)\b", head):
            return "control"
        return "braces"
    if re.search(r"\)\s*(const|noexcept|override|final|mutable|&|&&|->\s*[\w:<>,&*\s]+|:\s*.*)*\s*$", head, re.S) and not re.search(
            r"^[^()]*=[^()=]*$", head):
        return "function"
    return "braces"


def blocks(text):
    """All brace blocks of plain text, in the order in which they open."""
    found, stack = [], []
    boundary, round_depth = 0, 0
    for match in re.finditer(r"[{};()]|^[ \t]*#[^\n]*(?:\\\n[^\n]*)*$|\b(?:public|private|protected)\s*:", text, re.M):
        token = match.group()
        at = match.start()
        if token == "(":
            round_depth += 1
        elif token == ")":
            round_depth = max(0, round_depth - 1)
        elif token == "{":
            parent = stack[-1] if stack else None
            head = text[boundary:at]
            start = boundary + len(head) - len(head.lstrip())
            block = Block(_kind(head, parent), head.strip(), start, at, parent)
            block.round_depth = round_depth
            round_depth = 0
            found.append(block)
            stack.append(block)
            boundary = at + 1
        elif token == "}":
            if stack:
                block = stack.pop()
                block.closing = at
                round_depth = block.round_depth
            boundary = at + 1
        elif token == ";" and round_depth == 0:
            boundary = at + 1
        elif token not in "();":
            boundary = match.end()
    return [block for block in found if block.closing is not None]
