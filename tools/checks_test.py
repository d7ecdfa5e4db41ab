#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The checks must be able to fail: each bad line below is found, each good one is not."""
import os
import pathlib
import subprocess
import sys
import unittest

import check_await
import check_docs
import check_pages
import check_tidy
import count_tests
import doc_names
from source_text import ROOT, SRC, blocks, plain

sys.path.insert(0, str(ROOT / "cmake"))
import batches  # noqa: E402


def awaits(body):
    return [why for _, why in check_await.check("Task<int> f(int a) {\n" + body + "\n}\n")]


def tidy(text, file="core/x.cc"):
    header = "// SPDX-License-Identifier: Apache-2.0\n"
    path = ROOT / file if file.startswith("tests/") else SRC / file
    return list(check_tidy.check_file(path, header + text, plain(header + text)))


class Batches(unittest.TestCase):
    """Which sources may be compiled as one: who names a helper need not know what its neighbours have named."""

    def together(self, one, other):
        one, other = batches.Source(one), batches.Source(other)
        return not one.hides_from(other) and not other.hides_from(one)

    def test_a_helper_of_the_same_name_keeps_two_apart(self):
        mine = "namespace {\n%s\n}  // namespace\nint f() { return 1; }\n"
        for helper in ("int half(int a) {\n  return a / 2;\n}", "constexpr int half = 2;", "struct half {\n  int a;\n};",
                       "using half = int;", "template <class T>\nT half(T a) {\n  return a;\n}",
                       "std::map<int, int> half(const std::string& a);"):
            self.assertFalse(self.together(mine % helper, "int g() { return half(4); }\n"), helper)
            self.assertFalse(self.together("auto g = half(1);\n", mine % helper), helper)
            self.assertTrue(self.together(mine % helper, "int g() { return third(4); }\n"), helper)
        self.assertFalse(self.together("static int half(int a) {\n}\n", "int g() { return half(4); }\n"))

    def test_what_stands_in_a_text_or_a_comment_is_no_name(self):
        mine = "namespace {\nint half(int a) {\n  return a;\n}\n}  // namespace\n"
        for other in ('auto a = "half";', "// half of it", 'auto a = R"x(half " )x";', "/* half */", "auto a = 'h';"):
            self.assertTrue(self.together(mine, other), other)

    def test_a_short_name_may_not_mean_two_things(self):
        self.assertFalse(self.together("using a::Clock;\n", "using b::Clock;\n"))
        self.assertFalse(self.together("using a::Clock;\n", "Clock c;\n"))
        self.assertTrue(self.together("using a::Clock;\n", "using a::Clock;\n"))


class Await(unittest.TestCase):
    def test_good(self):
        for body in ("auto x = co_await g(a);", "co_await g(std::move(a));", "co_return co_await g(a);",
                     "total += co_await g(a, h(b));", "const auto x = co_await std::move(task);",
                     "x->y = co_await g(a[0]);", "auto x = co_await store_.due(ctx, limit, options_.capacity);",
                     "{ std::lock_guard lock(m); }\n co_await g(a);"):
            self.assertEqual(awaits(body), [], body)

    def test_bad(self):
        for body in ("if (co_await g(a)) { }", "h(co_await g(a));", "auto [x, y] = co_await g(a);",
                     "co_await g([&] { return 1; });", "co_await g(Options{1});", "auto x = co_await g(co_await h());",
                     "auto x = a ? co_await g(a) : 1;", "for (auto x : co_await g(a)) { }",
                     "std::lock_guard lock(m);\n co_await g(a);", "try { h(); } catch (...) { co_await g(a); }",
                     "auto f = [a]() -> Task<int> { co_return a; };"):
            self.assertNotEqual(awaits(body), [], body)

    def test_default_arguments(self):
        self.assertTrue(list(check_await.check("Task<int> f(int a = 1);")))
        self.assertFalse(list(check_await.check("Task<int> f(int a) const;")))


class Tidy(unittest.TestCase):
    def test_good(self):
        for text in ("constexpr int x = 1;", "int f();", "namespace {\nint f(int a) {\n  return a;\n}\n}",
                     "int f() {\n  static const T* const t = new T;\n  return t->x;\n}", "using X = int;",
                     "struct A {\n  int x = 0;\n  static int f();\n};", "std::string_view a = b();  // tidy: needed",
                     "// system_clock::now() in a comment", 'constexpr std::string_view s = "std::regex";'):
            self.assertEqual(tidy(text), [], text)

    def test_bad(self):
        for text in ("int x = 1;", "std::string name;", "namespace a {\nconst std::map<int, int> m{{1, 2}};\n}",
                     "int f() {\n  static std::string s;\n  return 1;\n}", "auto t = std::chrono::steady_clock::now();",
                     "#include <regex>", "void f() {\n" + "  g();\n" * 60 + "}", "x" * 101, "// TODO later",
                     "boost::asio::io_context* c();", "struct A {\n  static int count;\n};"):
            self.assertNotEqual(tidy(text), [], text)
        self.assertNotEqual(tidy("#pragma once\n#include <openssl/evp.h>\n", "core/x.h"), [])
        self.assertNotEqual(tidy("int f();\n", "core/x.h"), [])
        ordered = '#include "core/x.h"\n\n#include "core/y.h"\n\n#include <fmt/format.h>\n\n#include <string>\n'
        self.assertEqual(tidy(ordered), [])
        clock = "auto t = std::chrono::steady_clock::now();\n"  # a program that measures may look at it
        self.assertEqual(tidy(clock, "tests/bench/x.cc"), [])
        for text in ("x" * 101, "void f() {\n" + "  g();\n" * 60 + "}", "f();\n" * 800):
            self.assertNotEqual(tidy(text, "tests/bench/x.cc"), [], text[:20])
        self.assertEqual(tidy("f();\n" * 700, "tests/bench/x.cc"), [])
        self.assertNotEqual(tidy(ordered + '\n#include "core/z.h"\n'), [])

    def test_kinds(self):
        text = plain("namespace a {\nstruct B {\n int f() const {\n if (x) { y = {1}; }\n g([&] { h(); });\n }\n};\n}")
        self.assertEqual([b.kind for b in blocks(text)],
                         ["namespace", "type", "function", "control", "braces", "lambda"])


class Pages(unittest.TestCase):
    README = ("| numbers | module |\n|---|---|\n| 0300-0399 | net |\n| 0400-0499 | store |\n\n"
              "| page | also given by | when |\n|---|---|---|\n| 0401 | net | a reason |\n")
    SHARED = "void g() { e.page(401); }"
    HELPER = "Error bad(Code code, std::string text, int page) {\n  return Error(code, text).page(page);\n}\n"

    def found(self, text, texts=(301, 302, 303), file="src/net/x.cc", more=None):
        files = {file: text, "src/net/shared.cc": self.SHARED, **(more or {})}
        return list(check_pages.check(files, {401, *texts}, self.README))

    def test_good(self):
        pages = "Error(c, t).page(301); Error(c, t).page(bad ? 302 : worse == 413 ? 303 : 301);"
        for text, more in (
                (pages, {}), (pages + " Error(c, t).page(other.page());", {}),
                (pages + ' fail("found {} [AIOS-0301]"); // [AIOS-0399]', {}), (pages + " Page p = list.page(); if (p.page() == 999) {}", {}),
                ("constexpr int page_bad = 301;\nvoid f() { e.page(page_bad); e.page(302).page(303); }", {}),
                (self.HELPER + "void f() { bad(Code::a, t, 301); bad(Code::a, t(1, 2), x ? 302 : 303); }", {}),
                ("void f() { const int page = status == 413 ? 301 : 302; e.page(page); e.page(303); }", {}),
                ("void f() { loader.fail(p, t, 301); e.page(no_x); e.page(303); }",
                 {"src/net/detail/l.h": "constexpr int no_x = 302;\nvoid fail(Pointer p, Text t, int page);\n",
                  "src/net/l.cc": "void Loader::fail(Pointer p, Text t, int page) { add(e.page(page)); }"}),
                (self.HELPER + "void f() { bad(c, t, 301); bad(c, t, 302).page(303); }",
                 {"src/net/detail/b.h": "Error bad(int page, Text t, Place p) { return e.page(page); }"}),
                (pages, {"src/net/x_test.cc": "e.page(999);", "src/net/test/y.h": "e.page(999);"})):
            self.assertEqual(self.found(text, more=more), [], text)

    def test_a_page_without_a_text(self):
        for text in ("e.page(304);", "e->page(bad ? 301 : 304);", "constexpr int k = 304;\nvoid f() { e.page(k); }",
                     self.HELPER + "void f() { bad(c, t, 304); }", 'fail("x [AIOS-0304]");',
                     "void f() { int page = x ? 301 : 304; e.page(page); }"):
            self.assertIn("page 0304 has no", "".join(self.found(text)), text)

    def test_a_page_of_another_module(self):
        for text in ("e.page(402);", self.HELPER + "void f() { bad(c, t, 402); }", 'fail("x [AIOS-0402]");'):
            self.assertIn("outside the range of 'net'", "".join(self.found(text, texts=(301, 402))), text)
        self.assertIn("outside the range of 'store'", "".join(self.found("e.page(301);", file="src/store/x.cc")))

    def test_a_text_that_no_code_gives(self):
        for text in ("int bound = 303;", "if (error.page() == 303) {}", "// .page(303) [AIOS-0303]",
                     "constexpr int page_unused = 303;", self.HELPER, "void f(int page) { g(303); }",
                     'find(text, "AIOS-0303");', "Error(c, status == 303 ? a : b).page(status == 303 ? 301 : 302);"):
            self.assertIn("AIOS-0303.md: no code gives this page", self.found(text)[-1], text)

    def test_a_shared_page_that_is_not_given(self):
        said = self.found("e.page(301);", texts=(301,), more={"src/net/shared.cc": ""})
        self.assertIn("docs/errors/README.md: 'net' does not give page 0401", said)

    def test_what_cannot_be_read(self):
        for text in ("e.page(base + 3);", "e.page(number_of(x));", "e.page(unknown);",
                     "Error bad(int number) { return e.page(number); }\nvoid f() { bad(301); }",
                     self.HELPER + "void f() { bad(c, t, table[2]); }"):
            self.assertIn("cannot read which page", "".join(self.found(text)), text)


class Docs(unittest.TestCase):
    THERE = {"src/net/http.cc", "src/net/README.md", "src/net/detail/pool.h", "docs/a.md", "tools/x.py", "tests/sim", "docs/b.md"}

    def found(self, text, document="docs/a.md"):
        return list(check_docs.check(document, text, lambda at: os.path.normpath(at) in self.THERE))

    def test_good(self):
        for text in ("`net/http.cc` and `src/net/http.cc`", "`tools/x.py`, [b](b.md#part), [c](../tools/x.py)", "`tests/sim`",
                     "[w](https://example.org/x.cc)", "`src/<module>/<name>.cc`, `policies/*.rego`, gone.cc", "`http.detail`"):
            self.assertEqual(self.found(text), [], text)
        self.assertEqual(self.found("`http.cc`, `detail/pool.h`, [a](../../docs/a.md)", "src/net/README.md"), [])

    def test_bad(self):
        for text in ("line\n`http.cc`", "`net/gone.cc`", "`tests/gone/`", "[b](c.md)", "good `net/http.cc`, bad `pool.h`"):
            self.assertEqual(len(self.found(text)), 1, text)
        self.assertIn("docs/a.md:2: there is no 'http.cc'", self.found("line\n`http.cc`"))


class Names(unittest.TestCase):
    THERE = doc_names.Known({"name_of", "watch_root", "pages"}, {"--watch-root"}, {401}, {"net": ["url: a path"]},
                            {"tests/e2e/test_x.py": "    def test_a_b(self):", "docs/b.md": "# A `b`, c\n"}.get)

    def found(self, text, document="docs/a.md"):
        return list(doc_names.check(document, text, self.THERE))

    def test_good(self):
        for text in ("`name_of`, `aios_name_of`, `name_of_total`, `AIOS_WATCH_ROOT`, `--watch-root DIR`", "AIOS-0401", "`openssl pkey --gone`",
                     "`AIOS_SECRET_GONE_X`", "```\n`gone\n--gone AIOS-0402 in a fence\n```", "python3 tests/e2e/test_x.py -k test_a",
                     "aios_net_tests -tc='url*'", "word " * 100, "word " * 60 + "\n\n" + "word " * 60, "- " + "word " * 90 + "\n- " + "word " * 90,
                     "| " + "word " * 200 + "|", "[x](b.md#a-b-c), [y](#own)\n\n## Own"):
            self.assertEqual(self.found(text), [], text)

    def test_bad(self):
        for text in ("`gone_name`", "line\n`name_of(gone)`", "`AIOS_GONE`", "`pages --gone`", "[AIOS-0402]", "a `name_of\nof`",
                     "python3 tests/e2e/test_x.py -k test_c", "python3 tests/e2e/test_y.py", "aios_net_tests -tc='uri*'", "word " * 101, "[x](b.md#d)", "[x](#b)", "[x](c.md#d)",
                     "- " + "word " * 60 + "\n  " + "word " * 60):
            self.assertNotEqual(self.found(text), [], text)
        self.assertIn("docs/a.md:3: nothing is named 'gone_name'", self.found("```\n```\n`gone_name`"))
        self.assertEqual(self.found("word " * 120, "docs/benchmarks.md"), [])
        self.assertEqual(len(self.found("word " * 40, "docs/errors/AIOS-0401.md")), 1)
        self.assertEqual(self.found("word " * 40), [])

    def test_modules(self):
        layers = "# module: modules\ncore:\nnet: core\n"
        table = "| module | one line |\n|---|---|\n| `{}` | a |\n| `{}` | b |\n"
        self.assertEqual(list(doc_names.modules(layers, table.format("core", "net"))), [])
        for wrong in (("net", "core"), ("core", "gone")):
            self.assertEqual(len(list(doc_names.modules(layers, table.format(*wrong)))), 1)

    def test_rows(self):
        source = 'report.add({"a_per_s", x, "runs/s", 8\'000, Better::higher}); report.add({"b_us", y, "us", none, Better::lower});'
        self.assertEqual(list(doc_names.rows("| row | value |\n| a_per_s, b_us | 3 |\n", source)), [])
        self.assertEqual(list(doc_names.rows("| a_per_s | 3 |\n| list_p99_ms | 1 |\n", source + 'add("list"); name + "_p99_ms"')), [])
        self.assertIn("no benchmark prints 'c_us'", list(doc_names.rows("| a_per_s |\n| c_us | 3 |\n", source))[0])
        self.assertIn("it has no row 'a_per_s'", list(doc_names.rows("| b_us | 3 |\n", source))[0])

    def test_functions(self):
        told = "| function | arguments | output |\n|---|---|---|\n| `ask` | `model` (an alias), `input: {{text}}` | {} |\n\n"
        program = ("## `ask:1.0.0@default`\n\n| argument | type |\n|---|---|\n| `model` | string |\n| `input` | any |\n\n"
                   "| output | meaning |\n|---|---|\n| `label` | a |\n| `cost` | b |\n\n## `http:1.0.0@default`\n")
        self.assertEqual(list(doc_names.functions(told.format("`label`; of some `cost`"), program)), [])
        self.assertIn("output 'cost' of 'ask' is not told", "".join(doc_names.functions(told.format("`label`"), program)))
        more = told.format("`label`, `cost`").replace("`model`", "`model`, `floor`")
        self.assertIn("argument 'floor' of 'ask' is none", "".join(doc_names.functions(more, program)))

    def test_packages(self):
        dev = 'packages="\nlibx-dev 1.2\ngit 1:2.3\n"\n'
        cargo = '[dependencies]\nany = "1"\nserde = { version = "=1.0.2", features = [] }\n[profile.release]\n'
        rows = "| x | `libx-dev` | 1.2 | MIT |\n| g | `git` | 1:2.3 | GPL |\n| a | `any` | 1 | |\n| s | `serde` | 1.0.2 | |\n| w | `web` | 1.1 | |\n"
        found = lambda text: list(doc_names.packages(dev, cargo, "web==1.1 --hash=sha256:00\n", text))
        self.assertEqual(found(rows), [])
        self.assertEqual(found(rows.replace("1.0.2", "1.0.1")), ["THIRD_PARTY.md: there is no row for 'serde' 1.0.2",
                                                                "THIRD_PARTY.md: 'serde' 1.0.1 is nothing that is installed so"])


class Count(unittest.TestCase):
    def test_counts(self):
        rule = "-" * 58 + "\n\n"
        log = (rule + "1/3 Testing: unit.core\n[doctest] test cases: 5 | 4 passed | 1 failed | 0 skipped\nTest Failed.\n"
               + rule + "2/3 Testing: e2e.x\nTest Passed.\n" + rule + "3/3 Testing: sim.x\nTest Failed.\n")
        self.assertEqual(count_tests.count(log), (5, 2))
        log = rule + "1/1 Testing: e2e.y\n\nRan 9 tests in 0.1s\n\nFAILED (failures=1, errors=2, skipped=1)\nTest Failed.\n"
        self.assertEqual(count_tests.count(log), (5, 3))


class Dev(unittest.TestCase):
    def test_a_part_that_is_not_there(self):
        for parts in (["typo"], ["unit", "typo"], ["unit", "tests"], ["end to"]):
            done = subprocess.run([ROOT / "dev", "test", *parts], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, ""), parts)
            self.assertIn(f"no part '{parts[-1]}'; there are: style build headers bridge", done.stderr)


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    unittest.main(verbosity=0)
