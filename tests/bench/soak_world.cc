// SPDX-License-Identifier: Apache-2.0
#include "soak_world.h"

#include "core/crypto.h"
#include "core/json.h"
#include "core/standard_webhooks.h"
#include "core/text.h"
#include "net/server.h"
#include "runtime/shards.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <unordered_set>
#include <utility>

namespace aios::bench {
namespace {

constexpr std::string_view secret_key = "a key of twenty-four by";
constexpr std::string_view further = "acme";
constexpr std::int64_t day_seconds = 24 * 60 * 60;
constexpr int person_pause_ms = 250;
constexpr std::size_t customers = 1'000;

[[noreturn]] void give_up(std::string_view what) {
  fmt::print(stderr, "bench soak: {}\n", what);
  std::exit(1);
}

std::map<std::string, std::string> bundle() {
  return {
      {"aios.yaml",
       "name: soak\nversion: 1.0.0\nsummary: What the soak sends.\n"
       "parameters: {desk_url: {type: string}}\n"
       "needs: {connectors: [desk], secrets: [soak-webhook]}\n"},
      {"sources/shop.yaml",
       "kind: webhook\nname: shop\nsecrets: [soak-webhook]\n"
       "event:\n  type: com.example.soak.order.v1\n  subject: '${ .body.customer }'\n"
       "  partitionkey: '${ .body.line }'\n  data: '${ .body }'\n"
       "schema: {type: object, required: [number, customer, items]}\n"},
      {"connectors/desk/connector.yaml",
       "name: desk\nkind: http\nregion: eu\nbaseUrl: '${params.desk_url}'\n"
       "limits: {concurrency: 64}\noperations:\n  book:\n    method: POST\n    path: /bookings\n"
       "    effect: key\n    arguments:\n      type: object\n      required: [number, cents]\n"
       "      additionalProperties: false\n"
       "      properties: {number: {type: string}, cents: {type: integer}}\n"
       "    body: '{number, cents}'\n"
       "    result: '.body | if .number == $arguments.number then {booking}"
       " else error(\"another order is answered\") end'\n"
       "    resultSchema: {type: object, required: [booking]}\n"},
      {"forms/fine.json",
       R"({"type": "object", "required": ["fine"], "properties": {"fine": {"type": "boolean"}}})"},
      {"policies/events.rego",
       "package aios.event_admit\n\ndefault allow := false\n\n"
       "allow if {\n\tinput.event.type == \"com.example.soak.order.v1\"\n"
       "\tinput.event.via == \"shop\"\n}\n"},
      {"policies/egress.rego",
       "package aios.connector_egress\n\ndefault allow := false\n\n"
       "allow if {\n\tinput.connector.name == \"desk\"\n"
       "\tinput.connector.operation == \"book\"\n\tinput.arguments.cents < 100000000\n}\n"},
      {"policies/reviews.rego", "package aios.review_assign\n\ndefault allow := true\n"},
      {"workflows/order.yaml",
       "document: {dsl: '1.0.3', namespace: soak, name: order, version: '1.0.0'}\n"
       "schedule: {on: {one: {with: {type: com.example.soak.order.v1}}}}\n"
       "input: {from: '${ .[0].data }'}\n"
       "do:\n"
       "  - take:\n      set:\n        number: '${ .number }'\n"
       "        cents: '${ [.items[] | .cents * .count] | add }'\n"
       "        book: '${ .book }'\n        ask: '${ .ask }'\n"
       "      export: {as: '${ . }'}\n"
       "  - book:\n      if: '${ $context.book }'\n      call: connector:1.0.0@default\n"
       "      with:\n        connector: desk\n        operation: book\n"
       "        arguments: {number: '${ $context.number }', cents: '${ $context.cents }'}\n"
       "  - ask:\n      if: '${ $context.ask }'\n      call: review:1.0.0@default\n"
       "      with:\n        title: '${ \"Order \" + $context.number }'\n        form: fine\n"
       "        assignees: [admin]\n        evidence: {number: '${ $context.number }'}\n"
       "  - close:\n      set: {number: '${ $context.number }', cents: '${ $context.cents }'}\n"}};
}

/// Letters that differ with the number: no two orders have one text.
std::string words(std::uint64_t number, std::size_t characters) {
  std::string out;
  std::uint64_t state = 88172645463325252ULL ^ (number + 1) * 0x9E3779B97F4A7C15ULL;
  while (out.size() < characters) {
    state ^= state << 13U;  // xorshift64
    state ^= state >> 7U;
    state ^= state << 17U;
    out += state % 6 == 0 ? ' ' : static_cast<char>('a' + state / 7 % 26);
  }
  return out;
}

void write_secret(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
  ::chmod(path.c_str(), 0600);
}

}  // namespace

Days::Days(const std::string& file)
    : path_(file),
      fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
  if (fd_ < 0 || ::ftruncate(fd_, 16) != 0) {
    give_up(fmt::format("no clock can be made at {}", file));
  }
}

Days::~Days() { ::close(fd_); }

bool Days::possible() { return *AIOS_FAULTS != '\0' && std::filesystem::exists(AIOS_FAULTS); }

std::vector<std::string> Days::variables() const {
  return {std::string("LD_PRELOAD=") + AIOS_FAULTS, "AIOS_FAULTS_CLOCK=" + path_};
}

void Days::pass_one(pid_t pid) {
  ahead_seconds_ += day_seconds;
  const std::int64_t nanoseconds = ahead_seconds_ * 1'000'000'000;
  const std::array both = {nanoseconds, nanoseconds};
  ::kill(pid, SIGSTOP);
  const bool written = ::pwrite(fd_, both.data(), sizeof(both), 0) == sizeof(both);
  ::kill(pid, SIGCONT);
  if (!written) {
    give_up("the clock cannot be set");
  }
}

std::string Mix::describe() {
  return "every order one pure step; of them 50 % an effect (key) outside, 0.4 % a question to a "
         "person, 20 % in turn by one of 200 partition keys, 25 % of a further tenant; 1,000 "
         "customers as subjects; bodies about 500 bytes";
}

bool Orders::next(std::string* out) {
  const std::uint64_t n = number_++;
  effects_ += Mix::effect(n) ? 1 : 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string time =
      std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count() +
                     (days_ != nullptr ? days_->ahead_seconds() : 0));
  const std::string id = fmt::format("order-{:010}", n);
  const std::string line = Mix::in_turn(n) ? fmt::format(R"("line":"L{}",)", n / 5 % 200) : "";
  const std::string body = fmt::format(
      R"({{"number":"{:010}","customer":"C{}",{}"book":{},"ask":{},)"
      R"("items":[{{"sku":"A-17","cents":1250,"count":{}}},{{"sku":"B-4","cents":99,"count":1}}],)"
      R"("note":"{}"}})",
      n, n % customers, line, Mix::effect(n), Mix::question(n), n % 7 + 1, words(n, 320));
  *out = fmt::format(
      "POST /hooks/{}shop HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
      "content-length: {}\r\nwebhook-id: {}\r\nwebhook-timestamp: {}\r\n"
      "webhook-signature: v1,{}\r\n\r\n{}",
      Mix::further_tenant(n) ? fmt::format("{}/", further) : "", body.size(), id, time,
      to_base64(view(hmac_sha256(secret_key, standard_webhook_text(id, time, body)))), body);
  return true;
}

struct Outside::Impl {
  Impl() : shards(1) {
    net::Route route;
    route.method = "POST";
    route.pattern = "/bookings";
    route.handler = [this](Context, net::Request request) { return book(std::move(request)); };
    router.add(std::move(route));
    auto started = net::start_server(shards, router, {});
    if (!started.ok()) {
      give_up(started.error().text());
    }
    server = *std::move(started);
  }
  ~Impl() {
    server->stop(std::chrono::seconds(1));
    shards.stop();
  }
  runtime::Task<net::Response> book(net::Request request) {
    const auto body = parse_json(request.body);
    const auto key = std::hash<std::string_view>()(request.headers.get("idempotency-key"));
    {
      const std::scoped_lock lock(mutex);
      ++requests;
      keys.insert(key);
    }
    co_return net::json_response(200, JsonObject{{"number", text_or(*body, "number", "")},
                                                 {"booking", fmt::format("B{:x}", key)}});
  }

  runtime::Shards shards;
  net::Router router;
  std::mutex mutex;
  std::unordered_set<std::uint64_t> keys;
  std::uint64_t requests = 0;
  std::unique_ptr<net::Server> server;
};

Outside::Outside() : impl_(std::make_unique<Impl>()) {}
Outside::~Outside() = default;
std::string Outside::url() const {
  return fmt::format("http://127.0.0.1:{}", impl_->server->port());
}
std::uint64_t Outside::booked() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->keys.size();
}
std::uint64_t Outside::requests() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->requests;
}

std::vector<std::string> soak_arguments() {
  return {"--private-tenants", std::string(further), "--log-level", "warn"};
}

std::vector<std::string> soak_variables() {
  return {"AIOS_SECRET_SOAK_WEBHOOK=whsec_" + to_base64(secret_key)};
}

std::string api(std::uint16_t port, const Tenant& tenant, const std::string& method,
                const std::string& path, const std::string& body) {
  const auto answer = ask(port, request_text(method, path, tenant.key, body));
  if (answer.status < 200 || answer.status > 299) {
    give_up(fmt::format("{} {} of {} is answered {}: {}", method, path, tenant.name, answer.status,
                        answer.body.substr(0, 1'000)));
  }
  return answer.body;
}

std::vector<Tenant> settle_in(const Program& program, const std::string& outside_url) {
  std::vector<Tenant> tenants = {{"default", program.key()}};
  const auto made = parse_json(api(program.port(), tenants[0], "POST", "/api/v1/tenants",
                                   to_text(JsonObject{{"name", further}, {"region", "eu"}})));
  tenants.push_back({std::string(further), std::string(text_or(made->at("key"), "secret", ""))});
  write_secret(fmt::format("{}/secrets/{}/soak-webhook", program.data(), further),
               "whsec_" + to_base64(secret_key));
  JsonObject files;
  for (const auto& [path, text] : bundle()) {
    files[path] = to_base64(text);
  }
  const std::string deployment = to_text(JsonObject{
      {"files", std::move(files)}, {"parameters", JsonObject{{"desk_url", outside_url}}}});
  for (const Tenant& tenant : tenants) {
    api(program.port(), tenant, "POST", "/api/v1/deployments", deployment);
  }
  return tenants;
}

double metric_in(const std::string& text, std::string_view name, std::string_view label) {
  double sum = 0;
  for (const auto line : split(text, '\n')) {
    if (line.starts_with(name) && line.size() > name.size() &&
        (line[name.size()] == '{' || line[name.size()] == ' ') &&
        line.find(label) != std::string_view::npos) {
      sum += std::strtod(std::string(line.substr(line.rfind(' ') + 1)).c_str(), nullptr);
    }
  }
  return sum;
}

double runs_kept(std::uint16_t port, const std::vector<Tenant>& tenants) {
  double sum = 0;
  for (const Tenant& tenant : tenants) {
    const auto counts = parse_json(api(port, tenant, "GET", "/api/v1/run-counts"));
    for (const auto& [status, count] : counts->as_object()) {
      sum += static_cast<double>(int_or(*counts, status, 0));
    }
  }
  return sum;
}

Person::Person(std::uint16_t port, std::vector<Tenant> tenants)
    : port_(port),
      tenants_(std::move(tenants)),
      thread_([this] { live(); }) {}

Person::~Person() { stop(); }

void Person::stop() {
  stopping_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Person::live() {
  while (!stopping_) {
    for (const Tenant& tenant : tenants_) {
      const std::scoped_lock lock(rest_);
      look_round(tenant);
    }
    ::poll(nullptr, 0, person_pause_ms);
  }
}

void Person::look_round(const Tenant& tenant) {
  const auto open = parse_json(api(port_, tenant, "GET", "/api/v1/reviews?status=open&limit=50"));
  for (const Json& one : open->at("items").as_array()) {
    const std::string id(text_or(one, "id", ""));
    api(port_, tenant, "POST", fmt::format("/api/v1/reviews/{}/answer", id),
        R"({"answer": {"fine": true}})");
    ++answered_;
  }
  const auto runs = parse_json(api(port_, tenant, "GET", "/api/v1/runs?order=newest&limit=20"));
  const auto& items = runs->at("items").as_array();
  if (!items.empty()) {
    api(port_, tenant, "GET",
        fmt::format("/api/v1/runs/{}/explain", text_or(items.front(), "id", "")));
    ++looked_;
  }
  if (tenant.name != further) {  // metrics are of all tenants, and for the first one's keys
    api(port_, tenant, "GET", "/metrics");
  }
}

}  // namespace aios::bench
