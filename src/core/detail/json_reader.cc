// SPDX-License-Identifier: Apache-2.0
#include "core/detail/json_reader.h"

#include "core/text.h"

#include <fmt/format.h>
#include <boost/json/basic_parser_impl.hpp>

#include <charconv>
#include <vector>

namespace aios::detail {
namespace {

using ErrorCode = boost::json::error_code;
using Text = boost::json::string_view;

/// Receives the parser's events and builds the value. Each open object or array is a frame.
class Builder {
 public:
  constexpr static std::size_t max_object_size = SIZE_MAX;
  constexpr static std::size_t max_array_size = SIZE_MAX;
  constexpr static std::size_t max_key_size = SIZE_MAX;
  constexpr static std::size_t max_string_size = SIZE_MAX;

  bool on_document_begin(ErrorCode&) { return true; }
  bool on_document_end(ErrorCode&) { return true; }
  bool on_object_begin(ErrorCode&) { return open(Json(JsonObject())); }
  bool on_object_end(std::size_t, ErrorCode& failure) { return close(failure); }
  bool on_array_begin(ErrorCode&) { return open(Json(JsonArray())); }
  bool on_array_end(std::size_t, ErrorCode& failure) { return close(failure); }
  bool on_key_part(Text part, std::size_t, ErrorCode&) { return append(part); }
  bool on_key(Text part, std::size_t, ErrorCode& failure);
  bool on_string_part(Text part, std::size_t, ErrorCode&) { return append(part); }
  bool on_string(Text part, std::size_t, ErrorCode& failure);
  bool on_number_part(Text part, ErrorCode&) { return append(part); }
  bool on_int64(std::int64_t value, Text part, ErrorCode& failure);
  bool on_uint64(std::uint64_t value, Text, ErrorCode& failure) {
    return add(Json(value), failure);
  }
  bool on_double(double value, Text part, ErrorCode& failure);
  bool on_bool(bool value, ErrorCode& failure) { return add(Json(value), failure); }
  bool on_null(ErrorCode& failure) { return add(Json(nullptr), failure); }
  bool on_comment_part(Text, ErrorCode&) { return true; }
  bool on_comment(Text, ErrorCode&) { return true; }

  Json take() { return std::move(root_); }
  const std::string& problem() const { return problem_; }

 private:
  static constexpr std::size_t members_usual = 4;
  struct Frame {
    Json value;
    Json* member = nullptr;  ///< of an object: the one whose value comes next
  };
  bool append(Text part) {
    pending_.append(part.data(), part.size());
    return true;
  }
  bool open(Json container) {
    pending_.clear();
    frames_.push_back({std::move(container)});
    return true;
  }
  bool close(ErrorCode& failure) {
    Json done = std::move(frames_.back().value);
    frames_.pop_back();
    return add(std::move(done), failure);
  }
  bool add(Json value, ErrorCode& failure);
  bool refuse(std::string problem, ErrorCode& failure) {
    problem_ = std::move(problem);
    failure = boost::json::error::syntax;
    return false;
  }

  std::vector<Frame> frames_;
  std::string pending_;
  std::string problem_;
  Json root_;
};

bool Builder::add(Json value, ErrorCode&) {
  pending_.clear();
  if (frames_.empty()) {
    root_ = std::move(value);
  } else if (JsonArray* array = frames_.back().value.if_array()) {
    array->push_back(std::move(value));
  } else {
    *frames_.back().member = std::move(value);
  }
  return true;
}

bool Builder::on_key(Text part, std::size_t, ErrorCode& failure) {
  append(part);
  Frame& frame = frames_.back();
  JsonObject& object = frame.value.get_object();
  if (object.empty()) {
    object.reserve(members_usual);  // else it would be taken anew for each of the first few
  }
  const auto [place, fresh] = object.emplace(pending_, nullptr);
  if (!fresh) {
    return refuse(fmt::format("the member '{}' is there twice", excerpt(pending_, 40)), failure);
  }
  frame.member = &place->value();
  pending_.clear();
  return true;
}

bool Builder::on_string(Text part, std::size_t, ErrorCode& failure) {
  if (pending_.empty()) {
    return add(Json(part), failure);
  }
  append(part);
  const std::string text = std::exchange(pending_, {});
  return add(Json(text), failure);
}

bool Builder::on_int64(std::int64_t value, Text part, ErrorCode& failure) {
  append(part);
  // "-0" is a number of its own only as a double.
  const bool negative_zero = value == 0 && pending_.starts_with('-');
  return add(negative_zero ? Json(-0.0) : Json(value), failure);
}

bool Builder::on_double(double, Text part, ErrorCode& failure) {
  append(part);
  double exact = 0;
  const auto [end, problem] =
      std::from_chars(pending_.data(), pending_.data() + pending_.size(), exact);
  if (problem == std::errc::result_out_of_range) {
    // Too small is zero, as IEEE 754 rounds it; too large has no value.
    const std::size_t exponent = pending_.find_first_of("eE");
    const bool tiny =
        exponent != std::string::npos && pending_.find('-', exponent) != std::string::npos;
    if (!tiny) {
      return refuse(fmt::format("the number {} is too large", excerpt(pending_, 40)), failure);
    }
    exact = pending_.starts_with('-') ? -0.0 : 0.0;
  }
  return add(Json(exact), failure);
}

std::string describe(const ErrorCode& failure) {
  using boost::json::error;
  if (failure == error::incomplete) {
    return "the text ends too early";
  }
  if (failure == error::extra_data) {
    return "there is more text after the value";
  }
  if (failure == error::too_deep) {
    return "too deeply nested";
  }
  if (failure == error::illegal_leading_surrogate || failure == error::illegal_trailing_surrogate) {
    return "half a surrogate pair";
  }
  return failure.message();
}

}  // namespace

bool JsonReader::read(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = depth_max_;
  boost::json::basic_parser<Builder> parser(options);
  ErrorCode failure;
  offset_ = parser.write_some(false, text.data(), text.size(), failure);
  if (!failure && offset_ < text.size()) {
    failure = boost::json::error::extra_data;
  }
  if (failure) {
    const std::string& own = parser.handler().problem();
    problem_ = own.empty() ? describe(failure) : own;
    return false;
  }
  value_ = parser.handler().take();
  return true;
}

}  // namespace aios::detail
