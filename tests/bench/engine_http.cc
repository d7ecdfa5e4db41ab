// SPDX-License-Identifier: Apache-2.0
// The part of bench engine that goes over HTTP.
#include "load.h"
#include "must.h"
#include "pure.h"
#include "served.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace aios::bench {
namespace {

/// The same one again and again: without an idempotency key each is a run of its own.
class Starts final : public Requests {
 public:
  explicit Starts(std::string text) : text_(std::move(text)) {}
  bool next(std::string* out) override {
    if (out->empty()) {
      *out = text_;
    }
    return true;
  }

 private:
  std::string text_;
};

}  // namespace

Json pure_input() {
  JsonArray items;
  for (int i = 1; i <= 4; ++i) {
    items.push_back(JsonObject{{"cents", 1250 * i}, {"count", i}});
  }
  return JsonObject{{"customer", "C1001"}, {"items", std::move(items)}};
}

void measure_http(const Options& options, Report* report) {
  const std::string folder = options.folder + "/http";
  Served server(folder);
  server.deploy({{"aios.yaml", "name: bench\nversion: 1.0.0\nsummary: Three pure steps.\n"},
                 {"workflows/pure.yaml", std::string(pure_document)}});
  const Json body = JsonObject{{"workflow", "bench/pure"}, {"input", pure_input()}};
  Starts starts(request_text("POST", "/api/v1/runs", server.key(), to_text(body)));
  LoadOptions load;
  load.port = server.port();
  load.status_wanted = 201;
  load.seconds = std::min(1.0, options.seconds / 4);
  const Load warm = send_load(load, starts);
  load.seconds = options.seconds;
  const Syncs before = syncs();
  const auto cpu = process_cpu();
  const Load many = send_load(load, starts);
  const std::chrono::duration<double, std::micro> spent = process_cpu() - cpu;
  const Syncs after = syncs();
  server.stop();
  const Stored stored = count_stored(folder);
  if (stored.runs_completed != warm.answered + many.answered ||
      stored.runs != stored.runs_completed) {
    give_up(
        fmt::format("{:.0f} runs are stored, {:.0f} of them completed, {:.0f} were answered over "
                    "HTTP",
                    stored.runs, stored.runs_completed, warm.answered + many.answered));
  }
  const double runs = std::max(1.0, many.answered);
  const double server_us = (spent.count() - many.cpu_us) / runs;
  report->add({"pure_http_per_s", many.per_second(), "runs/s", 4000, Better::higher});
  report->add({"cpu_us_per_http_run", server_us, "us", std::nullopt, Better::lower});
  report->note(fmt::format(
      "pure over HTTP, {} connections: {:.0f} runs, p50 {:.0f} us, p99 {:.0f} us, {:.1f} us of the "
      "server's CPU and {:.1f} us of the sender's a run, {:.2f} cores in use, {:.1f} runs a group "
      "commit",
      load.connections, many.answered, many.p50_us, many.p99_us, server_us, many.cpu_us / runs,
      spent.count() / 1e6 / many.seconds, runs / std::max(1.0, after.journal - before.journal)));
}

}  // namespace aios::bench
