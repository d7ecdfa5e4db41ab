// SPDX-License-Identifier: Apache-2.0
// Reading tasks and the parts every task kind needs. The document around them: loader_document.cc.
#include "workflow/detail/loader.h"

#include "core/text.h"
#include "workflow/detail/durations.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aios::workflow {
namespace {

constexpr std::uint32_t depth_max = 32;
constexpr std::size_t errors_max = 100;

bool has_type(const Json& value, std::string_view wanted) {
  for (std::string_view rest = wanted; !rest.empty();) {
    const auto cut = rest.find(" or ");
    const auto one = rest.substr(0, cut);
    if (one == type_name(value) || (one == "integer" && (value.is_int64() || value.is_uint64()))) {
      return true;
    }
    rest = cut == std::string_view::npos ? std::string_view() : rest.substr(cut + 4);
  }
  return false;
}

std::string one_of(const std::vector<std::string>& names) { return join(names, ", "); }

}  // namespace

void Loader::fail(const std::string& pointer, std::string message, int page) {
  fail_at(yaml_.positions.of(pointer), std::move(message), page);
}

void Loader::fail_at(const expr::Position& position, std::string message, int page) {
  if (errors_.size() >= errors_max) {
    return;
  }
  errors_.push_back(Error(Code::invalid_argument, std::move(message))
                        .page(page)
                        .at(file_.path, position.line, position.column));
}

const Json* Loader::member(const Json& node, const std::string& pointer, std::string_view name,
                           std::string_view type, bool required) {
  const auto* found = find(node, name);
  if (found == nullptr) {
    if (required) {
      fail(pointer, fmt::format("'{}' is missing, wanted {}", name, type), 1000);
    }
    return nullptr;
  }
  if (!has_type(*found, type)) {
    fail(fmt::format("{}/{}", pointer, name),
         fmt::format("found {} for '{}', wanted {}", type_name(*found), name, type), 1000);
    return nullptr;
  }
  return found;
}

void Loader::only(const Json& node, const std::string& pointer,
                  const std::vector<std::string>& allowed) {
  if (!node.is_object()) {
    fail(pointer, fmt::format("found {}, wanted object", type_name(node)), 1000);
    return;
  }
  for (const auto& one : node.get_object()) {
    const std::string name(one.key());
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      auto place = pointer;
      expr::append_pointer(place, name);
      fail(place,
           fmt::format("found '{}', allowed here: {}{}", name, one_of(allowed),
                       did_you_mean(name, allowed)),
           1003);
    }
  }
}

Expression Loader::compile(const Json& value, const std::string& pointer, BareText bare,
                           const std::vector<std::string>& allowed) {
  const auto place = [&](std::string_view below, std::string_view text, std::size_t offset) {
    return yaml_.inside(fmt::format("{}{}", pointer, below), text, offset);
  };
  auto compiled = Expression::compile(value, bare, allowed, place);
  if (!compiled.ok()) {
    const Error& error = compiled.error();
    const bool known = error.line() != 0;  // where in the expression
    fail_at(known ? expr::Position{error.line(), error.column()} : yaml_.positions.of(pointer),
            error.message(), 1005);
    return {};
  }
  return std::move(*compiled);
}

std::vector<std::string> Loader::with_variables(std::vector<std::string> allowed) const {
  allowed.insert(allowed.end(), variables_.begin(), variables_.end());
  return allowed;
}

Expression Loader::expression(const Json& value, const std::string& pointer, BareText bare,
                              const std::vector<std::string>& more_arguments) {
  auto allowed = with_variables({"context", "input", "task", "workflow", "runtime"});
  allowed.insert(allowed.end(), more_arguments.begin(), more_arguments.end());
  return compile(value, pointer, bare, allowed);
}

void Loader::extraction(const Json& value, const std::string& pointer) {
  compile(value, pointer, BareText::expression, {});
}

DurationValue Loader::duration(const Json& value, const std::string& pointer) {
  DurationValue out;
  if (value.is_string() && trim(view(value.get_string())).starts_with("${")) {
    out.expression = expression(value, pointer, BareText::literal, {});
    return out;
  }
  auto fixed = duration_of(value);
  if (!fixed.ok()) {
    fail(pointer, fixed.error().message(), 1001);
    return out;
  }
  out.fixed = *fixed;
  return out;
}

Directive Loader::directive(const Json& value, const std::string& pointer) {
  if (!value.is_string()) {
    fail(pointer, fmt::format("found {}, wanted the name of a task", type_name(value)), 1000);
    return {};
  }
  const auto text = view(value.get_string());
  if (text == "continue") {
    return {};
  }
  if (text == "exit") {
    return {Directive::Kind::exit, 0};
  }
  if (text == "end") {
    if (branches_ > 0) {
      fail(pointer,
           "'end' inside a branch is not supported, for the other branches go on; supported: "
           "continue, exit, a task of the same list",
           1002);
    }
    return {Directive::Kind::end, 0};
  }
  const auto found = std::find(names_.begin(), names_.end(), text);
  if (found == names_.end()) {
    fail(pointer,
         fmt::format("found '{}', wanted continue, exit, end or a task of the same list ({}){}",
                     text, one_of(names_), did_you_mean(text, names_)),
         1004);
    return {};
  }
  return {Directive::Kind::go, static_cast<std::uint32_t>(found - names_.begin())};
}

std::uint32_t Loader::tasks(const Json& value, const std::string& pointer,
                            const std::vector<std::string>& variables) {
  const auto index = static_cast<std::uint32_t>(definition_->lists.size());
  definition_->lists.push_back(std::make_unique<TaskList>());
  auto& list = *definition_->lists.back();
  list.pointer = pointer;
  if (!value.is_array() || value.get_array().empty()) {
    fail(pointer, "wanted a list with at least one task", 1000);
    return index;
  }
  if (++depth_ > depth_max) {
    fail(pointer, fmt::format("tasks nested deeper than {}", depth_max), 1001);
    --depth_;
    return index;
  }
  auto names = std::exchange(names_, {});
  variables_.insert(variables_.end(), variables.begin(), variables.end());
  const auto& items = value.get_array();
  for (const auto& item : items) {
    const bool named = item.is_object() && item.get_object().size() == 1;
    names_.push_back(named ? std::string(item.get_object().begin()->key()) : "");
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto place = fmt::format("{}/{}", pointer, i);
    if (names_[i].empty()) {
      fail(place, "a task must be an object with one member, its name", 1000);
      continue;
    }
    expr::append_pointer(place, names_[i]);
    if (std::find(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(i), names_[i]) !=
        names_.begin() + static_cast<std::ptrdiff_t>(i)) {
      fail(place, fmt::format("a second task named '{}' in one list", names_[i]), 1001);
    }
    list.tasks.push_back(task(items[i].get_object().begin()->value(), names_[i], place));
  }
  variables_.resize(variables_.size() - variables.size());
  names_ = std::move(names);
  --depth_;
  return index;
}

std::uint32_t Loader::branch(const Json& value, const std::string& pointer) {
  const auto index = static_cast<std::uint32_t>(definition_->lists.size());
  definition_->lists.push_back(std::make_unique<TaskList>());
  auto& list = *definition_->lists.back();
  list.pointer = pointer;
  if (!value.is_object() || value.get_object().size() != 1) {
    fail(pointer, "a branch must be an object with one member, its name", 1000);
    return index;
  }
  if (++depth_ > depth_max) {
    fail(pointer, fmt::format("tasks nested deeper than {}", depth_max), 1001);
    --depth_;
    return index;
  }
  ++branches_;
  const auto& named = *value.get_object().begin();
  auto names = std::exchange(names_, {std::string(named.key())});
  auto place = pointer;
  expr::append_pointer(place, names_.front());
  list.tasks.push_back(task(named.value(), names_.front(), place));
  names_ = std::move(names);
  --branches_;
  --depth_;
  return index;
}

void Loader::runs(const std::string& workflow, const std::string& version,
                  const std::string& pointer) {
  const auto position = yaml_.positions.of(pointer);
  definition_->runs.push_back({workflow, version, position.line, position.column});
}

void Loader::listens(const std::string& type) { definition_->info.listen_types.push_back(type); }

LoadedTask Loader::task(const Json& node, std::string name, const std::string& pointer) {
  LoadedTask out;
  out.name = std::move(name);
  out.reference = pointer;
  if (!node.is_object()) {
    fail(pointer, fmt::format("found {}, wanted a task", type_name(node)), 1000);
    return out;
  }
  const auto* kind = kind_of(node, pointer);
  if (kind == nullptr) {
    return out;
  }
  out.keyword = kind->keyword;
  std::vector<std::string> allowed = kind->members;
  for (const auto* base : {"if", "input", "output", "export", "timeout", "then", "metadata"}) {
    allowed.emplace_back(base);
  }
  only(node, pointer, allowed);
  load_base(node, pointer, &out);
  out.body = kind->load(*this, node, pointer);
  return out;
}

const TaskKind* Loader::kind_of(const Json& node, const std::string& pointer) {
  std::vector<std::string> keywords;
  const TaskKind* found = nullptr;
  for (const auto& kind : kinds_.kinds()) {
    keywords.push_back(kind.keyword);
    if (find(node, kind.keyword) != nullptr) {
      found = &kind;
    }
  }
  if (found == nullptr) {
    std::string members;
    std::string hint;
    for (const auto& one : node.get_object()) {
      members += (members.empty() ? "" : ", ") + std::string(one.key());
      hint = hint.empty() ? did_you_mean(std::string(one.key()), keywords) : hint;
    }
    fail(pointer,
         fmt::format("found a task with {}, wanted one of {}{}",
                     members.empty() ? "no members" : members, one_of(keywords), hint),
         1000);
  }
  return found;
}

void Loader::load_base(const Json& node, const std::string& pointer, LoadedTask* out) {
  const auto before = with_variables({"context", "task", "workflow", "runtime"});
  const auto inside = with_variables({"context", "input", "task", "workflow", "runtime"});
  const auto after = with_variables({"context", "input", "output", "task", "workflow", "runtime"});
  if (const auto* text = member(node, pointer, "if", "string", false); text != nullptr) {
    out->condition = compile(*text, pointer + "/if", BareText::expression, before);
  }
  out->input = shape(node, pointer, "input", "from", before);
  out->output = shape(node, pointer, "output", "as", inside);
  out->exported = shape(node, pointer, "export", "as", after);
  out->timeout = timeout(node, pointer);
  if (const auto* then = find(node, "then"); then != nullptr) {
    out->then = directive(*then, pointer + "/then");
  }
  member(node, pointer, "metadata", "object", false);
}

Shape Loader::shape(const Json& node, const std::string& pointer, std::string_view part,
                    std::string_view expression_name, const std::vector<std::string>& allowed) {
  Shape out;
  const auto* found = member(node, pointer, part, "object", false);
  if (found == nullptr) {
    return out;
  }
  const auto at = fmt::format("{}/{}", pointer, part);
  only(*found, at, {"schema", std::string(expression_name)});
  const auto* value = member(*found, at, expression_name, "object or string", false);
  if (value != nullptr) {
    out.expression =
        compile(*value, fmt::format("{}/{}", at, expression_name), BareText::expression, allowed);
  }
  out.schema = schema(*found, at);
  return out;
}

std::optional<expr::Schema> Loader::schema(const Json& node, const std::string& pointer) {
  const auto* found = member(node, pointer, "schema", "object", false);
  if (found == nullptr) {
    return {};
  }
  const auto at = pointer + "/schema";
  if (find(*found, "resource") != nullptr) {
    fail(at + "/resource", "a schema by reference is not supported; write it under 'document'",
         1002);
    return {};
  }
  only(*found, at, {"format", "document"});
  const auto format = text_or(*found, "format", "json");
  if (format != "json" && !format.starts_with("json:")) {
    fail(at + "/format", fmt::format("found schema format '{}', wanted 'json'", format), 1001);
  }
  const auto* document = member(*found, at, "document", "object or boolean", true);
  if (document == nullptr) {
    return {};
  }
  auto compiled = expr::Schema::compile(*document);
  if (!compiled.ok()) {
    fail(at + "/document", compiled.error().message(), 1007);
    return {};
  }
  return std::move(*compiled);
}

std::optional<DurationValue> Loader::timeout(const Json& node, const std::string& pointer) {
  const auto* found = member(node, pointer, "timeout", "object or string", false);
  if (found == nullptr) {
    return {};
  }
  std::string at = pointer + "/timeout";
  const auto* body = referable(*found, at, "timeouts", &at);
  if (body == nullptr) {
    return {};
  }
  only(*body, at, {"after"});
  const auto* after = member(*body, at, "after", "object or string", true);
  if (after == nullptr) {
    return {};
  }
  return duration(*after, at + "/after");
}

}  // namespace aios::workflow
