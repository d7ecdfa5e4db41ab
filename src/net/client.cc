// SPDX-License-Identifier: Apache-2.0
#include "net/client.h"

#include "core/text.h"
#include "net/detail/parser.h"
#include "net/detail/pool.h"
#include "net/detail/serialize.h"
#include "net/detail/socket.h"
#include "net/detail/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace aios::net {

namespace {

using detail::IoStatus;

constexpr int interim_answers_max = 8;

/// Closes a socket when the call's time is over or the call is cancelled. One shard; the cancel
/// comes from any thread. Lifetime: the watched socket outlives the watch.
class Watch {
 public:
  enum class Reason : std::uint8_t { none, deadline, cancelled };
  Watch(const Context& ctx, Instant at, detail::Socket& socket)
      : executor_(*runtime::Executor::current()),
        live_(std::make_shared<Live>()),
        cancel_(ctx.cancel) {
    live_->socket = &socket;
    if (at != Instant::never()) {
      timer_ = executor_.call_at(at, [live = live_] { live->end(Reason::deadline); });
    }
    if (cancel_) {
      registration_ = cancel_->on_cancel([live = live_, executor = &executor_] {
        executor->post([live] { live->end(Reason::cancelled); });
      });
    }
  }
  ~Watch() {
    live_->socket = nullptr;
    if (timer_ != 0) {
      executor_.cancel(timer_);
    }
    if (cancel_) {
      cancel_->remove(registration_);
    }
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  Reason reason() const { return live_->reason; }

 private:
  struct Live {
    detail::Socket* socket = nullptr;
    Reason reason = Reason::none;
    void end(Reason why) {
      if (socket != nullptr && reason == Reason::none) {
        reason = why;
        socket->close();
      }
    }
  };
  runtime::Executor& executor_;
  std::shared_ptr<Live> live_;
  std::shared_ptr<CancelState> cancel_;
  runtime::Executor::TimerId timer_ = 0;
  std::uint64_t registration_ = 0;
};

Error io_error(const detail::IoResult& result, Watch::Reason reason, Retry retry) {
  if (reason == Watch::Reason::deadline) {
    return Error(Code::deadline_exceeded, "the deadline passed before the answer was there", retry)
        .page(316);
  }
  if (reason == Watch::Reason::cancelled) {
    const Retry sent = retry == Retry::whole_step ? retry : Retry::never;
    return Error(Code::cancelled, "the call was cancelled", sent).page(316);
  }
  return Error(Code::unavailable, result.text, retry).page(313);
}

std::string request_head(const ClientRequest& request, const detail::Url& url, const Trace& trace) {
  std::string out;
  out.reserve(256);
  out += request.method + " " + url.target + " HTTP/1.1\r\nhost: " + url.authority + "\r\n";
  for (const Header& field : request.headers) {
    if (!detail::is_framing_field(field.name)) {
      detail::append_field(field.name, field.value, &out);
    }
  }
  if (trace.valid() && !request.headers.has("traceparent")) {
    detail::append_field("traceparent", trace.traceparent(), &out);
  }
  const bool takes_body =
      request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (takes_body || !request.body.empty()) {
    out += fmt::format("content-length: {}\r\n", request.body.size());
  }
  out += "\r\n";
  return out;
}

class PoolClient final : public Client {
 public:
  PoolClient(runtime::Shards& shards, const ClientOptions& options)
      : options_(options),
        tls_(detail::make_tls_context({options.authorities, options.pinned})),
        names_(detail::system_names()),
        connections_max_(std::max<std::uint32_t>(
            1, options.connections_per_origin_max / static_cast<std::uint32_t>(shards.count()))) {}

  Task<Result<Response>> send(Context ctx, ClientRequest request) override;

 private:
  std::shared_ptr<detail::Pool> pool(void* io_context);
  Task<Result<void>> connect(Context ctx, detail::ClientSocket* socket);
  static Task<Result<bool>> exchange(Context ctx, detail::ClientSocket* socket,
                                     const ClientRequest* request, std::string head,
                                     Response* response);
  static Task<Result<bool>> receive(detail::ClientSocket* socket, detail::Parser* parser,
                                    std::size_t body_bytes_max, const Watch* watch);

  const ClientOptions options_;
  std::shared_ptr<void> tls_;
  std::shared_ptr<detail::Names> names_;
  const std::uint32_t connections_max_;
  std::mutex mutex_;
  std::map<void*, std::shared_ptr<detail::Pool>> pools_;  ///< by io_context
};

std::shared_ptr<detail::Pool> PoolClient::pool(void* io_context) {
  std::lock_guard lock(mutex_);
  auto& found = pools_[io_context];
  if (!found) {
    found = std::make_shared<detail::Pool>(connections_max_, options_.idle_timeout);
  }
  return found;
}

Task<Result<void>> PoolClient::connect(Context ctx, detail::ClientSocket* socket) {
  const Instant now = runtime::Executor::current()->clock().instant();
  const Instant until = std::min(ctx.deadline, now + options_.connect_timeout);
  Watch watch(ctx, until, *socket);
  auto connected = co_await socket->connect();
  if (connected.ok()) {
    co_return Result<void>();
  }
  if (connected.status == IoStatus::beyond) {
    co_return Error(Code::permission_denied,
                    "the host has only private addresses, which this call may not reach")
        .page(1064);
  }
  const bool own_timeout = watch.reason() == Watch::Reason::deadline && until != ctx.deadline;
  if (watch.reason() == Watch::Reason::none || own_timeout) {
    const char* text = own_timeout ? "no connection within the connect timeout" : connected.text;
    co_return Error(Code::unavailable, text, Retry::same_call).page(312);
  }
  co_return io_error(connected, watch.reason(), Retry::same_call);
}

/// Reads one message; the parser stands at its end when it is good.
/// @return whether nothing came behind it.
Task<Result<bool>> PoolClient::receive(detail::ClientSocket* socket, detail::Parser* parser,
                                       std::size_t body_bytes_max, const Watch* watch) {
  using State = detail::Parser::State;
  std::string in(std::size_t{16} << 10, '\0');
  std::size_t begin = 0;
  std::size_t end = 0;
  int interim = 0;
  for (;;) {
    begin += parser->consume(std::string_view(in).substr(begin, end - begin));
    if (parser->state() == State::body_ready) {
      parser->start_body(body_bytes_max);
      continue;
    }
    if (parser->state() == State::done && parser->status() < 200 && parser->status() != 101 &&
        ++interim <= interim_answers_max) {
      parser->reset();
      continue;
    }
    if (parser->state() == State::failed) {
      const Error error = parser->error();
      co_return Error(error.code(), error.message(), Retry::whole_step)
          .page(error.code() == Code::resource_exhausted ? 315 : 314);
    }
    if (parser->state() == State::done) {
      if (parser->status() < 200) {
        co_return Error(Code::data_loss, "an interim answer is not followed by a final one",
                        Retry::whole_step)
            .page(314);
      }
      co_return begin == end;
    }
    in.erase(0, begin);
    end -= begin;
    begin = 0;
    in.resize(std::max(end * 2, std::size_t{16} << 10));
    auto got = co_await socket->read_some(in.data() + end, in.size() - end);
    end += got.bytes;
    if (got.status == IoStatus::end && parser->state() == State::body) {
      parser->finish();
    } else if (!got.ok()) {
      co_return io_error(got, watch->reason(), Retry::whole_step);
    }
  }
}

/// @return whether the connection can be kept.
Task<Result<bool>> PoolClient::exchange(Context ctx, detail::ClientSocket* socket,
                                        const ClientRequest* request, std::string head,
                                        Response* response) {
  Watch watch(ctx, ctx.deadline, *socket);
  auto written = co_await socket->write(head, request->body);
  if (!written.ok()) {
    const Retry retry = written.bytes == 0 ? Retry::same_call : Retry::whole_step;
    co_return io_error(written, watch.reason(), retry);
  }
  detail::ParserLimits limits;
  limits.head_bytes_max = std::size_t{64} << 10;
  detail::Parser parser(detail::Parser::Kind::response, limits);
  if (request->method == "HEAD") {
    parser.expect_no_body();
  }
  auto receiving = receive(socket, &parser, request->response_bytes_max, &watch);
  auto clean = co_await std::move(receiving);
  if (!clean.ok()) {
    co_return std::move(clean).error();
  }
  response->status = parser.status();
  response->headers = std::move(parser.headers());
  response->body = std::move(parser.body());
  co_return *clean&& parser.keep_alive() && watch.reason() == Watch::Reason::none;
}

Task<Result<Response>> PoolClient::send(Context ctx, ClientRequest request) {
  auto url = detail::parse_url(request.url);
  if (!url.ok()) {
    co_return std::move(url).error();
  }
  if (request.method.empty() ||
      detail::skip(detail::token_set, request.method, 0) != request.method.size()) {
    co_return Error(Code::invalid_argument, "the method is not a token").page(311);
  }
  void* io_context = runtime::Shards::current_io_context();
  if (io_context == nullptr) {
    co_return Error(Code::internal, "the HTTP client was called outside the shards").page(311);
  }
  const std::string doing = fmt::format("asking {}", url->origin());
  auto pool_of_shard = pool(io_context);
  const bool public_only = request.reach == Reach::public_only;
  // A kept connection may lead to an address that only the others may reach.
  auto entering = pool_of_shard->enter(ctx, url->origin() + (public_only ? " in public" : ""));
  auto entered = co_await std::move(entering);
  if (!entered.ok()) {
    co_return std::move(entered).error();
  }
  detail::Pool::Place place = std::move(*entered);
  if (!place.socket) {
    const detail::Target target{.host = url->host,
                                .port = url->port,
                                .tls = url->tls ? tls_ : nullptr,
                                .public_only = public_only,
                                .names = names_};
    place.socket = std::make_unique<detail::ClientSocket>(io_context, target);
    auto connecting = connect(ctx, place.socket.get());
    auto connected = co_await std::move(connecting);
    if (!connected.ok()) {
      pool_of_shard->leave(std::move(place), false);
      co_return std::move(connected).error().with(doing);
    }
  }
  Response response;
  auto exchanging = exchange(ctx, place.socket.get(), &request,
                             request_head(request, *url, ctx.trace), &response);
  auto keep = co_await std::move(exchanging);
  pool_of_shard->leave(std::move(place), keep.ok() && *keep);
  if (!keep.ok()) {
    co_return std::move(keep).error().with(doing);
  }
  co_return response;
}

}  // namespace

Result<UrlParts> split_url(std::string_view url) {
  auto parsed = detail::parse_url(url);
  if (!parsed.ok()) {
    return std::move(parsed).error();
  }
  return UrlParts{parsed->origin(), parsed->host, parsed->target};
}

Result<void> check_url(std::string_view url) {
  auto parsed = detail::parse_url(url);
  return parsed.ok() ? Result<void>() : Result<void>(std::move(parsed).error());
}

std::unique_ptr<Client> make_client(runtime::Shards& shards, const ClientOptions& options) {
  return std::make_unique<PoolClient>(shards, options);
}

}  // namespace aios::net
