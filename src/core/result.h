// SPDX-License-Identifier: Apache-2.0
#pragma once
// core/result: errors are values. A function that can fail returns Result<T>; Error says what
// happened, while doing what, whether asking again may help, and which page of docs/errors explains
// it.

#include <cassert>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace aios {

/// What the caller can do about it (the names are Abseil's, the last three are ours).
enum class Code : std::uint8_t {
  cancelled,
  invalid_argument,
  deadline_exceeded,
  not_found,
  already_exists,
  permission_denied,
  unauthenticated,
  resource_exhausted,
  failed_precondition,
  aborted,
  unimplemented,
  internal,
  unavailable,
  data_loss,
  policy_denied,
  budget_exceeded,
  rate_limited,
};

/// Whether asking again can help. Beside it the workflow engine reads retry_after(), code() and the
/// pages that say that a peer or a model is away (908, 705).
enum class Retry : std::uint8_t {
  never,      ///< the same request will fail again
  same_call,  ///< send the same request again (nothing happened, or it is safe to repeat)
  /// Asking again may help, but not blindly. From the store: what was read is old, read and decide
  /// again. From net::Client: the request may have been received (net::sent_of), only the caller
  /// knows whether to repeat it. To a retry policy it is worth a retry like same_call.
  whole_step,
};

/// "invalid_argument" and so on, as written in logs and in the API.
std::string_view name_of(Code code);
std::string_view name_of(Retry retry);
/// The code of such a name; nothing for another text.
std::optional<Code> parse_code(std::string_view name);
/// "AIOS-0412", as written in texts, logs and the API; empty for 0, which is no page.
std::string page_text(int number);
/// The number of "AIOS-0412"; 0 for a text of another form.
int parse_page(std::string_view text);

class [[nodiscard]] Error {
 public:
  Error(Code code, std::string message, Retry retry = Retry::never);
  Error(const Error& other);
  Error(Error&&) noexcept = default;
  Error& operator=(const Error& other);
  Error& operator=(Error&&) noexcept = default;
  ~Error() = default;

  /// Adds the error page [AIOS-nnnn] (docs/errors/AIOS-nnnn.md). Numbers are grouped by module: see
  /// docs/errors/README.md.
  Error&& page(int number) &&;
  /// Adds what was being done; the outermost context comes last: "found X, wanted Y, while a, while
  /// b".
  Error&& with(std::string_view while_doing) &&;
  /// Adds where in the user's text it is (file, line and column from 1; 0 means unknown).
  Error&& at(std::string_view file, std::uint32_t line, std::uint32_t column) &&;
  /// Adds the time after which a retry makes sense (a 429's Retry-After, a breaker's next probe).
  Error&& after(std::chrono::nanoseconds pause) &&;

  Code code() const { return detail_->code; }
  Retry retry() const { return detail_->retry; }
  int page() const { return detail_->page; }
  const std::string& message() const { return detail_->message; }
  const std::string& file() const { return detail_->file; }
  std::uint32_t line() const { return detail_->line; }
  std::uint32_t column() const { return detail_->column; }
  std::optional<std::chrono::nanoseconds> retry_after() const { return detail_->retry_after; }
  /// One line for a person: "file:3:7: found x, wanted y, while ...  [AIOS-0412]".
  std::string text() const;

 private:
  struct Detail {
    Code code = Code::internal;
    Retry retry = Retry::never;
    int page = 0;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    std::string message;
    std::string file;
    std::optional<std::chrono::nanoseconds> retry_after;
  };
  std::unique_ptr<Detail> detail_;  // errors are rare: keep Result<T> small
};

/// A value or an Error. value() on an error, and error() on a value, end the process with a
/// message.
template <class T>
class [[nodiscard]] Result {
 public:
  using Value = T;
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: conversion is the point
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT
  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return *check(); }
  const T& value() const& { return *const_cast<Result*>(this)->check(); }
  T&& value() && { return std::move(*check()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return check(); }
  const T* operator->() const { return const_cast<Result*>(this)->check(); }
  const Error& error() const& { return *const_cast<Result*>(this)->check_error(); }
  Error&& error() && { return std::move(*check_error()); }

 private:
  T* check();
  Error* check_error();
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using Value = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT
  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

/// Ends the process: prints the text and the place. For what must be true whatever the input.
[[noreturn]] void fail_assertion(const char* what, const char* file, int line);
#define AIOS_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::aios::fail_assertion(#condition, __FILE__, __LINE__))

template <class T>
T* Result<T>::check() {
  if (state_.index() != 0) {
    fail_assertion(std::get<1>(state_).text().c_str(), "Result::value", 0);
  }
  return &std::get<0>(state_);
}
template <class T>
Error* Result<T>::check_error() {
  AIOS_ASSERT(state_.index() == 1);
  return &std::get<1>(state_);
}

}  // namespace aios
