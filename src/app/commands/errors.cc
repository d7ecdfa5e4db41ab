// SPDX-License-Identifier: Apache-2.0
#include "api/error_pages.h"
#include "app/commands.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

Json page_json(const api::ErrorPage& page) {
  return JsonObject{{"code", page_text(page.number)}, {"title", page.title}};
}

Result<void> errors(const Session& session, const std::string& code) {
  if (code.empty()) {
    JsonArray items;
    for (const api::ErrorPage& page : api::error_pages()) {
      items.push_back(page_json(page));
    }
    print(session, JsonObject{{"items", std::move(items)}}, [](const Json& it) {
      std::vector<std::vector<std::string>> rows;
      for (const Json& page : it.at("items").as_array()) {
        rows.push_back(
            {std::string(text_or(page, "code", "")), std::string(text_or(page, "title", ""))});
      }
      print_table({"CODE", "TITLE"}, std::move(rows), "TITLE");
    });
    return {};
  }
  auto page = api::find_error_page(code);
  if (!page.ok()) {
    return std::move(page).error();
  }
  Json answer = page_json(*page);
  answer.get_object()["text"] = page->text;
  print(session, answer, [](const Json& it) { fmt::print("{}", text_or(it, "text", "")); });
  return {};
}

}  // namespace

void add_errors_command(Command& app, Session& session) {
  auto code = std::make_shared<std::string>();
  auto* command = app.add_subcommand("errors", "What an error code means and what to do about it");
  command->add_option("code", *code, "AIOS-1401, or 1401; without one: every code and its title");
  command->callback(
      [&session, code] { session.action = [&session, code] { return errors(session, *code); }; });
}

}  // namespace aios::app
