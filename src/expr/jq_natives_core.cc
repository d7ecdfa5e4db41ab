// SPDX-License-Identifier: Apache-2.0
// Types, conversions, errors; and how natives are found.
#include "core/text.h"
#include "expr/detail/jq_compare.h"
#include "expr/detail/jq_machine.h"
#include "expr/detail/jq_natives.h"
#include "expr/detail/jq_paths.h"
#include "expr/detail/jq_print.h"
#include "expr/detail/jq_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace aios::expr::detail {
namespace {

bool complain(Machine& machine, const Value& value, std::string_view what) {
  return machine.raise(fmt::format("{} {}", described(machine.budget(), value), what));
}

bool error_here(Machine& machine, Value* input, Value*) { return machine.raise_value(*input); }
bool error_with(Machine& machine, Value*, Value* arguments) {
  return machine.raise_value(arguments[0]);
}
bool no_input(Machine& machine, Value*, Value*) { return machine.raise("break"); }

bool negation(Machine&, Value* input, Value*) {
  *input = Value::boolean(!input->truth());
  return true;
}

bool type(Machine&, Value* input, Value*) {
  *input = Value::borrow_text(type_name(*input));
  return true;
}

bool length(Machine& machine, Value* input, Value*) {
  switch (input->type()) {
    case Type::null: *input = Value::number(0); return true;
    case Type::false_:
    case Type::true_: return complain(machine, *input, "has no length");
    case Type::number: *input = Value::number(std::fabs(input->as_number())); return true;
    case Type::string:
      machine.budget().spend(input->text().size() / 64);
      *input = Value::number(static_cast<double>(count_code_points(input->text())));
      return true;
    default: *input = Value::number(static_cast<double>(input->size())); return true;
  }
}

bool byte_length(Machine& machine, Value* input, Value*) {
  if (!input->is_string()) {
    return complain(machine, *input, "only strings have UTF-8 byte length");
  }
  *input = Value::number(static_cast<double>(input->text().size()));
  return true;
}

bool to_text(Machine& machine, Value* input, Value*) {
  return format_value(machine, Format::text, input);
}

bool to_json_text(Machine& machine, Value* input, Value*) {
  return format_value(machine, Format::json, input);
}

/// Strict: no blanks, no names; a leading "+" and ".5" are numbers.
bool to_number(Machine& machine, Value* input, Value*) {
  if (input->is_number()) {
    return true;
  }
  auto text = input->text();
  auto digits = text.starts_with("+") ? text.substr(1) : text;
  auto unsigned_part = digits.starts_with("-") && digits == text ? digits.substr(1) : digits;
  bool starts = !unsigned_part.empty() &&
                ((unsigned_part[0] >= '0' && unsigned_part[0] <= '9') || unsigned_part[0] == '.');
  double number = 0;
  auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  bool range = read.ec == std::errc::result_out_of_range;
  bool whole = read.ptr == digits.data() + digits.size();
  if (!input->is_string() || !starts || !whole || (read.ec != std::errc() && !range)) {
    return complain(machine, *input, "cannot be parsed as a number");
  }
  if (range) {
    bool small =
        digits.find("e-") != std::string_view::npos || digits.find("E-") != std::string_view::npos;
    number = small ? 0 : std::numeric_limits<double>::infinity();
    number = digits.starts_with("-") ? -number : number;
  }
  *input = Value::number(number);
  return true;
}

bool to_boolean(Machine& machine, Value* input, Value*) {
  if (input->type() == Type::true_ || input->type() == Type::false_) {
    return true;
  }
  if (!input->is_string() || (input->text() != "true" && input->text() != "false")) {
    return complain(machine, *input, "cannot be parsed as a boolean");
  }
  *input = Value::boolean(input->text() == "true");
  return true;
}

bool from_json(Machine& machine, Value* input, Value*) {
  if (!input->is_string()) {
    return complain(machine, *input, "only strings can be parsed");
  }
  std::string text(input->text());
  auto bare = trim(text);
  if (bare == "nan" || bare == "NaN" || bare == "-NaN" || bare == "-nan") {
    *input = Value::number(std::numeric_limits<double>::quiet_NaN());
    return true;
  }
  // A parsed document takes several times its text.
  auto bytes = text.size() * 8 + 64;
  if (!machine.budget().fits(bytes) || !machine.budget().spend(text.size() / 16)) {
    return false;
  }
  JsonLimits limits;
  limits.depth_max = walk_depth_max;
  auto parsed = parse_json(text, limits);
  if (!parsed.ok()) {
    const auto& error = parsed.error();
    bool deep = error.message().find("deep") != std::string::npos ||
                error.message().find("depth") != std::string::npos ||
                error.message().find("nest") != std::string::npos;
    auto what = deep ? "Exceeds depth limit for parsing" : error.message();
    return machine.raise(fmt::format("{} (while parsing '{}')", what, excerpt(text, 60)));
  }
  *input = machine.adopt(std::move(parsed).value(), bytes);
  return true;
}

bool contained(Machine& machine, Value* input, Value* arguments) {
  const auto& wanted = arguments[0];
  bool booleans = type_name(*input) == "boolean" && type_name(wanted) == "boolean";
  if (input->type() != wanted.type() && !booleans) {
    return machine.raise(fmt::format("{} and {} cannot have their containment checked",
                                     described(machine.budget(), *input),
                                     described(machine.budget(), wanted)));
  }
  bool result = false;
  if (contains(machine.budget(), *input, wanted, &result) == Walk::too_deep) {
    return machine.raise("Containment check too deep");
  }
  *input = Value::boolean(result);
  return true;
}

bool set_at_path(Machine& machine, Value* input, Value* arguments) {
  return check_path(machine, arguments[0]) &&
         set_path(machine, input, arguments[0], 0, arguments[1]);
}

bool delete_at_paths(Machine& machine, Value* input, Value* arguments) {
  return delete_paths(machine, input, arguments[0]);
}

bool names(Machine& machine, Value* input, Value*) {
  *input = Value::array(machine.budget());
  for (auto& name : builtin_names()) {
    input->push(machine.budget(), machine.text(std::move(name)));
  }
  return true;
}

constexpr std::array table = {
    Native{"error", 0, error_here},
    Native{"error", 1, error_with},
    Native{"input", 0, no_input},
    Native{"not", 0, negation},
    Native{"type", 0, type},
    Native{"length", 0, length},
    Native{"utf8bytelength", 0, byte_length},
    Native{"tostring", 0, to_text},
    Native{"tojson", 0, to_json_text},
    Native{"tonumber", 0, to_number},
    Native{"toboolean", 0, to_boolean},
    Native{"fromjson", 0, from_json},
    Native{"contains", 1, contained},
    Native{"setpath", 2, set_at_path},
    Native{"delpaths", 1, delete_at_paths},
    Native{"builtins", 0, names},
};

std::span<const Native> group(std::size_t index) {
  switch (index) {
    case 0: return core_natives();
    case 1: return collection_natives();
    case 2: return text_natives();
    case 3: return number_natives();
    case 4: return regex_natives();
    default: return time_natives();
  }
}
constexpr std::size_t groups = 6;

}  // namespace

std::span<const Native> core_natives() { return table; }

std::optional<std::uint32_t> find_native(std::string_view name, std::size_t arity) {
  for (std::size_t g = 0; g < groups; ++g) {
    auto natives = group(g);
    for (std::size_t i = 0; i < natives.size(); ++i) {
      if (natives[i].arity == arity && natives[i].name == name) {
        return static_cast<std::uint32_t>(g << 16 | i);
      }
    }
  }
  return std::nullopt;
}

const Native& native_at(std::uint32_t index) { return group(index >> 16)[index & 0xFFFF]; }

void append_native_names(std::vector<std::string>* names_out) {
  for (std::size_t g = 0; g < groups; ++g) {
    for (const auto& native : group(g)) {
      if (native.name.front() != '_') {
        names_out->push_back(fmt::format("{}/{}", native.name, native.arity));
      }
    }
  }
}

}  // namespace aios::expr::detail
