// SPDX-License-Identifier: Apache-2.0
// @text, @json, @csv, @tsv, @html, @uri, @urid, @sh, @base64(d), @base32(d).
#include "expr/detail/jq_paths.h"
#include "expr/detail/jq_print.h"

#include <fmt/format.h>

#include <array>
#include <string>

namespace aios::expr::detail {
namespace {

constexpr std::string_view base64_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base32_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

std::string text_form(Machine& machine, const Value& value) {
  return value.is_string() ? std::string(value.text()) : json_text(machine.budget(), value);
}

/// Each of the characters replaced by its text.
std::string escaped(std::string_view text, std::string_view characters,
                    std::initializer_list<std::string_view> replacements) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    auto at = characters.find(c);
    if (at == std::string_view::npos) {
      out += c;
    } else {
      out += replacements.begin()[at];
    }
  }
  return out;
}

std::string encoded(std::string_view text, std::string_view letters, unsigned bits,
                    std::size_t group) {
  std::string out;
  std::uint32_t buffer = 0;
  unsigned held = 0;
  for (char c : text) {
    buffer = (buffer << 8) | static_cast<unsigned char>(c);
    held += 8;
    while (held >= bits) {
      held -= bits;
      out += letters[(buffer >> held) & ((1U << bits) - 1)];
    }
    buffer &= 0xFFFF;
  }
  if (held > 0) {
    out += letters[(buffer << (bits - held)) & ((1U << bits) - 1)];
  }
  while (out.size() % group != 0) {
    out += '=';
  }
  return out;
}

bool decoded(Machine& machine, Value* value, std::string_view letters, unsigned bits,
             std::string_view name) {
  auto text = text_form(machine, *value);
  auto end = text.find_last_not_of('=');
  auto body = std::string_view(text).substr(0, end == std::string::npos ? 0 : end + 1);
  std::string out;
  std::uint32_t buffer = 0;
  unsigned held = 0;
  for (char c : body) {
    auto digit = letters.find(c);
    if (digit == std::string_view::npos) {
      return machine.raise(fmt::format("{} is not valid {} data",
                                       described(machine.budget(), machine.text(text)), name));
    }
    buffer = ((buffer << bits) | static_cast<std::uint32_t>(digit)) & 0xFFFF;
    held += bits;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>((buffer >> held) & 0xFF);
    }
  }
  if (bits == 6 && body.size() % 4 == 1) {
    return machine.raise(fmt::format("{} trailing base64 byte found",
                                     described(machine.budget(), machine.text(text))));
  }
  *value = machine.text(repaired_utf8(out));
  return true;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

std::string uri_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

bool uri_decoded(Machine& machine, Value* value) {
  auto text = text_form(machine, *value);
  std::string out;
  bool valid = true;
  for (std::size_t i = 0; i < text.size() && valid; ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    valid = high >= 0 && low >= 0;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!valid || repaired_utf8(out) != out) {
    return machine.raise(fmt::format("{} is not a valid uri encoding",
                                     described(machine.budget(), machine.text(text))));
  }
  *value = machine.text(std::move(out));
  return true;
}

bool row_field(Machine& machine, const Value& field, bool tabs, std::string* out) {
  if (field.is_array() || field.is_object()) {
    return machine.raise(fmt::format("{} is not valid in a {} row",
                                     described(machine.budget(), field), tabs ? "tsv" : "csv"));
  }
  if (field.is_string()) {
    *out += tabs ? escaped(field.text(), "\t\n\r\\", {"\\t", "\\n", "\\r", "\\\\"})
                 : "\"" + escaped(field.text(), "\"", {"\"\""}) + "\"";
  } else if (field.is_number() && field.as_number() != field.as_number()) {
    return true;
  } else if (!field.is_null()) {
    *out += json_text(machine.budget(), field);
  }
  return true;
}

bool row(Machine& machine, Value* value, bool tabs) {
  if (!value->is_array()) {
    return machine.raise(fmt::format("{} cannot be {}-formatted, only an array can be",
                                     described(machine.budget(), *value), tabs ? "tsv" : "csv"));
  }
  std::string out;
  for (std::size_t i = 0; i < value->size() && machine.budget().fits(out.size()); ++i) {
    out += i == 0 ? "" : tabs ? "\t" : ",";
    if (!row_field(machine, value->at(i), tabs, &out)) {
      return false;
    }
  }
  *value = machine.text(std::move(out));
  return true;
}

bool shell(Machine& machine, Value* value) {
  std::string out;
  bool list = value->is_array();
  auto count = list ? value->size() : 1;
  for (std::size_t i = 0; i < count && machine.budget().fits(out.size()); ++i) {
    auto word = list ? value->at(i) : *value;
    if (word.is_array() || word.is_object()) {
      return machine.raise(
          fmt::format("{} can not be escaped for shell", described(machine.budget(), word)));
    }
    out += i == 0 ? "" : " ";
    out += word.is_string() ? "'" + escaped(word.text(), "'", {"'\\''"}) + "'"
                            : json_text(machine.budget(), word);
  }
  *value = machine.text(std::move(out));
  return true;
}

}  // namespace

bool format_value(Machine& machine, Format format, Value* value) {
  machine.budget().spend(value->text().size() / 16);
  auto put = [&machine, value](std::string text) {
    *value = machine.text(std::move(text));
    return true;
  };
  switch (format) {
    case Format::text: return value->is_string() || put(text_form(machine, *value));
    case Format::json: return put(json_text(machine.budget(), *value));
    case Format::csv:
    case Format::tsv: return row(machine, value, format == Format::tsv);
    case Format::html:
      return put(escaped(text_form(machine, *value), "<>&'\"",
                         {"&lt;", "&gt;", "&amp;", "&apos;", "&quot;"}));
    case Format::uri: return put(uri_encoded(text_form(machine, *value)));
    case Format::uri_decode: return uri_decoded(machine, value);
    case Format::sh: return shell(machine, value);
    case Format::base64: return put(encoded(text_form(machine, *value), base64_letters, 6, 4));
    case Format::base64_decode: return decoded(machine, value, base64_letters, 6, "base64");
    case Format::base32: return put(encoded(text_form(machine, *value), base32_letters, 5, 8));
    case Format::base32_decode: return decoded(machine, value, base32_letters, 5, "base32");
  }
  return false;
}

}  // namespace aios::expr::detail
