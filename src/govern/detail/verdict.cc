// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/verdict.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::govern::detail {
namespace {

constexpr std::size_t reasons_max = 32;
constexpr std::size_t reason_characters_max = 500;
constexpr std::size_t obligations_max = 32;

struct Rules {
  std::vector<std::string> deny;
  std::vector<std::string> escalate;
  std::vector<std::string> warn;
  bool allow = false;
  std::string broken;  // what is not as agreed
};

void say_broken(Rules& rules, std::string_view rule, const Json& value, std::string_view wanted) {
  rules.broken = fmt::format("rule '{}' is of type {}, wanted {}", rule, type_name(value), wanted);
}

std::string message_of(const Json& item) {
  if (item.is_string()) {
    return excerpt(view(item.get_string()), reason_characters_max);
  }
  const std::string_view msg = text_or(item, "msg", "");
  return excerpt(msg.empty() ? to_text(item) : std::string(msg), reason_characters_max);
}

std::vector<std::string> messages(Rules& rules, const Json& package, std::string_view rule) {
  std::vector<std::string> found;
  const Json* value = find(package, rule);
  if (value == nullptr) {
    return found;
  }
  if (!value->is_array()) {
    say_broken(rules, rule, *value, "a set of messages");
    return found;
  }
  for (const Json& item : value->get_array()) {
    found.push_back(message_of(item));
  }
  std::sort(found.begin(), found.end());
  if (found.size() > reasons_max) {
    const std::size_t more = found.size() - reasons_max;
    found.resize(reasons_max);
    found.push_back(fmt::format("and {} more", more));
  }
  return found;
}

void read_obligations(Rules& rules, const Json& package, std::vector<JsonObject>& into) {
  const Json* value = find(package, "obligations");
  if (value == nullptr) {
    return;
  }
  if (!value->is_array() || value->get_array().size() > obligations_max) {
    say_broken(rules, "obligations", *value,
               fmt::format("a set of at most {} objects", obligations_max));
    return;
  }
  for (const Json& item : value->get_array()) {
    if (!item.is_object()) {
      say_broken(rules, "obligations", item, "objects");
      return;
    }
    into.push_back(item.get_object());
  }
}

}  // namespace

PolicyAnswer denied(std::string reason) {
  PolicyAnswer answer;
  answer.fixed_reasons.push_back(reason);
  answer.reasons.push_back(std::move(reason));
  return answer;
}

PolicyAnswer answer_of(GuardPoint point, const Json& package) {
  Rules rules;
  PolicyAnswer answer;
  rules.deny = messages(rules, package, "deny");
  rules.escalate = messages(rules, package, "escalate");
  rules.warn = messages(rules, package, "warn");
  read_obligations(rules, package, answer.obligations);
  if (const Json* allow = find(package, "allow"); allow != nullptr) {
    if (!allow->is_bool()) {
      say_broken(rules, "allow", *allow, "true or false");
    }
    rules.allow = bool_or(package, "allow", false);
  }
  if (!rules.broken.empty()) {
    return denied(fmt::format("policy aios.{} is broken: {}", name_of(point), rules.broken));
  }
  if (!rules.deny.empty()) {
    answer.obligations.clear();
    answer.reasons = std::move(rules.deny);
  } else if (!rules.escalate.empty()) {
    answer.verdict = Verdict::escalate;
    answer.reasons = std::move(rules.escalate);
  } else if (!rules.allow) {
    return denied(fmt::format("no rule of aios.{} allows it", name_of(point)));
  } else {
    answer.verdict = rules.warn.empty() ? Verdict::allow : Verdict::warn;
    answer.reasons = std::move(rules.warn);
  }
  return answer;
}

}  // namespace aios::govern::detail
