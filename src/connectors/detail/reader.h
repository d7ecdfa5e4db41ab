// SPDX-License-Identifier: Apache-2.0
#pragma once
// connectors/detail/reader: reads a manifest member by member and notes every mistake with its
// place, so that one check shows all of them.

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "expr/yaml.h"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios::connectors::detail {

/// A value of the document and where it is. Borrowed from the document.
struct Node {
  const Json* value = nullptr;
  std::string pointer;
};

class Reader {
 public:
  Reader(const expr::YamlDocument& document, std::string file, std::vector<Error>* errors)
      : document_(document),
        file_(std::move(file)),
        errors_(errors) {}

  Node root() const { return {&document_.value, ""}; }
  /// The members of an object; an error and nothing for any other type.
  std::vector<std::pair<std::string, Node>> members(const Node& node);
  /// The member, or nothing when it is absent.
  std::optional<Node> member(const Node& node, std::string_view name) const;
  /// The same with an error when it is absent.
  std::optional<Node> needed(const Node& node, std::string_view name);
  /// Names every member that is not in the list, with the nearest one that is.
  void allow(const Node& node, std::initializer_list<std::string_view> names);

  std::optional<std::string> text(const Node& node);
  std::optional<std::int64_t> integer(const Node& node, std::int64_t least, std::int64_t most);
  std::optional<Duration> duration(const Node& node, Duration least, Duration most);
  /// One of the names; the error lists them.
  std::optional<std::string> one_of(const Node& node,
                                    std::initializer_list<std::string_view> names);
  std::vector<Node> items(const Node& node);

  /// Notes a mistake at the value / at the member's name.
  void mistake(const Node& node, std::string message);
  void mistake_at_key(const Node& node, std::string message);
  /// Notes an error of another reader, giving it this place unless it has one of its own.
  void take(const Node& node, const Error& error);
  expr::Position place(const Node& node) const { return document_.positions.of(node.pointer); }
  const std::string& file() const { return file_; }
  bool good() const { return mistakes_ == 0; }

 private:
  void note(expr::Position place, std::string message);
  const expr::YamlDocument& document_;
  std::string file_;
  std::vector<Error>* errors_;
  std::size_t mistakes_ = 0;
};

}  // namespace aios::connectors::detail
