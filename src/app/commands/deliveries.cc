// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/page.h"

#include "net/http.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

struct DeliveryOptions {
  std::string id;
  std::vector<std::string> ids;
  std::string status;
  std::string receiver;
  bool all = false;
  PageOptions page;
};

Result<void> list(const Session& session, const DeliveryOptions& options) {
  auto page = session.call(
      {"GET",
       fmt::format("/api/v1/deliveries?{}&status={}&receiver={}", page_query(options.page),
                   options.status, net::percent_encode(options.receiver)),
       nullptr});
  if (!page.ok()) {
    return std::move(page).error();
  }
  print(session, *page, [](const Json& it) {
    std::vector<std::vector<std::string>> rows;
    for (const Json& one : it.at("items").as_array()) {
      rows.push_back(
          {std::string(text_or(one, "id", "")), std::string(text_or(one, "status", "")),
           std::string(text_or(one, "receiver", "")), fmt::format("{}", int_or(one, "attempts", 0)),
           std::string(text_or(one, "type", "")), std::string(text_or(one, "last_error", ""))});
    }
    print_table({"ID", "STATUS", "RECEIVER", "TRIES", "TYPE", "LAST ERROR"}, std::move(rows),
                "LAST ERROR");
    tell_more(it);
  });
  return {};
}

void print_tries(const Json& delivery) {
  const auto tries = int_or(delivery, "attempts", 0);
  const auto last_at = text_or(delivery, "last_at", "");
  const auto status = int_or(delivery, "last_status", 0);
  page_line("TRIES", fmt::format("{}{}{}", tries,
                                 last_at.empty() ? "" : ", the last " + seconds_text(last_at),
                                 status == 0 ? "" : fmt::format(", answered {}", status)));
  page_line("LAST ERROR", text_or(delivery, "last_error", ""));
  page_line("NEXT TRY", seconds_text(text_or(delivery, "next", "")));
}

/// What leaves, as far as its reader may see it.
void print_event(const Json& event) {
  page_line("EVENT", fmt::format("{} {} from {}", text_or(event, "type", ""),
                                 text_or(event, "id", ""), text_or(event, "source", "")));
  page_line("SUBJECT", text_or(event, "subject", ""));
  if (const Json* data = find(event, "data"); data != nullptr) {
    page_members("DATA", *data);
  }
}

void print_delivery(const Json& delivery) {
  const auto id = text_or(delivery, "id", "");
  const auto status = text_or(delivery, "status", "");
  page_line("DELIVERY", fmt::format("{} {}", id, status));
  page_line("RECEIVER", text_or(delivery, "receiver", ""));
  if (bool_or(delivery, "erased", false)) {
    page_line("", "its content was erased");
    return;
  }
  page_line("ADDRESS", text_or(delivery, "url", ""));
  page_line("KIND",
            fmt::format("{} {}", text_or(delivery, "kind", ""), text_or(delivery, "type", "")));
  page_line("RUN", text_or(delivery, "run", ""));
  page_line("CREATED", seconds_text(text_or(delivery, "created", "")));
  print_tries(delivery);
  const Json* event = find(delivery, "event");
  if (event == nullptr) {
    page_line("EVENT", "not shown: wants a key that reads payloads (role auditor or admin)");
  } else {
    print_event(*event);
  }
  if (status == "dead") {
    page_command("NEXT", fmt::format("aios deliveries replay {}", id));
  }
}

Result<void> show(const Session& session, const DeliveryOptions& options) {
  auto one =
      session.call({"GET", "/api/v1/deliveries/" + net::percent_encode(options.id), nullptr});
  if (!one.ok()) {
    return std::move(one).error();
  }
  print(session, *one, print_delivery);
  return {};
}

Error no_dead(const std::string& receiver) {
  return Error(Code::not_found,
               fmt::format("no delivery to '{}' is dead, or none that can be replayed: 'aios "
                           "deliveries list --status dead' says which there are",
                           receiver));
}

/// All that are dead, a thousand with a call. Each call goes on behind the one before, so it ends.
Result<void> replay_all(const Session& session, const DeliveryOptions& options) {
  std::int64_t replayed = 0;
  std::string after;
  for (bool more = true; more;) {
    auto answer = session.call(
        {"POST",
         fmt::format("/api/v1/deliveries/replay?receiver={}&after={}",
                     net::percent_encode(options.receiver), net::percent_encode(after)),
         nullptr});
    if (!answer.ok()) {
      return std::move(answer).error().with(
          fmt::format("replaying all, after {} were made pending", replayed));
    }
    replayed += int_or(*answer, "replayed", 0);
    more = bool_or(*answer, "more", false);
    after = text_or(*answer, "next", "");
  }
  if (replayed == 0 && !options.receiver.empty()) {
    return no_dead(options.receiver);  // a slip in the name looks like this
  }
  print(session, JsonObject{{"replayed", replayed}}, [](const Json& it) {
    fmt::print("{} deliveries are pending again\n", int_or(it, "replayed", 0));
  });
  return {};
}

Result<void> replay(const Session& session, const DeliveryOptions& options) {
  if (options.all) {
    return replay_all(session, options);
  }
  for (const std::string& id : options.ids) {
    auto answer = session.call(
        {"POST", fmt::format("/api/v1/deliveries/{}/replay", net::percent_encode(id)), nullptr});
    if (!answer.ok()) {
      return std::move(answer).error();
    }
    print(session, *answer,
          [](const Json& it) { fmt::print("{} is pending again\n", text_or(it, "id", "")); });
  }
  return {};
}

}  // namespace

void add_delivery_commands(Command& app, Session& session) {
  auto options = std::make_shared<DeliveryOptions>();
  const auto set = [&session, options](Command* command, auto function) {
    command->callback([&session, options, function] {
      session.action = [&session, options, function] { return function(session, *options); };
    });
  };
  auto* deliveries =
      app.add_subcommand("deliveries", "Callbacks and events that leave")->require_subcommand();
  auto* all = deliveries->add_subcommand("list", "Deliveries, newest first");
  all->add_option("--status", options->status, "Only these: pending, delivered or dead")
      ->one_of({"pending", "delivered", "dead"});
  all->add_option("--receiver", options->receiver, "Only those for this subscription");
  add_page(*all, &options->page);
  set(all, list);
  auto* one = deliveries->add_subcommand("show", "One delivery, and why its last try failed");
  one->add_option("id", options->id, "dlv_...")->required();
  set(one, show);
  auto* again = deliveries->add_subcommand("replay", "Send dead deliveries again");
  auto* ids = again->add_option("ids", options->ids, "dlv_...");
  auto* every = again->add_flag("--all", options->all, "All that are dead");
  ids->excludes(every);
  again->add_option("--receiver", options->receiver, "With --all: only those for this subscription")
      ->needs(every);
  again->callback([&session, options] {
    if (!options->all && options->ids.empty()) {
      wrong_use("ids or --all is required");
    }
    session.action = [&session, options] { return replay(session, *options); };
  });
}

}  // namespace aios::app
