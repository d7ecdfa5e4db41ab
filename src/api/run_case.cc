// SPDX-License-Identifier: Apache-2.0
#include "api/detail/run_case.h"

#include "api/detail/key_names.h"
#include "core/text.h"
#include "govern/audit.h"
#include "govern/identity.h"
#include "govern/merkle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>

namespace aios::api {
namespace {

constexpr std::uint64_t leaves_read_max = 20'000;
constexpr std::uint32_t leaves_at_once = 256;
/// Between a leaf's time and that of the commit it goes with.
constexpr Duration leaf_slack = std::chrono::seconds(10);
constexpr std::size_t reviews_max = 20;

/// The last member of that name: those behind it hold texts alone.
Time time_of_leaf(std::string_view leaf) {
  constexpr std::string_view name = R"("time":")";
  const auto at = leaf.rfind(name);
  if (at == std::string_view::npos) {
    return {};
  }
  const auto rest = leaf.substr(at + name.size());
  const auto time = parse_rfc3339(rest.substr(0, rest.find('"')));
  return time.ok() ? *time : Time{};
}

bool is_of(std::string_view leaf, const std::set<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return leaf.find(name) != std::string_view::npos;
  });
}

JsonObject row_of(std::uint64_t index, const std::string& text) {
  JsonObject row{{"index", index}, {"hash", to_hex(view(govern::leaf_hash(text)))}};
  const auto leaf = parse_json(text);
  if (!leaf.ok()) {
    return row;
  }
  for (const std::string_view name : {"time", "kind", "outcome", "stream", "step", "decisions"}) {
    if (const Json* found = find(*leaf, name); found != nullptr) {
      row[name] = *found;
    }
  }
  return row;
}

class LeafReader {
 public:
  LeafReader(store::Store* store, Context ctx) : store_(store), ctx_(std::move(ctx)) {}

  /// The first at or behind `from` that is not older than `time`, as leaves are about in order.
  Task<Result<std::uint64_t>> first_at(std::uint64_t from, std::uint64_t size, Time time) {
    std::uint64_t low = from;
    std::uint64_t high = size;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      auto leaf = co_await store_->leaves(ctx_, middle, 1);
      if (!leaf.ok()) {
        co_return std::move(leaf).error();
      }
      if (leaf->empty() || time_of_leaf(leaf->front()) >= time) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    co_return low;
  }

  store::Store* store_;
  Context ctx_;
};

}  // namespace

Task<Result<Json>> find_leaves(store::Store* store, Context ctx, LeafSearch search) {
  auto size = co_await store->leaf_count(ctx);
  if (!size.ok()) {
    co_return std::move(size).error();
  }
  LeafReader reader(store, ctx);
  std::sort(search.times.begin(), search.times.end());
  JsonArray items;
  std::uint64_t at = 0;
  std::uint64_t read = 0;
  bool complete = true;
  Time seen_until{};
  for (const Time time : search.times) {
    const Time until = time + leaf_slack;
    if (until <= seen_until) {
      continue;
    }
    const Time from = std::max(time - leaf_slack, seen_until);
    auto first = co_await reader.first_at(at, *size, from);
    if (!first.ok()) {
      co_return std::move(first).error();
    }
    at = *first;
    bool behind = false;
    while (!behind && at < *size && read < leaves_read_max) {
      auto leaves = co_await store->leaves(ctx, at, leaves_at_once);
      if (!leaves.ok()) {
        co_return std::move(leaves).error();
      }
      if (leaves->empty()) {
        break;
      }
      for (const std::string& leaf : *leaves) {
        if (time_of_leaf(leaf) > until) {
          behind = true;
          break;
        }
        if (is_of(leaf, search.names)) {
          items.push_back(row_of(at, leaf));
        }
        ++at;
        ++read;
      }
      co_await runtime::yield();
    }
    complete = complete && (behind || at >= *size);
    seen_until = until;
  }
  complete = complete && items.size() >= search.least;
  co_return Json(JsonObject{{"items", std::move(items)}, {"complete", complete}});
}

Json clear_history(const Json& history) {
  constexpr std::array shown = {"step",    "effect",  "attempt",  "class",      "outcome", "reason",
                                "wake_at", "subject", "incident", "resolution", "version", "by"};
  JsonArray out;
  for (const Json& entry : history.as_array()) {
    JsonObject row{{"time", text_or(entry, "time", "")}, {"type", text_or(entry, "type", "")}};
    if (const Json* data = find(entry, "data"); data != nullptr) {
      for (const char* name : shown) {
        if (const Json* found = find(*data, name); found != nullptr && !found->is_structured()) {
          row[name] = *found;
        }
      }
    }
    out.push_back(std::move(row));
  }
  return out;
}

namespace {

constexpr std::size_t content_bytes_max = 4'096;

/// A part of an opening: as JSON where it is, else its text; a long one is cut.
Json content_of(const Json& opening, const std::string& part) {
  const Json* kept = at_pointer(opening, "/contents/" + part);
  if (kept == nullptr || !kept->is_string()) {
    return nullptr;
  }
  const std::string_view text = view(kept->get_string());
  if (text.size() > content_bytes_max) {
    return Json(excerpt(text, content_bytes_max));
  }
  auto parsed = parse_json(text);
  return parsed.ok() ? *std::move(parsed) : Json(text);
}

void put_parts(const Json& openings, std::initializer_list<const char*> parts, JsonObject* row) {
  for (const Json& opening : openings.as_array()) {
    for (const char* part : parts) {
      if (Json found = content_of(opening, part); !found.is_null()) {
        (*row)[part] = std::move(found);
      }
    }
  }
}

/// Nothing was sent. Its page is shown also where its text is not.
JsonObject refused_row(const Json& entry, const Json& data) {
  const auto error = text_or(data, "error", "");
  constexpr std::string_view page_form = "[AIOS-0000]";
  JsonObject row{{"step", text_or(data, "step", "")},
                 {"outcome", "refused"},
                 {"attempts", 0},
                 {"began", text_or(entry, "time", "")},
                 {"ended", text_or(entry, "time", "")},
                 {"error", error}};
  if (error.size() > page_form.size() && error.ends_with(']')) {
    row["page"] = error.substr(error.size() - page_form.size() + 1, page_form.size() - 2);
  }
  return row;
}

}  // namespace

JsonArray effects_of(const Json& history) {
  std::vector<JsonObject> effects;
  // What came of a call is opened by the line of the fence behind it, which may be the next call's.
  std::size_t last = 0;
  std::map<std::string, std::size_t, std::less<>> known;
  for (const Json& entry : history.as_array()) {
    const Json* data = find(entry, "data");
    const auto type = text_or(entry, "type", "");
    const Json* openings = data == nullptr ? nullptr : find(*data, "openings");
    if (openings != nullptr && openings->is_array() && !effects.empty()) {
      put_parts(*openings, {"request", "answer"}, &effects[last]);
    }
    if (data != nullptr && type == "effect_refused") {
      effects.push_back(refused_row(entry, *data));
    }
    if (data == nullptr || (type != "effect_intended" && type != "effect_result")) {
      continue;
    }
    const std::string id(text_or(*data, "effect", ""));
    const auto [place, fresh] = known.emplace(id, effects.size());
    if (fresh) {
      effects.push_back({{"effect", id},
                         {"step", text_or(*data, "step", "")},
                         {"class", text_or(*data, "class", "")},
                         {"began", text_or(entry, "time", "")}});
    }
    last = place->second;
    JsonObject& row = effects[last];
    if (type == "effect_intended") {
      row.erase("request");  // of the attempt before
      row.erase("answer");
      if (openings != nullptr && openings->is_array()) {
        put_parts(*openings, {"arguments"}, &row);
      }
    }
    for (const char* name : {"connector", "operation"}) {
      if (const Json* given = find(*data, name); given != nullptr) {
        row[name] = *given;
      }
    }
    row["attempts"] = int_or(*data, "attempt", 0);
    if (type == "effect_result") {
      row["outcome"] = text_or(*data, "outcome", "");
      row["ended"] = text_or(entry, "time", "");
      row.erase("error");
      if (const Json* error = find(*data, "error"); error != nullptr) {
        row["error"] = *error;
      }
    } else {
      row["outcome"] = "under way";
    }
  }
  return JsonArray(effects.begin(), effects.end());
}

namespace {

/// The person's part: who was asked, who answered, and to those who may read it what.
JsonObject review_row(const review::ReviewInfo& review, bool all) {
  JsonObject row{{"id", review.id},
                 {"form", review.form},
                 {"status", review.status},
                 {"step", review.step},
                 {"asked", to_rfc3339(review.created)},
                 {"corrected", review.corrected}};
  if (!review.answered_by.empty()) {
    row["answered_by"] = review.answered_by;
  }
  if (!review.approved_by.empty()) {
    row["approved_by"] = review.approved_by;
  }
  if (review.answered) {
    row["answered"] = to_rfc3339(*review.answered);
  }
  if (review.due) {
    row["due"] = to_rfc3339(*review.due);
  }
  if (all) {
    row["title"] = review.title;
    row["suggestion"] = review.suggestion;
    row["answer"] = review.answer;
    row["evidence"] = review.evidence;
  }
  return row;
}

/// Of those that the run's memory and its history name.
std::set<std::string> reviews_in(const workflow::RunView& run, const Json& history) {
  std::set<std::string> found;
  if (run.reviews.is_array()) {
    for (const Json& one : run.reviews.get_array()) {
      found.emplace(text_or(one, "id", ""));
    }
  }
  for (const Json& entry : history.as_array()) {
    const Json* data = find(entry, "data");
    const auto subject = data == nullptr ? std::string_view() : text_or(*data, "subject", "");
    if (subject.starts_with("rev_")) {
      found.emplace(subject);
    }
  }
  found.erase("");
  return found;
}

std::vector<Time> times_of(const workflow::RunView& run, const Json& history) {
  std::vector<Time> times{run.created, run.updated};
  for (const Json& entry : history.as_array()) {
    if (const auto time = parse_rfc3339(text_or(entry, "time", "")); time.ok()) {
      times.push_back(*time);
    }
  }
  return times;
}

JsonArray without_payload(JsonArray effects) {
  for (Json& effect : effects) {
    for (const char* name : {"error", "arguments", "request", "answer"}) {
      effect.get_object().erase(name);
    }
  }
  return effects;
}

std::size_t results_in(const Json& history) {
  const JsonArray& lines = history.as_array();
  return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [](const Json& line) {
    return text_or(line, "type", "") == "effect_result";
  }));
}

}  // namespace

Task<Result<net::Response>> show_case(const ApiServices& services, Context ctx,
                                      net::Request request) {
  using govern::Action;
  const std::string id(request.path_value("id"));
  const bool all = govern::Identity::allow(ctx, Action::read_payloads).ok();
  auto run = co_await services.engine->get(ctx, id);
  if (!run.ok()) {
    co_return std::move(run).error();
  }
  auto history = co_await services.engine->history(ctx, id);
  if (!history.ok()) {
    co_return std::move(history).error();
  }
  auto reviews = reviews_in(*run, *history);
  JsonArray people;
  for (const std::string& review : reviews) {
    if (people.size() == reviews_max) {
      break;
    }
    auto info = co_await services.reviews->get(ctx, review);
    if (info.ok()) {
      people.push_back(review_row(*info, all));
    }
  }
  auto effects = effects_of(*history);
  JsonObject out = (all ? run->to_json() : run->clear_json()).as_object();
  out["shown"] = all ? "all" : "clear";
  out["effects"] = all ? std::move(effects) : without_payload(std::move(effects));
  const KeyNames names(services.identity, ctx.tenant);
  names.put(out, {"starter"});
  Json persons(std::move(people));
  names.put_each(persons, {"answered_by", "approved_by"});
  out["people"] = std::move(persons);
  Json timeline = clear_history(*history);
  names.put_each(timeline, {"by"});
  out["timeline"] = std::move(timeline);
  if (govern::Identity::allow(ctx, Action::read_audit).ok()) {
    LeafSearch search{std::move(reviews), times_of(*run, *history), results_in(*history)};
    search.names.insert(id);
    auto leaves = co_await find_leaves(services.store, ctx, std::move(search));
    if (!leaves.ok()) {
      co_return std::move(leaves).error();
    }
    out["leaves"] = std::move(*leaves);
    out["tenant"] = ctx.tenant.text();
  }
  co_return net::json_response(200, std::move(out));
}

}  // namespace aios::api
