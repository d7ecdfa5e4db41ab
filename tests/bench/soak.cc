// SPDX-License-Identifier: Apache-2.0
// bench soak: the program itself as a process of its own at half of what it can do, for half an hour:
// whether memory, descriptors, threads and what files take for an event stay as they are. Each part
// of it is followed by a day that passes on the server's clocks, so that what is kept for eight days
// is taken away within the soak. Exit 1 when something grows, or when an order is lost. Method:
// docs/benchmarks.md.
#include "flat.h"
#include "load.h"
#include "program.h"
#include "report.h"
#include "soak_watch.h"
#include "soak_world.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aios::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double seconds_unsaid = 30 * 60;
constexpr double seconds_max = 24 * 60 * 60;
constexpr double judged_seconds_min = 100;  ///< in less nothing can be said of a trend
constexpr double parts_max = 60;
constexpr double part_seconds_min = 3;
constexpr std::size_t connections = 64;
constexpr std::size_t bursts = 4;  ///< the first one warms up
constexpr double burst_seconds_max = 2;
constexpr double days_kept = 8;
constexpr double warm_share = 0.25;
constexpr double wal_mb_most = 256;
constexpr double free_bytes_min = 4e9;
constexpr auto settle_wait = std::chrono::minutes(2);

[[noreturn]] void give_up(std::string_view what) {
  fmt::print(stderr, "bench soak: {}\n", what);
  std::exit(1);
}

/// What a soak has after one of its parts.
struct Part {
  double at = 0;  ///< seconds since the watch began
  double events = 0;
  double p99_ms = 0;
  double late = 0;  ///< fewer than the rate asks for
  std::map<std::string, double> bytes;
  double runs_kept = 0;
};

class Soak {
 public:
  explicit Soak(const Options& options)
      : options_(options),
        parts_(std::floor(std::clamp(options.seconds / part_seconds_min, 4.0, parts_max))),
        days_(Days::possible() ? std::make_unique<Days>(prepared(options.folder) + "/clock")
                               : nullptr),
        program_({.folder = options.folder + "/server",
                  .arguments = arguments(),
                  .variables = variables()}),
        tenants_(settle_in(program_, outside_.url())),
        orders_(days_.get()) {}

  int run() {
    measure_peak();
    Person person(program_.port(), tenants_);
    Watch watch(program_.pid(), program_.data(), std::clamp(options_.seconds / 360, 0.02, 5.0));
    note_part(watch, {});
    while (static_cast<double>(parts_done_.size()) <= parts_) {
      one_part(watch, person);
    }
    watched_ = watch.stop();
    const double minutes = parts_done_.back().at / 60;
    count_books();
    person.stop();
    program_.stop();
    return report(minutes, person);
  }

 private:
  static std::string prepared(const std::string& folder) {
    std::filesystem::create_directories(folder);
    return folder;
  }
  std::vector<std::string> arguments() const {
    auto out = soak_arguments();
    for (const char* which : {"runs", "events", "reviews", "deliveries", "incidents"}) {
      out.push_back(fmt::format("--retention-{}", which));
      out.push_back(fmt::format("P{:g}D", days_kept));
    }
    return out;
  }
  std::vector<std::string> variables() const {
    auto out = soak_variables();
    for (auto& one : days_ ? days_->variables() : std::vector<std::string>()) {
      out.push_back(std::move(one));
    }
    return out;
  }
  std::string metrics() { return api(program_.port(), tenants_[0], "GET", "/metrics"); }

  Load send(double seconds, double rate) {
    LoadOptions load;
    load.port = program_.port();
    load.connections = connections;
    load.seconds = seconds;
    load.rate_per_s = rate;
    load.status_wanted = 202;
    Load done = send_load(load, orders_);
    answered_ += done.answered;
    return done;
  }

  /// Until every run of what was answered has ended.
  void settle(int pause_ms) {
    const auto begin = Clock::now();
    for (;;) {
      const double ended = metric_in(metrics(), "aios_runs_ended_total");
      if (ended >= answered_) {
        return;
      }
      if (Clock::now() - begin > settle_wait) {
        give_up(
            fmt::format("{:.0f} orders were answered, and after two minutes {:.0f} runs have "
                        "ended",
                        answered_, ended));
      }
      ::poll(nullptr, 0, pause_ms);
    }
  }

  /// Orders a second from the first request to the end of the last run.
  void measure_peak() {
    Person person(program_.port(), tenants_);
    std::vector<double> rates;
    for (std::size_t i = 0; i < bursts; ++i) {
      const auto begin = Clock::now();
      const Load load = send(std::clamp(options_.seconds / 20, 0.05, burst_seconds_max), 0);
      settle(20);
      const std::chrono::duration<double> took = Clock::now() - begin;
      if (i > 0) {
        rates.push_back(load.answered / took.count());
      }
    }
    peak_ = quantile(rates, 0.5);
  }

  void one_part(Watch& watch, Person& person) {
    const double seconds = options_.seconds / parts_;
    if (days_ && parts_done_.size() > 1) {
      const std::scoped_lock lock(person.rest());  // nothing is under way while a day passes
      days_->pass_one(program_.pid());
    }
    watch.under_load(true);
    const Load load = send(seconds, peak_ / 2);
    watch.under_load(false);
    settle(100);
    loaded_seconds_ += load.seconds;
    note_part(watch, load);
  }

  void note_part(const Watch& watch, const Load& load) {
    Part part;
    part.at = watch.now();
    part.events = answered_;
    part.p99_ms = load.p99_us / 1000;
    part.bytes = bytes_by_kind(program_.data());
    part.runs_kept = runs_kept(program_.port(), tenants_);
    parts_done_.push_back(std::move(part));
    struct statvfs disk{};
    if (::statvfs(program_.data().c_str(), &disk) == 0 &&
        static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize) < free_bytes_min) {
      give_up("less than 4 GB are free on the disk");
    }
  }

  void count_books();
  std::vector<Part> warm() const;
  Judged judge() const;
  std::string kinds() const;
  int report(double minutes, const Person& person);

  Options options_;
  double parts_;
  std::unique_ptr<Days> days_;
  Outside outside_;
  Program program_;
  std::vector<Tenant> tenants_;
  Orders orders_;
  double answered_ = 0;
  double peak_ = 0;
  double loaded_seconds_ = 0;
  double lost_ = 0;
  double taken_away_ = 0;
  std::vector<Part> parts_done_;
  Watched watched_;
};

void Soak::count_books() {
  settle(100);
  std::string text = metrics();
  double kept = runs_kept(program_.port(), tenants_);
  taken_away_ = metric_in(text, "aios_expired_total", "\"runs\"");
  for (int i = 0; i < 300 && kept + taken_away_ != answered_; ++i) {  // some may be going just now
    ::poll(nullptr, 0, 100);
    text = metrics();
    kept = runs_kept(program_.port(), tenants_);
    taken_away_ = metric_in(text, "aios_expired_total", "\"runs\"");
  }
  const double completed = metric_in(text, "aios_runs_ended_total", "\"completed\"");
  const double accepted = metric_in(text, "aios_events_total", "\"accepted\"");
  const auto effects = static_cast<double>(orders_.effects());
  const auto booked = static_cast<double>(outside_.booked());
  lost_ = answered_ - completed;
  if (accepted != answered_ || completed != answered_ || kept + taken_away_ != answered_ ||
      booked != effects) {
    give_up(fmt::format(
        "{:.0f} orders were answered; {:.0f} events are accepted, {:.0f} runs completed, {:.0f} in "
        "the tables and {:.0f} taken away for their age; {:.0f} of {:.0f} bookings came",
        answered_, accepted, completed, kept, taken_away_, booked, effects));
  }
  if (metric_in(text, "aios_audit_logs_altered") != 0) {
    give_up("the server says that the files of an audit log are not as they were signed");
  }
}

/// What comes after the warm-up, with what stood at its end.
std::vector<Part> Soak::warm() const {
  const double from = parts_done_.back().at * warm_share;
  std::vector<Part> out;
  for (const Part& one : parts_done_) {
    if (one.at >= from) {
      out.push_back(one);
    }
  }
  return out;
}

Judged Soak::judge() const {
  const double from = parts_done_.back().at * warm_share;
  Judged judged;
  judged.resident = trend_of(since(watched_.resident_mb, from));
  judged.anonymous = trend_of(since(watched_.anonymous_mb, from));
  judged.descriptors = trend_of(since(watched_.descriptors, from));
  judged.threads = trend_of(since(watched_.threads, from));
  std::vector<Filled> filled;
  for (const Part& one : warm()) {
    double bytes = 0;
    for (const auto& [kind, part] : one.bytes) {
      bytes += kind == "wal" ? 0 : part;
    }
    filled.push_back({one.events, bytes});
  }
  judged.bytes = per_event(filled);
  return judged;
}

/// Each kind of file: what it has, and what an event added in either half.
std::string Soak::kinds() const {
  std::string out;
  for (const auto& [kind, bytes] : parts_done_.back().bytes) {
    std::vector<Filled> filled;
    for (const Part& one : warm()) {
      const auto found = one.bytes.find(kind);
      filled.push_back({one.events, found == one.bytes.end() ? 0 : found->second});
    }
    const PerEvent each = per_event(filled);
    out += fmt::format("{}{} {:.1f} MB ({:.0f}, then {:.0f})", out.empty() ? "" : "; ", kind,
                       bytes / (1 << 20), each.first, each.second);
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

int Soak::report(double minutes, const Person& person) {
  const Judged judged = judge();
  const Flatness wanted;
  const bool long_enough = options_.seconds >= judged_seconds_min;
  const auto most = [&](double value) {
    return long_enough ? std::optional<double>(value) : std::nullopt;
  };
  std::vector<double> early;
  std::vector<double> late;
  const auto parts = warm();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    (i < parts.size() / 2 ? early : late).push_back(parts[i].p99_ms);
  }
  const double events = parts_done_.back().events - parts_done_.front().events;
  Report report("soak");
  constexpr auto none = std::nullopt;
  report.add({"minutes", minutes, "min", none});
  report.add({"events", events, "", none});
  report.add({"peak_per_s", peak_, "events/s", none});
  report.add({"rate_per_s", events / loaded_seconds_, "events/s", none});
  report.add({"rss_mb", judged.resident.median, "MB", none, Better::lower});
  report.add({"rss_growth_percent", judged.resident.growth_percent(), "%",
              most(wanted.memory_percent), Better::lower});
  report.add({"anonymous_growth_percent", judged.anonymous.growth_percent(), "%",
              most(wanted.memory_percent), Better::lower});
  report.add({"descriptors_growth", judged.descriptors.growth(), "", most(wanted.descriptors),
              Better::lower});
  report.add({"threads_growth", judged.threads.growth(), "", most(wanted.threads), Better::lower});
  report.add({"bytes_per_event_first_half", judged.bytes.first, "B", none, Better::lower});
  report.add({"bytes_per_event_second_half", judged.bytes.second, "B",
              most(judged.bytes.first * (1 + wanted.per_event_percent / 100)), Better::lower});
  const double wal = greatest(watched_.wal_mb);
  report.add({"wal_max_mb", wal, "MB", wal_mb_most, Better::lower});
  report.add({"journal_max_mb", greatest(watched_.journal_mb), "MB", none, Better::lower});
  report.add({"runs_kept", parts_done_.back().runs_kept, "", none, Better::lower});
  report.add({"lost", lost_, "", 0, Better::lower});
  report.add({"p99_ms_early", quantile(early, 0.5), "ms", none, Better::lower});
  report.add({"p99_ms_late", quantile(late, 0.5), "ms", none, Better::lower});
  report.note(fmt::format(
      "{}; half of the peak by the clock over {} connections, in {} parts; "
      "{} questions answered and {} runs explained by the API",
      Mix::describe(), connections, parts_done_.size() - 1, person.answered(), person.looked()));
  report.note(days_ ? fmt::format("after each part a day passes on the server's clocks; runs, "
                                  "events and questions are kept for {:g} days: {:.0f} runs taken "
                                  "away",
                                  days_kept, taken_away_)
                    : std::string("without tests/faults no day passes: nothing is taken away"));
  report.note(
      fmt::format("files at the end, and bytes an event in either half after the warm-up "
                  "({:.0f} %): {}",
                  warm_share * 100, kinds()));
  report.note(fmt::format("program {}", program_path()));
  auto grows = long_enough ? what_grows(judged, wanted) : std::vector<std::string>();
  if (wal > wal_mb_most) {
    grows.push_back(fmt::format("the logs of the databases had {:.0f} MB", wal));
  }
  for (const auto& one : grows) {
    report.note("NOT FLAT: " + one);
  }
  if (!long_enough) {
    report.note("too short to say whether something grows");
  }
  const bool written = report.finish(options_.json);
  std::error_code ignored;
  std::filesystem::remove_all(options_.folder, ignored);
  return written && grows.empty() ? 0 : 1;
}

}  // namespace
}  // namespace aios::bench

int main(int argc, char** argv) {
  using namespace aios::bench;
  return Soak(read_options(argc, argv, "soak", seconds_unsaid, seconds_max)).run();
}
