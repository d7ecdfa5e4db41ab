// SPDX-License-Identifier: Apache-2.0
#include "core/json.h"

#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace aios {
namespace {

/// Whether one of eight bytes cannot stand in a JSON text as it is.
bool needs_escape(std::uint64_t eight) {
  constexpr std::uint64_t each = 0x0101010101010101;
  constexpr std::uint64_t top = 0x80 * each;
  const std::uint64_t quote = eight ^ ('"' * each);
  const std::uint64_t slash = eight ^ ('\\' * each);
  const std::uint64_t below = (eight - 0x20 * each) & ~eight;
  return ((below | ((quote - each) & ~quote) | ((slash - each) & ~slash)) & top) != 0;
}

/// How many bytes from `at` on need no look at each by itself.
std::size_t plain_bytes(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  std::uint64_t eight = 0;
  for (; text.size() - at >= sizeof(eight); at += sizeof(eight)) {
    std::memcpy(&eight, text.data() + at, sizeof(eight));
    if (needs_escape(eight)) {
      break;
    }
  }
  return at - begin;
}

void append_escaped(char c, std::string* out) {
  switch (c) {
    case '"': *out += "\\\""; return;
    case '\\': *out += "\\\\"; return;
    case '\b': *out += "\\b"; return;
    case '\f': *out += "\\f"; return;
    case '\n': *out += "\\n"; return;
    case '\r': *out += "\\r"; return;
    case '\t': *out += "\\t"; return;
    default: fmt::format_to(std::back_inserter(*out), "\\u{:04x}", static_cast<unsigned char>(c));
  }
}

template <class Whole>
void append_whole(Whole value, std::string* out) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out->append(digits.data(), end.ptr);
}

/// As ECMAScript's Number::toString lays digits out (RFC 8785 section 3.2.2.3). value is finite.
void append_double(double value, std::string* out) {
  if (value == 0) {
    out->push_back('0');
    return;
  }
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(value),
                                 std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<std::size_t>(end.ptr - buffer));
  const std::size_t mark = text.find('e');
  std::string digits(text.substr(0, 1));
  digits += mark > 2 ? text.substr(2, mark - 2) : "";
  int exponent = 0;
  const std::size_t from = mark + (text[mark + 1] == '+' ? 2 : 1);
  std::from_chars(text.data() + from, text.data() + text.size(), exponent);

  const int point = exponent + 1;  // the decimal point stands after this many digits
  const int count = static_cast<int>(digits.size());
  out->append(value < 0 ? "-" : "");
  if (point > 21 || point < -5) {
    out->push_back(digits[0]);
    out->append(count > 1 ? "." : "").append(digits, 1);
    fmt::format_to(std::back_inserter(*out), "e{}{}", exponent < 0 ? '-' : '+', std::abs(exponent));
  } else if (point <= 0) {
    out->append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
  } else if (point >= count) {
    out->append(digits).append(static_cast<std::size_t>(point - count), '0');
  } else {
    digits.insert(static_cast<std::size_t>(point), 1, '.');
    out->append(digits);
  }
}

void append_number(const Json& value, std::string* out) {
  if (value.is_int64()) {
    append_whole(value.get_int64(), out);
  } else if (value.is_uint64()) {
    append_whole(value.get_uint64(), out);
  } else if (std::isfinite(value.get_double())) {
    append_double(value.get_double(), out);
  } else if (std::isnan(value.get_double())) {
    *out += "null";  // JSON has no word for either; jq prints them so too
  } else {
    *out += value.get_double() < 0 ? "-1.7976931348623157e+308" : "1.7976931348623157e+308";
  }
}

class Printer {
 public:
  enum class Layout { compact, pretty, canonical };
  Printer(Layout layout, std::string* out) : layout_(layout), out_(*out) {}

  void print(const Json& value) {
    if (const JsonObject* object = value.if_object()) {
      print_object(*object);
    } else if (const JsonArray* array = value.if_array()) {
      print_array(*array);
    } else if (const JsonString* text = value.if_string()) {
      append_json_text(view(*text), &out_);
    } else if (value.is_number()) {
      check_number(value);
      append_number(value, &out_);
    } else {
      out_ += value.is_null() ? "null" : value.get_bool() ? "true" : "false";
    }
  }
  void print_object(const JsonObject& object) {
    begin('{');
    if (layout_ == Layout::canonical) {
      print_sorted(object);
    } else {
      for (const Member& member : object) {
        print_member(member, &member == &*object.begin());
      }
    }
    end('}', object.empty());
  }
  const std::string& problem() const { return problem_; }

 private:
  using Member = JsonObject::value_type;
  static constexpr std::size_t few = 16;

  /// The places of a few members are sorted without taking memory.
  void print_sorted(const JsonObject& object) {
    std::array<const Member*, few> near{};
    std::vector<const Member*> many(object.size() > few ? object.size() : 0);
    const std::span<const Member*> members(many.empty() ? near.data() : many.data(), object.size());
    std::transform(object.begin(), object.end(), members.begin(),
                   [](const Member& member) { return &member; });
    std::sort(members.begin(), members.end(), [](const Member* a, const Member* b) {
      return comes_before({a->key().data(), a->key().size()}, {b->key().data(), b->key().size()});
    });
    for (const Member* member : members) {
      print_member(*member, member == members.front());
    }
  }
  void print_member(const Member& member, bool first) {
    next(first);
    append_json_text({member.key().data(), member.key().size()}, &out_);
    out_ += layout_ == Layout::pretty ? ": " : ":";
    print(member.value());
  }
  void print_array(const JsonArray& array) {
    begin('[');
    for (const Json& element : array) {
      next(&element == &array.front());
      print(element);
    }
    end(']', array.empty());
  }
  void begin(char bracket) {
    out_.push_back(bracket);
    ++depth_;
  }
  void next(bool first) {
    out_ += first ? "" : ",";
    break_line();
  }
  void end(char bracket, bool empty) {
    --depth_;
    if (!empty) {
      break_line();
    }
    out_.push_back(bracket);
  }
  void break_line() {
    if (layout_ == Layout::pretty) {
      out_.push_back('\n');
      out_.append(depth_ * 2, ' ');
    }
  }
  void check_number(const Json& value) {
    constexpr std::int64_t exact_max = std::int64_t{1} << 53;
    if (layout_ != Layout::canonical || !problem_.empty()) {
      return;
    }
    const bool large_unsigned =
        value.is_uint64() && value.get_uint64() > static_cast<std::uint64_t>(exact_max);
    const bool large_signed =
        value.is_int64() && (value.get_int64() > exact_max || value.get_int64() < -exact_max);
    if (large_unsigned || large_signed) {
      problem_ = "an integer beyond 2^53 has no canonical form; write it as text";
    } else if (value.is_double() && !std::isfinite(value.get_double())) {
      problem_ = "a number that is not finite has no canonical form";
    }
  }

  Layout layout_;
  std::size_t depth_ = 0;
  std::string& out_;
  std::string problem_;
};

/// Where a text is printed before its length is known: it is copied once, instead of each time it
/// grows. Each thread has one; not to be nested.
class Draft {
 public:
  Draft() : text_(&own()) { text_->clear(); }
  ~Draft() {
    if (text_->capacity() > kept_bytes_max) {
      std::string().swap(*text_);
    }
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  std::string* text() const { return text_; }

 private:
  static constexpr std::size_t kept_bytes_max = std::size_t{64} << 10;
  static std::string& own() {
    thread_local std::string text;  // tidy: each thread frees its own
    return text;
  }
  std::string* text_;
};

Result<void> as_result(const Printer& printer) {
  return printer.problem().empty()
             ? Result<void>()
             : Result<void>(Error(Code::invalid_argument, printer.problem()).page(3));
}

}  // namespace

// As by bytes, but characters beyond U+FFFF (first byte F0 and up) stand before U+E000 to U+FFFF
// (first byte EE and EF).
bool comes_before(std::string_view a, std::string_view b) {
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (x == a.end() || y == b.end()) {
    return x == a.end() && y != b.end();
  }
  const auto rank = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0xEE || byte == 0xEF ? byte + 0x10 : int{byte};
  };
  return rank(*x) < rank(*y);
}

void append_json_text(std::string_view text, std::string* out) {
  out->push_back('"');
  std::size_t plain = 0;
  for (std::size_t i = plain_bytes(text, 0); i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') {
      continue;
    }
    out->append(text, plain, i - plain);
    append_escaped(text[i], out);
    plain = i + 1;
    i += plain_bytes(text, plain);
  }
  out->append(text, plain);
  out->push_back('"');
}

Result<void> append_canonical(const Json& value, std::string* out) {
  Printer printer(Printer::Layout::canonical, out);
  printer.print(value);
  return as_result(printer);
}

Result<void> append_canonical(const JsonObject& value, std::string* out) {
  Printer printer(Printer::Layout::canonical, out);
  printer.print_object(value);
  return as_result(printer);
}

std::string to_text(const Json& value) {
  const Draft draft;
  Printer(Printer::Layout::compact, draft.text()).print(value);
  return *draft.text();
}

std::string to_pretty_text(const Json& value) {
  std::string out;
  Printer(Printer::Layout::pretty, &out).print(value);
  return out;
}

Result<std::string> to_canonical_text(const Json& value) {
  const Draft draft;
  auto done = append_canonical(value, draft.text());
  return done.ok() ? Result<std::string>(*draft.text()) : std::move(done).error();
}

}  // namespace aios
