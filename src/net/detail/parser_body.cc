// SPDX-License-Identifier: Apache-2.0
#include "net/detail/parser.h"

#include <algorithm>

namespace aios::net::detail {

namespace {

constexpr std::size_t chunk_line_bytes_max = 256;
constexpr std::size_t reserve_bytes_max = 64 << 10;  // a claim alone must not cost memory
constexpr const char* too_large = "the body is larger than is taken here";

}  // namespace

void Parser::start_body(std::size_t body_bytes_max) {
  AIOS_ASSERT(state_ == State::body_ready);
  body_bytes_max_ = body_bytes_max;
  if (framing_ == Framing::none) {
    state_ = State::done;
    return;
  }
  if (framing_ == Framing::length) {
    if (left_ > body_bytes_max_) {
      fail(413, too_large);
      return;
    }
    body_.reserve(std::min<std::size_t>(static_cast<std::size_t>(left_), reserve_bytes_max));
  }
  state_ = State::body;
}

void Parser::finish() {
  if (state_ == State::body && framing_ == Framing::until_close) {
    state_ = State::done;
  } else if (state_ != State::done && state_ != State::failed) {
    fail(400, "the connection ended inside the message");
  }
}

bool Parser::read_body(std::string_view data, std::size_t* used) {
  if (data.empty()) {
    return false;
  }
  switch (framing_) {
    case Framing::chunked: return read_chunked(data, used);
    case Framing::length:
      take_body(data, used);
      if (left_ == 0) {
        state_ = State::done;
      }
      return false;
    case Framing::until_close: left_ = data.size(); return take_body(data, used);
    case Framing::none: break;
  }
  state_ = State::done;
  return false;
}

/// Takes up to left_ bytes.
bool Parser::take_body(std::string_view data, std::size_t* used) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size()));
  if (size > body_bytes_max_ - body_.size()) {
    return fail(413, too_large);
  }
  body_.append(data.substr(0, size));
  left_ -= size;
  *used += size;
  return true;
}

bool Parser::read_chunked(std::string_view data, std::size_t* used) {
  switch (part_) {
    case Part::size: return read_chunk_size(data, used);
    case Part::data:
      if (!take_body(data, used)) {
        return false;
      }
      part_ = left_ == 0 ? Part::data_end : Part::data;
      return true;
    case Part::data_end: return read_chunk_end(data, used);
    case Part::trailer: return read_trailer(data, used);
  }
  return false;
}

bool Parser::read_chunk_size(std::string_view data, std::size_t* used) {
  ChunkLine line;
  const Step step = read_chunk_line(data, &line);
  if (step == Step::bad) {
    return fail(400, "a chunk's size line is malformed");
  }
  const std::size_t size = step == Step::ok ? line.used : data.size();
  if (size > chunk_line_bytes_max) {
    return fail(400, "a chunk's size line is longer than 256 bytes");
  }
  if (step == Step::more) {
    return false;
  }
  // Sizes are at most 15 digits and CRLF: what is beyond that is extensions.
  overhead_bytes_ += size > 17 ? size : 0;
  if (overhead_bytes_ > limits_.head_bytes_max) {
    return fail(400, "the chunk extensions together are longer than is taken");
  }
  if (line.size > body_bytes_max_ - body_.size()) {
    return fail(413, too_large);
  }
  left_ = line.size;
  part_ = left_ == 0 ? Part::trailer : Part::data;
  *used += size;
  return true;
}

bool Parser::read_chunk_end(std::string_view data, std::size_t* used) {
  if (data[0] != '\r' || (data.size() > 1 && data[1] != '\n')) {
    return fail(400, "a chunk is not followed by CRLF");
  }
  if (data.size() == 1) {
    return false;
  }
  part_ = Part::size;
  *used += 2;
  return true;
}

bool Parser::read_trailer(std::string_view data, std::size_t* used) {
  FieldLine line;
  const Step step = read_field_line(data, &line);
  if (step == Step::bad) {
    return fail(400, "a trailer line is malformed");
  }
  const std::size_t size = step == Step::ok ? line.used : data.size();
  if (overhead_bytes_ + size > limits_.head_bytes_max) {
    return fail(431, "the trailer lines together are longer than is taken");
  }
  if (step == Step::more) {
    return false;
  }
  overhead_bytes_ += size;
  *used += size;
  if (line.last) {
    state_ = State::done;
    return false;
  }
  return true;
}

}  // namespace aios::net::detail
