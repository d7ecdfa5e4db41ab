// SPDX-License-Identifier: Apache-2.0
#include "net/detail/serialize.h"

#include "net/detail/grammar.h"

#include <charconv>

namespace aios::net::detail {

namespace {

void append_number(std::uint64_t number, std::string* out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number);
  out->append(digits, end.ptr);
}

}  // namespace

bool is_framing_field(std::string_view name) {
  return name == "content-length" || name == "transfer-encoding" || name == "connection" ||
         name == "date" || name == "keep-alive" || name == "upgrade" || name == "trailer" ||
         name == "te" || name == "host" || name == "expect";
}

bool append_field(std::string_view name, std::string_view value, std::string* out) {
  if (name.empty() || skip(token_set, name, 0) != name.size()) {
    return false;
  }
  *out += name;
  *out += ": ";
  const std::size_t begin = out->size();
  *out += value;
  for (std::size_t i = begin; i < out->size(); ++i) {
    if (!is_in(field_set, (*out)[i])) {
      (*out)[i] = ' ';
    }
  }
  *out += "\r\n";
  return true;
}

bool append_answer_head(const Response& response, const AnswerForm& form, std::string* out) {
  if (response.status == 200) {
    *out += "HTTP/1.1 200 OK\r\n";
  } else {
    *out += "HTTP/1.1 ";
    append_number(static_cast<std::uint64_t>(response.status), out);
    *out += ' ';
    *out += reason_phrase(response.status);
    *out += "\r\n";
  }
  *out += "date: ";
  *out += form.date;
  *out += "\r\n";
  for (const Header& field : response.headers) {
    if (!is_framing_field(field.name)) {
      append_field(field.name, field.value, out);
    }
  }
  const bool bodiless = response.status < 200 || response.status == 204 || response.status == 304;
  if (!bodiless) {
    *out += "content-length: ";
    append_number(response.body.size(), out);
    *out += "\r\n";
  }
  if (form.close) {
    *out += "connection: close\r\n";
  } else if (form.old_version) {
    *out += "connection: keep-alive\r\n";
  }
  *out += "\r\n";
  return !bodiless && !form.head_only && !response.body.empty();
}

}  // namespace aios::net::detail
