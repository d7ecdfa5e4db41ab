// SPDX-License-Identifier: Apache-2.0
#include "bundle/test/checking.h"

#include <doctest/doctest.h>

namespace aios::bundle {
namespace {

using Texts = std::vector<std::string>;

Texts warnings_of(const std::string& learnt, const std::string& heldout,
                  const std::string& parameters = "") {
  Files files = {{"aios.yaml", "name: app\nversion: 1.0.0\n" + parameters},
                 {"datasets/all.csv", "text,label\n" + learnt},
                 {"models/intent.yaml",
                  "name: intent\nengine: text_linear\ndataset: "
                  "datasets/all.csv\nowner: x\nintendedUse: y\n"},
                 {"workflows/flow.yaml",
                  "document: {dsl: 1.0.3, namespace: t, name: flow, version: 1.0.0}\n"
                  "do:\n  - a: {set: {b: 1}}\n"}};
  if (!heldout.empty()) {
    files["datasets/some.csv"] = "text,label\n" + heldout;
    files["models/intent.yaml"] += "heldout: datasets/some.csv\n";
  }
  test::allow_all(&files);
  const auto checked = test::check(std::move(files));
  CHECK(test::texts(checked.errors) == Texts{});
  return test::texts(checked.warnings);
}

TEST_CASE("labels: one without a held-out line is named, at the model's `heldout`") {
  CHECK(warnings_of("a,refund\nb,status\n", "c,refund\nd,status\n").empty());
  CHECK(warnings_of("a,refund\nb,gift_wrap\n", "c,refund\n") ==
        Texts{"models/intent.yaml:6:10: datasets/some.csv has no line with 'gift_wrap' of "
              "datasets/all.csv: nothing tells how well the model knows it  [AIOS-1119]"});
}

TEST_CASE("labels: a held-out label that is never learnt is named with the nearest one") {
  CHECK(warnings_of("a,refund\nb,status\n", "c,refund\nd,status\ne,statuz\n") ==
        Texts{"models/intent.yaml:6:10: datasets/some.csv has the label 'statuz', which "
              "datasets/all.csv does not have: the model never answers that; did you mean "
              "'status'?  [AIOS-1119]"});
}

TEST_CASE("labels: without a held-out file, those with too few lines to hold one out are named") {
  const std::string five = "a,refund\nb,refund\nc,refund\nd,refund\ne,refund\n";
  CHECK(warnings_of(five, "").empty());
  CHECK(warnings_of(five + "f,status\n", "") ==
        Texts{"models/intent.yaml:3:10: datasets/all.csv has fewer than 5 lines with 'status': "
              "none is held out, so nothing tells how well the model knows it  [AIOS-1119]"});
}

TEST_CASE("labels: a parameter by label with one misspelt is warned of, another table is not") {
  const std::string lines = "a,refund\nb,order_status\nc,other\n";
  const auto floors = [&](const std::string& table) {
    return warnings_of(lines, lines,
                       "parameters:\n  floors:\n    type: object\n    default: " + table + "\n");
  };
  CHECK(floors("{refund: 0.8, order_status: 0.6}").empty());
  CHECK(floors("{refund: 0.8, order_statu: 0.6}") ==
        Texts{"aios.yaml:6:28: parameter 'floors' has 'order_statu' among labels of "
              "datasets/all.csv, which is none of them; did you mean 'order_status'?  "
              "[AIOS-1119]"});
  CHECK(floors("{refund: 0.8, order_status: 0.6, default: 0.9}").empty());  // near to none
  CHECK(floors("{order_statu: 0.8, port: 1, size: 2}").empty());            // no table by label
}

}  // namespace
}  // namespace aios::bundle
