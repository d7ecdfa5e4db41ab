// SPDX-License-Identifier: Apache-2.0
#include "net/detail/connection.h"

#include "net/detail/serialize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

namespace aios::net::detail {

namespace {

constexpr std::size_t buffer_bytes = 4 << 10;
constexpr std::size_t body_step_bytes = 16 << 10;  // what must arrive within body_timeout
constexpr std::size_t linger_bytes_max = 256 << 10;
constexpr Duration linger_timeout = std::chrono::seconds(1);

ParserLimits limits_of(const ServerOptions& options) {
  ParserLimits limits;
  limits.head_bytes_max = options.header_bytes_max;
  limits.line_bytes_max = std::min(limits.line_bytes_max, options.header_bytes_max);
  return limits;
}

Trace new_trace(runtime::Random& random) {
  Trace trace;
  const std::uint64_t words[3] = {random.next(), random.next(), random.next() | 1};
  std::memcpy(trace.trace_id.data(), words, 16);
  std::memcpy(trace.span_id.data(), words + 2, 8);
  return trace;
}

}  // namespace

std::string_view ConnectionHost::date_now() {
  const Time now = executor->clock().now();
  const std::int64_t second = now.ns / 1'000'000'000;
  if (second != date_second) {
    date_second = second;
    date = to_http_date(now);
  }
  return date;
}

void ConnectionHost::count(int status) const {
  const auto index = static_cast<std::size_t>(std::clamp(status / 100, 1, 5) - 1);
  if (requests[index] != nullptr) {
    requests[index]->add();
  }
}

Connection::Connection(std::unique_ptr<Socket> socket, ConnectionHost& host, std::string address)
    : socket_(std::move(socket)),
      host_(&host),
      parser_(Parser::Kind::request, limits_of(*host.options)),
      peer_(socket_->peer()),
      address_(std::move(address)),
      body_share_(*host.bodies),
      since_(host.executor->clock().instant()),
      cancel_(std::make_shared<CancelState>()) {
  in_.resize(buffer_bytes);
}

void Connection::enter(Phase phase, Duration timeout) {
  const Instant now = host_->executor->clock().instant();
  if (answered_ && phase != phase_) {  // who never was counts from the beginning
    since_ = now;
  }
  phase_ = phase;
  deadline_ = now + timeout;
}

void Connection::check_time(Instant now) {
  if (now >= deadline_) {
    deadline_ = Instant::never();
    timed_out_ = true;
    if (phase_ == Phase::handshake) {  // before the peer can see the end of it
      host_->count(HandshakeFailure::timed_out);
    }
    // Reading ends as if the peer had closed; a stuck write cannot be told anything any more.
    socket_->close_reading();
    if (phase_ != Phase::head && phase_ != Phase::body) {
      socket_->close();
    }
  }
}

bool Connection::close_if_idle() {
  if (phase_ != Phase::idle && phase_ != Phase::handshake) {
    return false;
  }
  phase_ = Phase::ending;
  socket_->close();
  return true;
}

Connection::Spare Connection::spare() const {
  if (phase_ == Phase::handshake || phase_ == Phase::head ||
      (phase_ == Phase::idle && !answered_)) {
    return Spare::asking;
  }
  if (phase_ == Phase::writing && answered_) {
    return Spare::reading;
  }
  return phase_ == Phase::idle ? Spare::idle : Spare::not_at_all;
}

void Connection::close_for_room() {
  AIOS_ASSERT(spare() != Spare::not_at_all);
  phase_ = Phase::ending;
  socket_->close();
}

void Connection::abort() {
  cancel_->cancel();
  socket_->close();
}

/// Feeds the parser with what was received.
Connection::Want Connection::advance() {
  for (;;) {
    const std::string_view received(in_.data() + begin_, end_ - begin_);
    begin_ += parser_.consume(received);
    if (!body_fits()) {
      return Want::refuse;
    }
    switch (parser_.state()) {
      case Parser::State::body_ready:
        start_body();
        if (refusal_) {
          return Want::refuse;
        }
        if (parser_.state() == Parser::State::body && parser_.expects_continue() &&
            begin_ == end_) {
          return Want::interim;
        }
        break;
      case Parser::State::done: return Want::answer;
      case Parser::State::failed: return Want::refuse;
      case Parser::State::head:
      case Parser::State::body: return Want::read;
    }
  }
}

/// A body costs memory only when the head alone shows who sends it and that it is wanted.
void Connection::start_body() {
  BodyRuling ruling;
  if (parser_.has_body()) {
    Request head;
    head.method = parser_.method();
    head.target = parser_.target();
    head.headers = std::move(parser_.headers());
    ruling = host_->router->rule_body(head);
    const std::size_t key = std::hash<std::string_view>()(head.headers.get("authorization"));
    body_share_.begin({address_, fmt::format("{} {:x}", address_, key)});
    parser_.headers() = std::move(head.headers);
  }
  refusal_ = std::move(ruling.refusal);
  if (refusal_) {
    return;
  }
  parser_.start_body(ruling.bytes_max);
  progress_ = 0;
  enter(Phase::body, host_->options->body_timeout);
}

bool Connection::body_fits() {
  if (parser_.state() != Parser::State::body && parser_.state() != Parser::State::done) {
    return true;
  }
  if (body_share_.grow_to(parser_.body().size())) {
    return true;
  }
  refusal_ = problem(Error(Code::unavailable,
                           "the bodies that are being received, of all or of this sender, take "
                           "all the memory they may",
                           Retry::same_call)
                         .page(317)
                         .after(std::chrono::seconds(1)));
  return false;
}

/// At least one free byte behind end_; grows up to what a head may have.
void Connection::make_room() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  }
  if (end_ < in_.size()) {
    return;
  }
  if (begin_ > 0) {
    std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    return;
  }
  in_.resize(in_.size() * 2);  // bounded: the parser refuses heads beyond header_bytes_max
}

void Connection::note_read(std::size_t bytes) {
  end_ += bytes;
  if (phase_ == Phase::idle) {
    enter(Phase::head, host_->options->header_timeout);
  } else if (phase_ == Phase::body) {
    progress_ += bytes;
    if (progress_ >= body_step_bytes) {
      progress_ = 0;
      enter(Phase::body, host_->options->body_timeout);
    }
  }
}

Task<bool> Connection::read() {
  if (phase_ != Phase::body && begin_ == end_ && !parser_.begun()) {
    enter(Phase::idle, host_->options->idle_timeout);
    if (host_->stopping->load(std::memory_order_relaxed)) {
      co_return false;
    }
  } else if (phase_ != Phase::body && phase_ != Phase::head) {
    enter(Phase::head, host_->options->header_timeout);
  }
  make_room();
  auto got = co_await socket_->read_some(in_.data() + end_, in_.size() - end_);
  if (!got.ok()) {
    co_return false;
  }
  note_read(got.bytes);
  co_return true;
}

Task<void> Connection::serve() {
  auto shaking = shake_hands();
  bool open = co_await std::move(shaking);
  while (open) {
    const Want want = advance();
    if (want == Want::read) {
      auto reading = read();
      open = co_await std::move(reading);
      if (!open && timed_out_ && phase_ != Phase::idle) {
        auto late = problem(408, Error(Code::deadline_exceeded,
                                       "the request did not arrive in time", Retry::same_call)
                                     .page(307));
        auto refusing = refuse(std::move(late));
        co_await std::move(refusing);
      }
    } else if (want == Want::interim) {
      parser_.continue_was_sent();
      auto sent = co_await socket_->write("HTTP/1.1 100 Continue\r\n\r\n", "");
      open = sent.ok();
    } else if (want == Want::answer) {
      auto answering = answer();
      open = co_await std::move(answering);
    } else {
      auto refusing = refuse_request();
      co_await std::move(refusing);
      open = false;
    }
  }
  deadline_ = Instant::never();
  socket_->close();
}

Context Connection::make_context(const Headers& headers) {
  Context ctx;
  const std::string_view parent = headers.get("traceparent");
  if (!parent.empty()) {
    ctx.trace = Trace::parse(parent);
  }
  if (!ctx.trace.valid()) {
    ctx.trace = new_trace(host_->executor->random());
  }
  ctx.deadline = host_->executor->clock().instant() + host_->options->request_timeout;
  ctx.cancel = cancel_;
  return ctx;
}

Task<bool> Connection::answer() {
  phase_ = Phase::handling;
  answered_ = true;
  deadline_ = Instant::never();
  const Instant begun = host_->executor->clock().instant();
  Request request;
  request.method = std::move(parser_.method());
  request.headers = std::move(parser_.headers());
  request.body = std::move(parser_.body());
  request.peer = peer_;
  const bool head_only = request.method == "HEAD";
  const bool keep = parser_.keep_alive();
  const auto parsed = parse_target(parser_.target(), &request);
  Response response;
  if (parsed.ok()) {
    Context ctx = make_context(request.headers);
    auto handling = host_->router->dispatch(std::move(ctx), std::move(request));
    response = co_await std::move(handling);
  } else {
    response = problem(parsed.error());
  }
  body_share_.release();
  if (host_->seconds != nullptr) {
    const Duration took = host_->executor->clock().instant() - begun;
    host_->seconds->observe(std::chrono::duration<double>(took).count());
  }
  const bool close = !keep || !parsed.ok() || host_->stopping->load(std::memory_order_relaxed);
  auto sending = send(std::move(response), head_only, close);
  const bool sent = co_await std::move(sending);
  parser_.reset();
  co_return sent && !close;
}

Task<bool> Connection::send(Response response, bool head_only, bool close) {
  enter(Phase::writing, host_->options->write_timeout);
  host_->count(response.status);
  AnswerForm form;
  form.date = host_->date_now();
  form.head_only = head_only;
  form.close = close;
  form.old_version = parser_.old_version();
  out_.clear();
  const bool with_body = append_answer_head(response, form, &out_);
  std::string_view body = with_body ? std::string_view(response.body) : std::string_view();
  if (body.size() <= buffer_bytes) {
    out_ += body;
    body = {};
  }
  auto sent = co_await socket_->write(out_, body);
  co_return sent.ok();
}

/// Answers, then reads and drops what still comes for a moment: closing at once would reset the
/// connection and could take the answer away from the peer before it is read.
Task<void> Connection::refuse(Response response) {
  auto sending = send(std::move(response), false, true);
  bool open = co_await std::move(sending);
  socket_->close_writing();
  enter(Phase::ending, linger_timeout);
  std::size_t dropped = 0;
  while (open && !timed_out_ && dropped < linger_bytes_max) {
    auto got = co_await socket_->read_some(in_.data(), in_.size());
    open = got.ok();
    dropped += got.bytes;
  }
}

Task<void> Connection::refuse_request() {
  auto response =
      refusal_ ? std::move(*refusal_) : problem(parser_.error_status(), parser_.error());
  std::string().swap(parser_.body());  // what came of it is of no use
  body_share_.release();
  auto refusing = refuse(std::move(response));
  co_await std::move(refusing);
}

Task<void> Connection::turn_away() {
  auto response = problem(
      Error(Code::unavailable, "the server has as many connections as it takes", Retry::same_call)
          .page(308)
          .after(std::chrono::seconds(1)));
  auto shaking = shake_hands();
  const bool open = co_await std::move(shaking);
  if (open) {
    auto refusing = refuse(std::move(response));
    co_await std::move(refusing);
  }
  deadline_ = Instant::never();
  socket_->close();
}

}  // namespace aios::net::detail
