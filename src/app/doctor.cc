// SPDX-License-Identifier: Apache-2.0
#include "app/doctor.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace aios::app {
namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t free_bad = 512 * mebibyte;
constexpr std::uint64_t free_watch = 4096 * mebibyte;
constexpr double days_bad = 2;
constexpr double days_watch = 14;
constexpr std::uint64_t descriptors_watch = 4096;
constexpr std::uint64_t unsigned_watch = 10'000;
constexpr auto clock_step = std::chrono::minutes(1);
constexpr auto certificate_watch = std::chrono::hours(24 * 14);
constexpr double day_hours = 24;
constexpr auto day = std::chrono::hours(24);

std::string size_text(double bytes) {
  const double mib = bytes / static_cast<double>(mebibyte);
  return mib < 1024 ? fmt::format("{:.0f} MiB", mib) : fmt::format("{:.1f} GiB", mib / 1024);
}

Finding good(std::string part, std::string found) {
  return {std::move(part), Health::good, std::move(found), ""};
}

/// When the disk will be full, by how the data grew.
std::optional<double> days_to_full(const Symptoms& symptoms) {
  const auto growth = growth_per_day(symptoms.growth);
  return growth && *growth > 0 ? std::optional(static_cast<double>(symptoms.disk_free) / *growth)
                               : std::nullopt;
}

Finding disk(const Symptoms& it) {
  const auto growth = growth_per_day(it.growth);
  const auto days = days_to_full(it);
  Finding out = good("disk", fmt::format("data {}, {} of {} free", size_text(it.data_bytes),
                                         size_text(it.disk_free), size_text(it.disk_size)));
  if (!growth) {
    out.found += "; how fast it grows is known after six hours";
  } else {
    out.found += fmt::format("; {}{} a day", *growth < 0 ? "-" : "+",
                             size_text(std::max(*growth, -*growth)));
  }
  if (days) {
    out.found += fmt::format(", full in {:.0f} days", *days);
  }
  const bool bad = it.disk_free < free_bad || (days && *days < days_bad);
  const bool watch = it.disk_free < free_watch || (days && *days < days_watch);
  if (bad || watch) {
    out.health = bad ? Health::bad : Health::watch;
    out.next =
        "make room or enlarge the disk; a full one makes the server read-only until there "
        "is space";
  }
  return out;
}

Finding store(const Symptoms& it) {
  if (it.damaged) {
    return it.fold_error.find("[AIOS-0421]") == std::string::npos
               ? Finding{"store", Health::bad, "the tables are damaged",
                         "see the log and 'aios errors 0410'"}
               : Finding{"store", Health::bad, "the disk fails: " + it.fold_error,
                         "see the kernel's log and 'aios errors 0421'"};
  }
  if (it.read_only) {
    return {"store", Health::bad, "the disk is full: every write is refused",
            "make room: it goes on by itself"};
  }
  if (!it.fold_error.empty()) {
    return {"store", Health::bad, "the tables take up nothing: " + it.fold_error,
            "writes are refused once too much waits: look at the disk"};
  }
  const std::string found = fmt::format("takes writes; {} of {} wait for the tables",
                                        size_text(it.delta_bytes), size_text(it.delta_bytes_max));
  if (it.delta_bytes * 4 > it.delta_bytes_max * 3) {
    return {"store", Health::watch, found, "the disk does not keep up; writers will be slowed"};
  }
  return good("store", found);
}

Finding keys(const Symptoms& it) {
  if (!it.readable_by_others.empty()) {
    return {"keys", Health::bad, "others may read " + join(it.readable_by_others, ", "),
            "chmod 600, then make new ones: they may have been read"};
  }
  if (it.first_key_lies_there) {
    return {"keys", Health::watch, "the first key, with every right, still lies in the data",
            "make others with 'aios key create', name one of an admin with --key-file "
            "or AIOS_KEY_FILE, then 'aios key revoke' the first, which takes the file away"};
  }
  if (it.admins == 1) {
    return {"keys", Health::watch, "one key of an admin",
            "make a second one, for the day it is lost"};
  }
  return good("keys", fmt::format("{} keys of admins, files closed to others", it.admins));
}

Finding clock(const Symptoms& it) {
  if (it.newest_commit.ns > 0 && it.newest_commit - it.now > clock_step) {
    return {"clock", Health::bad,
            fmt::format("it says {}, the newest data are of {}", to_rfc3339(it.now),
                        to_rfc3339(it.newest_commit)),
            "set the clock, if it is wrong; if it was ahead and is right again, this ends with "
            "the next thing that is done"};
  }
  if (it.ahead > 0) {
    return {"clock", Health::watch,
            fmt::format("it was ahead: {} runs or deliveries wait since a time that is yet to "
                        "come, the last since {}",
                        it.ahead, to_rfc3339(it.ahead_most)),
            "each is brought back when it is woken; start the server again to have it done now"};
  }
  if (it.clock_synchronised && !*it.clock_synchronised) {
    return {"clock", Health::watch, "the system's clock is not synchronised",
            "run a time service (chrony, systemd-timesyncd)"};
  }
  return good("clock", it.clock_synchronised ? "synchronised"
                                             : "whether it is synchronised is not known here");
}

Finding limits(const Symptoms& it) {
  const std::string found = fmt::format("{} open files at most", it.descriptors);
  if (it.descriptors < descriptors_watch) {
    return {"limits", Health::watch, found,
            "raise the hard limit (LimitNOFILE= of systemd): connections are turned away before"};
  }
  return good("limits", found);
}

Finding listener(const Symptoms& it) {
  if (!it.listening) {
    return good("listener", "no server runs on these data");
  }
  if (!it.tls && !it.loopback) {
    return {"listener", Health::bad, fmt::format("{} without TLS", it.listener),
            "keys and tickets cross the network readable: set tls_cert and tls_key, or listen on "
            "loopback behind a proxy"};
  }
  if (!it.certificate_until) {
    return good("listener", it.listener);
  }
  const double left =
      std::chrono::duration<double, std::ratio<3600>>(*it.certificate_until - it.now).count() /
      day_hours;
  const std::string found = fmt::format("{} with TLS, certificate until {}", it.listener,
                                        to_rfc3339(*it.certificate_until));
  if (it.now > *it.certificate_until) {
    return {"listener", Health::bad, found, "it has expired: renew it"};
  }
  if (*it.certificate_until - it.now < certificate_watch) {
    return {"listener", Health::watch, found, fmt::format("renew it within {:.0f} days", left)};
  }
  return good("listener", found);
}

Finding bundle(const Symptoms& it) {
  if (!it.bundle_failure.empty()) {
    return {"bundle", Health::bad, it.bundle_failure, "deploy it again, mended"};
  }
  if (!it.missing_secrets.empty()) {
    return {"bundle", Health::bad, join(it.missing_secrets, "; "),
            "put them there: calls wait for them, webhooks are answered 401"};
  }
  if (!it.source_troubles.empty()) {
    return {"bundle", Health::watch, join(it.source_troubles, "; "),
            "start the server with --watch-root, make the folder, or take the source out"};
  }
  return good("bundle", "in place, no secret is missing");
}

Finding models(const Symptoms& it) {
  if (!it.models_unread.empty()) {
    return {"models", Health::bad, join(it.models_unread, "; "),
            "promote another version (aios model promote NAME@V ALIAS), or restore the blobs from "
            "a backup"};
  }
  return good("models", "what serves an alias can be read");
}

Finding sources(const Symptoms& it) {
  if (it.turned_away.empty()) {
    return good("sources", "nothing was turned away since the start, no dead letters");
  }
  return {"sources", Health::watch, join(it.turned_away, "; "),
          join({it.turned_away_next.begin(), it.turned_away_next.end()}, "; ")};
}

Finding people(const Symptoms& it) {
  const std::string found = fmt::format("{} incidents, {} reviews overdue, {} dead letters",
                                        it.incidents, it.reviews_overdue, it.dead_letters);
  if (it.incidents + it.reviews_overdue + it.dead_letters == 0) {
    return good("people", found);
  }
  return {"people", Health::watch, found,
          "aios runs list --status waiting; aios review list; aios events list --status "
          "dead_letter"};
}

/// What of the audit log's files is known to be as it was signed.
std::string verified(const govern::AuditPatrol::Seen& it, Time now) {
  constexpr std::int64_t second = 1'000'000'000;
  const std::string when = to_rfc3339(Time{it.oldest.ns / second * second});
  std::string out = "not verified yet";
  if (it.logs == 1 && it.leaves > 0) {
    out = fmt::format("verified to leaf {} at {}", it.leaves - 1, when);
  } else if (it.logs > 0) {
    out = fmt::format("{} logs verified, {} leaves, none longer ago than {}", it.logs, it.leaves,
                      when);
  }
  if (it.under_way_of > 0 && (it.logs == 0 || now - it.oldest > day)) {
    out += fmt::format(", {} of {} leaves are", it.under_way, it.under_way_of);
  }
  return out;
}

Finding audit(const Symptoms& it) {
  if (!it.not_signing.empty()) {
    return {"audit", Health::bad, "nothing more is signed: " + it.not_signing,
            "see the page that it names with 'aios errors'"};
  }
  if (!it.patrol.altered.empty()) {
    return {"audit", Health::bad, join(it.patrol.altered, "; "),
            "keep a copy of the folder 'audit' as it is; 'aios audit verify' says more"};
  }
  const std::string found = fmt::format("{} leaves wait for a signed checkpoint; {}",
                                        it.unsigned_leaves, verified(it.patrol, it.now));
  if (it.unsigned_leaves > unsigned_watch) {
    return {"audit", Health::watch, found, "see the log: it should be seconds behind"};
  }
  return good("audit", found);
}

Finding runs(const Symptoms& it) {
  const std::string found = fmt::format("{} faulted in the last day", it.faulted);
  if (it.faulted == 0) {
    return good("runs", found);
  }
  return {"runs", Health::watch, found,
          "aios runs list --status faulted says where and why; mend it, then 'aios runs retry "
          "--workflow NAME --since 1d' tries them again"};
}

Finding deliveries(const Symptoms& it) {
  const std::string found = fmt::format("{} given up", it.dead_deliveries);
  if (it.dead_deliveries == 0) {
    return good("deliveries", found);
  }
  return {"deliveries", Health::watch, found,
          "aios deliveries list --status dead says why; mend it, then 'aios deliveries replay'"};
}

std::string_view name_of(Health health) {
  switch (health) {
    case Health::good: return "good";
    case Health::watch: return "watch";
    case Health::bad: return "bad";
  }
  return "bad";
}

}  // namespace

std::vector<Finding> examine(const Symptoms& it) {
  return {disk(it),   store(it),   keys(it),   clock(it), limits(it),     listener(it), bundle(it),
          models(it), sources(it), people(it), runs(it),  deliveries(it), audit(it)};
}

Json to_json(const std::vector<Finding>& findings) {
  JsonArray items;
  Health worst = Health::good;
  for (const Finding& finding : findings) {
    worst = std::max(worst, finding.health);
    items.push_back(JsonObject{{"part", finding.part},
                               {"health", name_of(finding.health)},
                               {"found", finding.found},
                               {"next", finding.next}});
  }
  return JsonObject{{"health", name_of(worst)}, {"findings", std::move(items)}};
}

}  // namespace aios::app
