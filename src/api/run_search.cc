// SPDX-License-Identifier: Apache-2.0
#include "api/detail/run_search.h"

#include "api/detail/run_filter.h"
#include "workflow/search.h"

#include <fmt/format.h>

#include <utility>

namespace aios::api {
namespace {

/// A time of the query; empty: none. invalid_argument [AIOS-1341].
Result<std::optional<Time>> time_given(const net::Request& request, std::string_view name) {
  auto read = RunFilter::parse(query_text(request, name), "", "");
  return read.ok() ? Result<std::optional<Time>>(read->since)
                   : Result<std::optional<Time>>(
                         std::move(read).error().with(fmt::format("reading '{}'", name)));
}

Result<workflow::RunQuestion> question_of(const ApiServices& services, const Context& ctx,
                                          const net::Request& request) {
  workflow::RunQuestion out;
  auto filter = RunFilter::parse(query_text(request, "since"), query_text(request, "until"),
                                 query_text(request, "error"));
  auto from = time_given(request, "from");
  auto before = time_given(request, "before");
  if (!filter.ok() || !from.ok() || !before.ok()) {
    return !filter.ok() ? std::move(filter).error()
           : !from.ok() ? std::move(from).error()
                        : std::move(before).error();
  }
  out.since = filter->since;
  out.until = filter->until;
  out.error = filter->error;
  out.from = *from;
  out.before = *before;
  out.status = query_text(request, "status");
  out.workflow = query_text(request, "workflow");
  out.version = query_text(request, "version");
  out.step = query_text(request, "step");
  out.after = query_text(request, "after");
  out.limit = limit_of(request);
  auto where = workflow::read_conditions(query_text(request, "where"),
                                         declared_attributes(services, ctx, out.workflow));
  if (!where.ok()) {
    return std::move(where).error();
  }
  out.where = std::move(*where);
  return out;
}

}  // namespace

std::vector<workflow::AttributeInfo> declared_attributes(const ApiServices& services,
                                                         const Context& ctx,
                                                         std::string_view workflow) {
  std::vector<workflow::AttributeInfo> out;
  for (const auto& one : services.engine->definitions(ctx.tenant)) {
    if (workflow.empty() || workflow == fmt::format("{}/{}", one.workflow_namespace, one.name)) {
      out.insert(out.end(), one.attributes.begin(), one.attributes.end());
    }
  }
  return out;
}

Task<Result<net::Response>> search_runs(const ApiServices& services, Context ctx,
                                        net::Request request) {
  auto question = question_of(services, ctx, request);
  if (!question.ok()) {
    co_return std::move(question).error();
  }
  auto found = co_await services.engine->search(ctx, std::move(*question));
  if (!found.ok()) {
    co_return std::move(found).error();
  }
  JsonArray items;
  for (const auto& run : found->runs) {
    items.push_back(run.clear_json());
  }
  JsonObject answer{{"items", std::move(items)},
                    {"cut", found->cut},
                    {"entries", found->entries},
                    {"looked_at", found->looked_at}};
  if (!found->next.empty()) {
    answer["next"] = found->next;
  }
  co_return net::json_response(200, std::move(answer));
}

}  // namespace aios::api
