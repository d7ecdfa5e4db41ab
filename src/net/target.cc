// SPDX-License-Identifier: Apache-2.0
// Request targets (RFC 9112 section 3.2) and percent-encoding (RFC 3986 section 2.1).
#include "core/text.h"
#include "net/http.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::net {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char small = static_cast<char>(c | 0x20);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

Error refused(std::string_view what, std::string_view target) {
  return Error(Code::invalid_argument,
               fmt::format("the request target '{}' {}", excerpt(target, 80), what))
      .page(306);
}

enum class Plus : bool { plain, blank };

/// Decodes into `out`; false on a broken escape, a decoded NUL or control character, or bad UTF-8.
bool decode_text(std::string_view text, Plus plus, std::string* out) {
  out->clear();
  if (text.find_first_of(plus == Plus::blank ? "%+" : "%") == std::string_view::npos) {
    out->assign(text);
    return true;  // the caller has checked for visible ASCII
  }
  out->reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) {
        return false;
      }
      c = static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else if (c == '+' && plus == Plus::blank) {
      c = ' ';
    }
    out->push_back(c);
  }
  return is_utf8(*out);
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool has_dot_segment(std::string_view path) {
  if (path.find("/.") == std::string_view::npos) {
    return false;
  }
  const auto segments = split(path, '/');
  return std::any_of(segments.begin(), segments.end(),
                     [](std::string_view s) { return s == "." || s == ".."; });
}

Result<void> parse_query(std::string_view query, std::string_view target, Request* request) {
  for (const std::string_view pair : split(query, '&')) {
    if (pair.empty()) {
      continue;
    }
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto& [name, value] = request->query.emplace_back();
    if (!decode_text(pair.substr(0, equals), Plus::blank, &name) ||
        !decode_text(pair.substr(std::min(equals + 1, pair.size())), Plus::blank, &value)) {
      return refused("has a query with a bad percent escape", target);
    }
  }
  return {};
}

/// Path and query of an absolute-form target ("http://host/path"), or nothing.
std::string_view after_authority(std::string_view target) {
  const std::string scheme = ascii_lower(target.substr(0, 8));
  const std::size_t begin = scheme.starts_with("http://")    ? 7
                            : scheme.starts_with("https://") ? 8
                                                             : 0;
  if (begin == 0) {
    return {};
  }
  const std::size_t end = std::min(target.find_first_of("/?", begin), target.size());
  if (end == begin) {
    return {};
  }
  return end == target.size() ? "/" : target.substr(end);
}

}  // namespace

Result<void> parse_target(std::string_view target, Request* request) {
  request->query.clear();
  const bool visible = std::all_of(target.begin(), target.end(),
                                   [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  if (target.empty() || !visible) {
    return refused("is empty or has a blank, a control character, a fragment or a byte above 126",
                   target);
  }
  if (target == "*") {
    request->target = "*";
    request->path = "*";
    return {};
  }
  std::string_view local = target.front() == '/' ? target : after_authority(target);
  if (local.empty()) {
    return refused("is neither a path nor an http URL", target);
  }
  request->target = local.front() == '?' ? "/" + std::string(local) : std::string(local);
  local = request->target;
  const std::size_t mark = std::min(local.find('?'), local.size());
  if (!decode_text(local.substr(0, mark), Plus::plain, &request->path) ||
      has_control(request->path)) {
    return refused("has a path with a bad percent escape or a control character", target);
  }
  if (has_dot_segment(request->path)) {
    return refused("has a '.' or '..' segment", target);
  }
  return mark == local.size() ? Result<void>{}
                              : parse_query(local.substr(mark + 1), target, request);
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 15]);
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  if (!decode_text(text, Plus::plain, &out)) {
    return refused("has a bad percent escape or is not UTF-8", text);
  }
  return out;
}

}  // namespace aios::net
