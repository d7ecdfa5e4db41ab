// SPDX-License-Identifier: Apache-2.0
#include "review/review_info.h"

#include "core/text.h"
#include "review/review.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::review {
namespace {

Json texts(const std::vector<std::string>& values) {
  JsonArray array;
  for (const std::string& value : values) {
    array.emplace_back(value);
  }
  return array;
}

}  // namespace

const Claim* ReviewInfo::claim_at(Time now) const {
  // One that holds for longer than any is taken for was made by a clock that was ahead.
  const bool holds = waits() && claim && now < claim->until && claim->until - now <= lease_max;
  return holds ? &*claim : nullptr;
}

std::optional<Time> ReviewInfo::next_step() const {
  std::optional<Time> next;
  if (!waits()) {
    return next;
  }
  if (due && !overdue) {
    next = due;
  }
  if (escalations_done < escalation.size()) {
    const Time at = created + escalation[escalations_done].after;
    next = next ? std::min(*next, at) : at;
  }
  return next;
}

Json ReviewInfo::summary_json() const {
  JsonObject out = {{"id", id},
                    {"form", form},
                    {"status", status},
                    {"run", run_id},
                    {"step", step},
                    {"workflow", workflow},
                    {"assignees", texts(assignees)},
                    {"priority", priority},
                    {"created", to_rfc3339(created)},
                    {"version", version}};
  const auto put_time = [&](const char* name, const std::optional<Time>& time) {
    if (time) {
      out[name] = to_rfc3339(*time);
    }
  };
  const auto put = [&](const char* name, const std::string& text) {
    if (!text.empty()) {
      out[name] = text;
    }
  };
  put_time("due", due);
  put("dataset", dataset);
  if (due && on_timeout == OnTimeout::fail) {
    out["on_timeout"] = "fail";
  }
  if (!escalated_to.empty()) {
    out["escalated_to"] = texts(escalated_to);
  }
  if (waits() && claim) {
    out["claimed_by"] = claim->by;
    out["claimed_until"] = to_rfc3339(claim->until);
  }
  if (!approvers.empty()) {
    out["approvers"] = texts(approvers);
  }
  if (proposal) {
    out["proposed_by"] = proposal->by;
    out["proposed"] = to_rfc3339(proposal->at);
  }
  put_time("answered", answered);
  put("answered_by", answered_by);
  if (answered) {
    out["corrected"] = corrected;
  }
  put_time("approved", approved);
  put("approved_by", approved_by);
  if (erased) {
    out["erased"] = true;
  }
  return out;
}

Json ReviewInfo::to_json() const {
  Json summary = summary_json();
  JsonObject& object = summary.as_object();
  object["title"] = title;
  object["form_schema"] = form_schema;
  object["evidence"] = evidence;
  object["suggestion"] = suggestion;
  if (answered) {
    object["answer"] = answer;
  }
  if (proposal) {
    object["proposal"] = proposal->answer;
  }
  if (sent_back) {
    object["sent_back"] = JsonObject{
        {"by", sent_back->by}, {"at", to_rfc3339(sent_back->at)}, {"reason", sent_back->reason}};
  }
  return summary;
}

Result<std::vector<Escalation>> escalation_of(const Json& given) {
  std::vector<Escalation> out;
  if (given.is_null()) {
    return out;
  }
  if (!given.is_array()) {
    return Error(Code::invalid_argument,
                 fmt::format("found {} for 'escalation', wanted a list of {{after, assignees}}",
                             type_name(given)))
        .page(604);
  }
  for (const Json& one : given.get_array()) {
    auto after = parse_iso_duration(text_or(one, "after", ""));
    if (!after.ok()) {
      return std::move(after).error().page(604).with("reading 'after' of 'escalation'");
    }
    out.push_back({*after, texts_of(find(one, "assignees"))});
  }
  return out;
}

Result<OnTimeout> on_timeout_of(const Json& given) {
  const std::string_view word = given.is_string() ? view(given.get_string()) : std::string_view();
  if (given.is_null() || word == "keep") {
    return OnTimeout::keep;
  }
  if (word == "fail") {
    return OnTimeout::fail;
  }
  return Error(Code::invalid_argument, fmt::format("found {} for 'onTimeout', wanted keep or fail",
                                                   excerpt(to_text(given), 40)))
      .page(604);
}

Result<int> priority_of(const Json& given) {
  if (given.is_null()) {
    return priority_normal;
  }
  if (given.is_int64() && given.get_int64() >= 0 && given.get_int64() <= priority_max) {
    return static_cast<int>(given.get_int64());
  }
  const std::string_view word = given.is_string() ? view(given.get_string()) : std::string_view();
  if (word == "low") {
    return priority_low;
  }
  if (word == "normal") {
    return priority_normal;
  }
  if (word == "high") {
    return priority_high;
  }
  return Error(Code::invalid_argument,
               fmt::format("found {} for 'priority', wanted low, normal, high or a whole number "
                           "from 0 to {}",
                           excerpt(to_text(given), 40), priority_max))
      .page(604);
}

}  // namespace aios::review
