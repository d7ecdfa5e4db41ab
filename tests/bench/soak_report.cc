// SPDX-License-Identifier: Apache-2.0
#include "soak_report.h"

#include "program.h"
#include "report.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace aios::bench {
namespace {

constexpr double judged_seconds_min = 100;  ///< in less nothing can be said of a trend
constexpr double warm_share = 0.25;
constexpr double warm_share_most = 0.5;  ///< in what is left of less nothing can be said either
/// By then the page caches over the tables are full (64 MB and 8 MB a reader), or nearly.
constexpr double warm_tables_bytes = 112 << 20;

/// When the tables became larger than the caches over them.
double filled_at(const SoakOutcome& of) {
  double at = 0;
  for (const SoakPart& one : of.parts) {
    const auto tables = one.bytes.find("tables");
    if (tables == one.bytes.end() || tables->second < warm_tables_bytes) {
      at = one.at;
    }
  }
  return at;
}

bool long_enough(const SoakOutcome& of) {
  return of.seconds >= judged_seconds_min && filled_at(of) <= of.parts.back().at * warm_share_most;
}

/// A quarter of the time, or longer where the caches were not full by then.
double warm_from(const SoakOutcome& of) {
  const double quarter = of.parts.back().at * warm_share;
  return long_enough(of) ? std::max(quarter, filled_at(of)) : quarter;
}

/// What comes after the warm-up, with what stood at its end.
std::vector<SoakPart> warm(const SoakOutcome& of) {
  const double from = warm_from(of);
  std::vector<SoakPart> out;
  for (const SoakPart& one : of.parts) {
    if (one.at >= from) {
      out.push_back(one);
    }
  }
  return out;
}

Judged judge(const SoakOutcome& of) {
  const double from = warm_from(of);
  Judged judged;
  judged.resident = trend_of(since(of.watched.resident_mb, from));
  judged.anonymous = trend_of(since(of.watched.anonymous_mb, from));
  judged.threads = trend_of(since(of.watched.threads, from));
  judged.logs_mb = trend_of(since(of.watched.wal_mb, from));
  std::vector<Filled> filled;
  std::vector<Sample> open;
  for (const SoakPart& one : warm(of)) {
    open.push_back({one.at, one.descriptors});
    double bytes = 0;
    for (const auto& [kind, part] : one.bytes) {
      bytes += kind == "wal" ? 0 : part;
    }
    filled.push_back({one.events, bytes});
  }
  judged.descriptors = trend_of(open);
  judged.bytes = per_event(filled);
  return judged;
}

/// Each kind of file: what it has, and what an event added in either half.
std::string kinds(const SoakOutcome& of) {
  std::string out;
  for (const auto& [kind, bytes] : of.parts.back().bytes) {
    std::vector<Filled> filled;
    for (const SoakPart& one : warm(of)) {
      const auto found = one.bytes.find(kind);
      filled.push_back({one.events, found == one.bytes.end() ? 0 : found->second});
    }
    const PerEvent each = per_event(filled);
    out += fmt::format("{}{} {:.1f} MB ({:.0f}, then {:.0f})", out.empty() ? "" : "; ", kind,
                       bytes / (1 << 20), each.first, each.second);
  }
  return out;
}

std::string logs(const SoakOutcome& of) {
  std::string out = "greatest log of each database, MB:";
  for (const auto& [database, most] : of.watched.wal_mb_most) {
    out += fmt::format(" {} {:.1f}", database, most);
  }
  return out;
}

double greatest(const std::vector<Sample>& samples) {
  double out = 0;
  for (const Sample& one : samples) {
    out = std::max(out, one.value);
  }
  return out;
}

/// The middle of the parts' p99, in ms.
struct Latency {
  double filling = 0;  ///< before anything is taken away
  double early = 0;    ///< the first half after the warm-up
  double late = 0;
};

Latency latency_of(const SoakOutcome& of) {
  std::vector<double> filling;
  for (const SoakPart& one : of.parts) {
    if (one.p99_ms > 0 && static_cast<double>(filling.size()) < of.days_kept) {
      filling.push_back(one.p99_ms);
    }
  }
  std::vector<double> early;
  std::vector<double> late;
  const auto parts = warm(of);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    (i < parts.size() / 2 ? early : late).push_back(parts[i].p99_ms);
  }
  return {quantile(filling, 0.5), quantile(early, 0.5), quantile(late, 0.5)};
}

void describe(const SoakOutcome& of, Report& report) {
  report.note(
      fmt::format("{}; half of the peak by the clock over {} connections, in {} parts; "
                  "{} questions answered and {} runs explained by the API",
                  of.mix, of.connections, of.parts.size() - 1, of.questions, of.looked));
  report.note(of.days_kept > 0
                  ? fmt::format("after each part a day passes on the server's clocks; runs, "
                                "events and questions are kept for {:g} days: {:.0f} runs taken "
                                "away",
                                of.days_kept, of.taken_away)
                  : std::string("without tests/faults no day passes: nothing is taken away"));
  report.note(
      fmt::format("files at the end, and bytes an event in either half after the warm-up "
                  "({:.0f} s): {}",
                  warm_from(of), kinds(of)));
  report.note(fmt::format("program {}", program_path()));
  report.note(logs(of));
}

}  // namespace

int report_soak(const SoakOutcome& of, const std::string& json) {
  const Judged judged = judge(of);
  const Flatness wanted;
  const bool judging = long_enough(of);
  const auto most = [judging](double value) {
    return judging ? std::optional<double>(value) : std::nullopt;
  };
  const Latency latency = latency_of(of);
  const double events = of.parts.back().events - of.parts.front().events;
  Report report("soak");
  constexpr auto none = std::nullopt;
  report.add({"minutes", of.parts.back().at / 60, "min", none});
  report.add({"events", events, "", none});
  report.add({"peak_per_s", of.peak_per_s, "events/s", none});
  report.add({"rate_per_s", events / of.loaded_seconds, "events/s", none});
  report.add({"rss_mb", judged.resident.median, "MB", none, Better::lower});
  report.add({"rss_growth_percent", judged.resident.growth_percent(), "%",
              most(wanted.memory_percent), Better::lower});
  report.add({"anonymous_growth_percent", judged.anonymous.growth_percent(), "%",
              most(wanted.memory_percent), Better::lower});
  report.add({"descriptors_growth", judged.descriptors.growth(), "", most(wanted.descriptors),
              Better::lower});
  report.add({"descriptors_max", greatest(of.watched.descriptors), "", none, Better::lower});
  report.add({"threads_growth", judged.threads.growth(), "", most(wanted.threads), Better::lower});
  report.add({"bytes_per_event_first_half", judged.bytes.first, "B", none, Better::lower});
  report.add({"bytes_per_event_second_half", judged.bytes.second, "B",
              most(judged.bytes.first * (1 + wanted.per_event_percent / 100)), Better::lower});
  report.add({"wal_max_mb", greatest(of.watched.wal_mb), "MB", none, Better::lower});
  report.add({"wal_growth_mb", judged.logs_mb.growth(), "MB", most(wanted.logs_mb), Better::lower});
  report.add({"journal_max_mb", greatest(of.watched.journal_mb), "MB", none, Better::lower});
  report.add({"runs_kept", of.parts.back().runs_kept, "", none, Better::lower});
  report.add({"lost", of.lost, "", 0, Better::lower});
  report.add({"p99_ms_filling", latency.filling, "ms", none, Better::lower});
  report.add({"p99_ms_early", latency.early, "ms", none, Better::lower});
  report.add({"p99_ms_late", latency.late, "ms", none, Better::lower});
  describe(of, report);
  const auto grows = judging ? what_grows(judged, wanted) : std::vector<std::string>();
  for (const auto& one : grows) {
    report.note("NOT FLAT: " + one);
  }
  if (!judging) {
    report.note(
        "too short to say whether something grows: wanted are 100 seconds, and tables of more "
        "than 112 MB before half of them is over");
  }
  const bool written = report.finish(json);
  return written && grows.empty() ? 0 : 1;
}

}  // namespace aios::bench
