// SPDX-License-Identifier: Apache-2.0
// bench soak: the program itself as a process of its own at half of what it can do, for half an
// hour: whether memory, descriptors, threads and what files take for an event stay as they are.
// Each part is followed by a day that passes on the server's clocks, so that what is kept for
// eight days is taken away within the soak. Exit 1 when something grows, or when an order is
// lost. Method: docs/benchmarks.md.
#include "load.h"
#include "program.h"
#include "report.h"
#include "soak_report.h"
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
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aios::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double seconds_unsaid = 30 * 60;
constexpr double seconds_max = 24 * 60 * 60;
constexpr double parts_max = 60;
constexpr double part_seconds_min = 3;
constexpr std::size_t connections = 64;
constexpr std::size_t bursts = 4;  ///< the first one warms up
constexpr double burst_seconds_max = 2;
constexpr double days_kept = 8;
constexpr double free_bytes_min = 4e9;
constexpr auto settle_wait = std::chrono::minutes(2);

[[noreturn]] void give_up(std::string_view what) {
  fmt::print(stderr, "bench soak: {}\n", what);
  std::exit(1);
}

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
    while (static_cast<double>(seen_.parts.size()) <= parts_) {
      one_part(watch, person);
    }
    seen_.watched = watch.stop();
    count_books();
    person.stop();
    program_.stop();
    seen_.seconds = options_.seconds;
    seen_.days_kept = days_ ? days_kept : 0;
    seen_.connections = connections;
    seen_.mix = Mix::describe();
    seen_.questions = person.answered();
    seen_.looked = person.looked();
    std::error_code ignored;
    std::filesystem::remove_all(options_.folder, ignored);
    return report_soak(seen_, options_.json);
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
    seen_.peak_per_s = quantile(rates, 0.5);
  }

  void one_part(Watch& watch, Person& person) {
    const double seconds = options_.seconds / parts_;
    watch.under_load(true);
    const Load load = send(seconds, seen_.peak_per_s / 2);
    watch.under_load(false);
    settle(100);
    seen_.loaded_seconds += load.seconds;
    note_part(watch, load);
    const std::scoped_lock lock(person.rest());  // nothing is under way while a day passes
    if (days_) {
      days_->pass_one(program_.pid());
    }
    seen_.parts.back().descriptors = descriptors_at_rest();
  }

  /// Connections that nobody uses any more are closed within moments of the day that passed.
  double descriptors_at_rest() const {
    double least = descriptors(program_.pid());
    for (int i = 0; i < 20; ++i) {
      ::poll(nullptr, 0, 25);
      least = std::min(least, descriptors(program_.pid()));
    }
    return least;
  }

  void note_part(const Watch& watch, const Load& load) {
    SoakPart part;
    part.at = watch.now();
    part.events = answered_;
    part.p99_ms = load.p99_us / 1000;
    part.bytes = bytes_by_kind(program_.data());
    part.runs_kept = runs_kept(program_.port(), tenants_);
    seen_.parts.push_back(std::move(part));
    struct statvfs disk{};
    if (::statvfs(program_.data().c_str(), &disk) == 0 &&
        static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize) < free_bytes_min) {
      give_up("less than 4 GB are free on the disk");
    }
  }

  void count_books();

  Options options_;
  double parts_;
  std::unique_ptr<Days> days_;
  Outside outside_;
  Program program_;
  std::vector<Tenant> tenants_;
  Orders orders_;
  double answered_ = 0;
  SoakOutcome seen_;
};

void Soak::count_books() {
  settle(100);
  std::string text = metrics();
  double kept = runs_kept(program_.port(), tenants_);
  seen_.taken_away = metric_in(text, "aios_expired_total", "\"runs\"");
  for (int i = 0; i < 300 && kept + seen_.taken_away != answered_;
       ++i) {  // some may be going just now
    ::poll(nullptr, 0, 100);
    text = metrics();
    kept = runs_kept(program_.port(), tenants_);
    seen_.taken_away = metric_in(text, "aios_expired_total", "\"runs\"");
  }
  const double completed = metric_in(text, "aios_runs_ended_total", "\"completed\"");
  const double accepted = metric_in(text, "aios_events_total", "\"accepted\"");
  const auto effects = static_cast<double>(orders_.effects());
  const auto booked = static_cast<double>(outside_.booked());
  seen_.lost = answered_ - completed;
  if (accepted != answered_ || completed != answered_ || kept + seen_.taken_away != answered_ ||
      booked != effects) {
    give_up(fmt::format(
        "{:.0f} orders were answered; {:.0f} events are accepted, {:.0f} runs completed, {:.0f} in "
        "the tables and {:.0f} taken away for their age; {:.0f} of {:.0f} bookings came",
        answered_, accepted, completed, kept, seen_.taken_away, booked, effects));
  }
  if (metric_in(text, "aios_audit_logs_altered") != 0) {
    give_up("the server says that the files of an audit log are not as they were signed");
  }
}

}  // namespace
}  // namespace aios::bench

int main(int argc, char** argv) {
  using namespace aios::bench;
  return Soak(read_options(argc, argv, "soak", seconds_unsaid, seconds_max)).run();
}
