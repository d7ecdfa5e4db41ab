// SPDX-License-Identifier: Apache-2.0
#include "api/detail/run_retry.h"

#include "api/detail/operation.h"
#include "api/detail/run_filter.h"
#include "api/detail/run_search.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::api {
namespace {

using workflow::RetryWith;

constexpr std::uint32_t retries_max = 200;  ///< by one request
constexpr std::uint32_t looked_at_max = 5'000;
constexpr std::uint32_t page_size = 100;

Result<RetryWith> with_of(const Json& body) {
  const auto word = text_or(body, "definition", "same");
  if (word != "same" && word != "newest") {
    return Error(Code::invalid_argument,
                 fmt::format("definition is '{}', wanted same or newest", excerpt(word, 40)))
        .page(1341);
  }
  return word == "newest" ? RetryWith::newest_definition : RetryWith::same_definition;
}

struct Asked {
  store::ListQuery query;
  RunFilter filter;
  RetryWith with = RetryWith::same_definition;
  std::uint32_t count_max = 0;
  bool dry_run = true;
};

Result<Asked> read_asked(const ApiServices& services, const Context& ctx,
                         const net::Request& request) {
  auto body = body_object(request);
  if (!body.ok()) {
    return std::move(body).error();
  }
  const Json asked = std::move(*body);
  Asked out;
  auto filter = RunFilter::parse(text_or(asked, "since", ""), text_or(asked, "until", ""),
                                 text_or(asked, "error", ""));
  auto with = with_of(asked);
  if (!filter.ok() || !with.ok()) {
    return filter.ok() ? std::move(with).error() : std::move(filter).error();
  }
  const auto count = int_or(asked, "max", 100);
  if (count < 1 || count > retries_max) {
    return Error(Code::invalid_argument,
                 fmt::format("max is {}, wanted 1 to {}", count, retries_max))
        .page(1341);
  }
  auto where =
      workflow::read_conditions(text_or(asked, "where", ""),
                                declared_attributes(services, ctx, text_or(asked, "workflow", "")));
  if (!where.ok()) {
    return std::move(where).error();
  }
  out.filter = std::move(*filter);
  out.filter.where = std::move(*where);
  out.with = *with;
  out.count_max = static_cast<std::uint32_t>(count);
  out.dry_run = bool_or(asked, "dry_run", true);
  out.query.tenant = ctx.tenant;
  out.query.status = "faulted";
  out.query.label = text_or(asked, "workflow", "");
  out.query.after = text_or(asked, "after", "");
  out.query.limit = page_size;
  return out;
}

JsonObject row_of(const workflow::RunView& run) {
  const Json clear = run.clear_json();
  JsonObject row;
  for (const std::string_view name :
       {"id", "workflow", "version", "updated", "error", "attributes"}) {
    if (const Json* found = find(clear, name); found != nullptr) {
      row[name] = *found;
    }
  }
  return row;
}

void tell(JsonObject& row, const Result<void>& done) {
  row["retried"] = done.ok();
  if (!done.ok()) {
    row["why"] = done.error().text();
    if (done.error().page() != 0) {
      row["page"] = fmt::format("AIOS-{:04}", done.error().page());
    }
  }
}

}  // namespace

Task<Result<net::Response>> retry_run(const ApiServices& services, Context ctx,
                                      net::Request request) {
  if (auto held = held_back(services, ctx)) {
    co_return *std::move(held);
  }
  const std::string id(request.path_value("id"));
  JsonObject body;
  if (!request.body.empty()) {
    auto given = body_object(request);
    if (!given.ok()) {
      co_return std::move(given).error();
    }
    body = std::move(*given);
  }
  auto with = with_of(body);
  if (!with.ok()) {
    co_return std::move(with).error();
  }
  auto done = co_await services.engine->retry(ctx, id, *with);
  if (!done.ok()) {
    co_return std::move(done).error();
  }
  auto run = co_await services.engine->get(ctx, id);
  if (!run.ok()) {
    co_return std::move(run).error();
  }
  co_return net::json_response(
      200, JsonObject{{"id", id}, {"status", run->status}, {"version", run->version}});
}

Task<Result<net::Response>> retry_runs(const ApiServices& services, Context ctx,
                                       net::Request request) {
  if (auto held = held_back(services, ctx)) {
    co_return *std::move(held);
  }
  auto asked = read_asked(services, ctx, request);
  if (!asked.ok()) {
    co_return std::move(asked).error();
  }
  JsonArray items;
  std::uint32_t looked_at = 0;
  std::string last = asked->query.after;
  bool more = true;
  while (more && items.size() < asked->count_max && looked_at < looked_at_max) {
    asked->query.after = last;
    auto query = asked->query;
    auto page = co_await services.engine->list(ctx, std::move(query), workflow::Shown::clear);
    if (!page.ok()) {
      co_return std::move(page).error();
    }
    more = page->more;
    for (const workflow::RunView& run : page->runs) {
      if (items.size() == asked->count_max) {
        more = true;
        break;
      }
      ++looked_at;
      last = run.id;
      if (!asked->filter.takes(run)) {
        continue;
      }
      JsonObject row = row_of(run);
      if (!asked->dry_run) {
        auto done = co_await services.engine->retry(ctx, run.id, asked->with);
        tell(row, done);
      }
      items.push_back(std::move(row));
    }
  }
  JsonObject answer{{"items", std::move(items)}, {"dry_run", asked->dry_run}};
  if (more) {
    answer["next"] = last;
  }
  co_return net::json_response(200, std::move(answer));
}

}  // namespace aios::api
