// SPDX-License-Identifier: Apache-2.0
#pragma once
// net/detail/parser: incremental, strict parser of HTTP/1.1 messages, one at a time.
// Source: RFC 9112. What is ambiguous about framing is refused, never guessed: repeated or
// conflicting Content-Length, Content-Length beside Transfer-Encoding, folded lines, bare CR or
// LF, codings other than chunked. Trailers are checked and dropped.
// Threading: none of its own.

#include "core/result.h"
#include "net/detail/grammar.h"
#include "net/http.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aios::net::detail {

struct ParserLimits {
  std::size_t line_bytes_max = 8 << 10;   ///< of the first line
  std::size_t head_bytes_max = 32 << 10;  ///< all lines of the head; also of the trailers
  std::size_t fields_max = 128;
  std::size_t body_bytes_max = std::size_t{1} << 20;
};

class Parser {
 public:
  enum class Kind : std::uint8_t { request, response };
  enum class State : std::uint8_t {
    head,        ///< wants more of the head
    body_ready,  ///< the head is whole: look at it, then call start_body()
    body,        ///< wants more of the body
    done,        ///< the message is whole; reset() for the next one
    failed,      ///< see error(); nothing behind it can be trusted
  };
  Parser(Kind kind, const ParserLimits& limits) : kind_(kind), limits_(limits) {}

  /// Takes as much as it can use and says how much that was. The rest must be offered again, with
  /// what came behind it. Stops at body_ready, done and failed.
  std::size_t consume(std::string_view data);
  void start_body(std::size_t body_bytes_max);
  /// The peer closed: ends a response that is delimited by the end of the connection.
  void finish();
  void reset();
  /// Of a response: the request was HEAD, so there is no body whatever the head says.
  void expect_no_body() { no_body_ = true; }
  /// HTTP/1.1 requests without Host pass; for judging the grammar alone.
  void allow_missing_host() { host_required_ = false; }

  State state() const { return state_; }
  bool begun() const { return state_ != State::head || head_bytes_ != 0; }
  bool keep_alive() const { return keep_alive_; }
  bool has_body() const { return framing_ != Framing::none; }  ///< once the head is whole
  bool expects_continue() const { return expects_continue_; }
  void continue_was_sent() { expects_continue_ = false; }
  int status() const { return status_; }
  bool old_version() const { return minor_ == 0; }
  std::string& method() { return method_; }
  std::string& target() { return target_; }
  Headers& headers() { return headers_; }
  std::string& body() { return body_; }
  /// 400, 413, 414, 417, 431, 501 or 505; for responses only the text matters.
  int error_status() const { return error_status_; }
  Error error() const;

 private:
  enum class Framing : std::uint8_t { none, length, chunked, until_close };
  enum class Part : std::uint8_t { size, data, data_end, trailer };

  bool read_head(std::string_view data, std::size_t* used);
  bool read_first_line(std::string_view data, std::size_t* used);
  bool take_field(const FieldLine& line);
  bool end_head();
  bool end_request_head();
  bool end_response_head();
  bool check_transfer_encoding();
  bool read_body(std::string_view data, std::size_t* used);
  bool read_chunked(std::string_view data, std::size_t* used);
  bool read_chunk_size(std::string_view data, std::size_t* used);
  bool read_chunk_end(std::string_view data, std::size_t* used);
  bool read_trailer(std::string_view data, std::size_t* used);
  bool take_body(std::string_view data, std::size_t* used);
  bool fail(int status, const char* what);
  std::string too_large_text() const;  ///< with what was claimed and what is taken

  Kind kind_;
  ParserLimits limits_;
  State state_ = State::head;
  bool no_body_ = false;
  bool host_required_ = true;

  bool first_line_read_ = false;
  bool blank_line_skipped_ = false;
  std::size_t head_bytes_ = 0;
  int minor_ = 1;
  int status_ = 0;
  std::string method_;
  std::string target_;
  Headers headers_;
  std::uint32_t lengths_ = 0;    ///< Content-Length fields seen
  std::uint32_t encodings_ = 0;  ///< Transfer-Encoding fields seen
  std::uint32_t hosts_ = 0;
  bool close_ = false;
  bool keep_ = false;
  bool keep_alive_ = true;
  bool expects_continue_ = false;

  Framing framing_ = Framing::none;
  Part part_ = Part::size;
  std::uint64_t left_ = 0;          ///< of the body, or of the present chunk
  std::size_t overhead_bytes_ = 0;  ///< chunk extensions and trailers so far
  std::size_t body_bytes_max_ = 0;
  std::string body_;
  int error_status_ = 0;
  const char* error_text_ = "";
};

}  // namespace aios::net::detail
