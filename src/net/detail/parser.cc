// SPDX-License-Identifier: Apache-2.0
// The head of a message. The body is read in parser_body.cc.
#include "net/detail/parser.h"

#include "core/text.h"

#include <fmt/format.h>

namespace aios::net::detail {

namespace {

bool is_name(std::string_view name, std::string_view lower_name) {
  if (name.size() != lower_name.size()) {
    return false;
  }
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != lower_name[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::size_t Parser::consume(std::string_view data) {
  std::size_t used = 0;
  bool moved = true;
  while (moved && (state_ == State::head || state_ == State::body)) {
    const std::string_view rest = data.substr(used);
    moved = state_ == State::head ? read_head(rest, &used) : read_body(rest, &used);
  }
  return used;
}

void Parser::reset() {
  state_ = State::head;
  first_line_read_ = blank_line_skipped_ = false;
  no_body_ = false;
  head_bytes_ = 0;
  status_ = 0;
  method_.clear();
  target_.clear();
  headers_.clear();
  lengths_ = encodings_ = hosts_ = 0;
  close_ = keep_ = expects_continue_ = false;
  keep_alive_ = true;
  framing_ = Framing::none;
  part_ = Part::size;
  left_ = 0;
  overhead_bytes_ = 0;
  body_.clear();
}

Error Parser::error() const {
  const int page = error_status_ == 413                                                   ? 303
                   : error_status_ == 414 || error_status_ == 431                         ? 302
                   : error_status_ == 501 || error_status_ == 505 || error_status_ == 417 ? 309
                                                                                          : 301;
  const Code code = kind_ == Kind::response
                        ? (page == 303 ? Code::resource_exhausted : Code::data_loss)
                        : (page == 309 ? Code::unimplemented : Code::invalid_argument);
  return Error(code, page == 303 ? too_large_text() : std::string(error_text_)).page(page);
}

std::string Parser::too_large_text() const {
  return framing_ == Framing::length
             ? fmt::format("the body is {} bytes, at most {} are taken here", left_,
                           body_bytes_max_)
             : fmt::format("the body is longer than the {} bytes that are taken here",
                           body_bytes_max_);
}

bool Parser::fail(int status, const char* what) {
  state_ = State::failed;
  error_status_ = status;
  error_text_ = what;
  return false;
}

bool Parser::read_first_line(std::string_view data, std::size_t* used) {
  if (!blank_line_skipped_ && data.starts_with('\r')) {
    if (data.size() == 1) {
      return false;
    }
    if (data[1] != '\n') {
      return fail(400, "found a bare CR before the message");
    }
    blank_line_skipped_ = true;  // one, for peers that end a body with CRLF (RFC 9112 2.2)
    *used += 2;
    return true;
  }
  Step step = Step::bad;
  std::size_t size = 0;
  int major = 0;
  if (kind_ == Kind::request) {
    RequestLine line;
    step = read_request_line(data, &line);
    if (step == Step::ok) {
      method_.assign(line.method);
      target_.assign(line.target);
      size = line.used;
      major = line.major;
      minor_ = line.minor;
    }
  } else {
    StatusLine line;
    step = read_status_line(data, &line);
    size = line.used;
    status_ = line.status;
    major = line.major;
    minor_ = line.minor;
  }
  if (step == Step::bad) {
    return fail(400, "the first line is not that of an HTTP/1.1 message");
  }
  const std::size_t seen = step == Step::ok ? size : data.size();
  if (seen > limits_.line_bytes_max) {
    return fail(414, "the first line is longer than is taken");
  }
  if (step == Step::more) {
    return false;
  }
  if (major != 1 || minor_ > 1) {
    return fail(505, "the version is neither HTTP/1.1 nor HTTP/1.0");
  }
  first_line_read_ = true;
  head_bytes_ = size;
  *used += size;
  return true;
}

bool Parser::read_head(std::string_view data, std::size_t* used) {
  if (data.empty()) {
    return false;
  }
  if (!first_line_read_) {
    return read_first_line(data, used);
  }
  FieldLine line;
  const Step step = read_field_line(data, &line);
  if (step == Step::bad) {
    return fail(400, "a header line is malformed (name, colon, value, CRLF; no folding)");
  }
  const std::size_t size = step == Step::ok ? line.used : data.size();
  if (head_bytes_ + size > limits_.head_bytes_max) {
    return fail(431, "the header lines together are longer than is taken");
  }
  if (step == Step::more) {
    return false;
  }
  head_bytes_ += size;
  *used += size;
  return line.last ? end_head() : take_field(line);
}

bool Parser::take_field(const FieldLine& line) {
  if (headers_.size() == limits_.fields_max) {
    return fail(431, "there are more header lines than are taken");
  }
  headers_.add(line.name, line.value);
  switch (line.name.size()) {
    case 4: hosts_ += is_name(line.name, "host") ? 1 : 0; break;
    case 6:
      if (is_name(line.name, "expect") && kind_ == Kind::request) {
        if (!has_token(line.value, "100-continue")) {
          return fail(417, "Expect asks for something else than 100-continue");
        }
        expects_continue_ = true;
      }
      break;
    case 10:
      if (is_name(line.name, "connection")) {
        close_ = close_ || has_token(line.value, "close");
        keep_ = keep_ || has_token(line.value, "keep-alive");
      }
      break;
    case 14:
      if (is_name(line.name, "content-length")) {
        if (++lengths_ > 1) {
          return fail(400, "Content-Length is given twice");
        }
        if (!read_length(line.value, &left_)) {
          return fail(400, "Content-Length is not a number of up to 18 digits");
        }
      }
      break;
    case 17: encodings_ += is_name(line.name, "transfer-encoding") ? 1 : 0; break;
    default: break;
  }
  return true;
}

bool Parser::check_transfer_encoding() {
  if (lengths_ != 0) {
    return fail(400, "Content-Length and Transfer-Encoding are both given");
  }
  if (minor_ == 0) {
    return fail(400, "Transfer-Encoding is not part of HTTP/1.0");
  }
  const std::string value = ascii_lower(headers_.get("transfer-encoding"));
  if (encodings_ == 1 && value == "chunked") {
    framing_ = Framing::chunked;
    return true;
  }
  const std::size_t comma = value.rfind(',');
  const bool other = encodings_ == 1 && comma != std::string::npos &&
                     trim(std::string_view(value).substr(comma + 1)) == "chunked" &&
                     !has_token(std::string_view(value).substr(0, comma), "chunked");
  return other ? fail(501, "Transfer-Encoding has a coding beside chunked")
               : fail(400, "Transfer-Encoding is not chunked, once");
}

bool Parser::end_request_head() {
  if (hosts_ > 1 || (hosts_ == 0 && minor_ == 1 && host_required_)) {
    return fail(400, "Host is not given exactly once");
  }
  if (hosts_ == 1 && !is_host(headers_.get("host"))) {
    return fail(400, "Host is not a host with an optional port");
  }
  if (encodings_ != 0) {
    return check_transfer_encoding();
  }
  framing_ = lengths_ != 0 && left_ != 0 ? Framing::length : Framing::none;
  return true;
}

bool Parser::end_response_head() {
  if (encodings_ != 0 && !check_transfer_encoding()) {
    return false;
  }
  if (no_body_ || status_ < 200 || status_ == 204 || status_ == 304) {
    framing_ = Framing::none;
  } else if (encodings_ == 0) {
    framing_ = lengths_ == 0 ? Framing::until_close : left_ == 0 ? Framing::none : Framing::length;
  }
  return true;
}

bool Parser::end_head() {
  keep_alive_ = !close_ && (minor_ == 1 || keep_);
  const bool good = kind_ == Kind::request ? end_request_head() : end_response_head();
  if (!good) {
    return false;
  }
  if (framing_ == Framing::until_close) {
    keep_alive_ = false;
  }
  state_ = State::body_ready;
  return false;
}

}  // namespace aios::net::detail
