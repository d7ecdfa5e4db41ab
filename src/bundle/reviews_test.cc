// SPDX-License-Identifier: Apache-2.0
#include "bundle/test/checking.h"

#include <doctest/doctest.h>

namespace aios::bundle {
namespace {

using Texts = std::vector<std::string>;

constexpr const char* usual_form = R"({
  "x-label": "intent",
  "type": "object",
  "properties": {
    "intent": {"enum": ["refund", "status", "other"]},
    "note": {"type": "string"}
  }
})";

struct Case {
  std::string form_text = usual_form;
  std::string form = "question";
  std::string assignees = "[reviewer]";
  std::string due = "P2D";
  std::string dataset = "mails";
  std::string lines = "text,label\na,refund\nb,status\nc,other\n";
  std::string more{};  ///< members of `with`, each with its line break
};

Checked checked(const Case& one) {
  Files files = {{"aios.yaml", "name: app\nversion: 1.0.0\n"},
                 {"forms/question.json", one.form_text},
                 {"datasets/mails.csv", one.lines},
                 {"datasets/heldout.csv", one.lines},
                 {"models/intent.yaml",
                  "name: intent\nengine: text_linear\ndataset: datasets/mails.csv\n"
                  "heldout: datasets/heldout.csv\nowner: x\nintendedUse: y\n"}};
  test::allow_all(&files);
  files["workflows/flow.yaml"] =
      "document: {dsl: 1.0.3, namespace: t, name: flow, version: 1.0.0}\n"
      "do:\n"
      "  - ask:\n"
      "      call: review:1.0.0@default\n"
      "      with:\n"
      "        title: What?\n"
      "        form: " +
      one.form + "\n        assignees: " + one.assignees + "\n        due: " + one.due +
      "\n        dataset: " + one.dataset + "\n        evidence: {text: '${ .text }'}\n" + one.more;
  return test::check(std::move(files));
}

TEST_CASE("review step: one that fits has no problem, under either name of the data set") {
  for (const char* dataset : {"mails", "intent", "'${ .d }'"}) {
    const auto good = checked({.dataset = dataset});
    CHECK(test::texts(good.errors) == Texts{});
    CHECK(test::texts(good.warnings) == Texts{});
  }
}

TEST_CASE("review step: who is asked must be a role, and until when a time") {
  CHECK(test::texts(checked({.assignees = "[reviewer, reviewers, '${ .r }']"}).errors) ==
        Texts{"workflows/flow.yaml:8:31: there is no role 'reviewers'; did you mean 'reviewer'?  "
              "[AIOS-1104]"});
  for (const char* due : {"2 days", "P0D", "tomorrow"}) {
    const auto errors = checked({.due = due}).errors;
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].text().starts_with("workflows/flow.yaml:9:14: found '" + std::string(due) +
                                       "' for 'due', wanted an ISO 8601 duration"));
    CHECK(errors[0].page() == 1118);
  }
  CHECK(checked({.due = "'${ .due }'"}).errors.empty());
}

TEST_CASE("review step: what happens later is looked at now") {
  const auto errors = [](const std::string& more, const std::string& due = "P2D") {
    return test::texts(checked({.due = due, .more = more}).errors);
  };
  const std::string good =
      "        priority: high\n        onTimeout: fail\n"
      "        escalation:\n"
      "          - {after: PT4H, assignees: [approver]}\n"
      "          - {after: P1D, assignees: ['${ .role }']}\n"
      "          - {after: '${ .later }', assignees: [admin]}\n";
  CHECK(errors(good) == Texts{});
  CHECK(errors("        escalation: '${ .steps }'\n        priority: '${ .urgent }'\n") == Texts{});
  const auto one = [&](const std::string& more, const std::string& place, const std::string& told,
                       const std::string& due = "P2D") {
    const auto found = errors(more, due);
    CAPTURE(more);
    REQUIRE(found.size() == 1);
    CAPTURE(found[0]);
    CHECK(found[0].starts_with("workflows/flow.yaml:" + place));
    CHECK(found[0].find(told) != std::string::npos);
  };
  one("        priority: urgent\n", "12:19: ", "priority");
  one("        onTimeout: give up\n", "12:20: ", "wanted keep or fail");
  const std::string list = "        escalation:\n          - ";
  one(list + "{after: 4 hours, assignees: [approver]}\n", "13:21: ", "'4 hours' for 'after'");
  one(list + "{after: PT4H, assignees: [aprover]}\n", "13:39: ", "did you mean 'approver'");
  one(list + "{after: PT4H}\n", "13:13: ", "without 'assignees'");
  one(list + "{after: PT4H, assignees: [admin]}\n          - {after: PT4H, assignees: [admin]}\n",
      "14:21: ", "above PT4H");
  one("        onTimeout: fail\n" + list + "{after: P3D, assignees: [admin]}\n",
      "14:21: ", "the step fails after P2D");
  one("        escalation: soon\n", "12:21: ", "wanted a list");
}

TEST_CASE("review step: a data set that no model learns from is a warning") {
  CHECK(test::texts(checked({.dataset = "intentz"}).warnings) ==
        Texts{"workflows/flow.yaml:10:18: corrections go to a data set 'intentz', from which no "
              "model of the bundle learns; did you mean 'intent'?  [AIOS-1119]"});
}

TEST_CASE("form: x-label must name a property") {
  std::string text = usual_form;
  text.replace(text.find("\"intent\""), 8, "\"intnt\"");
  CHECK(test::texts(checked({.form_text = text}).errors) ==
        Texts{"forms/question.json:2:14: there is no property 'intnt'; did you mean 'intent'?  "
              "[AIOS-1119]"});
}

TEST_CASE("form: without a member for the label it serves no review with a data set") {
  const char* text = R"({"type": "object", "properties": {"intent": {"type": "string"}}})";
  CHECK(test::texts(checked({.form_text = text}).errors) ==
        Texts{"workflows/flow.yaml:7:15: the form 'question' has no property 'label' and no "
              "'x-label' that names another: what is the label for the data set 'mails'?  "
              "[AIOS-1119]"});
}

TEST_CASE("form: labels that nobody can answer with are warned of, with what is near") {
  const auto found = checked(
      {.lines = "text,label\na,refund\nb,status\nc,other\nd,gift_wrap\ne,statsu\nf,status\n"});
  CHECK(found.errors.empty());
  REQUIRE(found.warnings.size() == 2);
  CHECK(found.warnings[0].text() ==
        "forms/question.json:5:24: the label 'gift_wrap' of datasets/mails.csv is not offered, so "
        "a review that suggests it cannot be answered so  [AIOS-1119]");
  CHECK(found.warnings[1].message().find("'statsu'") != std::string::npos);
  const auto misspelt = checked({.lines = "text,label\na,refund\nb,statuz\nc,other\n"});
  REQUIRE(misspelt.warnings.size() == 1);
  CHECK(misspelt.warnings[0].message().ends_with("; found 'status'"));
}

}  // namespace
}  // namespace aios::bundle
