// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/audit_count: audit leaves chosen and counted by their members: what an auditor compares
// with the other system's own books.

#include "core/json.h"
#include "core/result.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace aios::govern {

/// A member of a leaf as text; empty where it has none. Names: kind, outcome, step, stream, tenant,
/// principal (its id), facts.<name>.
std::string leaf_member(const Json& leaf, std::string_view name);

class LeafFilter {
 public:
  /// @param wanted  "NAME=VALUE" each.
  /// @return invalid_argument [AIOS-0550].
  static Result<LeafFilter> parse(const std::vector<std::string>& wanted);
  void want(std::string name, std::string value);
  bool takes_all() const { return wanted_.empty(); }
  bool takes(const Json& leaf) const;

 private:
  std::vector<std::pair<std::string, std::string>> wanted_;
};

class LeafCount {
 public:
  static constexpr std::size_t groups_max = 10'000;

  /// @param names  "kind,outcome". @return invalid_argument [AIOS-0550].
  static Result<LeafCount> by(std::string_view names);
  /// @return resource_exhausted [AIOS-0550] at more than groups_max groups.
  Result<void> add(const Json& leaf);
  /// {"by": [...], "items": [{name: value, ..., "count": n}], "total": n}
  Json to_json() const;
  std::vector<std::string> header() const;
  std::vector<std::vector<std::string>> rows() const;

 private:
  std::vector<std::string> names_;
  std::map<std::vector<std::string>, std::uint64_t> groups_;
  std::uint64_t total_ = 0;
};

}  // namespace aios::govern
