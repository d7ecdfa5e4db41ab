// SPDX-License-Identifier: Apache-2.0
#include "app/client.h"

#include "app/address.h"
#include "app/interrupt.h"
#include "app/reach.h"
#include "core/text.h"
#include "net/client.h"
#include "net/tls.h"
#include "runtime/one_shot.h"
#include "runtime/shards.h"
#include "runtime/task_group.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace aios::app {
namespace {

constexpr int page_unknown_key = 510;
constexpr auto look_pause = std::chrono::milliseconds(20);

/// Empty where the file has none of that number, or so long a one that it is no key and no address.
std::string read_line(const std::string& path, int number) {
  std::ifstream file(path);  // a pipe is one too: --key-file <(...)
  std::array<char, 4096> line{};
  for (int i = 0; i < number; ++i) {
    line.fill('\0');
    file.getline(line.data(), static_cast<std::streamsize>(line.size()));
  }
  return file.fail() ? std::string() : std::string(trim(line.data()));
}
std::string read_first_line(const std::string& path) { return read_line(path, 1); }

/// A problem document as an error.
Error error_of(const net::Response& response) {
  auto document = parse_json(response.body);
  if (!document.ok() || !document->is_object()) {
    return Error(Code::internal, fmt::format("the server answered {} with '{}'", response.status,
                                             excerpt(response.body, 200)));
  }
  if (find(*document, "detail") == nullptr) {  // not one of ours
    return Error(Code::internal, fmt::format("the server answered {} with '{}'", response.status,
                                             excerpt(response.body, 200)));
  }
  std::string text(text_or(*document, "detail", ""));
  Error error(parse_code(text_or(*document, "code", "")).value_or(Code::internal), std::move(text));
  const int page = parse_page(text_or(*document, "page", ""));
  return page > 0 ? Error(std::move(error).page(page)) : error;
}

/// What a problem document lists, each with its place.
std::vector<Error> problems_of(const net::Response& response) {
  std::vector<Error> out;
  const auto document = parse_json(response.body);
  const Json* all = document.ok() ? find(*document, "errors") : nullptr;
  if (all == nullptr || !all->is_array()) {
    return out;
  }
  for (const Json& one : all->get_array()) {
    Error error(Code::invalid_argument, std::string(text_or(one, "message", "")));
    if (const int page = parse_page(text_or(one, "page", "")); page > 0) {
      error = Error(std::move(error).page(page));
    }
    if (const std::string file(text_or(one, "file", "")); !file.empty()) {
      const auto number = [&one](std::string_view name) {
        return static_cast<std::uint32_t>(int_or(one, name, 0));
      };
      error = Error(std::move(error).at(file, number("line"), number("column")));
    }
    out.push_back(std::move(error));
  }
  return out;
}

Result<Json> json_of(const net::Response& response, std::vector<Error>* problems) {
  if (response.status >= 300 && problems != nullptr) {
    *problems = problems_of(response);
  }
  if (response.status >= 300) {
    return error_of(response);
  }
  if (response.body.empty()) {
    return Json(nullptr);
  }
  if (!response.headers.get("content-type").starts_with("application/json")) {
    return Json(response.body);
  }
  return parse_json(response.body);
}

/// Calls taken one after the other by a few coroutines.
struct Batch {
  std::vector<Call> calls;
  std::vector<Result<Json>> results;
  std::size_t next = 0;
  std::size_t workers = 0;  ///< that have not ended
  std::shared_ptr<CancelState> interrupted = std::make_shared<CancelState>();
  std::shared_ptr<CancelState> done = std::make_shared<CancelState>();
};

class ClientBase : public ApiClient {
 public:
  std::vector<Result<Json>> call_all(std::vector<Call> calls, std::size_t at_once) override {
    Batch batch;
    batch.results.assign(calls.size(), Error(Code::cancelled, "not called"));
    batch.calls = std::move(calls);
    shards().run(0, run_batch(&batch, at_once));
    return std::move(batch.results);
  }

  void pause(Duration span) override {
    auto rested = shards().run(0, runtime::sleep_for(Context(), span));
    AIOS_ASSERT(rested.ok());  // no deadline, no cancellation
  }

 protected:
  virtual runtime::Shards& shards() = 0;
  /// @param cancel  null: nobody interrupts.
  virtual Task<Result<Json>> send(std::shared_ptr<CancelState> cancel, Call request) = 0;

 private:
  Task<void> worker(Batch* batch) {
    while (batch->next < batch->calls.size() && !batch->interrupted->cancelled()) {
      const std::size_t index = batch->next++;
      auto result = co_await send(batch->interrupted, std::move(batch->calls[index]));
      batch->results[index] = std::move(result);
    }
    if (--batch->workers == 0) {
      batch->done->cancel();
    }
  }
  /// Looks for the interrupt while the workers work.
  Task<void> look(Batch* batch) {
    Context until_done;
    until_done.cancel = batch->done;
    while (!batch->done->cancelled()) {
      if (interrupt_->came()) {
        batch->interrupted->cancel();
        co_return;
      }
      auto rested = co_await runtime::sleep_for(until_done, look_pause);
      if (!rested.ok()) {
        co_return;  // done
      }
    }
  }
  Task<void> run_batch(Batch* batch, std::size_t at_once) {
    runtime::TaskGroup group(*runtime::Executor::current());
    batch->workers = at_once;
    if (interrupt_ != nullptr) {
      group.spawn(look(batch));
    }
    for (std::size_t i = 0; i < at_once; ++i) {
      group.spawn(worker(batch));
    }
    co_await group.join();
  }
};

/// A killed server leaves its address behind: only one that holds the directory's lock is believed,
/// so that no key goes to whoever has the port now.
bool server_holds(const std::string& data) {
  const int fd = ::open((data + "/lock").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  const bool held = ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return held;
}

struct FoundKey {
  std::string secret;  ///< empty when there is none
  std::string source;
};

/// The key file, else AIOS_KEY, else, for the data directory's own server, its first key.
Result<FoundKey> find_key(const Target& target) {
  if (!target.key_file.empty()) {
    std::string key = read_first_line(target.key_file);
    if (key.empty()) {
      return Error(Code::not_found,
                   fmt::format("key file {} is missing, or its first line is no key",
                               target.key_file))
          .page(1404);
    }
    return FoundKey{std::move(key), "the key file " + target.key_file};
  }
  if (const char* key = std::getenv("AIOS_KEY"); key != nullptr) {
    return FoundKey{std::string(trim(key)), "AIOS_KEY"};
  }
  const auto server = server_address(target.server);
  if (!target.server.empty() &&
      !(server.ok() && is_server_of(*server, target.data) && server_holds(target.data))) {
    return FoundKey{"", "--key-file or AIOS_KEY, which a server of another data directory needs"};
  }
  const std::string first = target.data + "/first-key";
  return FoundKey{read_first_line(first),
                  first + "; name another with --key-file FILE, AIOS_KEY_FILE or AIOS_KEY"};
}

class HttpClient final : public ClientBase {
 public:
  HttpClient(std::string server, FoundKey key, const net::ClientOptions& options)
      : server_(std::move(server)),
        key_(std::move(key)),
        shards_(1),
        client_(net::make_client(shards_, options)) {}
  ~HttpClient() override {
    client_.reset();
    shards_.stop();
  }
  std::string where() const override { return "server " + server_; }
  /// Without the key: nobody knows yet who listens there.
  Result<void> probe() { return check_probe(server_, shards_.run(0, ask_health(this))); }

 protected:
  runtime::Shards& shards() override { return shards_; }
  Task<Result<Json>> send(std::shared_ptr<CancelState> cancel, Call request) override {
    net::ClientRequest http;
    http.method = request.method;
    http.url = server_ + request.path;
    if (!key_.secret.empty()) {
      http.headers.set("authorization", "Bearer " + key_.secret);
    }
    if (!request.idempotency_key.empty()) {
      http.headers.set("idempotency-key", request.idempotency_key);
    }
    if (!request.body.is_null()) {
      http.headers.set("content-type", request.content_type);
      http.body = to_text(request.body);
    }
    http.response_bytes_max = std::size_t{64} << 20;
    Context ctx;
    ctx.cancel = std::move(cancel);
    ctx.deadline = runtime::system_clock().instant() + timeout_of(request);
    auto response = co_await client_->send(ctx, std::move(http));
    if (!response.ok()) {
      co_return std::move(response).error().with("calling " + server_);
    }
    auto answer = json_of(*response, request.problems);
    if (!answer.ok() && answer.error().page() == page_unknown_key) {
      co_return std::move(answer).error().with(
          key_.secret.empty() ? "calling without a key: there is none in " + key_.source
                              : "calling with the key from " + key_.source);
    }
    co_return answer;
  }

 private:
  static Task<Result<net::Response>> ask_health(HttpClient* self) {
    net::ClientRequest http;
    http.url = self->server_ + "/healthz";
    Context ctx;
    ctx.deadline = runtime::system_clock().instant() + probe_timeout;
    auto response = co_await self->client_->send(ctx, std::move(http));
    co_return response;
  }

  std::string server_;
  FoundKey key_;
  runtime::Shards shards_;
  std::unique_ptr<net::Client> client_;
};

class LocalClient final : public ClientBase {
 public:
  LocalClient(std::unique_ptr<System> system, std::string data)
      : system_(std::move(system)),
        data_(std::move(data)) {}
  std::string where() const override { return "data directory " + data_; }

 protected:
  runtime::Shards& shards() override { return system_->shards(); }
  /// The call itself is not cut: in this process it does not wait for a network.
  Task<Result<Json>> send(std::shared_ptr<CancelState>, Call request) override {
    net::Request local;
    local.method = request.method;
    local.target = request.path;
    auto parsed = net::parse_target(request.path, &local);
    if (!parsed.ok()) {
      co_return std::move(parsed).error();
    }
    if (!request.idempotency_key.empty()) {
      local.headers.set("idempotency-key", request.idempotency_key);
    }
    if (!request.body.is_null()) {
      local.headers.set("content-type", request.content_type);
      local.body = to_text(request.body);
    }
    const Context ctx = system_->local_context();
    auto response = co_await system_->router().dispatch(ctx, std::move(local));
    co_return json_of(response, request.problems);
  }

 private:
  std::unique_ptr<System> system_;
  std::string data_;
};

}  // namespace

Result<Json> ApiClient::call(Call request) {
  std::vector<Call> one;
  one.push_back(std::move(request));
  auto results = call_all(std::move(one), 1);
  return std::move(results.front());
}

Runs runs_for(const Call& call) {
  const auto is_for = [&call](std::string_view path) { return call.path.starts_with(path); };
  const bool starts_some = is_for("/api/v1/events") || is_for("/api/v1/runs") ||
                           is_for("/api/v1/reviews") || is_for("/api/v1/tasks") ||
                           is_for("/api/v1/deliveries");
  return call.method != "GET" && starts_some ? Runs::advance : Runs::rest;
}

Result<std::unique_ptr<ApiClient>> connect(const Target& target, Runs runs) {
  auto key = find_key(target);
  if (!key.ok()) {
    return std::move(key).error();
  }
  net::ClientOptions options;
  if (!target.tls_ca.empty()) {
    auto authorities = net::read_authorities(target.tls_ca);
    if (!authorities.ok()) {
      return std::move(authorities).error();
    }
    options.authorities = std::move(*authorities);
  }
  std::string server = target.server;
  if (server.empty()) {
    const std::string file = target.data + "/server.address";  // removed by an orderly stop
    server = read_line(file, 1);
    options.pinned = read_line(file, 2);  // of a server with TLS
    if (!server.empty() && server_holds(target.data)) {
      auto client = std::make_unique<HttpClient>(server, *key, options);
      const auto alive = client->probe();
      if (alive.ok()) {
        return std::unique_ptr<ApiClient>(std::move(client));
      }
      if (is_up(alive.error())) {
        return alive.error();  // it has the directory, so nobody else can use it
      }
    }
  } else {
    auto address = server_address(server);
    if (!address.ok()) {
      return std::move(address).error();
    }
    auto client = std::make_unique<HttpClient>(std::move(*address), *key, options);
    const auto alive = client->probe();
    if (!alive.ok()) {
      return alive.error();
    }
    return std::unique_ptr<ApiClient>(std::move(client));
  }
  struct stat info{};
  if (::stat((target.data + "/journal.db").c_str(), &info) != 0) {
    return Error(Code::not_found,
                 fmt::format("no server answers and there is no data directory at '{}'; start one "
                             "with 'aios serve --data {}' or name a server with --server",
                             target.data, target.data))
        .page(1401);
  }
  SystemOptions own;
  own.data = target.data;
  own.authorities = options.authorities;
  own.runs = runs;
  own.log_level = observe::Level::error;
  auto system = System::open(own);
  if (!system.ok()) {
    return std::move(system).error();
  }
  return std::unique_ptr<ApiClient>(std::make_unique<LocalClient>(std::move(*system), target.data));
}

}  // namespace aios::app
