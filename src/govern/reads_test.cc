// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/reads.h"

#include <doctest/doctest.h>

namespace aios::govern::detail {
namespace {

// "a.b, c" for the paths read whole; "*" for everything.
void list_paths(const ReadTree& tree, const std::string& path, std::string& all) {
  if (tree.whole) {
    all += (all.empty() ? "" : ", ") + (path.empty() ? std::string("*") : path);
    return;
  }
  for (const auto& [name, below] : tree.members) {
    list_paths(below, path.empty() ? name : path + "." + name, all);
  }
}

std::string reads_of(std::string_view text) {
  Reads reads;
  add_reads(text, reads);
  std::string all;
  list_paths(reads.input, "", all);
  return all + (reads.unstable ? " unstable" : "");
}

std::string image_of(const Json& value, const Reads& reads) {
  std::string image;
  append_image(value, reads.input, image);
  return image;
}

}  // namespace

TEST_CASE("reads: plain paths are read at their end, with brackets and in any order") {
  CHECK(reads_of("allow if input.model.region == input.tenant.region") ==
        "model.region, tenant.region");
  CHECK(reads_of(R"(x := input["model"].name)") == "model.name");
  CHECK(reads_of("some r in input.run.reviews\nr.by") == "run.reviews");
  CHECK(reads_of("input.run.reviews[_].by; input.labels[0]") == "labels, run.reviews");
  CHECK(reads_of("import input.run as r") == "run");
  CHECK(reads_of("x := input.run\n[\"a\"]") == "run");
}

TEST_CASE("reads: text, comments and members called input read nothing") {
  CHECK(reads_of("# input.secret\nx := \"input.a\"; y := `input.b`; z := data.input.c") == "");
  CHECK(reads_of("x := \"a \\\" input.b\"; y := input.c") == "c");
}

TEST_CASE("reads: whatever is not a plain path reads all") {
  CHECK(reads_of("walk(input, [p, v])") == "*");
  CHECK(reads_of("x := input[name]") == "*");
  CHECK(reads_of("f(input)") == "*");
  CHECK(reads_of("x := $\"region {input.a}\"") == "* unstable");
}

TEST_CASE("reads: a member asked for with a default is that member") {
  CHECK(reads_of(R"(x := object.get(input, "intent", null))") == "intent");
  CHECK(reads_of(R"(x := object.get(input, ["a", "b"], null))") == "*");
  CHECK(reads_of(R"(x := object.get(input.gates, "failed", []))") == "gates");
  CHECK(reads_of(R"(x := my.object.get(input, "a"))") == "*");
}

TEST_CASE("reads: clocks, random numbers and the network make a bundle unstable") {
  CHECK(reads_of("x := time.now_ns()") == " unstable");
  CHECK(reads_of("x := rand.intn(\"a\", 3)") == " unstable");
  CHECK(reads_of("x := uuid.rfc4122(\"\")") == " unstable");
  CHECK(reads_of("x := time.parse_rfc3339_ns(input.t)") == "t");
}

TEST_CASE("reads: the package and its place") {
  const auto package = package_of("# a comment\n\npackage   aios.pre_model_call\nimport rego.v1");
  CHECK(package.path == "aios.pre_model_call");
  CHECK(package.line == 3);
  CHECK(package.column == 11);
  CHECK(package_of("package a[\"b c\"].d").path == "a.b c.d");
  CHECK(package_of("").path.empty());
}

TEST_CASE("reads: equal images exactly when what is read is equal") {
  Reads reads;
  add_reads("input.a.b; input.c", reads);
  const auto image = [&](const char* text) { return image_of(parse_json(text).value(), reads); };
  CHECK(image(R"({"a": {"b": 1, "x": 1}, "c": [1]})") ==
        image(R"({"a": {"b": 1}, "c": [1], "d": 2})"));
  CHECK(image(R"({"a": {"b": 1}})") != image(R"({"a": {"b": 2}})"));
  CHECK(image(R"({"a": {}})") != image("{}"));
  CHECK(image(R"({"a": {"b": null}})") != image(R"({"a": {}})"));
  CHECK(image(R"({"a": [{"b": 1}]})") != image(R"({"a": [{"b": 2}]})"));
  CHECK(image(R"({"c": ["ab", "c"]})") != image(R"({"c": ["a", "bc"]})"));
  CHECK(project(parse_json(R"({"a": {"b": 1, "x": 1}, "c": 2, "d": 3})").value(), reads.input) ==
        parse_json(R"({"a": {"b": 1}, "c": 2})").value());
}

}  // namespace aios::govern::detail
