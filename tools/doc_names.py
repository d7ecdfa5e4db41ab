# SPDX-License-Identifier: Apache-2.0
"""What check_docs.py holds of the words of a document: that it can be read, and that what it names is there.
A paragraph has a bounded number of words. In backquotes: each name of at least three letters is a word of some file of ours
that is no document, each option is one that something takes, each error number has a page. Tests that are cited are there."""
import collections
import fnmatch
import os
import re

WORDS_MAX = 100  # of a paragraph or an item of a list
PAGE_LINE_MAX = 140  # of an error page: a terminal shows it as it is
WORDS_MAX_OF = {"docs/benchmarks.md": 200}  # what is measured, in one piece
FENCE = re.compile(r"^ *```.*?^ *```", re.M | re.S)
ITEM = re.compile(r"\s*(?:[-*]|\d+\.) ")
SPAN = re.compile(r"`([^`\n]+)`")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]+")
PAGE = re.compile(r"AIOS-(\d{4})(?!\d)")
CASES = re.compile(r"aios_(\w+)_tests -tc=(['\"])([^'\"\n]+)\2")
ANCHOR = re.compile(r"\]\(([^)#:\s]*)#([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.M)
SCRIPT = re.compile(r"(tests/[\w/]+/test_\w+\.py)(?: -k (\w+))?")
# Programs of others, with all that they take. What is made up for an example stands below.
FOREIGN = re.compile(r"lib[\w+]+$|libdate-tz$|(?:ldd|openssl|perf|strace|ss|curl|sqlite3|systemctl|cmake|ctest|ulimit)\b|-DAIOS_|\.cer\b")
EXAMPLES = {"get_pets_petId", "PascalCase", "snake_case", "latency_ms_max", "RGEN"}
SECRET = re.compile(r"AIOS_SECRET_\w+")

Known = collections.namedtuple("Known", "words options pages cases read")
"""What there is: words and options of the sources, numbers of error pages, {module: names of its tests in C++}, and
read(path), the text of a file or None."""


def without_fences(text):
    return FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)


def paragraphs(text):
    """(line, words) of each paragraph and of each item of a list; a table has none."""
    begin, words = 1, []
    for number, line in enumerate([*without_fences(text).split("\n"), ""], 1):
        ends = not line.strip() or line.lstrip().startswith(("|", "#"))
        if ends or ITEM.match(line):
            if words:
                yield begin, words
            begin, words = number, []
        if not ends:
            begin, words = (begin if words else number), words + line.split()


def missing_names(span, known):
    if FOREIGN.match(span):
        return
    for name in NAME.findall(OPTION.sub("", SECRET.sub("", span.split(" -k ")[0]))):
        stem = name.removeprefix("aios_").removesuffix("_total").removesuffix("_name")  # a counter; the holder of a key
        flag = name.removeprefix("AIOS_").lower()
        if name.isupper() and "_" not in name or name in EXAMPLES or name.startswith("_") or name.endswith("_"):
            continue
        if not known.words & {name, stem, flag, name.removesuffix("_total")}:
            yield f"nothing is named '{name}'"


def check(document, text, known):
    """@param document  its path from the root."""
    for line, words in paragraphs(text):
        most = WORDS_MAX_OF.get(document, WORDS_MAX)
        if len(words) > most:
            yield f"{document}:{line}: a paragraph of {len(words)} words, wanted at most {most}: divide it"
    for number, line in enumerate(without_fences(text).split("\n"), 1):
        said = []
        if document.startswith("docs/errors/AIOS-") and len(line) > PAGE_LINE_MAX:
            said.append(f"a line of {len(line)} characters, wanted at most {PAGE_LINE_MAX}: pages are read on terminals")
        if line.count("`") % 2 and not line.startswith("    "):
            said.append("what stands in backquotes goes over the end of the line, where no check sees it")
        for span in SPAN.findall(line):
            said += missing_names(span, known)
            if not FOREIGN.match(span):
                said += [f"nothing takes '{one}'" for one in OPTION.findall(span) if one not in known.options]
        said += [f"there is no page {one}" for one in PAGE.findall(line) if int(one) not in known.pages]
        yield from (f"{document}:{number}: {one}" for one in said)
    yield from (f"{document}: {one}" for one in missing_tests(text, known))
    for path, anchor in ANCHOR.findall(without_fences(text)):
        there = text if not path else known.read(os.path.normpath(os.path.join(os.path.dirname(document), path)))
        if there is None or anchor not in anchors(there):
            yield f"{document}: no heading of '{path or document}' is '#{anchor}'"


def anchors(text):
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(without_fences(text))}


def missing_tests(text, known):
    for module, _, patterns in CASES.findall(text):
        for pattern in patterns.split(","):
            if not fnmatch.filter(known.cases.get(module, ()), pattern):
                yield f"no test of aios_{module}_tests is '{pattern}'"
    for path, case in SCRIPT.findall(text):
        there = known.read(path)
        if there is None or case and f"def {case}" not in there:
            yield f"there is no '{path}{' -k ' + case if case else ''}'"


def modules(layers, architecture):
    """ARCHITECTURE has the modules of src/LAYERS, in that order."""
    wanted = re.findall(r"^([a-z]+):", layers, re.M)
    found = re.findall(r"^\| `([a-z]+)` \|", architecture, re.M)[:len(wanted)]
    if found != wanted:
        yield f"docs/ARCHITECTURE.md: found the modules {found}, wanted {wanted}"


def rows(benchmarks, sources):
    """What a table of benchmarks.md calls a row is printed by a benchmark, and each row that has a mark is in a table."""
    named = set()
    for number, line in enumerate(benchmarks.split("\n"), 1):
        cell = re.match(r"\| ([a-z][a-z0-9_]*(?:, [a-z][a-z0-9_]*)*) \|", line)
        for name in cell[1].split(", ") if cell and cell[1] not in ("row", "what", "of", "sign") else ():
            named.add(name)
            begin, _, end = name.partition("_")
            made = f'"{begin}"' in sources and f'"_{end}"' in sources  # put together of two
            if not made and not re.search(rf"""["']{name}["']""", sources):
                yield f"docs/benchmarks.md:{number}: no benchmark prints '{name}'"
    for name in re.findall(r"""\{"(\w+)",[^{}]*?,\s*\d[\d']*,\s*Better::""", sources):
        if name not in named:
            yield f"docs/benchmarks.md: it has no row '{name}', which a benchmark prints with a mark"


def packages(dev, cargo, requirements, third_party):
    """Each package that is installed, linked or run stands in THIRD_PARTY.md with the version that it is held to."""
    wanted = re.findall(r"^([\w.+-]+) ((?:\d+:)?\d[\w.]*)$", re.search(r'packages="\n(.*?)"', dev, re.S)[1], re.M)
    wanted += re.findall(r"^(\w+)==([\d.]+)", requirements, re.M)
    for name, version in re.findall(r'^(\w+) = (?:\{ version = )?"=?([\d.]+)"', re.search(
            r"^\[dependencies\](.*?)^\[", cargo, re.S | re.M)[1], re.M):
        wanted.append((name, version))
    found = set(re.findall(r"^\|[^|]*\| `([^`|]+)` \| ([^|]+) \|", third_party, re.M))
    for name, version in sorted(set(wanted) - found):
        yield f"THIRD_PARTY.md: there is no row for '{name}' {version}"
    for name, version in sorted(found - set(wanted)):
        yield f"THIRD_PARTY.md: '{name}' {version} is nothing that is installed so"


def columns(table_row):
    return [set(re.findall(r"`([a-z_A-Z]+)", cell)) for cell in table_row.strip("| \n").split("|")]


def functions(bundle, reference):
    """The table of functions in bundle.md has the arguments and the members of the output that the program has."""
    table = re.search(r"^\| function \| arguments \| output \|\n\|[-|]+\n((?:\|.*\n)+)", bundle, re.M)[1]
    told = {next(iter(row[0])): row[1:] for row in map(columns, table.splitlines())}
    for part in re.split(r"^## ", reference, flags=re.M)[1:]:
        name = re.match(r"`(\w+):", part)
        if not name or name[1] not in told:
            continue
        arguments, output = told[name[1]]
        for word, found in (("argument", arguments), ("output", output)):
            rows = re.search(rf"^\| {word} \|.*\n\|[-|]+\n((?:\|.*\n?)+)", part, re.M)
            if rows:
                wanted = {next(iter(columns(row)[0])) for row in rows[1].splitlines()}
                for one in sorted(wanted ^ found):
                    yield f"docs/guide/bundle.md: {word} '{one}' of '{name[1]}' is {'not told' if one in wanted else 'none that it has'}"
