// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/rego.h"

#include "aios_bridge.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::govern::detail {
namespace {

constexpr std::size_t refusals_shown = 10;
// Far above what a policy of a few hundred rules needs, far below a second.
constexpr std::uint64_t instructions_max = 1'000'000;
// The engine's parser reads what is in brackets or braces once as a comprehension and once as a
// value: each level doubles its time (20 levels take seconds), and nothing can interrupt it.
constexpr int nesting_max = 10;

// What the bridge answered; gives the bytes back.
class Answer {
 public:
  explicit Answer(aios_bytes bytes) : bytes_(bytes) {}
  ~Answer() { aios_bytes_free(bytes_); }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  int err() const { return bytes_.err; }
  std::string_view text() const { return {bytes_.ptr, bytes_.len}; }

 private:
  aios_bytes bytes_;
};

aios_text as_text(std::string_view text) { return {text.data(), text.size()}; }

std::string place_of(const Json& refusal) {
  const std::string_view file = text_or(refusal, "file", "");
  return file.empty() ? std::string()
                      : fmt::format("{}:{}:{}: ", file, int_or(refusal, "line", 0),
                                    int_or(refusal, "column", 0));
}

Error refusal_of(const Answer& answer, Code code, int page) {
  const auto parsed = parse_json(answer.text());
  if (answer.err() != 1 || !parsed.ok() || !parsed->is_array() || parsed->get_array().empty()) {
    return Error(Code::internal, fmt::format("the policy engine failed: {}", answer.text()))
        .page(page);
  }
  const JsonArray& refusals = parsed->get_array();
  const Json& first = refusals[0];
  std::string message(text_or(first, "message", "refused"));
  for (std::size_t i = 1; i < std::min(refusals.size(), refusals_shown); ++i) {
    message +=
        fmt::format("; {}{}", place_of(refusals[i]), text_or(refusals[i], "message", "refused"));
  }
  if (refusals.size() > refusals_shown) {
    message += fmt::format("; and {} more", refusals.size() - refusals_shown);
  }
  return Error(code, std::move(message))
      .page(page)
      .at(text_or(first, "file", ""), static_cast<std::uint32_t>(int_or(first, "line", 0)),
          static_cast<std::uint32_t>(int_or(first, "column", 0)));
}

/// The end of a text in quotes that begins at `at`; the size of the text when it has no end.
std::size_t after_quoted(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (++at; at < text.size() && text[at] != quote; ++at) {
    if (text[at] == '\\' && quote == '"') {
      ++at;
    }
  }
  return std::min(at + 1, text.size());
}

/// Refuses brackets and braces that are nested more than nesting_max levels deep.
Result<void> check_nesting(const PolicyFile& file) {
  const std::string_view text = file.text;
  int depth = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"' || c == '`') {
      at = after_quoted(text, at);
      continue;
    }
    if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    depth += c == '[' || c == '{' ? 1 : 0;
    depth -= (c == ']' || c == '}') && depth > 0 ? 1 : 0;
    if (depth > nesting_max) {
      const std::string_view before = text.substr(0, at);
      const auto line = std::count(before.begin(), before.end(), '\n') + 1;
      const auto column = at - (before.rfind('\n') + 1) + 1;
      return Error(Code::invalid_argument,
                   fmt::format("brackets and braces are nested more than {} levels deep; name the "
                               "inner parts by rules of their own",
                               nesting_max))
          .page(502)
          .at(file.path, static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(column));
    }
    ++at;
  }
  return {};
}

}  // namespace

Rego::~Rego() { aios_rego_free(handle_); }

Result<std::shared_ptr<const Rego>> Rego::compile(const std::vector<PolicyFile>& files,
                                                  const JsonObject& data) {
  std::vector<aios_text> paths;
  std::vector<aios_text> texts;
  for (const PolicyFile& file : files) {
    auto flat = check_nesting(file);
    if (!flat.ok()) {
      return std::move(flat).error();
    }
    paths.push_back(as_text(file.path));
    texts.push_back(as_text(file.text));
  }
  const std::string data_text = to_text(data);
  aios_rego_options options{};
  options.paths = paths.data();
  options.texts = texts.data();
  options.modules_count = files.size();
  options.data = as_text(data_text);
  options.instructions_max = instructions_max;
  std::shared_ptr<Rego> rego(new Rego);
  const Answer answer(aios_rego_compile(&options, &rego->handle_));
  if (answer.err() != 0) {
    return refusal_of(answer, Code::invalid_argument, 502);
  }
  auto read = rego->read_report(answer.text());
  if (!read.ok()) {
    return std::move(read).error();
  }
  return std::shared_ptr<const Rego>(std::move(rego));
}

Result<void> Rego::read_report(std::string_view text) {
  auto report = parse_json(text);
  const Json* entry_points = report.ok() ? find(*report, "entry_points") : nullptr;
  const Json* tests = report.ok() ? find(*report, "tests") : nullptr;
  if (entry_points == nullptr || !entry_points->is_array() || tests == nullptr ||
      !tests->is_array()) {
    return Error(Code::internal, "the policy engine's report cannot be read").page(502);
  }
  for (const Json& entry : entry_points->get_array()) {
    entry_points_.emplace_back(text_or(entry, "path", ""));
  }
  std::sort(entry_points_.begin(), entry_points_.end());
  for (const Json& test : tests->get_array()) {
    tests_.push_back({std::string(text_or(test, "path", "")),
                      std::string(text_or(test, "file", "")),
                      static_cast<std::uint32_t>(int_or(test, "line", 0)),
                      static_cast<std::uint32_t>(int_or(test, "column", 0)),
                      find(test, "statements") == nullptr ? Json() : *find(test, "statements")});
  }
  return {};
}

std::vector<std::string> Rego::prints(const std::vector<PolicyFile>& files, const JsonObject& data,
                                      std::string_view path) {
  std::vector<aios_text> paths;
  std::vector<aios_text> texts;
  for (const PolicyFile& file : files) {
    paths.push_back(as_text(file.path));
    texts.push_back(as_text(file.text));
  }
  const std::string data_text = to_text(data);
  aios_rego_options options{};
  options.paths = paths.data();
  options.texts = texts.data();
  options.modules_count = files.size();
  options.data = as_text(data_text);
  options.instructions_max = instructions_max;
  const Answer answer(aios_rego_prints(&options, as_text(path)));
  const auto lines = answer.err() == 0 ? parse_json(answer.text()) : Result<Json>(Json());
  return lines.ok() ? texts_of(&*lines) : std::vector<std::string>();
}

bool Rego::has(std::string_view path) const {
  return std::binary_search(entry_points_.begin(), entry_points_.end(), path);
}

Result<std::optional<Json>> Rego::evaluate(std::string_view path, std::string_view input) const {
  const Answer answer(aios_rego_evaluate(handle_, as_text(path), as_text(input)));
  if (answer.err() == 3) {
    return std::optional<Json>();
  }
  if (answer.err() != 0) {
    return refusal_of(answer, Code::failed_precondition, 504);
  }
  auto value = parse_json(answer.text());
  if (!value.ok()) {
    return std::move(value).error().with(fmt::format("reading the result of {}", path));
  }
  return std::optional<Json>(std::move(*value));
}

}  // namespace aios::govern::detail
