// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/terminal.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

std::string money(const Json& budget, std::string_view member) {
  return fmt::format("{} {}", text_or(budget, member, ""), text_or(budget, "currency", ""));
}

Result<void> list(const Session& session) {
  auto budgets = session.call({"GET", "/api/v1/budgets", nullptr});
  if (!budgets.ok()) {
    return std::move(budgets).error();
  }
  print(session, *budgets, [](const Json& page) {
    std::vector<std::vector<std::string>> rows;
    for (const Json& budget : page.at("items").as_array()) {
      rows.push_back({std::string(text_or(budget, "name", "")), money(budget, "limit"),
                      money(budget, "spent"), money(budget, "reserved"), money(budget, "left"),
                      std::string(text_or(budget, "workflow", "(all)")),
                      seconds_text(text_or(budget, "from", "")),
                      seconds_text(text_or(budget, "until", ""))});
    }
    if (rows.empty()) {
      tell(
          "aios: the deployed bundle grants no budget: calls of hosted models that cost money are "
          "refused; 'budgets' of aios.yaml grants one\n");
    }
    print_table({"BUDGET", "LIMIT", "SPENT", "RESERVED", "LEFT", "WORKFLOW", "FROM", "UNTIL"},
                std::move(rows));
  });
  return {};
}

}  // namespace

void add_budget_commands(Command& app, Session& session) {
  auto* budgets =
      app.add_subcommand("budgets", "What calls of hosted models may cost")->require_subcommand();
  auto* all = budgets->add_subcommand("list", "Granted, spent, reserved and left, now");
  all->callback([&session] { session.action = [&session] { return list(session); }; });
}

}  // namespace aios::app
