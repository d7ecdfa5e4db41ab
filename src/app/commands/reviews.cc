// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/detail/review_commands.h"
#include "app/page.h"

#include "core/text.h"
#include "net/http.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>

namespace aios::app {
namespace {

struct ReviewOptions {
  std::string id;
  std::string status = "open";
  std::string answer;
  std::string lease, reason, workflow, role, priority, dataset;
  std::vector<std::string> to;
  std::uint64_t version = 0;
  bool mine = false, claimed = false, unclaimed = false, overdue = false, urgent = false;
  bool csv = false;
  PageOptions page{.limit = 100, .after = {}};
};

std::string path_of(const ReviewOptions& options, std::string_view what) {
  return fmt::format("/api/v1/reviews/{}/{}", net::percent_encode(options.id), what);
}

std::string list_query(const ReviewOptions& options) {
  std::string query = page_query(options.page) + "&titles=yes";
  const auto put = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) {
      query += fmt::format("&{}={}", name, net::percent_encode(value));
    }
  };
  put("status", options.status == "all" ? "" : options.status);
  put("mine", options.mine ? "yes" : "");
  put("claimed", options.claimed ? "yes" : options.unclaimed ? "no" : "");
  put("overdue", options.overdue ? "yes" : "");
  put("role", options.role);
  put("workflow", options.workflow);
  put("priority", options.priority);
  put("order", options.urgent ? "urgency" : "");
  return query;
}

/// "20", "50" and "80" have names.
std::string priority_text(const Json& review) {
  const auto number = int_or(review, "priority", 50);
  return number == 20   ? "low"
         : number == 50 ? "normal"
         : number == 80 ? "high"
                        : fmt::format("{}", number);
}

Result<void> list(const Session& session, const ReviewOptions& options) {
  auto answer = session.call({"GET", "/api/v1/reviews?" + list_query(options), nullptr});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer, [](const Json& page) {
    std::vector<std::vector<std::string>> rows;
    for (const Json& review : page.at("items").as_array()) {
      rows.push_back(
          {std::string(text_or(review, "id", "")),
           std::string(bool_or(review, "overdue", false) ? "overdue"
                                                         : text_or(review, "status", "")),
           std::string(text_or(review, "title", "")), seconds_text(text_or(review, "created", "")),
           priority_text(review), seconds_text(text_or(review, "due", "")),
           person_name(review, "claimed_by"), std::string(text_or(review, "run", ""))});
    }
    print_table({"ID", "STATUS", "TITLE", "CREATED", "PRIORITY", "DUE", "CLAIMED BY", "RUN"},
                std::move(rows), "TITLE");
    tell_more(page);
  });
  return {};
}

void tell_claim(const Json& review) {
  const auto id = text_or(review, "id", "");
  fmt::print("{} is yours until {}: {}\n", id, seconds_text(text_or(review, "claimed_until", "")),
             text_or(review, "title", ""));
  fmt::print(stderr, "next: aios review show {0}, then aios review {1}\n", id,
             text_or(review, "status", "") == "approval"
                 ? fmt::format("approve {0}, or send-back {0} --reason TEXT", id)
                 : fmt::format("answer {} JSON", id));
}

/// Posts, and says in a line what became of it.
Result<void> post(const Session& session, std::string path, JsonObject body,
                  const std::function<void(const Json&)>& say) {
  auto done = session.call({"POST", std::move(path), Json(std::move(body))});
  if (!done.ok()) {
    return std::move(done).error();
  }
  print(session, *done, say);
  return {};
}

JsonObject seen(const ReviewOptions& options, JsonObject body) {
  if (options.version != 0) {
    body["version"] = options.version;
  }
  return body;
}

JsonObject lease_of(const ReviewOptions& options) {
  return options.lease.empty() ? JsonObject() : JsonObject{{"lease", options.lease}};
}

Result<void> claim(const Session& session, const ReviewOptions& options) {
  return post(session, path_of(options, "claim"), seen(options, lease_of(options)), tell_claim);
}

Result<void> next(const Session& session, const ReviewOptions& options) {
  JsonObject body = lease_of(options);
  if (!options.workflow.empty()) {
    body["workflow"] = options.workflow;
  }
  return post(session, "/api/v1/reviews/next", std::move(body), tell_claim);
}

Result<void> release(const Session& session, const ReviewOptions& options) {
  JsonObject body;
  if (!options.reason.empty()) {
    body["reason"] = options.reason;
  }
  return post(session, path_of(options, "release"), seen(options, std::move(body)),
              [&](const Json&) { fmt::print("released {}\n", options.id); });
}

Result<void> approve(const Session& session, const ReviewOptions& options) {
  return post(session, path_of(options, "approve"), seen(options, {}), [&](const Json& review) {
    fmt::print("approved {}; run {} goes on\n", options.id, text_or(review, "run", ""));
  });
}

Result<void> send_back(const Session& session, const ReviewOptions& options) {
  return post(session, path_of(options, "send-back"), seen(options, {{"reason", options.reason}}),
              [&](const Json&) { fmt::print("{} is open again, with your reason\n", options.id); });
}

Result<void> assign(const Session& session, const ReviewOptions& options) {
  JsonArray roles;
  for (const std::string& role : options.to) {
    roles.emplace_back(role);
  }
  return post(session, path_of(options, "assign"), seen(options, {{"assignees", std::move(roles)}}),
              [&](const Json& review) {
                fmt::print("{} is for {} now\n", options.id,
                           join(texts_of(find(review, "assignees")), ", "));
              });
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    return std::string(text);
  }
  std::string out = "\"";
  for (const char c : text) {
    out += c == '"' ? "\"\"" : std::string(1, c);
  }
  return out + "\"";
}

/// A line of JSON each, or the two columns of a data set's file with the lineage behind them.
Result<void> corrections(const Session& session, const ReviewOptions& options) {
  constexpr const char* columns[] = {"text", "label",       "was",         "review",
                                     "run",  "event",       "model",       "model_version",
                                     "by",   "approved_by", "input_digest"};
  if (options.csv) {
    fmt::print("{}\n", fmt::join(columns, ","));
  }
  std::string after = options.page.after;
  for (;;) {
    auto page = session.call({"GET",
                              fmt::format("/api/v1/corrections?limit=500&after={}&dataset={}",
                                          after, net::percent_encode(options.dataset)),
                              nullptr});
    if (!page.ok()) {
      return std::move(page).error();
    }
    for (const Json& item : page->at("items").as_array()) {
      const Json* row = find(item, "correction");
      if (!options.csv) {
        fmt::print("{}\n", to_text(item));
      } else if (row != nullptr) {  // of an erased one there is nothing to learn from
        std::vector<std::string> fields;
        for (const char* column : columns) {
          fields.push_back(csv_field(text_or(*row, column, "")));
        }
        fmt::print("{}\n", fmt::join(fields, ","));
      }
    }
    after = text_or(*page, "next", "");
    if (after.empty()) {
      return {};
    }
  }
}

Result<void> show(const Session& session, const ReviewOptions& options) {
  return show_review(session, options.id);
}

Result<void> answer(const Session& session, const ReviewOptions& options) {
  std::string text = options.answer;
  if (text.starts_with('@')) {
    auto file = read_file(text.substr(1));
    if (!file.ok()) {
      return std::move(file).error();
    }
    text = std::move(*file);
  }
  auto parsed = parse_json(text);
  if (!parsed.ok()) {
    return std::move(parsed).error().with("reading the answer");
  }
  auto done = session.call(
      {"POST", path_of(options, "answer"), Json(seen(options, JsonObject{{"answer", *parsed}}))});
  if (!done.ok()) {
    return std::move(done).error();
  }
  print(session, *done, [&](const Json& review) {
    if (text_or(review, "status", "") == "approval") {
      fmt::print("answered {}; another person has to approve it, with one of these roles: {}\n",
                 options.id, join(texts_of(find(review, "approvers")), ", "));
      return;
    }
    fmt::print("answered {}; run {} goes on\n", options.id, text_or(review, "run", ""));
  });
  return {};
}

using Options = std::shared_ptr<ReviewOptions>;
using Work = Result<void> (*)(const Session&, const ReviewOptions&);

Command* add(Command& group, Session& session, const Options& options, const char* name,
             const char* summary, Work work) {
  auto* command = group.add_subcommand(name, summary);
  command->callback([&session, options, work] {
    session.action = [&session, options, work] { return work(session, *options); };
  });
  return command;
}

/// One that names a review, and the version of it that was seen.
Command* add_one(Command& group, Session& session, const Options& options, const char* name,
                 const char* summary, Work work) {
  auto* command = add(group, session, options, name, summary, work);
  command->add_option("id", options->id, "rev_...")->required();
  if (std::string_view(name) != "show") {
    command->add_option("--version", options->version,
                        "Only if the review is still at this version (show tells it)");
  }
  return command;
}

void add_list(Command& review, Session& session, const Options& options) {
  auto* all = add(review, session, options, "list", "Questions, oldest first", list);
  all->add_option("--status", options->status,
                  "Only these: open, approval, answered, cancelled, expired; or all")
      ->one_of({"open", "approval", "answered", "cancelled", "expired", "all"})
      ->capture_default_str();
  all->add_flag("--mine", options->mine, "Only those that you have in hand");
  all->add_flag("--claimed", options->claimed, "Only those that somebody has in hand")
      ->excludes(all->add_flag("--unclaimed", options->unclaimed, "Only those that nobody has"));
  all->add_flag("--overdue", options->overdue, "Only those whose due time has passed");
  all->add_option("--role", options->role, "Only those that this role may answer, or approve");
  all->add_option("--workflow", options->workflow, "Only those of this workflow");
  all->add_option("--priority", options->priority, "Of this priority at least")
      ->one_of({"low", "normal", "high"});
  all->add_flag("--urgent", options->urgent, "The most urgent first");
  add_page(*all, &options->page);
}

void add_hands(Command& review, Session& session, const Options& options) {
  constexpr const char* lease_help = "How long it is yours: PT10S to PT8H (default PT15M)";
  auto* first = add(review, session, options, "next",
                    "Claim the most urgent question that you may answer", next);
  first->add_option("--for", options->lease, lease_help);
  first->add_option("--workflow", options->workflow, "Only of this workflow");
  auto* take =
      add_one(review, session, options, "claim",
              "Have a question in hand, so that nobody else answers it; again: longer", claim);
  take->add_option("--for", options->lease, lease_help);
  auto* give = add_one(review, session, options, "release",
                       "End a claim; another's only as an operator, with a reason", release);
  give->add_option("--reason", options->reason, "Goes into the audit log");
}

}  // namespace

void add_review_commands(Command& app, Session& session) {
  auto options = std::make_shared<ReviewOptions>();
  auto* review = app.add_subcommand("review", "Questions to people")->require_subcommand();
  add_list(*review, session, options);
  add_one(*review, session, options, "show", "One question: evidence, suggestion, form", show);
  add_hands(*review, session, options);
  auto* reply =
      add_one(*review, session, options, "answer", "Answer a question; its run goes on", answer);
  reply->add_option("answer", options->answer, "JSON that fits the form, or @FILE")->required();
  add_one(*review, session, options, "approve",
          "Approve another person's answer; the run goes on with it", approve);
  auto* back = add_one(*review, session, options, "send-back",
                       "Do not approve an answer: the question is open again", send_back);
  back->add_option("--reason", options->reason, "What the next answer has to heed")->required();
  auto* move =
      add_one(*review, session, options, "assign", "Give a question to other roles", assign);
  move->add_option("--to", options->to, "A role; several add up")->required();
  auto* rows = add(*review, session, options, "corrections",
                   "What people's answers teach: labelled rows with their lineage", corrections);
  rows->add_option("--dataset", options->dataset, "Only rows for this data set");
  rows->add_flag("--csv", options->csv, "With a header line; erased rows are left out");
  rows->add_option("--after", options->page.after, "Goes on behind this id");
}

}  // namespace aios::app
