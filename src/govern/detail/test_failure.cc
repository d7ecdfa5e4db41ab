// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/test_failure.h"

#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace aios::govern::detail {
namespace {

constexpr std::size_t statements_max = 40;
constexpr std::size_t statement_characters_max = 160;
constexpr std::size_t value_characters_max = 120;
constexpr std::size_t lines_max = 10;
constexpr std::string_view probe = "test_aios_probe_";  // a test, so that no package has it

struct Statement {
  std::string kind;
  std::int64_t line = 0;
  std::size_t column = 0;
  std::string text;                ///< with its `with`
  std::string with;                ///< that alone
  std::vector<std::string> parts;  ///< what is compared, or the value
};

/// Byte `i` (0: the first, 1: behind the last) of a place, within the text.
std::size_t byte_of(std::string_view text, const Json& place, std::size_t i) {
  const bool there = place.is_array() && place.get_array().size() == 2;
  const Json value = there ? place.get_array()[i] : Json(0);
  return std::min(value.is_number() ? value.to_number<std::size_t>() : 0, text.size());
}

std::string piece(std::string_view text, const Json& place) {
  const std::size_t begin = byte_of(text, place, 0);
  const std::size_t end = byte_of(text, place, 1);
  return begin < end ? std::string(text.substr(begin, end - begin)) : "";
}

std::string trimmed(std::string_view text) { return std::string(trim(text)); }

/// What is compared, or the value. Of the places of expressions only the ends are to be relied on.
std::vector<std::string> parts_of(std::string_view text, const Json& statement) {
  const std::string_view kind = text_or(statement, "kind", "");
  const Json& place = statement.at("place");
  const std::size_t begin = byte_of(text, place, 0);
  const auto end = byte_of(text, JsonArray{0, statement.at("with")}, 1);
  const JsonArray& parts = statement.at("parts").as_array();
  if (parts.empty() || begin >= end) {
    return {};
  }
  if (kind != "compare") {
    const std::size_t skipped = kind == "not" ? std::string_view("not").size() : 0;
    return {trimmed(text.substr(begin + skipped, end - begin - skipped))};
  }
  const std::size_t middle = byte_of(text, parts[0], 1);
  const std::size_t sign = text.find_first_not_of(" \t\r\n", middle);
  const std::size_t right = sign < end ? text.find_first_not_of("=!<>", sign) : end;
  if (middle <= begin || right >= end || right == sign) {
    return {};
  }
  return {trimmed(text.substr(begin, middle - begin)), trimmed(text.substr(right, end - right))};
}

/// From 1; a tab is one.
std::size_t column_of(std::string_view text, const Json& place) {
  const std::size_t before = byte_of(text, place, 0);
  return before - (text.substr(0, before).rfind('\n') + 1) + 1;
}

std::vector<Statement> statements_of(std::string_view text, const Json& all) {
  std::vector<Statement> out;
  for (const Json& one : all.is_array() ? all.get_array() : JsonArray()) {
    Statement made;
    made.kind = text_or(one, "kind", "");
    const Json& place = one.at("place");
    made.line = int_or(one, "line", 0);
    made.column = column_of(text, place);
    made.text = piece(text, place);
    made.with = piece(text, JsonArray{one.at("with"), place.at(1)});
    made.parts = parts_of(text, one);
    out.push_back(std::move(made));
  }
  return out;
}

/// The files, with more rules in the one that holds the test.
std::vector<PolicyFile> with_rules(std::vector<PolicyFile> files, const std::string& file,
                                   const std::string& rules) {
  for (PolicyFile& one : files) {
    if (one.path == file) {
      one.text += "\n" + rules;
    }
  }
  return files;
}

/// It holds whatever it prints, and must not print it once more for each look.
bool prints(const Statement& statement) { return statement.text.starts_with("print("); }

/// The first `count` statements, a line each.
std::string first_of(const std::vector<Statement>& all, std::size_t count) {
  std::string out = "true\n";
  for (std::size_t i = 0; i < count; ++i) {
    out += prints(all[i]) ? "" : all[i].text + "\n";
  }
  return out;
}

class Explainer {
 public:
  Explainer(const std::vector<PolicyFile>& files, const JsonObject& data,
            const Rego::TestRule& test)
      : files_(files),
        data_(data),
        test_(test),
        package_(test.path.substr(0, test.path.rfind('.'))) {
    for (const PolicyFile& one : files) {
      if (one.path == test.file) {
        all_ = statements_of(one.text, test.statements);
      }
    }
  }

  std::string explain() const {
    const auto first = first_that_fails();
    if (!first) {
      return "";
    }
    const Statement& failed = all_[*first];
    const std::string shown = excerpt(failed.text, statement_characters_max);
    const auto values = values_of(*first);
    return fmt::format("{}:{}:{}: '{}' {}", test_.file, failed.line, failed.column, shown,
                       said_of(failed, values));
  }

 private:
  using Values = std::vector<std::optional<Json>>;

  /// Which does not hold after those before it.
  std::optional<std::size_t> first_that_fails() const {
    if (all_.empty() || all_.size() > statements_max) {
      return std::nullopt;
    }
    std::string rules;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      rules += fmt::format("{}{} if {{\n{}}}\n", probe, i, first_of(all_, i + 1));
    }
    const auto rego = Rego::compile(with_rules(files_, test_.file, rules), data_);
    for (std::size_t i = 0; rego.ok() && i < all_.size(); ++i) {
      const auto value = (*rego)->evaluate(fmt::format("{}.{}{}", package_, probe, i), "");
      if (!value.ok() || !value->has_value() || !(*value)->is_bool() || !(*value)->get_bool()) {
        return i;
      }
    }
    return std::nullopt;
  }

  Values values_of(std::size_t index) const {
    const Statement& failed = all_[index];
    Values values;
    for (const std::string& part : failed.parts) {
      const std::string rule =
          fmt::format("{}value := aios_found if {{\n{}aios_found := {} {}\n}}\n", probe,
                      first_of(all_, index), part, failed.with);
      const auto rego = Rego::compile(with_rules(files_, test_.file, rule), data_);
      auto value = rego.ok() ? (*rego)->evaluate(fmt::format("{}.{}value", package_, probe), "")
                             : Result<std::optional<Json>>(std::optional<Json>());
      values.push_back(value.ok() ? std::move(*value) : std::nullopt);
    }
    return values;
  }

  static std::string said_of(const Statement& failed, const Values& values) {
    std::string parts;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string value =
          values[i] ? excerpt(to_text(*values[i]), value_characters_max) : std::string("undefined");
      const auto literal = parse_json(failed.parts[i]);
      const bool told = literal.ok() && values[i] && *literal == *values[i];
      if (!told) {  // of a literal that is nothing new
        parts += fmt::format("{}{} is {}", parts.empty() ? "" : ", ",
                             excerpt(failed.parts[i], statement_characters_max), value);
      }
    }
    if (failed.kind == "assign") {
      return "has no value";
    }
    return parts.empty() ? "does not hold" : fmt::format("does not hold: {}", parts);
  }

  const std::vector<PolicyFile>& files_;
  const JsonObject& data_;
  const Rego::TestRule& test_;
  std::string package_;
  std::vector<Statement> all_;
};

}  // namespace

std::string why_failed(const std::vector<PolicyFile>& files, const JsonObject& data,
                       const Rego::TestRule& test) {
  std::string out = Explainer(files, data, test).explain();
  auto lines = Rego::prints(files, data, test.path);
  if (lines.size() > lines_max) {
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(lines_max));
  }
  if (!lines.empty()) {
    out += fmt::format("{}printed: {}", out.empty() ? "" : "; ",
                       excerpt(join(lines, " | "), 4 * statement_characters_max));
  }
  return out;
}

}  // namespace aios::govern::detail
