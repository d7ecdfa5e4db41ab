// SPDX-License-Identifier: Apache-2.0
// deployments: what was deployed before, and the way back to it.
#include "app/commands.h"
#include "app/plan_text.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

struct DeploymentOptions {
  std::uint64_t number = 0;
  bool plan = false;
};

Result<void> list(const Session& session) {
  auto answer = session.call({"GET", "/api/v1/deployments", nullptr});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer, [](const Json& page) {
    std::vector<std::vector<std::string>> rows;
    for (const Json& one : page.at("items").as_array()) {
      rows.push_back({fmt::format("{}", int_or(one, "number", 0)),
                      bool_or(one, "current", false) ? "runs" : "",
                      std::string(text_or(one, "name", "")),
                      std::string(text_or(one, "version", "")),
                      std::string(text_or(one, "digest", "").substr(0, 12)),
                      seconds_text(text_or(one, "at", "")), std::string(text_or(one, "by", ""))});
    }
    print_table({"NUMBER", "NOW", "BUNDLE", "VERSION", "DIGEST", "AT", "BY"}, std::move(rows));
  });
  return {};
}

Result<void> again(const Session& session, const DeploymentOptions& options) {
  const std::string path =
      options.plan ? "/api/v1/deployments/again/plan" : "/api/v1/deployments/again";
  auto answer = session.call({"POST", path, JsonObject{{"number", options.number}}});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  if (options.plan) {
    print(session, *answer, [](const Json& plan) {
      print_plan(plan);
      tell_warnings(plan);
    });
  } else {
    print(session, *answer, print_deployment);
  }
  return {};
}

}  // namespace

void add_deployment_commands(Command& app, Session& session) {
  auto options = std::make_shared<DeploymentOptions>();
  auto* deployments =
      app.add_subcommand("deployments", "What was deployed before")->require_subcommand();
  auto* all = deployments->add_subcommand("list", "Deployments of the tenant, newest first");
  all->callback([&session] { session.action = [&session] { return list(session); }; });
  auto* back = deployments->add_subcommand(
      "again", "Deploy once more what an earlier deployment was: its files, and what was set");
  back->add_option("number", options->number, "As 'aios deployments list' shows it")->required();
  back->add_flag("--plan", options->plan, "Say what would change and change nothing");
  back->callback([&session, options] {
    session.action = [&session, options] { return again(session, *options); };
  });
}

}  // namespace aios::app
