// SPDX-License-Identifier: Apache-2.0
// bench reviews: 10,000 questions that wait, in a data directory on the sqlite engine, and a server
// on it with everything a server has. One caller asks over HTTP, each request timed by itself: a
// page of the list, a claim by id, and the claim of the most urgent one. Method:
// docs/benchmarks.md.
#include "must.h"
#include "report.h"

#include "app/system.h"
#include "core/text.h"
#include "govern/guard.h"
#include "net/client.h"
#include "review/review.h"
#include "runtime/shards.h"
#include "store/store.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

namespace aios::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t reviews_count = 10'000;
constexpr std::size_t opened_at_once = 50;
constexpr std::size_t samples_min = 20;
constexpr std::size_t persons = 20;
constexpr std::size_t page_items = 50;
constexpr double mark_ms = 50;

review::ReviewRequest question(std::size_t number) {
  review::ReviewRequest out;
  out.title = fmt::format("Ticket {}: refund?", number);
  out.form = "ticket-review";
  out.form_schema = *parse_json(R"({"type": "object", "required": ["intent"],
    "properties": {"intent": {"type": "string"}, "reply": {"type": "string"}}})");
  out.evidence = JsonObject{{"text", std::string(1'000, 'x')}, {"ticket", number}};
  out.suggestion = JsonObject{{"intent", "refund"}};
  out.assignees = {number % 4 == 0 ? "approver" : "reviewer"};
  out.priority = number % 10 == 0 ? review::priority_high : review::priority_normal;
  out.due = std::chrono::minutes(60 + number % 1'000);
  out.run_id = fmt::format("run_{}", number);
  out.step = "/do/3/ask";
  out.workflow = number % 2 == 0 ? "support/ticket" : "support/other";
  out.subject = fmt::format("customer-{}", number % 500);
  return out;
}

/// A directory as a server makes it: with its first key and the key of its audit log.
void make_directory(const std::string& folder) {
  app::SystemOptions options;
  options.data = folder;
  options.log_level = observe::Level::error;
  auto system = must(app::System::open(options));
  must(system->stop(std::chrono::seconds(1)));
}

/// Opens them as runs do, fifty a commit.
std::vector<std::string> fill(const std::string& folder) {
  runtime::Shards shards(1);
  store::StoreOptions options;
  options.directory = folder;
  auto store = must(store::open_store(options, runtime::system_clock()));
  govern::Guard guard;
  must(guard.load(default_tenant(),
                  {{"r.rego", "package aios.review_assign\ndefault allow := true\n"}}, {}));
  review::Reviews reviews(*store, guard, runtime::system_clock(), runtime::system_random());
  const Context ctx = system_context(default_tenant(), "bench");
  std::vector<std::string> ids;
  while (ids.size() < reviews_count) {
    store::Transition transition;
    transition.tenant = default_tenant();
    transition.epoch = store->epoch();
    for (std::size_t i = 0; i < opened_at_once; ++i) {
      auto opened = shards.run(0, reviews.open(ctx, question(ids.size()), {}));
      if (!opened.ok()) {
        give_up(opened.error().text());
      }
      ids.push_back(opened->id);
      transition.streams.push_back(std::move(opened->write));
      transition.leaves.push_back(std::move(opened->leaf));
    }
    must(shards.run(0, store->commit(ctx, std::move(transition))));
  }
  must(store->close());
  store.reset();
  shards.stop();
  return ids;
}

std::string file_text(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  file >> text;
  return text;
}

/// The server, and one caller with a connection that stays.
class Caller {
 public:
  explicit Caller(const std::string& folder) : shards_(1) {
    app::SystemOptions options;
    options.data = folder;
    options.listen = true;
    options.port = 0;
    options.log_level = observe::Level::error;
    system_ = must(app::System::open(options));
    client_ = net::make_client(shards_, {});
    admin_ = file_text(system_->first_key_file());
  }
  ~Caller() {
    client_.reset();
    must(system_->stop(std::chrono::seconds(1)));
    shards_.stop();
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  /// @return the status; the answer's JSON in `answer` where that is given
  int send(const std::string& key, std::string method, std::string_view path, std::string body,
           Json* answer = nullptr) {
    net::ClientRequest request;
    request.method = std::move(method);
    request.url = fmt::format("http://127.0.0.1:{}{}", system_->port(), path);
    request.headers.set("authorization", "Bearer " + key);
    if (!body.empty()) {
      request.headers.set("content-type", "application/json");
      request.body = std::move(body);
    }
    Context ctx = system_context(default_tenant(), "bench");
    const auto response = must(shards_.run(0, client_->send(std::move(ctx), std::move(request))));
    if (response.status >= 500) {
      give_up(response.body);
    }
    if (answer != nullptr) {
      *answer = must(parse_json(response.body));
    }
    return response.status;
  }
  std::string new_key(std::size_t number) {
    Json answer;
    const int status =
        send(admin_, "POST", "/api/v1/keys",
             fmt::format(R"({{"name": "person-{}", "roles": ["reviewer"]}})", number), &answer);
    const std::string key(text_or(answer, "secret", ""));
    if (status >= 300 || key.empty()) {
      give_up(fmt::format("no key was made: {} {}", status, to_text(answer)));
    }
    return key;
  }

 private:
  runtime::Shards shards_;
  std::unique_ptr<app::System> system_;
  std::unique_ptr<net::Client> client_;
  std::string admin_;
};

/// In milliseconds, each call by itself, until the time is over.
template <class Call>
std::vector<double> time_calls(double seconds, std::size_t calls_max, Call call) {
  std::vector<double> samples;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (samples.size() < calls_max && (samples.size() < samples_min || Clock::now() < end)) {
    const auto begin = Clock::now();
    call(samples.size());
    samples.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  return samples;
}

void add(Report* report, const std::string& name, const std::vector<double>& samples) {
  report->add({name + "_p99_ms", quantile(samples, 0.99), "ms", mark_ms, Better::lower});
  report->add({name + "_p50_ms", quantile(samples, 0.5), "ms", std::nullopt, Better::lower});
  report->note(fmt::format("{}: {} requests", name, samples.size()));
}

/// Four kinds of pages in turn: the most urgent, one role's of one workflow, on from a page, and
/// those that are overdue, of which there are none: all of them are looked through.
std::string list_path(std::size_t number, const std::string& after) {
  constexpr std::string_view path = "/api/v1/reviews?limit=50";
  switch (number % 4) {
    case 0: return fmt::format("{}&order=urgency", path);
    case 1: return fmt::format("{}&role=reviewer&workflow=support/ticket", path);
    case 2: return fmt::format("{}&order=urgency&after={}", path, after);
    default: return fmt::format("{}&overdue=yes", path);
  }
}

void measure(Caller& caller, const std::vector<std::string>& ids, double seconds, Report* report) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < persons; ++i) {
    keys.push_back(caller.new_key(i));
  }
  std::string after;
  const auto page_of = [&](const std::string& path, std::size_t wanted) {
    Json page;
    const int status = caller.send(keys[0], "GET", path, "", &page);
    const Json* items = find(page, "items");
    if (status != 200 || items == nullptr || items->as_array().size() != wanted) {
      give_up(fmt::format("{} gives {} {}", path, status, excerpt(to_text(page), 300)));
    }
    return page;
  };
  const auto list = [&](std::size_t number) {
    const Json page = page_of(list_path(number, after), number % 4 == 3 ? 0 : page_items);
    if (number % 4 == 0 || number % 4 == 2) {
      after = text_or(page, "next", "");
    }
  };
  const auto first = time_calls(0, 1, list);
  report->add({"first_list_ms", first.front(), "ms", std::nullopt, Better::lower});
  add(report, "list", time_calls(seconds, 1'000'000, list));
  add(report, "titles", time_calls(seconds / 2, 1'000'000, [&](std::size_t number) {
        const auto& at = ids[number * 7 % (reviews_count - 1'000)];
        page_of("/api/v1/reviews?status=open&limit=50&after=" + at, page_items);
      }));
  std::size_t none = 0;
  add(report, "next", time_calls(seconds, 3'000, [&](std::size_t number) {
        none += caller.send(keys[number % persons], "POST", "/api/v1/reviews/next", "{}") == 200
                    ? 0
                    : 1;
      }));
  std::size_t refused = 0;
  add(report, "claim", time_calls(seconds, reviews_count / 2, [&](std::size_t number) {
        const auto path =
            fmt::format("/api/v1/reviews/{}/claim", ids[(number * 7 + 1) % reviews_count]);
        refused += caller.send(keys[number % persons], "POST", path, "{}") == 200 ? 0 : 1;
      }));
  report->note(
      fmt::format("next: {} without one; claim: {} refused, for another role or a foreign "
                  "claim",
                  none, refused));
}

}  // namespace
}  // namespace aios::bench

int main(int argc, char** argv) {
  const auto options = aios::bench::read_options(argc, argv, "reviews");
  std::filesystem::remove_all(options.folder);
  std::filesystem::create_directories(std::filesystem::path(options.folder).parent_path());
  aios::bench::Report report("reviews");
  {
    aios::bench::make_directory(options.folder);
    const auto ids = aios::bench::fill(options.folder);
    report.note("10,000 questions that wait, each with 1 KB of evidence; one caller over HTTP");
    aios::bench::Caller caller(options.folder);
    aios::bench::measure(caller, ids, options.seconds, &report);
  }
  std::filesystem::remove_all(options.folder);
  return report.finish(options.json) ? 0 : 1;
}
