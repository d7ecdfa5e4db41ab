// SPDX-License-Identifier: Apache-2.0
#include "review/review.h"

#include "core/text.h"
#include "expr/schema.h"
#include "govern/audit.h"
#include "govern/opening.h"
#include "review/detail/records.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::review {
namespace {

constexpr std::size_t title_bytes_max = 500;
constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t assignees_max = 16;
constexpr std::size_t question_bytes_max = std::size_t{1} << 20;

Error bad_request(std::string message) {
  return Error(Code::invalid_argument, std::move(message)).with("opening a review");
}

Result<void> check_dataset(const ReviewRequest& request) {
  if (request.dataset.empty()) {
    return {};
  }
  if (request.dataset.size() > name_bytes_max) {
    return bad_request(fmt::format("found a data set's name of {} bytes, wanted at most {}",
                                   request.dataset.size(), name_bytes_max))
        .page(605);
  }
  if (text_or(request.evidence, "text", "").empty()) {
    return bad_request(fmt::format("found no text in evidence.text, wanted the text that the "
                                   "answer labels for data set '{}'",
                                   request.dataset))
        .page(605);
  }
  const std::string field = detail::label_field(request.form_schema);
  const Json* properties = find(request.form_schema, "properties");
  if (properties == nullptr || find(*properties, field) == nullptr) {
    return bad_request(fmt::format("found no property '{}' in form '{}', wanted one that is the "
                                   "label for data set '{}' (named by the form's x-label)",
                                   excerpt(field, 60), request.form, request.dataset))
        .page(605);
  }
  return {};
}

Result<void> check_request(const ReviewRequest& request) {
  if (request.title.empty() || request.title.size() > title_bytes_max) {
    return bad_request(fmt::format("found a title of {} bytes, wanted 1 to {}",
                                   request.title.size(), title_bytes_max))
        .page(604);
  }
  if (request.form.empty() || request.form.size() > name_bytes_max) {
    return bad_request(fmt::format("found a form's name of {} bytes, wanted 1 to {}",
                                   request.form.size(), name_bytes_max))
        .page(604);
  }
  const bool named = std::none_of(request.assignees.begin(), request.assignees.end(),
                                  [](const std::string& role) { return role.empty(); });
  if (request.assignees.empty() || request.assignees.size() > assignees_max || !named) {
    return bad_request(fmt::format("found {} assignees, wanted 1 to {} roles",
                                   request.assignees.size(), assignees_max))
        .page(604);
  }
  if (request.due && request.due->count() <= 0) {
    return bad_request("found a due time that is not in the future, wanted one that is").page(604);
  }
  auto schema = expr::Schema::compile(request.form_schema);
  if (!schema.ok()) {
    return std::move(schema).error().with(
        fmt::format("opening a review with form '{}'", request.form));
  }
  return check_dataset(request);
}

JsonObject guard_facts(const ReviewRequest& request, JsonObject run) {
  JsonArray roles;
  for (const std::string& role : request.assignees) {
    roles.emplace_back(role);
  }
  return {{"review",
           {{"title", request.title}, {"assignees", std::move(roles)}, {"form", request.form}}},
          {"run", std::move(run)}};
}

govern::LeafFacts leaf_facts(const ReviewInfo& info, std::string_view outcome) {
  govern::LeafFacts facts(govern::LeafKind::review);
  facts.stream = info.run_id;
  facts.step = info.step;
  facts.outcome = outcome;
  facts.facts = {{"form", info.form}};
  if (!info.id.empty()) {
    facts.facts["review"] = info.id;
  }
  if (!info.dataset.empty()) {
    facts.facts["dataset"] = info.dataset;
  }
  return facts;
}

ReviewInfo to_info(ReviewRequest& request, Time now) {
  ReviewInfo info;
  info.title = std::move(request.title);
  info.form = std::move(request.form);
  info.status = "open";
  info.run_id = std::move(request.run_id);
  info.step = std::move(request.step);
  info.form_schema = std::move(request.form_schema);
  info.evidence = std::move(request.evidence);
  info.suggestion = std::move(request.suggestion);
  info.assignees = std::move(request.assignees);
  info.dataset = std::move(request.dataset);
  info.created = now;
  if (request.due) {
    info.due = now + *request.due;
  }
  return info;
}

store::StreamWrite to_write(const detail::Record& record, std::uint16_t event, Time now,
                            std::string event_data) {
  store::StreamWrite write;
  write.kind = store::StreamKind::review;
  write.id = record.info.id;
  write.expected_version = record.info.version;
  write.history.push_back({event, now, {record.subject, std::move(event_data)}});
  write.state = store::Payload{record.subject, detail::to_state(record)};
  write.status = record.info.status;
  write.label = record.info.form;
  write.end = record.info.status == "open" ? store::StreamEnd::open : store::StreamEnd::closed;
  return write;
}

/// Why a review that is not open cannot be answered or cancelled.
Error not_open(const ReviewInfo& info) {
  if (info.erased) {
    return Error(Code::failed_precondition,
                 fmt::format("review '{}' was erased with its data subject", info.id))
        .page(601);
  }
  if (info.answered) {
    return Error(Code::failed_precondition,
                 fmt::format("review '{}' was answered by '{}' at {}", info.id, info.answered_by,
                             to_rfc3339(*info.answered)))
        .page(601);
  }
  return Error(Code::failed_precondition,
               fmt::format("review '{}' is {}, wanted an open one", info.id, info.status))
      .page(601);
}

Result<void> check_role(const Context& ctx, const ReviewInfo& info) {
  if (ctx.principal) {
    for (const std::string& role : ctx.principal->roles) {
      if (std::find(info.assignees.begin(), info.assignees.end(), role) != info.assignees.end()) {
        return {};
      }
    }
  }
  return Error(Code::permission_denied,
               fmt::format("review '{}' is for {}, '{}' has no such role", info.id,
                           join(info.assignees, ", "), ctx.principal ? ctx.principal->id : ""))
      .page(602);
}

Result<void> check_answer(const ReviewInfo& info, const Json& answer) {
  auto schema = expr::Schema::compile(info.form_schema);
  if (!schema.ok()) {
    return std::move(schema).error();
  }
  auto issues = schema->issues(answer);
  if (!issues.ok()) {
    return std::move(issues).error();
  }
  std::vector<std::string> places;
  for (const expr::SchemaIssue& issue : *issues) {
    const char* place = issue.instance_path.empty() ? "/" : issue.instance_path.c_str();
    places.push_back(fmt::format("{}: {}", place, excerpt(issue.message, 200)));
  }
  if (!info.dataset.empty() && text_or(answer, detail::label_field(info.form_schema), "").empty()) {
    places.push_back(fmt::format("/{}: wanted a text, it is the label for data set '{}'",
                                 detail::label_field(info.form_schema), info.dataset));
  }
  if (places.empty()) {
    return {};
  }
  return Error(Code::invalid_argument,
               fmt::format("the answer does not fit form '{}': {}", info.form, join(places, "; ")))
      .page(603);
}

Correction to_correction(const ReviewInfo& info, std::string id) {
  const std::string field = detail::label_field(info.form_schema);
  Correction row;
  row.id = std::move(id);
  row.dataset = info.dataset;
  row.text = text_or(info.evidence, "text", "");
  row.label = text_or(info.answer, field, "");
  row.was = text_or(info.suggestion, field, "");
  row.review = info.id;
  row.run = info.run_id;
  row.by = info.answered_by;
  row.at = *info.answered;
  return row;
}

store::StreamWrite to_write(const Correction& row, const std::string& subject) {
  store::StreamWrite write;
  write.kind = store::StreamKind::correction;
  write.id = row.id;
  write.label = row.dataset;
  write.status = row.was.empty() ? "labelled" : row.was == row.label ? "confirmed" : "corrected";
  write.state = store::Payload{subject, detail::to_state(row)};
  write.end = store::StreamEnd::closed;
  return write;
}

}  // namespace

Reviews::Reviews(store::Store& store, const govern::Guard& guard, runtime::Clock& clock,
                 runtime::Random& random)
    : store_(&store),
      guard_(&guard),
      clock_(&clock),
      random_(&random) {}

Task<govern::Refusable<Opened>> Reviews::open(Context ctx, ReviewRequest request, JsonObject run) {
  auto checked = check_request(request);
  if (!checked.ok()) {
    co_return std::move(checked).error();
  }
  JsonObject facts = guard_facts(request, std::move(run));
  auto ruling = guard_->ask(ctx, govern::GuardPoint::review_assign, std::move(facts));
  const Time now = clock_->now();
  detail::Record record;
  record.subject = std::move(request.subject);
  record.info = to_info(request, now);
  std::optional<Error> refusal;
  if (!ruling.allowed()) {
    refusal = ruling.to_error();
  } else if (!ruling.decision.obligations.empty()) {
    refusal =
        Error(Code::policy_denied,
              "the policy attaches obligations to a review, wanted none: it cannot carry them out")
            .page(606);
  }
  auto leaf = leaf_facts(record.info, refusal ? "refused" : "opened");
  leaf.decisions.push_back(ruling.decision);
  if (refusal) {
    co_return govern::Refusal{*std::move(refusal), {govern::make_leaf(ctx, now, leaf)}};
  }
  record.info.id = runtime::new_id("rev", *clock_, *random_);
  leaf.facts["review"] = record.info.id;
  std::string question = detail::question_text(record.info);
  if (question.size() > question_bytes_max) {
    co_return bad_request(fmt::format("found a question of {} bytes, wanted at most {}",
                                      question.size(), question_bytes_max))
        .page(604);
  }
  leaf.contents["payload"] = std::move(question);
  Opened opened;
  opened.id = record.info.id;
  opened.leaf = govern::make_leaf(ctx, now, leaf);
  opened.write = to_write(record, detail::opened_event, now, "");
  co_return opened;
}

Task<Result<Answered>> Reviews::prepare_answer(Context ctx, std::string review_id, Json answer) {
  auto found = co_await row(ctx, std::move(review_id));
  if (!found.ok()) {
    co_return std::move(found).error();
  }
  auto record = detail::record_from(*found);
  if (!record.ok()) {
    co_return std::move(record).error();
  }
  ReviewInfo& info = record->info;
  if (info.erased || info.status != "open") {
    co_return not_open(info);
  }
  auto allowed = check_role(ctx, info);
  if (!allowed.ok()) {
    co_return std::move(allowed).error();
  }
  auto fits = check_answer(info, answer);
  if (!fits.ok()) {
    co_return std::move(fits).error();
  }
  const Time now = clock_->now();
  info.status = "answered";
  info.corrected = detail::is_corrected(info.suggestion, answer);
  info.answer = std::move(answer);
  info.answered = now;
  info.answered_by = ctx.principal->id;
  auto leaf = leaf_facts(info, "answered");
  leaf.facts["corrected"] = info.corrected;
  leaf.contents["payload"] = govern::content_of(info.answer);
  Answered out;
  out.leaf = govern::make_leaf(ctx, now, leaf);
  out.writes.push_back(to_write(*record, detail::answered_event, now, to_text(info.answer)));
  if (!info.dataset.empty()) {
    const Correction labelled = to_correction(info, runtime::new_id("cor", *clock_, *random_));
    out.writes.push_back(to_write(labelled, record->subject));
  }
  out.run_id = info.run_id;
  out.step = info.step;
  out.result = JsonObject{{"decision", "answered"},
                          {"answer", info.answer},
                          {"by", info.answered_by},
                          {"at", to_rfc3339(now)},
                          {"corrected", info.corrected}};
  co_return out;
}

Task<Result<store::StreamWrite>> Reviews::prepare_cancel(Context ctx, std::string review_id) {
  auto found = co_await row(std::move(ctx), std::move(review_id));
  if (!found.ok()) {
    co_return std::move(found).error();
  }
  auto record = detail::record_from(*found);
  if (!record.ok()) {
    co_return std::move(record).error();
  }
  if (record->info.status != "open") {
    co_return not_open(record->info);
  }
  record->info.status = "cancelled";
  auto write = to_write(*record, detail::cancelled_event, clock_->now(), "");
  if (record->info.erased) {
    write.state.reset();  // nothing is left that could be kept
    write.history.clear();
  }
  co_return write;
}

}  // namespace aios::review
