// SPDX-License-Identifier: Apache-2.0
#include "core/result.h"

#include "core/last_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace aios {

namespace {

constexpr std::array<std::string_view, 17> code_names = {
    "cancelled",           "invalid_argument",  "deadline_exceeded", "not_found",
    "already_exists",      "permission_denied", "unauthenticated",   "resource_exhausted",
    "failed_precondition", "aborted",           "unimplemented",     "internal",
    "unavailable",         "data_loss",         "policy_denied",     "budget_exceeded",
    "rate_limited"};
constexpr std::string_view page_prefix = "AIOS-";
constexpr std::size_t page_digits = 4;

}  // namespace

std::string_view name_of(Code code) { return code_names[static_cast<std::size_t>(code)]; }

std::optional<Code> parse_code(std::string_view name) {
  const auto found = std::find(code_names.begin(), code_names.end(), name);
  if (found == code_names.end()) {
    return std::nullopt;
  }
  return static_cast<Code>(found - code_names.begin());
}

std::string page_text(int number) { return number == 0 ? "" : fmt::format("AIOS-{:04}", number); }

int parse_page(std::string_view text) {
  if (!text.starts_with(page_prefix) || text.size() != page_prefix.size() + page_digits) {
    return 0;
  }
  int page = 0;
  for (const char c : text.substr(page_prefix.size())) {
    if (c < '0' || c > '9') {
      return 0;
    }
    page = page * 10 + (c - '0');
  }
  return page;
}

std::string_view name_of(Retry retry) {
  switch (retry) {
    case Retry::never: return "never";
    case Retry::same_call: return "same_call";
    case Retry::whole_step: return "whole_step";
  }
  return "never";
}

Error::Error(Code code, std::string message, Retry retry) : detail_(std::make_unique<Detail>()) {
  detail_->code = code;
  detail_->message = std::move(message);
  detail_->retry = retry;
}

Error::Error(const Error& other) : detail_(std::make_unique<Detail>(*other.detail_)) {}

Error& Error::operator=(const Error& other) {
  if (this != &other) {
    detail_ = std::make_unique<Detail>(*other.detail_);
  }
  return *this;
}

Error&& Error::page(int number) && {
  detail_->page = number;
  return std::move(*this);
}

Error&& Error::with(std::string_view while_doing) && {
  detail_->message += ", while ";
  detail_->message += while_doing.starts_with("while ") ? while_doing.substr(6) : while_doing;
  return std::move(*this);
}

Error&& Error::at(std::string_view file, std::uint32_t line, std::uint32_t column) && {
  detail_->file = file;
  detail_->line = line;
  detail_->column = column;
  return std::move(*this);
}

Error&& Error::after(std::chrono::nanoseconds pause) && {
  detail_->retry_after = pause;
  return std::move(*this);
}

std::string Error::text() const {
  std::string out;
  if (!detail_->file.empty()) {
    out = detail_->file;
    if (detail_->line > 0) {
      out += fmt::format(":{}:{}", detail_->line, detail_->column);
    }
    out += ": ";
  }
  out += detail_->message;
  if (detail_->page > 0) {
    out += fmt::format("  [{}]", page_text(detail_->page));
  }
  return out;
}

void fail_assertion(const char* what, const char* file, int line) {
  last_words(fmt::format("aios: must not happen: {} ({}:{})\n", what, file, line));
  std::abort();
}

}  // namespace aios
