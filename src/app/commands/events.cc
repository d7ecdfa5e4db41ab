// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"

#include "net/http.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

struct EventOptions {
  std::string file;
  std::string id;
  std::string status;
  PageOptions page;
};

Result<void> send(const Session& session, const EventOptions& options) {
  auto text = read_file(options.file);
  if (!text.ok()) {
    return std::move(text).error();
  }
  auto event = parse_json(*text);
  if (!event.ok()) {
    return std::move(event).error().with(fmt::format("reading {}", options.file));
  }
  Call call{"POST", "/api/v1/events", std::move(*event)};
  call.content_type = "application/cloudevents+json";
  auto answer = session.call(call);
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer, [](const Json& it) {
    fmt::print("{}  {}  {}{}\n", text_or(it, "id", ""), text_or(it, "status", ""),
               text_or(it, "run", ""), text_or(it, "reason", ""));
  });
  if (text_or(*answer, "status", "") == "dead_letter") {
    return Error(Code::failed_precondition,
                 fmt::format("no workflow took the event: {}", text_or(*answer, "reason", "")))
        .page(1420);
  }
  return {};
}

Result<void> list(const Session& session, const EventOptions& options) {
  auto page = session.call(
      {"GET", fmt::format("/api/v1/events?{}&status={}", page_query(options.page), options.status),
       nullptr});
  if (!page.ok()) {
    return std::move(page).error();
  }
  print(session, *page, [](const Json& it) {
    std::vector<std::vector<std::string>> rows;
    for (const Json& event : it.at("items").as_array()) {
      rows.push_back(
          {std::string(text_or(event, "id", "")), std::string(text_or(event, "status", "")),
           std::string(text_or(event, "type", "")), seconds_text(text_or(event, "received", ""))});
    }
    print_table({"ID", "STATUS", "TYPE", "RECEIVED"}, std::move(rows));
    tell_more(it);
  });
  return {};
}

Result<void> show(const Session& session, const EventOptions& options) {
  auto event = session.call({"GET", "/api/v1/events/" + net::percent_encode(options.id), nullptr});
  if (!event.ok()) {
    return std::move(event).error();
  }
  print_document(session, *event);
  return {};
}

}  // namespace

void add_event_commands(CLI::App& app, Session& session) {
  auto options = std::make_shared<EventOptions>();
  const auto set = [&session, options](CLI::App* command, auto function) {
    command->callback([&session, options, function] {
      session.action = [&session, options, function] { return function(session, *options); };
    });
  };
  auto* events = app.add_subcommand("events", "The inbox")->require_subcommand(1);
  auto* give = events->add_subcommand("send", "Send one CloudEvent (JSON format)");
  give->add_option("file", options->file, "File with the event")->required();
  set(give, send);
  auto* all = events->add_subcommand("list", "Events, newest first");
  all->add_option("--status", options->status, "Only these: accepted or dead_letter")
      ->check(CLI::IsMember({"accepted", "dead_letter"}));
  add_page(*all, &options->page);
  set(all, list);
  auto* one = events->add_subcommand("show", "One event with its content");
  one->add_option("id", options->id, "evt_...")->required();
  set(one, show);
}

}  // namespace aios::app
