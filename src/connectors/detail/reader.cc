// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/reader.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::connectors::detail {

namespace {

Node child(const Node& parent, std::string_view name, const Json& value) {
  Node node{&value, parent.pointer};
  expr::append_pointer(node.pointer, name);
  return node;
}

std::string listed(std::initializer_list<std::string_view> names) {
  return join({names.begin(), names.end()}, ", ");
}

}  // namespace

std::vector<std::pair<std::string, Node>> Reader::members(const Node& node) {
  std::vector<std::pair<std::string, Node>> out;
  if (!node.value->is_object()) {
    mistake(node, fmt::format("found a {}, wanted an object", type_name(*node.value)));
    return out;
  }
  for (const auto& [name, value] : node.value->get_object()) {
    out.emplace_back(std::string(name), child(node, {name.data(), name.size()}, value));
  }
  return out;
}

std::optional<Node> Reader::member(const Node& node, std::string_view name) const {
  const Json* value = find(*node.value, name);
  return value == nullptr ? std::nullopt : std::optional<Node>(child(node, name, *value));
}

std::optional<Node> Reader::needed(const Node& node, std::string_view name) {
  auto found = member(node, name);
  if (!found && node.value->is_object()) {
    mistake(node, fmt::format("'{}' is missing", name));
  }
  return found;
}

void Reader::allow(const Node& node, std::initializer_list<std::string_view> names) {
  for (const auto& [name, value] : members(node)) {
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      continue;
    }
    mistake_at_key(value, fmt::format("'{}' is not known here{}", excerpt(name, 40),
                                      hint(name, {names.begin(), names.end()})));
  }
}

std::optional<std::string> Reader::text(const Node& node) {
  if (!node.value->is_string() || node.value->get_string().empty()) {
    const auto found =
        node.value->is_string() ? "an empty text" : fmt::format("a {}", type_name(*node.value));
    mistake(node, fmt::format("found {}, wanted a text", found));
    return std::nullopt;
  }
  return std::string(view(node.value->get_string()));
}

std::optional<std::int64_t> Reader::integer(const Node& node, std::int64_t least,
                                            std::int64_t most) {
  const bool whole = node.value->is_int64();
  if (!whole || node.value->get_int64() < least || node.value->get_int64() > most) {
    mistake(node, fmt::format("found {}, wanted a whole number from {} to {}",
                              excerpt(to_text(*node.value), 40), least, most));
    return std::nullopt;
  }
  return node.value->get_int64();
}

std::optional<Duration> Reader::duration(const Node& node, Duration least, Duration most) {
  const auto written = text(node);
  if (!written) {
    return std::nullopt;
  }
  auto parsed = parse_iso_duration(*written);
  if (!parsed.ok() || *parsed < least || *parsed > most) {
    mistake(node,
            fmt::format("found '{}', wanted an ISO 8601 duration from {} to {}",
                        excerpt(*written, 40), to_iso_duration(least), to_iso_duration(most)));
    return std::nullopt;
  }
  return *parsed;
}

std::optional<std::string> Reader::one_of(const Node& node,
                                          std::initializer_list<std::string_view> names) {
  const auto written = text(node);
  if (written && std::find(names.begin(), names.end(), *written) == names.end()) {
    mistake(node,
            fmt::format("found '{}', wanted one of: {}", excerpt(*written, 40), listed(names)));
    return std::nullopt;
  }
  return written;
}

std::vector<Node> Reader::items(const Node& node) {
  std::vector<Node> out;
  if (!node.value->is_array()) {
    mistake(node, fmt::format("found a {}, wanted a list", type_name(*node.value)));
    return out;
  }
  for (std::size_t i = 0; i < node.value->get_array().size(); ++i) {
    out.push_back(child(node, std::to_string(i), node.value->get_array()[i]));
  }
  return out;
}

void Reader::mistake(const Node& node, std::string message) {
  note(document_.positions.of(node.pointer), std::move(message));
}

void Reader::mistake_at_key(const Node& node, std::string message) {
  note(document_.positions.of_key(node.pointer), std::move(message));
}

void Reader::take(const Node& node, const Error& error) {
  ++mistakes_;
  if (error.line() != 0) {
    errors_->push_back(error);
    return;
  }
  const expr::Position where = place(node);
  errors_->push_back(Error(error.code(), error.message(), error.retry())
                         .page(error.page())
                         .at(file_, where.line, where.column));
}

void Reader::note(expr::Position where, std::string message) {
  ++mistakes_;
  errors_->push_back(Error(Code::invalid_argument, std::move(message))
                         .page(900)
                         .at(file_, where.line, where.column));
}

}  // namespace aios::connectors::detail
