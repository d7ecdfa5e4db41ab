// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"

#include "net/http.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

struct ReviewOptions {
  std::string id;
  std::string status = "open";
  std::string answer;
  PageOptions page{.limit = 100, .after = {}};
};

Result<void> list(const Session& session, const ReviewOptions& options) {
  auto answer = session.call({"GET",
                              fmt::format("/api/v1/reviews?{}&status={}", page_query(options.page),
                                          options.status == "all" ? "" : options.status),
                              nullptr});
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
           std::string(text_or(review, "run", ""))});
    }
    print_table({"ID", "STATUS", "TITLE", "CREATED", "RUN"}, std::move(rows), "TITLE");
    tell_more(page);
  });
  return {};
}

Result<void> show(const Session& session, const ReviewOptions& options) {
  auto review =
      session.call({"GET", "/api/v1/reviews/" + net::percent_encode(options.id), nullptr});
  if (!review.ok()) {
    return std::move(review).error();
  }
  print_document(session, *review);
  return {};
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
  auto done =
      session.call({"POST", "/api/v1/reviews/" + net::percent_encode(options.id) + "/answer",
                    JsonObject{{"answer", *parsed}}});
  if (!done.ok()) {
    return std::move(done).error();
  }
  print(session, *done, [&](const Json& review) {
    fmt::print("answered {}; run {} goes on\n", options.id, text_or(review, "run", ""));
  });
  return {};
}

}  // namespace

void add_review_commands(CLI::App& app, Session& session) {
  auto options = std::make_shared<ReviewOptions>();
  auto* review = app.add_subcommand("review", "Questions to people")->require_subcommand(1);
  auto* all = review->add_subcommand("list", "Questions, oldest first");
  all->add_option("--status", options->status, "Only these: open, answered, cancelled; or all")
      ->check(CLI::IsMember({"open", "answered", "cancelled", "all"}))
      ->capture_default_str();
  add_page(*all, &options->page);
  all->callback([&session, options] {
    session.action = [&session, options] { return list(session, *options); };
  });
  auto* one = review->add_subcommand("show", "One question: evidence, suggestion, form");
  one->add_option("id", options->id, "rev_...")->required();
  one->callback([&session, options] {
    session.action = [&session, options] { return show(session, *options); };
  });
  auto* reply = review->add_subcommand("answer", "Answer a question; its run goes on");
  reply->add_option("id", options->id, "rev_...")->required();
  reply->add_option("answer", options->answer, "JSON that fits the form, or @FILE")->required();
  reply->callback([&session, options] {
    session.action = [&session, options] { return answer(session, *options); };
  });
}

}  // namespace aios::app
