// SPDX-License-Identifier: Apache-2.0
#include "core/json.h"

#include "core/detail/json_reader.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace aios {
namespace {

constexpr int page_not_json = 1;

struct Place {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

/// Columns count bytes, as compilers do.
Place place_of(std::string_view text, std::size_t offset) {
  Place place;
  for (const char c : text.substr(0, offset)) {
    place.column = c == '\n' ? 1 : place.column + 1;
    place.line += c == '\n' ? 1 : 0;
  }
  return place;
}

/// One step of a JSON pointer with ~0 and ~1 undone; nothing when the escape is wrong.
std::optional<std::string> unescape_step(std::string_view step) {
  std::string out;
  for (std::size_t i = 0; i < step.size(); ++i) {
    if (step[i] != '~') {
      out.push_back(step[i]);
      continue;
    }
    if (++i == step.size() || (step[i] != '0' && step[i] != '1')) {
      return std::nullopt;
    }
    out.push_back(step[i] == '0' ? '~' : '/');
  }
  return out;
}

const Json* element_at(const JsonArray& array, const std::string& step) {
  if (step.empty() || (step.size() > 1 && step.front() == '0')) {
    return nullptr;  // RFC 6901: no leading zeros; "-" names what is not there yet
  }
  std::size_t index = 0;
  const auto [end, failure] = std::from_chars(step.data(), step.data() + step.size(), index);
  const bool whole = failure == std::errc() && end == step.data() + step.size();
  return whole && index < array.size() ? &array[index] : nullptr;
}

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Error(Code::resource_exhausted,
                 fmt::format("the JSON text has {} bytes, at most {} are taken", text.size(),
                             limits.bytes_max))
        .page(2);
  }
  detail::JsonReader reader(limits.depth_max);
  if (reader.read(text)) {
    return reader.take();
  }
  const Place place = place_of(text, reader.offset());
  return Error(Code::invalid_argument, fmt::format("not valid JSON at line {}, column {}: {}",
                                                   place.line, place.column, reader.problem()))
      .page(page_not_json)
      .at("", place.line, place.column);
}

namespace {

std::string_view text_in(const Json* found, std::string_view fallback) {
  return found != nullptr && found->is_string() ? view(found->get_string()) : fallback;
}

}  // namespace

const Json* find(const JsonObject& object, std::string_view member) {
  return object.if_contains({member.data(), member.size()});
}

const Json* find(const Json& value, std::string_view member) {
  const JsonObject* object = value.if_object();
  return object == nullptr ? nullptr : find(*object, member);
}

std::string_view text_or(const Json& value, std::string_view member, std::string_view fallback) {
  return text_in(find(value, member), fallback);
}

std::string_view text_or(const JsonObject& object, std::string_view member,
                         std::string_view fallback) {
  return text_in(find(object, member), fallback);
}

std::vector<std::string> texts_of(const Json* list) {
  std::vector<std::string> out;
  if (list != nullptr && list->is_array()) {
    for (const Json& item : list->get_array()) {
      if (item.is_string()) {
        out.emplace_back(view(item.get_string()));
      }
    }
  }
  return out;
}

std::int64_t int_or(const Json& value, std::string_view member, std::int64_t fallback) {
  const Json* found = find(value, member);
  if (found == nullptr || !found->is_number()) {
    return fallback;
  }
  if (found->is_double()) {
    const double number = found->get_double();
    const bool whole = number > -0x1p63 && number < 0x1p63 &&
                       static_cast<double>(static_cast<std::int64_t>(number)) == number;
    return whole ? static_cast<std::int64_t>(number) : fallback;
  }
  if (found->is_uint64()) {
    return found->get_uint64() <= INT64_MAX ? static_cast<std::int64_t>(found->get_uint64())
                                            : fallback;
  }
  return found->get_int64();
}

double number_or(const Json& value, std::string_view member, double fallback) {
  const Json* found = find(value, member);
  if (found == nullptr) {
    return fallback;
  }
  switch (found->kind()) {
    case boost::json::kind::double_: return found->get_double();
    case boost::json::kind::int64: return static_cast<double>(found->get_int64());
    case boost::json::kind::uint64: return static_cast<double>(found->get_uint64());
    default: return fallback;
  }
}

bool bool_or(const Json& value, std::string_view member, bool fallback) {
  const Json* found = find(value, member);
  return found != nullptr && found->is_bool() ? found->get_bool() : fallback;
}

std::string_view type_name(const Json& value) {
  switch (value.kind()) {
    case boost::json::kind::object: return "object";
    case boost::json::kind::array: return "array";
    case boost::json::kind::string: return "string";
    case boost::json::kind::bool_: return "boolean";
    case boost::json::kind::null: return "null";
    default: return "number";
  }
}

const Json* at_pointer(const Json& value, std::string_view pointer) {
  if (pointer.empty()) {
    return &value;
  }
  if (pointer.front() != '/') {
    return nullptr;
  }
  const Json* here = &value;
  for (const std::string_view part : split(pointer.substr(1), '/')) {
    const auto step = unescape_step(part);
    if (!step) {
      return nullptr;
    }
    here = here->is_array() ? element_at(here->get_array(), *step) : find(*here, *step);
    if (here == nullptr) {
      return nullptr;
    }
  }
  return here;
}

}  // namespace aios
