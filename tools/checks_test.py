#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The checks must be able to fail: each bad line below is found, each good one is not."""
import pathlib
import sys
import unittest

import check_await
import check_tidy
import count_tests
from source_text import SRC, blocks, plain


def awaits(body):
    return [why for _, why in check_await.check("Task<int> f(int a) {\n" + body + "\n}\n")]


def tidy(text, file="core/x.cc"):
    header = "// SPDX-License-Identifier: Apache-2.0\n"
    path = SRC / file
    return list(check_tidy.check_file(path, header + text, plain(header + text)))


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

    def test_numbers(self):
        text = plain("return Error(c, m).page(12);\nconstexpr int page_bad = 7;\nint a = 5;")
        self.assertEqual([n for _, n in check_tidy.numbers_in(text)], [12, 7])

    def test_kinds(self):
        text = plain("namespace a {\nstruct B {\n int f() const {\n if (x) { y = {1}; }\n g([&] { h(); });\n }\n};\n}")
        self.assertEqual([b.kind for b in blocks(text)],
                         ["namespace", "type", "function", "control", "braces", "lambda"])


class Count(unittest.TestCase):
    def test_counts(self):
        rule = "-" * 58 + "\n\n"
        log = (rule + "1/3 Testing: unit.core\n[doctest] test cases: 5 | 4 passed | 1 failed | 0 skipped\nTest Failed.\n"
               + rule + "2/3 Testing: e2e.x\nTest Passed.\n" + rule + "3/3 Testing: sim.x\nTest Failed.\n")
        self.assertEqual(count_tests.count(log), (5, 2))
        log = rule + "1/1 Testing: e2e.y\n\nRan 9 tests in 0.1s\n\nFAILED (failures=1, errors=2, skipped=1)\nTest Failed.\n"
        self.assertEqual(count_tests.count(log), (5, 3))


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    unittest.main(verbosity=0)
