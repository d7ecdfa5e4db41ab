// SPDX-License-Identifier: Apache-2.0
#include "bundle/test/checking.h"
#include "core/test/folder.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

namespace aios::bundle {
namespace {

using Texts = std::vector<std::string>;

constexpr const char* flow = R"(document: {dsl: 1.0.3, namespace: t, name: flow, version: 1.0.0}
schedule: {on: {one: {with: {type: a.b}}}}
do:
  - think:
      call: infer:1.0.0@default
      with: {model: '${ .m }', input: {text: x}}
)";
constexpr const char* connector = R"(name: desk
kind: http
region: eu
baseUrl: "http://127.0.0.1:1"
operations:
  look: {method: GET, path: /x, effect: read}
)";

Files good() {
  Files files = {{"aios.yaml", "name: app\nversion: 1.0.0\n"},
                 {"connectors/desk/connector.yaml", connector},
                 {"workflows/flow.yaml", flow}};
  test::allow_all(&files);
  return files;
}

TEST_CASE("layout: a file that nothing reads is named, with what its folder holds") {
  Files files = good();
  CHECK(test::texts(test::check(files).warnings) == Texts{});
  files["policies/README.md"] = "why";  // for people
  files["policies/mine.reg"] = "package mine\n";
  files["connectors/desk.yaml"] = connector;
  files["knowledge/returns.txt"] = "x";
  CHECK(test::texts(test::check(files).warnings) ==
        Texts{"connectors/desk.yaml:1:1: this file is not read: a connector is "
              "connectors/<name>/connector.yaml  [AIOS-1113]",
              "knowledge/returns.txt:1:1: this file is not read: an article in knowledge/ has a "
              "name that ends in .md  [AIOS-1113]",
              "policies/mine.reg:1:1: this file is not read: a policy in policies/ has a name "
              "that ends in .rego  [AIOS-1113]"});
}

TEST_CASE("guarded: what no policy can allow is warned of where it stands") {
  Files files = good();
  files.erase("policies/connector_egress.rego");
  files.erase("policies/pre_model_call.rego");
  files.erase("policies/event_admit.rego");  // without one, events are allowed
  CHECK(test::texts(test::check(files).warnings) ==
        Texts{"connectors/desk/connector.yaml:1:7: no policy can allow any call of this "
              "connector: policies/*.rego have no package aios.connector_egress  [AIOS-1113]",
              "workflows/flow.yaml:5:13: no policy can allow this model call: policies/*.rego "
              "have no package aios.pre_model_call  [AIOS-1113]"});
}

TEST_CASE("guarded: a package that can only deny is warned of, one that may escalate is not") {
  Files files = good();
  files["policies/event_admit.rego"] =
      "package aios.event_admit\nimport rego.v1\ndeny contains \"no\" if input.event.type == "
      "\"x\"\n";
  files["policies/connector_egress.rego"] =
      "package aios.connector_egress\nimport rego.v1\nescalate contains \"ask\" if true\n";
  CHECK(test::texts(test::check(files).warnings) ==
        Texts{"workflows/flow.yaml:2:36: no policy can allow events of this type: the package "
              "aios.event_admit has no rule 'allow' or 'escalate'  [AIOS-1113]"});
}

TEST_CASE("layout: names at the top that are nearly a part's are told, all others are left alone") {
  const aios::test::Folder folder;
  for (const char* name : {"policies", "polices", "Models", "tests", "demo", "tools", ".git"}) {
    std::filesystem::create_directories(folder.at(name));
  }
  std::ofstream(folder.at("aios.yml")) << "name: x\n";
  std::ofstream(folder.at("README.md")) << "x\n";
  CHECK(test::texts(stray_names(folder.at("."))) ==
        Texts{"Models/:1:1: nothing reads this folder; did you mean 'models/'?  [AIOS-1113]",
              "aios.yml:1:1: nothing reads this file; did you mean 'aios.yaml'?  [AIOS-1113]",
              "polices/:1:1: nothing reads this folder; did you mean 'policies/'?  [AIOS-1113]"});
  CHECK(read_bundle_directory(folder.at("."))
            .error()
            .message()
            .ends_with("has no aios.yaml, but 'aios.yml'"));
}

TEST_CASE("manifest: one that is no YAML is the only error, not what would follow from it") {
  Files files = good();
  files["aios.yaml"] = "name: app\nparameters:\n\turl: {type: string, default: x}\n";
  files["connectors/desk/connector.yaml"] =
      "name: desk\nkind: http\nregion: eu\nbaseUrl: \"${params.url}\"\n"
      "auth: {bearer: {secret: token}}\noperations:\n"
      "  look: {method: GET, path: /x, effect: read}\n";
  CHECK(test::texts(test::check(files).errors) ==
        Texts{"aios.yaml:3:1: found a tab in the indentation, wanted spaces: YAML allows no tab "
              "there  [AIOS-0100]"});
}

}  // namespace
}  // namespace aios::bundle
