// SPDX-License-Identifier: Apache-2.0
// bench ingest: signed webhooks (Standard Webhooks, bodies of 1 KiB) to a whole server in this
// process, over 128 connections that stay. Each is verified, mapped, held against its schema,
// admitted by policy, looked up among those that came before, and starts a run of one step; all of
// it is one commit, which is synced before the 202. The sender is one thread of this process, its
// signatures were made before. Method: docs/benchmarks.md.
#include "load.h"
#include "must.h"
#include "report.h"
#include "served.h"

#include "core/crypto.h"
#include "core/json.h"
#include "core/standard_webhooks.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::bench {
namespace {

constexpr std::size_t body_bytes = 1024;
constexpr std::size_t repeats = 100;
constexpr double signed_per_second = 30'000;  ///< more than can be sent
constexpr std::size_t signed_max = 1'000'000;
constexpr std::size_t signature_bytes = 44;  ///< base64 of 32 bytes
constexpr std::string_view secret_key = "a key of twenty-four by";
constexpr std::string_view order_type = "com.example.bench.order.v1";

/// @param taken  the type that the workflow takes
std::map<std::string, std::string> bundle(std::string_view taken) {
  return {
      {"aios.yaml",
       "name: bench\nversion: 1.0.0\nsummary: What the benchmark sends.\n"
       "needs: {secrets: [bench-webhook]}\n"},
      {"sources/bench.yaml", fmt::format("kind: webhook\nname: bench\nsecrets: [bench-webhook]\n"
                                         "event: {{type: {}, data: '${{ .body }}'}}\n"
                                         "schema: {{type: object, required: [number, customer]}}\n",
                                         order_type)},
      {"policies/events.rego", fmt::format("package aios.event_admit\n\ndefault allow := false\n\n"
                                           "allow if {{\n\tinput.event.type == \"{}\"\n"
                                           "\tinput.event.via == \"bench\"\n"
                                           "\tinput.event.size_bytes <= 65536\n}}\n",
                                           order_type)},
      {"workflows/order.yaml",
       fmt::format("document: {{dsl: '1.0.3', namespace: bench, name: order, version: '1.0.0'}}\n"
                   "schedule: {{on: {{one: {{with: {{type: {}}}}}}}}}\n"
                   "input: {{from: '${{ .[0].data }}'}}\n"
                   "do:\n  - take:\n      set: {{order: '${{ .number }}'}}\n",
                   taken)}};
}

/// Letters at random: a text that compresses no better than real ones do.
std::string words(std::size_t characters) {
  std::string out;
  std::uint64_t state = 88172645463325252ULL;
  while (out.size() < characters) {
    state ^= state << 13U;  // xorshift64
    state ^= state >> 7U;
    state ^= state << 17U;
    const bool space = state % 6 == 0 && !out.empty() && out.back() != ' ';
    out += space ? ' ' : static_cast<char>('a' + state / 7 % 26);
  }
  out.back() = '.';
  return out;
}

/// Requests that differ in their number, and so in id, body and signature. Only those three are
/// written anew for each.
class Webhooks final : public Requests {
 public:
  explicit Webhooks(std::size_t count) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::string time =
        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count());
    const std::string start = R"({"number":"0000000000","customer":{"id":"C1001","country":"DE"},)"
                              R"("items":[{"sku":"A-17","cents":1250,"count":2}],"note":")";
    body_ = start + words(body_bytes - start.size() - 2) + "\"}";
    text_ = fmt::format(
        "POST /hooks/bench HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        "content-length: {}\r\nwebhook-id: 0000000000\r\nwebhook-timestamp: {}\r\n"
        "webhook-signature: v1,{}\r\n\r\n",
        body_.size(), time, std::string(signature_bytes, '='));
    id_at_ = text_.find("webhook-id: ") + 12;
    signature_at_ = text_.find("v1,") + 3;
    number_at_ = text_.size() + body_.find("0000000000");
    text_ += body_;
    signatures_.reserve(count * signature_bytes);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string number = fmt::format("{:010}", i);
      body_.replace(body_.find(":\"") + 2, number.size(), number);
      signatures_ +=
          to_base64(view(hmac_sha256(secret_key, standard_webhook_text(number, time, body_))));
    }
  }
  bool next(std::string* out) override {
    if ((next_ + 1) * signature_bytes > signatures_.size()) {
      return false;
    }
    if (out->empty()) {
      *out = text_;
    }
    write(next_++, out);
    return true;
  }
  std::string request(std::size_t number) const {
    std::string out = text_;
    write(number, &out);
    return out;
  }

 private:
  static constexpr std::size_t number_digits = 10;

  void write(std::size_t number, std::string* out) const {
    for (std::size_t i = number_digits, rest = number; i-- > 0; rest /= 10) {
      const char digit = static_cast<char>('0' + rest % 10);
      (*out)[id_at_ + i] = digit;
      (*out)[number_at_ + i] = digit;
    }
    signatures_.copy(out->data() + signature_at_, signature_bytes, number * signature_bytes);
  }

  std::string body_;
  std::string text_;
  std::size_t id_at_ = 0;
  std::size_t number_at_ = 0;
  std::size_t signature_at_ = 0;
  std::string signatures_;  // one after the other
  std::size_t next_ = 0;
};

struct Phase {
  Load load;
  double cpu_us = 0;  ///< of the server, a webhook
  double cores = 0;   ///< that server and sender had together
  Syncs syncs;
};

Phase measure(const Served& server, Webhooks& webhooks, double seconds) {
  LoadOptions options;
  options.port = server.port();
  options.seconds = seconds;
  options.status_wanted = 202;
  const Syncs before = syncs();
  const auto cpu = process_cpu();
  Phase phase;
  phase.load = send_load(options, webhooks);
  const std::chrono::duration<double, std::micro> spent = process_cpu() - cpu;
  const Syncs after = syncs();
  phase.cpu_us = (spent.count() - phase.load.cpu_us) / std::max(1.0, phase.load.answered);
  phase.cores = spent.count() / 1e6 / phase.load.seconds;
  phase.syncs = {after.all - before.all, after.journal - before.journal};
  return phase;
}

/// What came before is known again, and what was altered is refused.
void expect_known(const Served& server, const Webhooks& webhooks) {
  for (std::size_t i = 0; i < repeats; ++i) {
    const auto answer = ask(server.port(), webhooks.request(i));
    const auto body = parse_json(answer.body);
    if (answer.status != 202 || !body.ok() || !bool_or(*body, "repeated", false)) {
      give_up(fmt::format("webhook {} came before and is answered {} {}", i, answer.status,
                          answer.body));
    }
  }
  std::string altered = webhooks.request(0);
  altered[altered.size() - 3] = '!';
  const auto answer = ask(server.port(), altered);
  if (answer.status != 401) {
    give_up(fmt::format("an altered webhook is answered {} {}", answer.status, answer.body));
  }
}

struct Measured {
  Phase phase;
  double leaves = 0;  ///< a webhook
  double bytes = 0;   ///< a webhook, on the disk after all is folded
};

enum class Taken : std::uint8_t { run, nobody };

Measured measure_server(const Options& options, Taken taken, double seconds) {
  const std::string folder = options.folder + (taken == Taken::run ? "/runs" : "/inbox");
  const double warm = std::min(1.0, seconds / 4);
  const auto wanted = static_cast<std::size_t>((warm + seconds) * signed_per_second);
  Webhooks webhooks(std::clamp(wanted, repeats, signed_max));
  Served server(folder);
  server.deploy(bundle(taken == Taken::run ? order_type : "com.example.bench.other.v1"));
  const auto first = measure(server, webhooks, warm);
  Measured out;
  out.phase = measure(server, webhooks, seconds);
  expect_known(server, webhooks);
  server.stop();
  const double answered = first.load.answered + out.phase.load.answered;
  const Stored stored = count_stored(folder);
  const bool runs = taken == Taken::run;
  if (stored.events != answered || stored.events_accepted != (runs ? answered : 0) ||
      stored.runs != (runs ? answered : 0) || stored.runs_completed != stored.runs) {
    give_up(fmt::format(
        "{:.0f} webhooks were answered, and stored are {:.0f} events, {:.0f} of "
        "them accepted, {:.0f} runs, {:.0f} of them completed",
        answered, stored.events, stored.events_accepted, stored.runs, stored.runs_completed));
  }
  if (out.phase.syncs.journal < 1) {
    give_up("no sync of the journal was seen, so commits cannot be counted");
  }
  out.leaves = stored.leaves / std::max(1.0, answered);
  out.bytes = static_cast<double>(bytes_below(folder)) / std::max(1.0, answered);
  return out;
}

std::string describe(std::string_view what, const Measured& one) {
  const Phase& phase = one.phase;
  return fmt::format(
      "{}: {:.0f} webhooks, p50 {:.0f} us, p99 {:.0f} us, {:.1f} us of the server's CPU and {:.1f} "
      "us of the sender's each, {:.2f} cores in use, {:.0f} syncs, {:.0f} of them commits, {:.1f} "
      "leaves and {:.0f} bytes on the disk each",
      what, phase.load.answered, phase.load.p50_us, phase.load.p99_us, phase.cpu_us,
      phase.load.cpu_us / std::max(1.0, phase.load.answered), phase.cores, phase.syncs.all,
      phase.syncs.journal, one.leaves, one.bytes);
}

int run(const Options& options) {
  ::setenv("AIOS_SECRET_BENCH_WEBHOOK", ("whsec_" + to_base64(secret_key)).c_str(), 1);
  const auto runs = measure_server(options, Taken::run, options.seconds);
  const double fsync_us = fdatasync_us(options.folder, 300);
  const auto inbox = measure_server(options, Taken::nobody, options.seconds / 2);

  Report report("ingest");
  constexpr auto none = std::nullopt;
  const Phase& phase = runs.phase;
  const double answered = std::max(1.0, phase.load.answered);
  report.add(
      {"signed_webhooks_per_s", phase.load.per_second(), "webhooks/s", 15000, Better::higher});
  report.add({"cpu_us_per_webhook", phase.cpu_us, "us", none, Better::lower});
  report.add({"webhooks_per_commit", answered / phase.syncs.journal, "", none, Better::higher});
  report.add({"fsyncs_per_s", phase.syncs.all / phase.load.seconds, "fsyncs/s", none});
  report.add({"webhook_p99_ms", phase.load.p99_us / 1000, "ms", none, Better::lower});
  report.add({"inbox_only_per_s", inbox.phase.load.per_second(), "webhooks/s", none});
  report.add({"cpu_us_inbox_only", inbox.phase.cpu_us, "us", none, Better::lower});
  report.add({"fdatasync_p50_us", fsync_us, "us", none, Better::lower});
  report.note(describe("each starts a run of one step", runs));
  report.note(describe("no workflow takes them, each is kept as a dead letter", inbox));
  report.note(
      fmt::format("stored as often as answered; {} of each sent again were known, an "
                  "altered one was refused",
                  repeats));
  std::error_code ignored;
  std::filesystem::remove_all(options.folder, ignored);
  return report.finish(options.json) ? 0 : 1;
}

}  // namespace
}  // namespace aios::bench

int main(int argc, char** argv) {
  return aios::bench::run(aios::bench::read_options(argc, argv, "ingest"));
}
