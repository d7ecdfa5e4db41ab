// SPDX-License-Identifier: Apache-2.0
// Regular expressions by Oniguruma, with a bound on how often it may try again.
#include "expr/detail/jq_machine.h"
#include "expr/detail/jq_natives.h"
#include "expr/detail/jq_print.h"
#include "expr/detail/jq_regex.h"
#include "expr/detail/jq_text.h"

#include <fmt/format.h>
#include <oniguruma.h>

#include <array>

namespace aios::expr::detail {
namespace {

constexpr unsigned long retries_max = 1'000'000;
constexpr unsigned stack_entries_max = 200'000;
constexpr std::size_t cached_max = 32;
constexpr std::size_t pattern_bytes_max = std::size_t{64} << 10;

const OnigUChar* bytes_of(std::string_view text) {
  return reinterpret_cast<const OnigUChar*>(text.data());
}

std::string message_of(int code, const OnigErrorInfo* info) {
  std::array<OnigUChar, ONIG_MAX_ERROR_MESSAGE_LEN + 1> buffer{};
  auto length = info == nullptr ? onig_error_code_to_str(buffer.data(), code)
                                : onig_error_code_to_str(buffer.data(), code, info);
  return {reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(length)};
}

int initialize() {
  OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
  return onig_initialize(encodings, 1);
}

int note_name(const OnigUChar* name, const OnigUChar* end, int count, int* groups, OnigRegex,
              void* names) {
  auto& list = *static_cast<std::vector<std::string>*>(names);
  for (int i = 0; i < count; ++i) {
    auto group = static_cast<std::size_t>(groups[i]);
    if (group <= list.size() && group > 0) {
      list[group - 1].assign(reinterpret_cast<const char*>(name),
                             static_cast<std::size_t>(end - name));
    }
  }
  return 0;
}

}  // namespace

class Regex {
 public:
  Regex() : region_(onig_region_new()), limits_(onig_new_match_param()) {
    onig_initialize_match_param(limits_);
    onig_set_retry_limit_in_match_of_match_param(limits_, retries_max);
    onig_set_retry_limit_in_search_of_match_param(limits_, retries_max);
    onig_set_match_stack_limit_size_of_match_param(limits_, stack_entries_max);
  }
  ~Regex() {
    onig_region_free(region_, 1);
    onig_free_match_param(limits_);
    if (regex_ != nullptr) {
      onig_free(regex_);
    }
  }
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  Result<void> compile(std::string_view pattern, unsigned options) {
    OnigErrorInfo info{};
    int code = onig_new(&regex_, bytes_of(pattern), bytes_of(pattern) + pattern.size(),
                        ONIG_OPTION_CAPTURE_GROUP | options, ONIG_ENCODING_UTF8,
                        ONIG_SYNTAX_PERL_NG, &info);
    if (code != ONIG_NORMAL) {
      regex_ = nullptr;
      return Error(Code::invalid_argument, message_of(code, &info));
    }
    names_.resize(static_cast<std::size_t>(onig_number_of_captures(regex_)));
    onig_foreach_name(regex_, note_name, &names_);
    return {};
  }

  /// Oniguruma's answer: where it matches, ONIG_MISMATCH or an error.
  int search(std::string_view text, std::size_t from) {
    onig_region_clear(region_);
    const auto* start = bytes_of(text);
    return onig_search_with_param(regex_, start, start + text.size(), start + from,
                                  start + text.size(), region_, ONIG_OPTION_NONE, limits_);
  }

  std::size_t groups() const { return names_.size(); }
  const std::string& name(std::size_t group) const { return names_[group]; }
  /// 0: the whole match. -1 for a group that took no part.
  int begin(std::size_t group) const { return region_->beg[group]; }
  int end(std::size_t group) const { return region_->end[group]; }

 private:
  OnigRegex regex_ = nullptr;
  OnigRegion* region_;
  OnigMatchParam* limits_;
  std::vector<std::string> names_;
};

RegexCache::RegexCache() {
  static const int* const initialized = new int(initialize());  // once, whichever thread is first
  AIOS_ASSERT(*initialized == ONIG_NORMAL);
}
RegexCache::~RegexCache() = default;

Result<Regex*> RegexCache::get(std::string_view pattern, unsigned options) {
  for (auto& entry : entries_) {
    if (entry.options == options && entry.pattern == pattern) {
      return entry.regex.get();
    }
  }
  if (pattern.size() > pattern_bytes_max) {
    return Error(Code::invalid_argument, "the pattern is too long");
  }
  auto regex = std::make_unique<Regex>();
  auto compiled = regex->compile(pattern, options);
  if (!compiled.ok()) {
    return std::move(compiled).error();
  }
  if (entries_.size() == cached_max) {
    entries_.erase(entries_.begin());
  }
  entries_.push_back({std::string(pattern), options, std::move(regex)});
  return entries_.back().regex.get();
}

namespace {

struct Flags {
  unsigned options = ONIG_OPTION_NONE;
  bool global = false;
};

bool read_flags(Machine& machine, const Value& value, Flags* flags) {
  if (value.is_null()) {
    return true;
  }
  if (!value.is_string()) {
    return machine.raise(fmt::format("{} is not a string", described(machine.budget(), value)));
  }
  for (char c : value.text()) {
    switch (c) {
      case 'g': flags->global = true; break;
      case 'i': flags->options |= ONIG_OPTION_IGNORECASE; break;
      case 'x': flags->options |= ONIG_OPTION_EXTEND; break;
      case 's': flags->options |= ONIG_OPTION_SINGLELINE; break;
      case 'p': flags->options |= ONIG_OPTION_MULTILINE | ONIG_OPTION_SINGLELINE; break;
      case 'l': flags->options |= ONIG_OPTION_FIND_LONGEST; break;
      case 'n': flags->options |= ONIG_OPTION_FIND_NOT_EMPTY; break;
      default: return machine.raise(fmt::format("{} is not a valid modifier string", value.text()));
    }
  }
  return true;
}

/// Turns matches of one text into jq's objects; counts code points from where it last was.
class Matches {
 public:
  Matches(Machine& machine, std::string_view text) : machine_(machine), text_(text) {}

  Value match(const Regex& regex) {
    auto found = part(regex, 0);
    auto captures = Value::array(budget());
    for (std::size_t i = 1; i <= regex.groups(); ++i) {
      auto capture = part(regex, i);
      const auto& name = regex.name(i - 1);
      set(capture, "name", name.empty() ? Value() : machine_.text(name));
      captures.push(budget(), std::move(capture));
    }
    set(found, "captures", std::move(captures));
    return found;
  }

 private:
  Budget& budget() { return machine_.budget(); }
  void set(Value& object, std::string_view key, Value value) {
    object.set_member(budget(), Value::borrow_text(key), std::move(value));
  }

  double points_before(std::size_t byte) {
    if (byte < byte_) {
      byte_ = 0;
      points_ = 0;
    }
    budget().spend((byte - byte_) / 64);
    points_ += count_code_points(text_.substr(byte_, byte - byte_));
    byte_ = byte;
    return static_cast<double>(points_);
  }

  Value part(const Regex& regex, std::size_t group) {
    auto object = Value::object(budget());
    bool took_part = regex.begin(group) >= 0;
    auto begin = static_cast<std::size_t>(took_part ? regex.begin(group) : 0);
    auto end = static_cast<std::size_t>(took_part ? regex.end(group) : 0);
    auto piece = text_.substr(begin, end - begin);
    set(object, "offset", Value::number(took_part ? points_before(begin) : -1));
    set(object, "length", Value::number(static_cast<double>(count_code_points(piece))));
    set(object, "string", took_part ? machine_.text(std::string(piece)) : Value());
    return object;
  }

  Machine& machine_;
  std::string_view text_;
  std::size_t byte_ = 0;
  std::size_t points_ = 0;
};

bool search_failed(Machine& machine, int code) {
  bool limit = code == ONIGERR_RETRY_LIMIT_IN_MATCH_OVER ||
               code == ONIGERR_RETRY_LIMIT_IN_SEARCH_OVER || code == ONIGERR_MATCH_STACK_LIMIT_OVER;
  if (limit) {
    machine.budget().fail(Budget::Limit::regex);
  }
  return machine.raise(message_of(code, nullptr));
}

bool all_matches(Machine& machine, Regex& regex, std::string_view text, bool global, Value* out) {
  Matches matches(machine, text);
  *out = Value::array(machine.budget());
  for (std::size_t from = 0; from <= text.size();) {
    if (!machine.budget().spend(1 + text.size() / 256)) {
      return false;
    }
    int code = regex.search(text, from);
    if (code == ONIG_MISMATCH) {
      return true;
    }
    if (code < 0) {
      return search_failed(machine, code);
    }
    out->push(machine.budget(), matches.match(regex));
    if (!global) {
      return true;
    }
    auto end = static_cast<std::size_t>(regex.end(0));
    bool empty = regex.end(0) == regex.begin(0);
    from = !empty              ? end
           : end < text.size() ? end + first_code_point(text.substr(end)).bytes
                               : end + 1;
  }
  return true;
}

/// _match(pattern; flags; only whether)
bool match(Machine& machine, Value* input, Value* arguments) {
  auto& budget = machine.budget();
  if (!input->is_string()) {
    return machine.raise(
        fmt::format("{} cannot be matched, as it is not a string", described(budget, *input)));
  }
  if (!arguments[0].is_string()) {
    return machine.raise(fmt::format("{} cannot be matched, as it is not a string",
                                     described(budget, arguments[0])));
  }
  Flags flags;
  if (!read_flags(machine, arguments[1], &flags)) {
    return false;
  }
  budget.spend(4 + arguments[0].text().size() / 4);
  auto regex = machine.regexes().get(arguments[0].text(), flags.options);
  if (!regex.ok()) {
    return machine.raise(fmt::format("{} (at offset 0) is not a valid regex: {}",
                                     arguments[0].text(), regex.error().message()));
  }
  if (!arguments[2].truth()) {
    Value found;
    auto text = *input;
    bool done = all_matches(machine, **regex, text.text(), flags.global, &found);
    *input = std::move(found);
    return done;
  }
  int code = (*regex)->search(input->text(), 0);
  if (code < 0 && code != ONIG_MISMATCH) {
    return search_failed(machine, code);
  }
  *input = Value::boolean(code != ONIG_MISMATCH);
  return true;
}

constexpr std::array table = {Native{"_match", 3, match}};

}  // namespace

std::span<const Native> regex_natives() { return table; }

}  // namespace aios::expr::detail
