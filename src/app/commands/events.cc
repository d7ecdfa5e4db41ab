// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/page.h"
#include "app/terminal.h"

#include "net/http.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::app {
namespace {

/// What took an event: the run that it started, or one that listened for it.
std::string taken_by(const Json& event) {
  const auto run = text_or(event, "run", "");
  const auto delivered = text_or(event, "delivered", "");
  std::string out(run);
  if (!delivered.empty()) {
    out += fmt::format("{}{} listened for it", out.empty() ? "" : ", ", delivered);
  }
  return out.empty() ? "waits for a run that listens for it" : out;
}

struct EventOptions {
  std::string file;
  std::string id;
  std::string status;
  std::string type;
  std::vector<std::string> ids;
  bool all = false;
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
    const auto reason = text_or(it, "reason", "");
    fmt::print("{}  {}{}  {}\n", text_or(it, "id", ""), text_or(it, "status", ""),
               bool_or(it, "repeated", false) ? " before" : "",
               reason.empty() ? taken_by(it) : std::string(reason));
  });
  if (text_or(*answer, "status", "") == "dead_letter") {
    return Error(Code::failed_precondition,
                 fmt::format("no workflow took the event: {}", text_or(*answer, "reason", "")))
        .page(1420);
  }
  return {};
}

void print_dead_letters(const Json& page) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& event : page.at("items").as_array()) {
    const auto number = text_or(event, "page", "");
    const auto why = text_or(event, "reason", text_or(event, "why", ""));
    rows.push_back({std::string(text_or(event, "id", "")),
                    why.ends_with(']') || number.empty() ? std::string(why)
                                                         : fmt::format("{} [{}]", why, number),
                    std::string(text_or(event, "via", "")), std::string(text_or(event, "type", "")),
                    seconds_text(text_or(event, "received", ""))});
  }
  print_table({"ID", "WHY", "SOURCE", "TYPE", "RECEIVED"}, std::move(rows), "WHY");
  tell_more(page);
}

Result<void> list(const Session& session, const EventOptions& options) {
  auto page = session.call(
      {"GET",
       fmt::format("/api/v1/events?{}&status={}", page_query(options.page), options.status) +
           (options.type.empty() ? "" : "&type=" + net::percent_encode(options.type)),
       nullptr});
  if (!page.ok()) {
    return std::move(page).error();
  }
  if (options.status == "dead_letter") {
    print(session, *page, print_dead_letters);
    return {};
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

/// The event, or of what none could be made of what arrived.
void print_content(const Json& event) {
  const Json* envelope = find(event, "event");
  const Json* arrived = find(event, "arrived");
  if (envelope != nullptr && !text_or(*envelope, "type", "").empty()) {
    page_line("EVENT", fmt::format("{} {} from {}", text_or(*envelope, "type", ""),
                                   text_or(*envelope, "id", ""), text_or(*envelope, "source", "")));
    page_line("SUBJECT", text_or(*envelope, "subject", ""));
    page_line("ORDER BY", text_or(*envelope, "partitionkey", ""));
    if (const Json* data = find(*envelope, "data"); data != nullptr) {
      page_members("DATA", *data);
    }
  }
  if (arrived != nullptr && find(*arrived, "seen") != nullptr) {
    page_members("ARRIVED", *find(*arrived, "seen"));
  }
}

void print_event(const Json& event) {
  const auto id = text_or(event, "id", "");
  const auto status = text_or(event, "status", "");
  page_line("INBOX", fmt::format("{} {}", id, status));
  if (bool_or(event, "erased", false)) {
    page_line("", "its content was erased");
    return;
  }
  page_line("WHY", text_or(event, "reason", ""));
  page_line("RECEIVED", seconds_text(text_or(event, "received", "")));
  page_line("SOURCE", text_or(event, "via", ""));
  const auto run = text_or(event, "run", "");
  page_line("RUN", run);
  page_line("TAKEN BY", text_or(event, "delivered", ""));
  if (run.empty() && status == "accepted" && text_or(event, "delivered", "").empty()) {
    page_line("", taken_by(event));
  }
  page_line("REPLAY OF", text_or(event, "replay_of", ""));
  page_line("REPLAYED AS", text_or(event, "replayed_as", ""));
  print_content(event);
  if (status == "dead_letter") {
    page_command("NEXT", fmt::format("aios events replay {}", id));
  } else if (!run.empty()) {
    page_command("NEXT", fmt::format("aios runs show {}", run));
  }
}

Result<void> show(const Session& session, const EventOptions& options) {
  auto event = session.call({"GET", "/api/v1/events/" + net::percent_encode(options.id), nullptr});
  if (!event.ok()) {
    return std::move(event).error();
  }
  print(session, *event, print_event);
  return {};
}

/// All dead letters there are now, oldest first; a page at a time.
Result<std::vector<std::string>> dead_letters(const Session& session, const std::string& type) {
  std::vector<std::string> ids;
  std::string after;
  for (;;) {
    auto page =
        session.call({"GET",
                      fmt::format("/api/v1/events?status=dead_letter&limit=1000&type={}&after={}",
                                  net::percent_encode(type), net::percent_encode(after)),
                      nullptr});
    if (!page.ok()) {
      return std::move(page).error();
    }
    for (const Json& event : page->at("items").as_array()) {
      ids.emplace_back(text_or(event, "id", ""));
    }
    after = text_or(*page, "next", "");
    if (after.empty()) {
      std::reverse(ids.begin(), ids.end());
      return ids;
    }
  }
}

/// Each by itself: one that starts nothing holds up no other.
Result<void> replay(const Session& session, const EventOptions& options) {
  std::vector<std::string> ids = options.ids;
  if (options.all) {
    auto found = dead_letters(session, options.type);
    if (!found.ok()) {
      return std::move(found).error();
    }
    ids = std::move(*found);
  }
  JsonArray done;
  std::size_t failed = 0;
  for (const std::string& id : ids) {
    auto answer = session.call(
        {"POST", fmt::format("/api/v1/events/{}/replay", net::percent_encode(id)), JsonObject()});
    JsonObject line{{"id", id}};
    if (answer.ok()) {
      line["event"] = text_or(*answer, "id", "");
      line["run"] = text_or(*answer, "run", "");
      line["delivered"] = text_or(*answer, "delivered", "");
      line["repeated"] = bool_or(*answer, "repeated", false);
    } else if (answer.error().page() == page_interrupted) {
      return std::move(answer).error();
    } else {
      ++failed;
      line["error"] = answer.error().text();
    }
    done.push_back(std::move(line));
  }
  print(session, JsonObject{{"items", done}}, [](const Json& it) {
    for (const Json& one : it.at("items").as_array()) {
      const auto error = text_or(one, "error", "");
      fmt::print("{}  {}\n", text_or(one, "id", ""),
                 error.empty() ? fmt::format("{}{}", taken_by(one),
                                             bool_or(one, "repeated", false) ? " (before)" : "")
                               : shown_text(error));
    }
  });
  if (failed > 0) {
    return Error(Code::failed_precondition,
                 fmt::format("{} of {} dead letters started nothing", failed, ids.size()))
        .page(1420);
  }
  return {};
}

}  // namespace

void add_event_commands(Command& app, Session& session) {
  auto options = std::make_shared<EventOptions>();
  const auto set = [&session, options](Command* command, auto function) {
    command->callback([&session, options, function] {
      session.action = [&session, options, function] { return function(session, *options); };
    });
  };
  auto* events = app.add_subcommand("events", "The inbox")->require_subcommand();
  auto* give = events->add_subcommand("send", "Send one CloudEvent (JSON format)");
  give->add_option("file", options->file, "File with the event")->required();
  set(give, send);
  auto* all = events->add_subcommand("list", "Events, newest first");
  all->add_option("--status", options->status, "Only these: accepted, dead_letter or replayed")
      ->one_of({"accepted", "dead_letter", "replayed"});
  all->add_option("--type", options->type, "Only events of this type");
  add_page(*all, &options->page);
  set(all, list);
  auto* again = events->add_subcommand(
      "replay", "Give dead letters another try, each once: what they would start today is started");
  again->add_option("ids", options->ids, "evt_...");
  again->add_flag("--all", options->all, "Every dead letter");
  again->add_option("--type", options->type, "With --all: only events of this type");
  again->callback([&session, options] {
    if (options->ids.empty() != options->all) {
      wrong_use(
          "events replay: "
          "name the dead letters, or give --all; see 'aios events list --status dead_letter'");
    }
    session.action = [&session, options] { return replay(session, *options); };
  });
  auto* one = events->add_subcommand("show", "One event with its content");
  one->add_option("id", options->id, "evt_...")->required();
  set(one, show);
}

}  // namespace aios::app
