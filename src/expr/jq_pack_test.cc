// SPDX-License-Identifier: Apache-2.0
// jq's own regression cases.
#include "expr/detail/jq_compiler.h"
#include "expr/detail/jq_machine.h"
#include "expr/detail/jq_print.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using aios::Json;
using namespace aios::expr;
using namespace aios::expr::detail;

std::filesystem::path pack() {
  const char* named = std::getenv("AIOS_CONFORMANCE_DIR");
  return std::filesystem::path(named != nullptr ? named : "../shared/conformance") / "jq";
}

struct Case {
  std::string program;
  std::string input;
  std::vector<std::string> wanted;
  bool must_not_compile = false;
};

bool between_cases(const std::string& line) {
  return line.empty() || line[0] == '#' || line == "\r";
}

std::vector<Case> read_cases(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<Case> cases;
  std::string line;
  while (std::getline(file, line)) {
    if (between_cases(line)) {
      continue;
    }
    Case one;
    one.must_not_compile = line.starts_with("%%FAIL");
    if (one.must_not_compile) {
      std::getline(file, line);
    }
    one.program = line;
    if (!one.must_not_compile) {
      std::getline(file, one.input);
    }
    while (std::getline(file, line) && !between_cases(line)) {
      one.wanted.push_back(line);
    }
    cases.push_back(std::move(one));
  }
  return cases;
}

EvalOptions wide_options() {
  EvalOptions options;
  options.limits.steps_max = 100'000'000;
  options.limits.depth_max = 20'000;
  options.limits.memory_bytes_max = std::size_t{1} << 30;
  options.limits.output_depth_max = 20'000;
  return options;
}

struct Run {
  bool compiled = false;
  std::vector<Json> outputs;
  std::string error;
};

Run run(const std::string& text, const Json& input) {
  Run result;
  auto program = Compiler::compile(text, {});
  if (!program.ok()) {
    result.error = program.error().text();
    return result;
  }
  result.compiled = true;
  auto options = wide_options();
  Machine machine(**program, options);
  machine.start(input, {});
  Value output;
  while (machine.next(&output)) {
    result.outputs.push_back(to_json(machine.budget(), output, options.limits.output_depth_max));
  }
  if (machine.failed()) {
    result.error = json_text(machine.budget(), machine.error_value());
  }
  if (machine.budget().exceeded != Budget::Limit::none) {
    result.error = "limit";
  }
  return result;
}

/// JSON as the pack writes it, with a byte order mark or NaN here and there, as a jq literal.
std::string as_program(std::string text) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.erase(0, 3);
  }
  for (auto [from, to] : {std::pair("Infinity", "infinite"), std::pair("NaN", "nan")}) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from)) {
      text.replace(at, std::string_view(from).size(), to);
    }
  }
  return text;
}

Json lenient(const std::string& text) {
  auto strict = aios::parse_json(text);
  if (strict.ok()) {
    return *strict;
  }
  auto computed = run(as_program(text), nullptr);
  return computed.outputs.empty() ? Json(nullptr) : computed.outputs[0];
}

bool same(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    return a.to_number<double>() == b.to_number<double>();
  }
  if (a.is_array() && b.is_array()) {
    const auto& left = a.get_array();
    const auto& right = b.get_array();
    bool equal = left.size() == right.size();
    for (std::size_t i = 0; equal && i < left.size(); ++i) {
      equal = same(left[i], right[i]);
    }
    return equal;
  }
  if (a.is_object() && b.is_object()) {
    bool equal = a.get_object().size() == b.get_object().size();
    for (const auto& member : a.get_object()) {
      const auto* other = b.get_object().if_contains(member.key());
      equal = equal && other != nullptr && same(member.value(), *other);
    }
    return equal;
  }
  return a == b;
}

/// Why a case cannot be run here; empty when it can.
std::string reason_to_skip(const Case& one) {
  auto has = [&one](std::string_view part) { return one.program.find(part) != std::string::npos; };
  if (!one.must_not_compile && (has("import ") || has("include ") || has("modulemeta"))) {
    return "needs module files, and there are no modules";
  }
  return has("PAGER") ? "needs an environment, and there is none" : "";
}

struct Count {
  int passed = 0;
  int failed = 0;
  int skipped = 0;
};

void run_case(const Case& one, const std::string& file, Count* count) {
  if (auto reason = reason_to_skip(one); !reason.empty()) {
    ++count->skipped;
    MESSAGE("SKIPPED: " << file << ": " << one.program << ": " << reason);
    return;
  }
  bool strict = one.must_not_compile || aios::parse_json(one.input).ok();
  // What JSON cannot say (NaN) becomes part of the program.
  auto result = strict ? run(one.program, one.must_not_compile ? nullptr : lenient(one.input))
                       : run(as_program(one.input) + " | " + one.program, nullptr);
  bool passed = one.must_not_compile
                    ? !result.compiled
                    : result.compiled && result.outputs.size() == one.wanted.size();
  for (std::size_t i = 0; passed && !one.must_not_compile && i < one.wanted.size(); ++i) {
    passed = same(result.outputs[i], lenient(one.wanted[i]));
  }
  if (passed) {
    ++count->passed;
    return;
  }
  ++count->failed;
  std::string got;
  for (const auto& output : result.outputs) {
    got += aios::to_text(output).substr(0, 200) + "  ";
  }
  MESSAGE("differs: " << file << ": " << one.program << "\n  gave " << got << result.error);
}

}  // namespace

TEST_CASE("jq: the language's own regression cases") {
  if (!std::filesystem::exists(pack())) {
    MESSAGE("SKIPPED: jq is not there");
    return;
  }
  Count count;
  for (const char* file : {"jq.test", "man.test", "onig.test", "manonig.test", "base64.test",
                           "uri.test", "optional.test"}) {
    for (const auto& one : read_cases(pack() / file)) {
      run_case(one, file, &count);
    }
  }
  auto ran = count.passed + count.failed;
  REQUIRE(ran > 0);
  auto percent = 100.0 * count.passed / ran;
  MESSAGE("jq pack: " << count.passed << " of " << ran << " pass (" << percent << " %), "
                      << count.skipped << " skipped");
  CHECK(ran + count.skipped == 879);
  // What differs: whole numbers beyond 2^53 keep their digits here, and the wording of two errors.
  CHECK(count.passed >= 858);
}
