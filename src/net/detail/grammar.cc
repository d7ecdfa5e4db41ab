// SPDX-License-Identifier: Apache-2.0
#include "net/detail/grammar.h"

#include "core/text.h"

namespace aios::net::detail {

namespace {

/// CRLF at `at`; then `at` is behind it.
Step read_line_end(std::string_view text, std::size_t* at) {
  if (*at == text.size()) {
    return Step::more;
  }
  if (text[*at] != '\r') {
    return Step::bad;
  }
  if (*at + 1 == text.size()) {
    return Step::more;
  }
  if (text[*at + 1] != '\n') {
    return Step::bad;
  }
  *at += 2;
  return Step::ok;
}

/// "HTTP/" DIGIT "." DIGIT at `at`; then `at` is behind it.
Step read_version(std::string_view text, std::size_t* at, int* major, int* minor) {
  constexpr std::string_view form = "HTTP/0.0";
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (*at + i == text.size()) {
      return Step::more;
    }
    const char c = text[*at + i];
    if (form[i] == '0' ? !is_digit(c) : c != form[i]) {
      return Step::bad;
    }
  }
  *major = text[*at + 5] - '0';
  *minor = text[*at + 7] - '0';
  *at += form.size();
  return Step::ok;
}

int hex_value(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  const char small = static_cast<char>(c | 0x20);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/// A quoted-string at `at`; then `at` is behind it.
Step read_quoted(std::string_view text, std::size_t* at) {
  for (std::size_t i = *at + 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      *at = i + 1;
      return Step::ok;
    }
    if (text[i] == '\\' && ++i == text.size()) {
      return Step::more;
    }
    if (!is_in(field_set, text[i])) {
      return Step::bad;
    }
  }
  return Step::more;
}

/// token ["=" (token / quoted-string)] at `at`; `ok` also at the end of the text.
Step read_extension(std::string_view text, std::size_t* at) {
  const std::size_t name = *at;
  *at = skip(token_set, text, *at);
  if (*at == text.size() || *at == name) {
    return *at == text.size() ? Step::more : Step::bad;
  }
  if (text[*at] != '=') {
    return Step::ok;
  }
  if (++*at == text.size()) {
    return Step::more;
  }
  if (text[*at] == '"') {
    return read_quoted(text, at);
  }
  const std::size_t value = *at;
  *at = skip(token_set, text, *at);
  return *at == value ? Step::bad : Step::ok;
}

}  // namespace

Step read_request_line(std::string_view text, RequestLine* line) {
  std::size_t at = skip(token_set, text, 0);
  if (at == text.size()) {
    return at > 32 ? Step::bad : Step::more;
  }
  if (at == 0 || at > 32 || text[at] != ' ') {
    return Step::bad;
  }
  line->method = text.substr(0, at);
  const std::size_t target = ++at;
  at = skip(target_set, text, at);
  if (at == text.size()) {
    return Step::more;
  }
  if (at == target || text[at] != ' ') {
    return Step::bad;
  }
  line->target = text.substr(target, at - target);
  ++at;
  Step step = read_version(text, &at, &line->major, &line->minor);
  if (step == Step::ok) {
    step = read_line_end(text, &at);
  }
  line->used = at;
  return step;
}

Step read_status_line(std::string_view text, StatusLine* line) {
  std::size_t at = 0;
  Step step = read_version(text, &at, &line->major, &line->minor);
  if (step != Step::ok) {
    return step;
  }
  line->status = 0;
  for (int i = 0; i < 4; ++i, ++at) {
    if (at == text.size()) {
      return Step::more;
    }
    if (i == 0 ? text[at] != ' ' : !is_digit(text[at])) {
      return Step::bad;
    }
    line->status = i == 0 ? 0 : line->status * 10 + (text[at] - '0');
  }
  if (line->status < 100 || (at < text.size() && text[at] != ' ' && text[at] != '\r')) {
    return Step::bad;
  }
  if (at < text.size() && text[at] == ' ') {
    at = skip(field_set, text, at);
  }
  step = read_line_end(text, &at);
  line->used = at;
  return step;
}

Step read_field_line(std::string_view text, FieldLine* line) {
  std::size_t at = 0;
  line->last = !text.empty() && text[0] == '\r';
  if (line->last) {
    const Step step = read_line_end(text, &at);
    line->used = at;
    return step;
  }
  at = skip(token_set, text, 0);
  if (at == text.size()) {
    return Step::more;
  }
  if (at == 0 || text[at] != ':') {
    return Step::bad;  // also a line that begins with a blank (obs-fold)
  }
  line->name = text.substr(0, at);
  const std::size_t value = ++at;
  at = skip(field_set, text, at);
  line->value = trim(text.substr(value, at - value));
  const Step step = read_line_end(text, &at);
  line->used = at;
  return step;
}

Step read_chunk_line(std::string_view text, ChunkLine* line) {
  std::size_t at = 0;
  line->size = 0;
  while (at < text.size() && hex_value(text[at]) >= 0) {
    if (at == 15) {
      return Step::bad;
    }
    line->size = line->size * 16 + static_cast<std::uint64_t>(hex_value(text[at]));
    ++at;
  }
  if (at == 0) {
    return text.empty() ? Step::more : Step::bad;
  }
  while (at < text.size() && text[at] == ';') {
    if (++at == text.size()) {
      return Step::more;
    }
    const Step step = read_extension(text, &at);
    if (step != Step::ok) {
      return step;
    }
  }
  const Step step = read_line_end(text, &at);
  line->used = at;
  return step;
}

bool read_length(std::string_view text, std::uint64_t* length) {
  if (text.empty() || text.size() > 18) {
    return false;
  }
  *length = 0;
  for (const char c : text) {
    if (!is_digit(c)) {
      return false;
    }
    *length = *length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return true;
}

bool is_host(std::string_view text) {
  if (skip(host_set, text, 0) != text.size()) {
    return false;
  }
  std::size_t end = 0;  // of the host
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos || text.find('[', 1) != std::string_view::npos) {
      return false;
    }
    ++end;
  } else {
    end = text.find_first_of(":[]");
    end = end == std::string_view::npos ? text.size() : end;
  }
  if (end == text.size()) {
    return true;
  }
  if (text[end] != ':') {
    return false;
  }
  const std::string_view port = text.substr(end + 1);
  std::uint64_t number = 0;
  return port.empty() || (read_length(port, &number) && number <= 65'535);
}

bool has_token(std::string_view list, std::string_view lower_token) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view item = trim(list.substr(0, comma));
    if (item.size() == lower_token.size() && ascii_lower(item) == lower_token) {
      return true;
    }
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return false;
}

}  // namespace aios::net::detail
