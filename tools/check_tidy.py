#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Style as far as text can show it: sizes, headers, globals, forbidden names, error pages. STYLE.md says why.
A line may be excused by a comment that gives the reason:  // tidy: <reason>"""
import re
import sys

from source_text import ROOT, SRC, blocks, cpp_files, line_of, name, plain

LINE_MAX, FUNCTION_MAX, HEADER_MAX, SOURCE_MAX = 100, 60, 200, 400
HEAVY = re.compile(r"#\s*include\s+<(sqlite3\.h|yaml-cpp/|openssl/|boost/asio|boost/beast|linear\.h|re2/|oniguruma\.h"
                   r"|zstd|google/protobuf|utf8proc\.h|libstemmer\.h)")
ASIO = re.compile(r"\bboost::asio\b|#\s*include\s+<boost/asio")
CLOCK = re.compile(r"\b(system_clock|steady_clock|high_resolution_clock)::now\b|\brandom_device\b|\bmt19937|\bsrand\("
                   r"|\b(std::)?rand\(\)|\b(gettimeofday|clock_gettime)\(|\bstd::time\(|\bthis_thread::sleep|\busleep\(|::sleep\(")
FORBIDDEN = {
    r"\bstd::regex\b|#\s*include\s+<regex>": "no std::regex: RE2 has bounds",
    r"\bdetached\b": "nothing runs detached: a TaskGroup owns it",
    r"\.detach\(\)": "no detached threads",
    r"\bspdlog\b|\bnlohmann\b": "not a library of ours (see THIRD_PARTY.md)",
}
WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
RANGES = {"core": (1, 99), "expr": (100, 199), "runtime": (200, 299), "net": (300, 399), "store": (400, 499),
          "govern": (500, 599), "review": (600, 699), "models": (700, 799), "gateway": (800, 899),
          "connectors": (900, 999), "workflow": (1000, 1099), "bundle": (1100, 1199), "ingress": (1200, 1299),
          "api": (1300, 1399), "app": (1400, 1499), "observe": (1500, 1599), "data": (1600, 1699)}
STATIC_OK = re.compile(r"^(static\s+)?(inline\s+)?(constexpr|constinit)\b|^static\s+[^=;({]*[*&]\s*const\b"
                       r"|^static\s+[\w:<>]+\s*&")


def is_test(path):
    return path.name.endswith("_test.cc") or "test" in path.relative_to(SRC).parts


def check_sizes(path, text):
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_MAX:
            yield number, f"the line has {len(line)} characters, at most {LINE_MAX}"
        if WORDS.search(line):
            yield number, "finish it or say in the text what is absent"
    limit = HEADER_MAX if path.suffix == ".h" else SOURCE_MAX
    if len(lines) - 1 > limit:
        yield 1, f"the file has {len(lines) - 1} lines, at most {limit}: split it by idea"
    if lines[0] != "// SPDX-License-Identifier: Apache-2.0":
        yield 1, "the first line is the SPDX line"
    if path.suffix == ".h" and "#pragma once" not in lines[:3]:
        yield 2, "a header begins with #pragma once"


def check_names(path, text, clean):
    module = path.relative_to(SRC).parts[0]
    inner = path.relative_to(SRC).parts[1] == "detail"
    for number, line in enumerate(clean.split("\n"), 1):
        if path.suffix == ".h" and HEAVY.search(line) and not (module == "net" and inner):
            yield number, "a heavy library belongs into a .cc"
        if ASIO.search(line) and module not in ("runtime", "net"):
            yield number, "Asio is named in runtime and net only"
        if CLOCK.search(line):
            yield number, "time, randomness and waiting come from runtime::Clock, Random and sleep_for"
        if path.suffix == ".h" and re.match(r"\s*using namespace\b", line):
            yield number, "no using namespace in a header"
        for pattern, why in FORBIDDEN.items():
            if re.search(pattern, line):
                yield number, why


def check_functions(clean, all_blocks):
    for block in all_blocks:
        if block.kind == "function" and (block.parent is None or block.parent.kind in ("namespace", "type")):
            first, last = line_of(clean, block.start), line_of(clean, block.closing)
            if last - first + 1 > FUNCTION_MAX:
                yield first, f"the function has {last - first + 1} lines, at most {FUNCTION_MAX}"


def statements(clean, all_blocks, kinds):
    """Statements directly inside blocks of these kinds (None: the file): (offset, text with inner braces emptied)."""
    blanked = list(clean)
    scopes = [b for b in all_blocks if b.kind in kinds]
    ranges = [(b.opening + 1, b.closing) for b in scopes] + ([(0, len(clean))] if "file" in kinds else [])
    for begin, end in ranges:
        inside = [b for b in all_blocks if begin <= b.opening and b.closing < end]
        top = [b for b in inside if not any(o.opening < b.opening and b.closing < o.closing for o in inside)]
        text = blanked[begin:end]
        for block in top:
            for at in range(block.opening + 1 - begin, block.closing - begin):
                text[at] = "\n" if text[at] == "\n" else " "
            if block.kind != "braces":
                text[block.closing - begin] = ";"
        yield from split_statements("".join(text), begin)


def split_statements(text, begin):
    text = re.sub(r"^[ \t]*#[^\n]*(?:\\\n[^\n]*)*", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.M)
    at = 0
    for part in text.split(";"):
        stripped = part.strip()
        if stripped:
            yield begin + at + len(part) - len(part.lstrip()), stripped
        at += len(part) + 1


def check_globals(clean, all_blocks):
    skip = re.compile(r"(__extension__|using|typedef|template|class|struct|union|enum|friend|static_assert|namespace|extern|TEST_CASE"
                      r"|TEST_SUITE|DOCTEST|\}|public|private|protected|\[\[)")
    for at, text in statements(clean, all_blocks, {"file", "namespace"}):
        if skip.match(text) or STATIC_OK.match(text) or re.match(r"(inline\s+)?constexpr\b", text):
            continue
        declared = re.sub(r"\([^()]*\)", "()", text.split("=")[0] if "operator" not in text else text)
        if "(" in declared or not re.match(r"[\w:<>,\s*&\[\]]+(\{|=|$)", text, re.S) or len(text.split()) < 2:
            continue
        yield line_of(clean, at), "a variable at namespace scope must be constexpr"
    for at, text in statements(clean, all_blocks, {"function", "lambda", "control", "catch"}):
        if re.match(r"(static|thread_local)\b", text) and not STATIC_OK.match(text):
            yield line_of(clean, at), "a static object in a function: constexpr, or a const pointer that is never freed"
    for at, text in statements(clean, all_blocks, {"type"}):
        text = re.sub(r"^(public|private|protected)\s*:\s*", "", text)
        if re.match(r"(static|inline static|thread_local)\b", text) and "(" not in text and not STATIC_OK.match(text):
            yield line_of(clean, at), "a static member must be constexpr"


def numbers_in(clean):
    for match in re.finditer(r"(\.page\(([^;]*?)\)\s*[;.,)}])|(\bk?[Pp]age\w*\s*=\s*([^;{]*);)", clean):
        where = match.group(2) if match.group(2) is not None else match.group(4)
        for number in re.finditer(r"(?<![\w.'])(\d{1,4})(?![\w.'])", where):
            if int(number.group(1)) > 0:
                yield line_of(clean, match.start()), int(number.group(1))


def check_pages(cleaned):
    pages = {int(p.stem[5:]) for p in (ROOT / "docs" / "errors").glob("AIOS-[0-9][0-9][0-9][0-9].md")}
    literals = {}
    for path, (text, clean) in cleaned.items():
        module = path.relative_to(SRC).parts[0]
        if is_test(path):
            continue
        found = {int(n) for n in re.findall(r"(?<![\w.'])\d{1,4}(?![\w.'])", clean)}
        found |= {int(n) for n in re.findall(r"AIOS-(\d{4})", text)}
        literals.setdefault(module, set()).update(found)
        low, high = RANGES.get(module, (1, 9999))
        for line, number in numbers_in(clean):
            if not low <= number <= high:
                if number >= 10:  # a status or a bound in the same expression is not a page of ours
                    literals.setdefault("", set()).add(number)
                continue
            if number not in pages:
                yield f"{name(path)}:{line}: page {number:04} has no docs/errors/AIOS-{number:04}.md"
    for number in sorted(pages):
        owner = next((m for m, (low, high) in RANGES.items() if low <= number <= high), None)
        if number not in literals.get(owner, set()):
            yield f"docs/errors/AIOS-{number:04}.md: no error of module '{owner}' has this number"


def check_file(path, text, clean):
    all_blocks = blocks(clean)
    lines = text.split("\n")
    found = list(check_sizes(path, text)) + list(check_names(path, text, clean))
    found += list(check_functions(clean, all_blocks)) + list(check_globals(clean, all_blocks))
    for line, why in sorted(set(found)):
        if "// tidy: " not in lines[line - 1]:
            yield f"{name(path)}:{line}: {why}"


def main():
    problems, cleaned = [], {}
    for path in cpp_files():
        text = path.read_text(encoding="utf-8")
        cleaned[path] = (text, plain(text))
        problems += check_file(path, *cleaned[path])
    problems += check_pages(cleaned)
    print("\n".join(problems) or "tidy ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
