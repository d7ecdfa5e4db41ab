#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Style as far as text can show it: sizes, headers and their order, globals, forbidden names. STYLE.md says why.
A line may be excused by a comment that gives the reason:  // tidy: <reason>"""
import re
import sys

from source_text import ROOT, SRC, blocks, cpp_files, line_of, name, plain

LINE_MAX, FUNCTION_MAX, HEADER_MAX, SOURCE_MAX = 100, 60, 200, 400
TEST_PROGRAM_MAX = 800  # of tests/: the programs that are no unit tests
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
WORDS = re.compile(r"\b(TODO|FIXME|X{3}|HACK)\b")
STATIC_OK = re.compile(r"^(static\s+)?(inline\s+)?(constexpr|constinit)\b|^static\s+[^=;({]*[*&]\s*const\b"
                       r"|^static\s+[\w:<>]+\s*&")


def check_sizes(path, text):
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_MAX:
            yield number, f"the line has {len(line)} characters, at most {LINE_MAX}"
        if WORDS.search(line):
            yield number, "finish it or say in the text what is absent"
    limit = HEADER_MAX if path.suffix == ".h" else SOURCE_MAX if SRC in path.parents else TEST_PROGRAM_MAX
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


def check_includes(text):
    """The project's headers before those of libraries and the standard."""
    outside = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("#include <"):
            outside = True
        elif line.startswith('#include "') and outside:
            yield number, "own header first, then the project's, then libraries and the standard"


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


def check_file(path, text, clean):
    """What stands in tests/ may look at real clocks, sockets and libraries: there only sizes and order count."""
    all_blocks = blocks(clean)
    lines = text.split("\n")
    found = [*check_sizes(path, text), *check_includes(text), *check_functions(clean, all_blocks)]
    if SRC in path.parents:
        found += [*check_names(path, text, clean), *check_globals(clean, all_blocks)]
    for line, why in sorted(set(found)):
        if "// tidy: " not in lines[line - 1]:
            yield f"{name(path)}:{line}: {why}"


def check_kept_inputs(folder):
    """What a fuzzer keeps may be filled with anything but the sign for what is left out."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and re.search(rb"[xX]{6}", path.read_bytes()):
            yield f"{path.name} of {path.parent.name}: a run of 'x' reads as something left out, fill it with other letters"


def main():
    problems = list(check_kept_inputs(ROOT / "tests/fuzz/corpus"))
    for path in cpp_files() + cpp_files(ROOT / "tests"):
        text = path.read_text(encoding="utf-8")
        problems += check_file(path, text, plain(text))
    print("\n".join(problems) or "tidy ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
