// SPDX-License-Identifier: Apache-2.0
#include "govern/audit_count.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::govern {
namespace {

Error unusable(std::string message) {
  return Error(Code::invalid_argument, std::move(message)).page(550);
}

Result<void> check_name(std::string_view name) {
  const bool known = name == "kind" || name == "outcome" || name == "step" || name == "stream" ||
                     name == "tenant" || name == "principal" ||
                     (name.starts_with("facts.") && name.size() > 6);
  return known ? Result<void>()
               : unusable(fmt::format(
                     "'{}' is no member of a leaf that can be chosen, wanted kind, outcome, step, "
                     "stream, tenant, principal or facts.NAME",
                     excerpt(name, 60)));
}

std::string text_of(const Json& value) {
  return value.is_string() ? std::string(view(value.get_string())) : to_text(value);
}

}  // namespace

std::string leaf_member(const Json& leaf, std::string_view name) {
  const Json* found = nullptr;
  if (name == "principal") {
    const Json* who = find(leaf, "principal");
    found = who == nullptr ? nullptr : find(*who, "id");
  } else if (name.starts_with("facts.")) {
    const Json* facts = find(leaf, "facts");
    found = facts == nullptr ? nullptr : find(*facts, name.substr(6));
  } else {
    found = find(leaf, name);
  }
  return found == nullptr ? std::string() : text_of(*found);
}

Result<LeafFilter> LeafFilter::parse(const std::vector<std::string>& wanted) {
  LeafFilter filter;
  for (const std::string& one : wanted) {
    const std::size_t equals = one.find('=');
    if (equals == std::string::npos) {
      return unusable(fmt::format("found '{}', wanted NAME=VALUE", excerpt(one, 60)));
    }
    auto known = check_name(std::string_view(one).substr(0, equals));
    if (!known.ok()) {
      return std::move(known).error();
    }
    filter.want(one.substr(0, equals), one.substr(equals + 1));
  }
  return filter;
}

void LeafFilter::want(std::string name, std::string value) {
  wanted_.emplace_back(std::move(name), std::move(value));
}

bool LeafFilter::takes(const Json& leaf) const {
  return std::all_of(wanted_.begin(), wanted_.end(),
                     [&](const auto& one) { return leaf_member(leaf, one.first) == one.second; });
}

Result<LeafCount> LeafCount::by(std::string_view names) {
  LeafCount count;
  for (const std::string_view name : split(names, ',')) {
    auto known = check_name(name);
    if (!known.ok()) {
      return std::move(known).error();
    }
    count.names_.emplace_back(name);
  }
  return count;
}

Result<void> LeafCount::add(const Json& leaf) {
  std::vector<std::string> key;
  key.reserve(names_.size());
  for (const std::string& name : names_) {
    key.push_back(leaf_member(leaf, name));
  }
  if (groups_.size() >= groups_max && !groups_.contains(key)) {
    return Error(Code::resource_exhausted,
                 fmt::format("the leaves fall into more than {} groups: count by fewer members, or "
                             "choose some with --where",
                             groups_max))
        .page(550);
  }
  ++groups_[std::move(key)];
  ++total_;
  return {};
}

Json LeafCount::to_json() const {
  JsonArray items;
  for (const auto& [key, count] : groups_) {
    JsonObject item;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      item[names_[i]] = key[i];
    }
    item["count"] = count;
    items.push_back(std::move(item));
  }
  return JsonObject{{"by", JsonArray(names_.begin(), names_.end())},
                    {"items", std::move(items)},
                    {"total", total_}};
}

std::vector<std::string> LeafCount::header() const {
  std::vector<std::string> header{"COUNT"};
  for (std::string name : names_) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    header.push_back(std::move(name));
  }
  return header;
}

std::vector<std::vector<std::string>> LeafCount::rows() const {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, count] : groups_) {
    rows.push_back({fmt::to_string(count)});
    rows.back().insert(rows.back().end(), key.begin(), key.end());
  }
  return rows;
}

}  // namespace aios::govern
