// SPDX-License-Identifier: Apache-2.0
#include "app/terminal.h"

#include "store/file_io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdint>
#include <iterator>

namespace aios::app {
namespace {

struct Obeyed {
  std::size_t bytes = 0;  ///< 0: the text begins with something that is only shown
  std::uint32_t code_point = 0;
};

bool between(std::uint32_t value, std::uint32_t low, std::uint32_t high) {
  return value >= low && value <= high;
}

/// C0 and C1 controls, DEL, and the bidirectional embeddings, overrides and isolates.
Obeyed obeyed(std::string_view text) {
  const auto byte = [text](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const std::uint32_t first = byte(0);
  if ((first < 0x20 && first != '\n' && first != '\t') || first == 0x7F) {
    return {1, first};
  }
  if (first == 0xC2 && between(byte(1), 0x80, 0x9F)) {
    return {2, byte(1)};
  }
  if (first == 0xE2 && byte(1) == 0x80 && between(byte(2), 0xAA, 0xAE)) {
    return {3, 0x2000 + byte(2) - 0x80};
  }
  if (first == 0xE2 && byte(1) == 0x81 && between(byte(2), 0xA6, 0xA9)) {
    return {3, 0x2040 + byte(2) - 0x80};
  }
  return {};
}

/// The text with replace(code point, &out) for each character that a terminal obeys.
template <class Replace>
std::string replaced(std::string_view text, Replace replace) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Obeyed found = obeyed(text);
    if (found.bytes == 0) {
      out.push_back(text.front());
      text.remove_prefix(1);
    } else {
      replace(found.code_point, &out);
      text.remove_prefix(found.bytes);
    }
  }
  return out;
}

}  // namespace

std::size_t terminal_columns() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) {
    return 0;
  }
  return size.ws_col;
}

std::string shown_text(std::string_view text) {
  return replaced(text, [](std::uint32_t, std::string* out) { out->push_back('?'); });
}

Json shown(const Json& value) {
  if (value.is_string()) {
    return Json(shown_text(view(value.get_string())));
  }
  if (value.is_array()) {
    JsonArray out;
    for (const Json& item : value.get_array()) {
      out.push_back(shown(item));
    }
    return out;
  }
  if (value.is_object()) {
    JsonObject out;
    for (const auto& member : value.get_object()) {
      out[shown_text(member.key())] = shown(member.value());
    }
    return out;
  }
  return value;
}

void tell_text(std::string_view text) {
  store::write_all(STDERR_FILENO, text);  // where nobody reads there is nobody to be told
}

void fill_standard_files() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) < 0) {
      const int opened = ::open("/dev/null", number == STDIN_FILENO ? O_RDONLY : O_WRONLY);
      (void)opened;  // the lowest free number: this one
    }
  }
}

std::string shown_json(std::string_view text) {
  return replaced(text, [](std::uint32_t code_point, std::string* out) {
    fmt::format_to(std::back_inserter(*out), "\\u{:04x}", code_point);
  });
}

}  // namespace aios::app
