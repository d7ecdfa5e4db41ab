#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Await stands alone: one co_await a statement, as the whole right-hand side or the whole statement, without lambdas
or braces made on the spot. And: no capturing-lambda coroutine, no await in catch or while a lock is held, no default
arguments in coroutines."""
import re
import sys

from source_text import blocks, cpp_files, line_of, name, plain

TARGET = re.compile(
    r"^(?:co_return|(?:(?:const\s+)?[\w:]+(?:<[^;=]*>)?[\s&*]+)?[A-Za-z_*][\w.\->\[\]*]*\s*[-+|&^]?=)?$")
TEMPORARY = re.compile(r"\{|(?<![\w)\]])\[")
LOCK = re.compile(r"\b(?:std::)?(?:lock_guard|unique_lock|scoped_lock|shared_lock)\b[^;]*;")
DEFAULTS = re.compile(r"\bTask<[^;{}()]*>\s+\w+\(([^;{}]*?)\)\s*(?:const|override|final|=\s*0|\s)*[;{]")


def check_statement(text, at, end_of_word):
    start = max(text.rfind(c, 0, at) for c in ";{}")
    end = text.find(";", end_of_word)
    before, operand = text[start + 1 : at], text[end_of_word : end]
    before = re.sub(r"^(?:\s*(?:case [^:]+:|default:|else\b|do\b|#[^\n]*\n|public:|private:))+", "", before)
    before = " ".join(before.split())
    if before.startswith(("for ", "for(", "auto [", "const auto [", "if ", "while ", "switch ")):
        return "co_await must not stand in a condition or give a structured binding"
    if not TARGET.match(before):
        return "co_await must be the whole right-hand side of a statement"
    if re.search(r"\bco_await\b", operand):
        return "one co_await a statement"
    if TEMPORARY.search(operand):
        return "name this lambda or brace-initialised argument before awaiting"
    return check_tail(operand)


def check_tail(operand):
    """`co_await f(x).value()` or `co_await a + b`: something is done with the awaited value in the same statement."""
    depth, closed = 0, False
    for at, c in enumerate(operand):
        depth += (c == "(") - (c == ")")
        if depth < 0:
            return "co_await must not be an argument"
        if depth == 0 and c in "?," and closed:
            return "co_await must be the whole right-hand side of a statement"
        closed = closed or (c == ")" and depth == 0)
    return None


def capturing(head):
    found = re.search(r"\[([^\[\]]*)\]\s*(?:\([^{}]*\))?[^\[\]{}]*$", head)
    return found is not None and found.group(1).strip() != ""


def check_blocks(text):
    all_blocks = blocks(text)
    for match in re.finditer(r"\bco_(await|return|yield)\b", text):
        around = [b for b in all_blocks if b.opening < match.start() < b.closing]
        inner = [b for b in around if b.kind in ("lambda", "function")]
        if inner and inner[-1].kind == "lambda" and capturing(inner[-1].head):
            yield match.start(), "a lambda that captures must not be a coroutine: its captures die with it"
        if match.group(1) != "await":
            continue
        own = around[around.index(inner[-1]):] if inner else around
        if any(b.kind == "catch" for b in own):
            yield match.start(), "no co_await in catch"
        for block in own:
            for lock in LOCK.finditer(text, block.opening, match.start()):
                holder = max((b for b in all_blocks if b.opening < lock.start() < b.closing), key=lambda b: b.opening)
                if holder is block and not re.search(r"\.unlock\(\)", text[lock.end() : match.start()]):
                    yield match.start(), "no co_await while a lock is held"


def check(text):
    text = plain(text)
    for match in re.finditer(r"\bco_await\b", text):
        why = check_statement(text, match.start(), match.end())
        if why:
            yield line_of(text, match.start()), why
    for at, why in check_blocks(text):
        yield line_of(text, at), why
    for match in DEFAULTS.finditer(text):
        if re.search(r"[^=<>!]=[^=]", match.group(1)):
            yield line_of(text, match.start()), "no default arguments in coroutines"


def main():
    bad = 0
    for path in cpp_files():
        for line, why in sorted(set(check(path.read_text(encoding="utf-8")))):
            bad += 1
            print(f"{name(path)}:{line}: {why}")
    if bad == 0:
        print("await ok")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
