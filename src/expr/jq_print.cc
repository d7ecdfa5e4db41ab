// SPDX-License-Identifier: Apache-2.0
#include "expr/detail/jq_print.h"

#include "expr/detail/jq_compare.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace aios::expr::detail {
namespace {

constexpr double largest = std::numeric_limits<double>::max();
constexpr double exact_max = 9007199254740992.0;  // 2^53

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      default:
        if (byte < 0x20 || byte == 0x7F) {
          out += fmt::format("\\u{:04x}", byte);
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

class Printer {
 public:
  Printer(Budget& budget, std::size_t bytes_max) : budget_(budget), bytes_max_(bytes_max) {}
  std::string take() { return std::move(out_); }

  void print(const Value& value, std::uint32_t depth) {
    if (out_.size() > bytes_max_ || !budget_.spend(1) || !budget_.fits(out_.size())) {
      return;
    }
    switch (value.type()) {
      case Type::null: out_ += "null"; return;
      case Type::false_: out_ += "false"; return;
      case Type::true_: out_ += "true"; return;
      case Type::number: out_ += number_text(value); return;
      case Type::string:
        budget_.spend(value.text().size() / 64);
        append_quoted(out_, value.text());
        return;
      default: nested(value, depth);
    }
  }

 private:
  void nested(const Value& value, std::uint32_t depth) {
    if (depth > walk_depth_max) {
      out_ += "<skipped: too deep>";
      return;
    }
    bool object = value.is_object();
    out_ += object ? '{' : '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) {
        out_ += ',';
      }
      if (object) {
        append_quoted(out_, value.key_at(i));
        out_ += ':';
      }
      print(object ? value.member_at(i) : value.at(i), depth + 1);
      if (out_.size() > bytes_max_ || budget_.exceeded != Budget::Limit::none) {
        return;
      }
    }
    out_ += object ? '}' : ']';
  }

  Budget& budget_;
  std::size_t bytes_max_;
  std::string out_;
};

/// Digits and exponent as the shortest form that reads back, laid out as jq does.
std::string laid_out(double number) {
  char buffer[40];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(number),
                           std::chars_format::scientific)
                 .ptr;
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  auto mark = text.find('e');
  std::string digits(text.substr(0, 1));
  if (mark > 2) {
    digits += text.substr(2, mark - 2);
  }
  auto exponent_text = text.substr(mark + (text[mark + 1] == '+' ? 2 : 1));
  int exponent = 0;
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  int point = exponent + 1;  // digits before the point
  int count = static_cast<int>(digits.size());
  std::string out = std::signbit(number) ? "-" : "";
  if (point <= -5 || point > count + 15) {
    out += digits.substr(0, 1);
    if (count > 1) {
      out += "." + digits.substr(1);
    }
    return out + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  if (point <= 0) {
    return out + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  }
  if (point >= count) {
    return out + digits + std::string(static_cast<std::size_t>(point - count), '0');
  }
  auto whole = static_cast<std::size_t>(point);
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

Json number_json(const Value& value) {
  if (const auto* big = value.big_integer()) {
    return *big;
  }
  double number = value.as_number();
  if (std::isnan(number)) {
    return nullptr;
  }
  if (std::isinf(number)) {
    return number > 0 ? largest : -largest;
  }
  if (number == std::floor(number) && std::fabs(number) <= exact_max) {
    return static_cast<std::int64_t>(number);
  }
  return number;
}

Json nested_json(Budget& budget, const Value& value, std::uint32_t depth, std::uint32_t depth_max) {
  if (depth >= depth_max) {
    budget.fail(Budget::Limit::output_depth);
    return nullptr;
  }
  auto size = value.size();
  if (!budget.fits(size * 32)) {
    return nullptr;
  }
  budget.bytes += size * 32;
  auto deeper = [&](const Value& child) -> Json {
    if (child.is_array() || child.is_object()) {
      return nested_json(budget, child, depth + 1, depth_max);
    }
    return to_json(budget, child, depth_max);
  };
  if (value.is_array()) {
    JsonArray array;
    array.reserve(size);
    for (std::size_t i = 0; i < size && budget.spend(1); ++i) {
      array.push_back(deeper(value.at(i)));
    }
    return array;
  }
  JsonObject object;
  object.reserve(size);
  for (std::size_t i = 0; i < size && budget.spend(1); ++i) {
    auto key = value.key_at(i);
    object.emplace(boost::json::string_view(key.data(), key.size()), deeper(value.member_at(i)));
  }
  return object;
}

}  // namespace

std::string number_text(const Value& number) {
  if (const auto* big = number.big_integer()) {
    return big->is_int64() ? std::to_string(big->get_int64()) : std::to_string(big->get_uint64());
  }
  double value = number.as_number();
  if (std::isnan(value)) {
    return "null";
  }
  if (std::isinf(value)) {
    value = value > 0 ? largest : -largest;
  }
  if (value == std::floor(value) && std::fabs(value) < 1e15) {
    return value == 0 && std::signbit(value) ? "-0"
                                             : std::to_string(static_cast<std::int64_t>(value));
  }
  return laid_out(value);
}

std::string json_text(Budget& budget, const Value& value) {
  Printer printer(budget, budget.bytes_max);
  printer.print(value, 0);
  return printer.take();
}

std::string short_text(Budget& budget, const Value& value) {
  constexpr std::size_t bytes_max = 29;
  Printer printer(budget, 4 * bytes_max);
  auto shown = value.is_string() && value.text().size() > 4 * bytes_max
                   ? Value::borrow_text(value.text().substr(0, 4 * bytes_max))
                   : value;
  printer.print(shown, 0);
  auto text = printer.take();
  if (text.size() <= bytes_max) {
    return text;
  }
  std::string_view tail = value.is_string() ? "...\"" : "...";
  auto cut = bytes_max - tail.size();
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) {
    --cut;
  }
  return text.substr(0, cut).append(tail);
}

std::string described(Budget& budget, const Value& value) {
  return fmt::format("{} ({})", type_name(value), short_text(budget, value));
}

Json to_json(Budget& budget, const Value& value, std::uint32_t depth_max) {
  switch (value.type()) {
    case Type::null: return nullptr;
    case Type::false_: return false;
    case Type::true_: return true;
    case Type::number: return number_json(value);
    case Type::string: {
      auto text = value.text();
      if (!budget.fits(text.size())) {
        return nullptr;
      }
      budget.bytes += text.size();
      return Json(boost::json::string_view(text.data(), text.size()));
    }
    default: return nested_json(budget, value, 0, depth_max);
  }
}

void append_utf8(std::string& text, char32_t c) {
  auto put = [&text](char32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

}  // namespace aios::expr::detail
