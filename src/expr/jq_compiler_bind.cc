// SPDX-License-Identifier: Apache-2.0
// Constants, strings, folds and bindings.
#include "expr/detail/jq_compiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace aios::expr::detail {
namespace {

Json number_of(const std::string& text) {
  std::int64_t whole = 0;
  auto* end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, whole);
  if (read.ec == std::errc() && read.ptr == end) {
    return whole;
  }
  auto padded = text.front() == '.' ? "0" + text : text;
  double number = 0;
  auto result = std::from_chars(padded.data(), padded.data() + padded.size(), number);
  if (result.ec == std::errc::result_out_of_range) {
    // Too large or too small; which one shows in the sign of the decimal exponent.
    auto exponent = padded.find_first_of("eE");
    bool small = exponent != std::string::npos && padded[exponent + 1] == '-';
    number = small ? 0 : std::numeric_limits<double>::infinity();
  }
  return number;
}

constexpr std::string_view format_names[] = {"text",   "json",    "csv",    "tsv",
                                             "html",   "uri",     "urid",   "sh",
                                             "base64", "base64d", "base32", "base32d"};

}  // namespace

std::optional<Json> Compiler::constant(NodeId id) const {
  const auto& node = at(id);
  switch (node.syntax) {
    case Syntax::number: return number_of(node.text);
    case Syntax::piece: return Json(node.text);
    case Syntax::string:
      if (node.kids.size() == 1) {
        return Json(at(node.kids[0]).text);
      }
      return std::nullopt;
    case Syntax::location: {
      JsonObject place;
      place["file"] = "<top-level>";
      place["line"] = node.line;
      return Json(std::move(place));
    }
    case Syntax::negate: {
      const auto& operand = at(node.kids[0]);
      if (operand.syntax != Syntax::number) {
        return std::nullopt;
      }
      auto number = number_of(operand.text);
      return number.is_int64() && number.get_int64() != 0 ? Json(-number.get_int64())
                                                          : Json(-number.to_number<double>());
    }
    case Syntax::call:
      if (!node.kids.empty() || find_callable(node.text, 0) != nullptr) {
        return std::nullopt;
      }
      if (node.text == "true" || node.text == "false") {
        return Json(node.text == "true");
      }
      return node.text == "null" ? std::optional<Json>(Json(nullptr)) : std::nullopt;
    case Syntax::array:
    case Syntax::object: return constant_container(node);
    default: return std::nullopt;
  }
}

std::optional<Json> Compiler::constant_container(const Node& node) const {
  if (node.syntax == Syntax::array) {
    JsonArray array;
    if (node.kids[0] != no_node) {
      const auto& inside = at(node.kids[0]);
      auto items = inside.syntax == Syntax::comma ? inside.kids : node.kids;
      for (auto item : items) {
        auto value = constant(item);
        if (!value) {
          return std::nullopt;
        }
        array.push_back(std::move(*value));
      }
    }
    return Json(std::move(array));
  }
  JsonObject object;
  for (std::size_t i = 0; i + 1 < node.kids.size(); i += 2) {
    auto key = constant(node.kids[i]);
    auto value = node.kids[i + 1] == no_node ? std::nullopt : constant(node.kids[i + 1]);
    if (!key || !key->is_string() || !value) {
      return std::nullopt;
    }
    object[key->get_string()] = std::move(*value);
  }
  return Json(std::move(object));
}

/// Pieces are computed from the last to the first: of several outputs the first varies fastest.
Compiler::Done Compiler::string(const Node& node) {
  const auto& name = node.text.empty() ? std::string("text") : node.text;
  auto known = std::find(std::begin(format_names), std::end(format_names), name);
  if (known == std::end(format_names)) {
    return wrong(node, fmt::format("@{} is not a format", name));
  }
  auto format = static_cast<std::uint32_t>(known - std::begin(format_names));
  if (node.syntax == Syntax::format) {
    emit(Op::format, format);
    return {};
  }
  for (std::size_t i = node.kids.size(); i-- > 0;) {
    if (i % 2 == 0) {
      emit(Op::push_constant, keep(Json(at(node.kids[i]).text)));
      continue;
    }
    emit(Op::subexpression_begin);
    auto done = expression(node.kids[i]);
    if (!done.ok()) {
      return done;
    }
    emit(Op::format, format);
    emit(Op::subexpression_end);
  }
  emit(Op::concatenate, static_cast<std::uint32_t>(node.kids.size()));
  return {};
}

/// [v] -> [null, v] with a fork at [null]: the fork does not hold v, so that what nobody else
/// holds is changed in place.
std::uint32_t Compiler::fork_with_input() {
  auto input = slot();
  emit(Op::store, input);
  emit(Op::push_null);
  auto end = emit(Op::fork);
  emit(Op::push_take, input);
  return end;
}

Compiler::Done Compiler::reduce(const Node& node) {
  auto state = slot();
  emit(Op::duplicate);
  auto done = expression(node.kids[2]);
  if (!done.ok()) {
    return done;
  }
  emit(Op::store, state);
  auto end = fork_with_input();
  done = expression(node.kids[0]);
  auto known = bindings_.size();
  if (done.ok()) {
    done = patterns(at(node.kids[1]));
  }
  emit(Op::push_take, state);
  if (done.ok()) {
    done = expression(node.kids[3]);
  }
  bindings_.resize(known);
  emit(Op::store, state);
  emit(Op::backtrack);
  land(end);
  emit(Op::take, state);
  return done;
}

Compiler::Done Compiler::foreach (const Node& node) {
  auto state = slot();
  emit(Op::duplicate);
  auto done = expression(node.kids[2]);
  if (!done.ok()) {
    return done;
  }
  emit(Op::store, state);
  done = expression(node.kids[0]);
  auto known = bindings_.size();
  if (done.ok()) {
    done = patterns(at(node.kids[1]));
  }
  emit(Op::push_take, state);
  if (done.ok()) {
    done = expression(node.kids[3]);
  }
  emit(Op::duplicate);
  emit(Op::store, state);
  if (done.ok() && node.kids[4] != no_node) {
    done = expression(node.kids[4]);
  }
  bindings_.resize(known);
  return done;
}

Compiler::Done Compiler::bind(const Node& node) {
  auto known = bindings_.size();
  auto done = sub(node.kids[0]);
  if (!done.ok()) {
    return done;
  }
  const auto& names = at(node.kids[1]);
  if (names.kids.size() == 1 && at(names.kids[0]).syntax == Syntax::name_pattern) {
    declare(names.kids[0], nullptr);
    emit(Op::store_under, bindings_.back().index);
  } else {
    emit(Op::swap);
    done = patterns(names);
  }
  if (done.ok()) {
    done = expression(node.kids[2]);
  }
  bindings_.resize(known);
  return done;
}

/// New variables for every name in the pattern that has none yet in these patterns.
void Compiler::declare(NodeId id, std::vector<std::uint32_t>* slots) {
  std::vector<NodeId> todo = {id};
  auto first = bindings_.size();
  while (!todo.empty()) {
    const auto& node = at(todo.back());
    todo.pop_back();
    if (node.syntax == Syntax::name_pattern || node.syntax == Syntax::variable) {
      auto same = [&node](const Binding& binding) {
        return binding.kind == Binding::Kind::variable && binding.name == node.text;
      };
      auto from = bindings_.begin() +
                  static_cast<std::ptrdiff_t>(slots == nullptr ? first : first - slots->size());
      if (std::find_if(from, bindings_.end(), same) == bindings_.end()) {
        bindings_.push_back({Binding::Kind::variable, node.text, 0, open().depth, slot()});
      }
    } else if (node.syntax == Syntax::array_pattern) {
      todo.insert(todo.end(), node.kids.begin(), node.kids.end());
    } else if (node.syntax == Syntax::object_pattern) {
      for (std::size_t i = 0; i < node.kids.size(); ++i) {
        bool wanted =
            i % 2 == 1 ? node.kids[i] != no_node : at(node.kids[i]).syntax == Syntax::variable;
        if (wanted) {
          todo.push_back(node.kids[i]);
        }
      }
    }
  }
  if (slots != nullptr) {
    for (auto i = first; i < bindings_.size(); ++i) {
      slots->push_back(bindings_[i].index);
    }
  }
}

/// Declares what the patterns name and takes the value on top apart.
Compiler::Done Compiler::patterns(const Node& node) {
  std::vector<std::uint32_t> slots;
  for (auto kid : node.kids) {
    declare(kid, &slots);
  }
  if (node.kids.size() == 1) {
    return destructure(node.kids[0]);
  }
  auto whole = slot();
  emit(Op::store, whole);
  std::vector<std::uint32_t> ends;
  for (std::size_t i = 0; i < node.kids.size(); ++i) {
    bool last = i + 1 == node.kids.size();
    auto next = last ? 0 : emit(Op::alternative);
    for (auto name : slots) {
      emit(Op::set_null, name);
    }
    emit(Op::push_plain, whole);
    auto done = destructure(node.kids[i]);
    if (!done.ok()) {
      return done;
    }
    if (!last) {
      ends.push_back(emit(Op::jump));
      land(next);
    }
  }
  for (auto end : ends) {
    land(end);
  }
  return {};
}

Compiler::Done Compiler::store_named(const std::string& name) {
  const auto* known = find(Binding::Kind::variable, name);
  emit(Op::store, known->index, level_of(*known));
  return {};
}

/// [s] -> []
Compiler::Done Compiler::destructure(NodeId pattern) {
  const auto& node = at(pattern);
  if (node.syntax == Syntax::name_pattern) {
    return store_named(node.text);
  }
  emit(Op::quiet_begin);
  bool array = node.syntax == Syntax::array_pattern;
  for (std::size_t i = 0; i < node.kids.size(); i += array ? 1 : 2) {
    Done done;
    if (array) {
      emit(Op::duplicate);
      emit(Op::index_constant, keep(static_cast<std::int64_t>(i)));
      done = destructure(node.kids[i]);
    } else {
      done = destructure_member(node.kids[i], node.kids[i + 1]);
    }
    if (!done.ok()) {
      return done;
    }
  }
  emit(Op::pop);
  emit(Op::quiet_end);
  return {};
}

Compiler::Done Compiler::destructure_member(NodeId key, NodeId inner) {
  const auto& node = at(key);
  emit(Op::duplicate);
  bool named = node.syntax == Syntax::variable;
  auto text = named ? std::optional<Json>(Json(node.text)) : constant(key);
  if (text) {
    if (!text->is_string()) {
      return wrong(node,
                   fmt::format("found a {} as an object key, wanted text", aios::type_name(*text)));
    }
    emit(Op::index_constant, keep(std::move(*text)));
  } else {
    auto done = sub(key);
    if (!done.ok()) {
      return done;
    }
    emit(Op::index);
  }
  if (named) {
    if (inner != no_node) {
      emit(Op::duplicate);
    }
    auto done = store_named(node.text);
    if (inner == no_node) {
      return done;
    }
  }
  return destructure(inner);
}

}  // namespace aios::expr::detail
