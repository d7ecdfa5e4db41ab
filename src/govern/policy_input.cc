// SPDX-License-Identifier: Apache-2.0
#include "govern/policy_input.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace aios::govern {
namespace {

bool is_texts(const Json& value) {
  return value.is_array() && std::all_of(value.get_array().begin(), value.get_array().end(),
                                         [](const Json& item) { return item.is_string(); });
}

bool is_of_type(const Json& value, std::string_view type) {
  if (type.ends_with('?')) {
    return value.is_null() || is_of_type(value, type.substr(0, type.size() - 1));
  }
  return type == "any" || (type == "text" && value.is_string()) ||
         (type == "number" && value.is_number()) || (type == "boolean" && value.is_bool()) ||
         (type == "texts" && is_texts(value)) || (type == "list" && value.is_array()) ||
         (type.starts_with("object") && value.is_object());
}

class Checker {
 public:
  explicit Checker(std::vector<InputMember> rows) : rows_(std::move(rows)) {}

  /// @param prefix  what stands before a member's name: "", "run." or "run.reviews[]."
  void look(const JsonObject& object, const std::string& prefix) {
    for (const InputMember& row : rows_) {
      if (is_member(row.path, prefix) && row.when.empty() &&
          !object.contains(row.path.substr(prefix.size()))) {
        problems_.push_back(fmt::format("'{}' is missing", row.path));
      }
    }
    for (const auto& member : object) {
      take(prefix + std::string(member.key()), member.value());
    }
  }
  std::vector<std::string> problems() && { return std::move(problems_); }

 private:
  static bool is_member(std::string_view path, std::string_view prefix) {
    return path.starts_with(prefix) &&
           path.find_first_of(".[", prefix.size()) == std::string_view::npos;
  }

  void take(const std::string& path, const Json& value) {
    const auto row = std::find_if(rows_.begin(), rows_.end(),
                                  [&path](const InputMember& one) { return one.path == path; });
    if (row == rows_.end()) {
      problems_.push_back(fmt::format("'{}' is not known", path));
    } else if (!is_of_type(value, row->type)) {
      problems_.push_back(fmt::format("'{}' is {}, wanted {}", path, type_name(value), row->type));
    } else if (row->type == "list") {
      for (const Json& entry : value.get_array()) {
        take_entry(path, entry);
      }
    } else if (row->type.starts_with("object") && value.is_object() &&
               !(row->type.ends_with('*') && value.get_object().empty())) {
      look(value.get_object(), path + ".");
    }
  }

  void take_entry(const std::string& path, const Json& entry) {
    const bool large = entry.is_object() && entry.get_object().contains("too_large");
    if (!entry.is_object()) {
      problems_.push_back(fmt::format("an entry of '{}' is {}", path, type_name(entry)));
    } else if (!large) {  // in a large one anything may be null
      look(entry.get_object(), path + "[].");
    }
  }

  std::vector<InputMember> rows_;
  std::vector<std::string> problems_;
};

Result<void> look_at(std::vector<InputMember> rows, const JsonObject& object,
                     const std::string& prefix, std::string_view where) {
  Checker checker(std::move(rows));
  checker.look(object, prefix);
  const auto problems = std::move(checker).problems();
  if (problems.empty()) {
    return {};
  }
  return Error(
      Code::failed_precondition,
      fmt::format("the facts at {} are not what is declared: {}", where, join(problems, "; ")));
}

/// A difference is a mistake in the program, to be met in a test; a release does not look.
template <class Check>
void hold(const Check& check) {
#ifdef AIOS_HOLD_INPUTS
  if (const auto fits = check(); !fits.ok()) {
    fail_assertion(fits.error().text().c_str(), __FILE__, __LINE__);
  }
#else
  static_cast<void>(check);
#endif
}

}  // namespace

Result<void> check_input(GuardPoint point, const JsonObject& facts) {
  const auto own = input_of(point);
  std::vector<InputMember> rows(own.begin(), own.end());
  if (has_run(point)) {
    rows.push_back({"run", "any", "", ""});
  }
  return look_at(std::move(rows), facts, "", name_of(point));
}

Result<void> check_run(const JsonObject& run) {
  return look_at({run_input().begin(), run_input().end()}, run, "run.", "run");
}

JsonObject held(GuardPoint point, JsonObject facts) {
  hold([&] { return check_input(point, facts); });
  return facts;
}

JsonObject held_run(JsonObject run) {
  hold([&] { return check_run(run); });
  return run;
}

}  // namespace aios::govern
