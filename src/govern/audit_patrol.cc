// SPDX-License-Identifier: Apache-2.0
#include "govern/audit_patrol.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace aios::govern {
namespace {

constexpr std::uint64_t looks_a_round = AuditPatrol::round_most / AuditPatrol::look_period;

}  // namespace

AuditPatrol::AuditPatrol(std::string directory, std::string verifier_key, runtime::Clock& clock,
                         Tell told)
    : directory_(std::move(directory)),
      verifier_key_(std::move(verifier_key)),
      clock_(clock),
      told_(std::move(told)),
      due_(clock.instant()) {}

LogCheck AuditPatrol::check_of(const TenantId& tenant) const {
  LogCheck check;
  check.directory = directory_ + "/" + tenant.text();
  check.verifier_key = verifier_key_;
  check.culprit = Culprit::unnamed;  // 'aios audit verify' names it, as long as that may take
  return check;
}

void AuditPatrol::look() {
  const std::unique_lock working(working_, std::try_to_lock);
  if (!working.owns_lock() || (round_.empty() && clock_.instant() < due_)) {
    return;
  }
  if (round_.empty()) {
    begin();
  }
  walk(bundles_a_look_);
}

void AuditPatrol::hurry() {
  const std::lock_guard working(working_);  // who asks now is told of now
  if (round_.empty()) {
    begin();
  }
  walk(hurried_bundles);
}

void AuditPatrol::begin() {
  begun_ = clock_.instant();
  wrong_ = false;
  std::uint64_t leaves = 0;
  std::uint64_t bundles = 0;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, failed)) {
    auto tenant = TenantId::parse(entry.path().filename().string());
    if (!tenant.ok()) {
      continue;
    }
    auto opened = LogWalk::open(check_of(*tenant));
    if (opened.ok()) {
      leaves += opened->size();
      bundles += (opened->size() >> 8) + 1;
      round_.push_back({std::move(*tenant), std::move(*opened)});
    } else if (opened.error().code() != Code::not_found) {
      note_wrong(*tenant, 0, opened.error());
    }
  }
  bundles_a_look_ = bundles / looks_a_round + 1;
  const std::lock_guard lock(mutex_);
  done_ = 0;
  of_ = leaves;
}

void AuditPatrol::walk(std::uint64_t bundles) {
  for (; bundles > 0 && !round_.empty(); --bundles) {
    Walking& one = round_.front();
    const std::uint64_t before = one.walk.checked();
    auto more = one.walk.step();
    if (more.ok()) {
      note_right(one, !*more);
    } else {
      std::error_code failed;
      const LogFault& fault = one.walk.fault();
      const std::string file = directory_ + "/" + one.tenant.text() + "/" + fault.file;
      if (fault.file.empty() || std::filesystem::exists(file, failed)) {
        const bool at_end = one.walk.checked() == one.walk.size();
        note_wrong(one.tenant, at_end ? UINT64_MAX : before, more.error());
      }
      wrong_ = true;
    }
    {
      const std::lock_guard lock(mutex_);
      done_ += one.walk.checked() - before;
    }
    if (!more.ok() || !*more) {
      round_.pop_front();
    }
  }
  if (round_.empty()) {
    due_ = wrong_ ? clock_.instant() + round_least_wrong : begun_ + round_least;
    const std::lock_guard lock(mutex_);
    done_ = 0;
    of_ = 0;
  }
}

void AuditPatrol::note_wrong(const TenantId& tenant, std::uint64_t place, const Error& error) {
  wrong_ = true;
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    Found& found = found_[tenant];
    std::string wrong = fmt::format("the log of '{}': {}", tenant.text(), error.text());
    is_new = found.wrong != wrong;
    found.wrong = std::move(wrong);
    found.wrong_place = place;
  }
  if (is_new && told_) {
    told_(tenant, Result<void>(error));
  }
}

/// What was wrong is right again once a walk comes past the place.
void AuditPatrol::note_right(const Walking& one, bool to_the_end) {
  bool is_mended = false;
  {
    const std::lock_guard lock(mutex_);
    Found& found = found_[one.tenant];
    is_mended = !found.wrong.empty() && (to_the_end || one.walk.checked() > found.wrong_place);
    if (is_mended) {
      found.wrong.clear();
    }
    if (to_the_end) {
      found.leaves = one.walk.size();
      found.at = clock_.now();
    }
  }
  if (is_mended && told_) {
    told_(one.tenant, Result<void>());
  }
}

AuditPatrol::Seen AuditPatrol::seen() const {
  Seen out;
  const std::lock_guard lock(mutex_);
  for (const auto& [tenant, found] : found_) {
    if (!found.wrong.empty()) {
      out.altered.push_back(found.wrong);
    } else if (found.at.ns != 0) {
      out.oldest = out.logs == 0 ? found.at : std::min(out.oldest, found.at);
      ++out.logs;
      out.leaves += found.leaves;
    }
  }
  out.under_way = done_;
  out.under_way_of = of_;
  return out;
}

}  // namespace aios::govern
