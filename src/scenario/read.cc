// SPDX-License-Identifier: Apache-2.0
#include "core/time.h"
#include "expr/schema.h"
#include "scenario/detail/form.h"
#include "scenario/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace aios::scenario {
namespace {

constexpr std::size_t file_bytes_max = std::size_t{1} << 20;

Error error_at(const std::string& file, const expr::YamlDocument& document,
               std::string_view pointer, std::string message, int page) {
  const expr::Position place = document.positions.of(pointer);
  return Error(Code::invalid_argument, std::move(message))
      .page(page)
      .at(file, place.line, place.column);
}

expr::Schema form() {
  auto parsed = parse_json(scenario_form);
  AIOS_ASSERT(parsed.ok());
  auto compiled = expr::Schema::compile(*parsed);
  AIOS_ASSERT(compiled.ok());
  return *std::move(compiled);
}

/// A file that nests too deeply for the schema counts as one that does not fit.
std::vector<Error> form_errors(const std::string& file, const expr::YamlDocument& document) {
  std::vector<Error> out;
  auto issues = form().issues(document.value);
  if (!issues.ok()) {
    out.push_back(error_at(file, document, "", issues.error().message(), 1700));
    return out;
  }
  for (const expr::SchemaIssue& issue : *issues) {
    out.push_back(error_at(file, document, issue.instance_path, issue.message, 1700));
  }
  return out;
}

void check_duration(const std::string& file, const expr::YamlDocument& document,
                    const std::string& pointer, std::vector<Error>* errors) {
  const Json* within = at_pointer(document.value, pointer + "/within");
  if (within == nullptr) {
    return;
  }
  auto parsed = parse_iso_duration(view(within->get_string()));
  if (!parsed.ok()) {
    errors->push_back(
        error_at(file, document, pointer + "/within", parsed.error().message(), 1700));
  }
}

void read_file(const std::string& file, std::string_view text, ReadScenarios* out) {
  auto parsed = expr::parse_yaml(text, file);
  if (!parsed.ok()) {
    out->errors.push_back(std::move(parsed).error());
    return;
  }
  auto document = std::make_shared<const expr::YamlDocument>(*std::move(parsed));
  std::vector<Error> errors = form_errors(file, *document);
  if (errors.empty()) {
    check_duration(file, *document, "/given", &errors);
    const auto& entries = document->value.at("scenarios").get_array();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      Scenario read;
      read.name = std::string(text_or(entries[i], "name", ""));
      read.file = file;
      read.document = document;
      read.pointer = fmt::format("/scenarios/{}", i);
      check_duration(file, *document, read.pointer, &errors);
      out->scenarios.push_back(std::move(read));
    }
  }
  std::move(errors.begin(), errors.end(), std::back_inserter(out->errors));
}

}  // namespace

const Json* Scenario::member(std::string_view wanted) const {
  const Json* own = at_pointer(document->value, fmt::format("{}/{}", pointer, wanted));
  return own != nullptr ? own : at_pointer(document->value, fmt::format("/given/{}", wanted));
}

Error Scenario::error(std::string_view inner, std::string message, int page) const {
  return error_at(file, *document, fmt::format("{}{}", pointer, inner), std::move(message), page);
}

ReadScenarios read_scenarios(const bundle::Files& files) {
  ReadScenarios out;
  for (const auto& [path, text] : files) {
    read_file(path, text, &out);
  }
  return out;
}

Result<bundle::Files> read_scenario_files(const std::string& directory) {
  bundle::Files out;
  const std::filesystem::path folder = std::filesystem::path(directory) / "tests";
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    const std::string name = "tests/" + entry.path().filename().string();
    if (entry.path().extension() == ".yml") {
      return Error(Code::invalid_argument, fmt::format("'{}' is read when it ends in .yaml", name))
          .page(1702);
    }
    if (entry.path().extension() != ".yaml") {
      continue;
    }
    if (!entry.is_regular_file(failed)) {  // a FIFO would be waited for
      return Error(Code::invalid_argument, fmt::format("'{}' is no regular file", name)).page(1702);
    }
    std::ifstream in(entry.path(), std::ios::binary);
    std::string text(file_bytes_max + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (in.bad() || (!in.eof() && in.fail()) || text.size() > file_bytes_max) {
      return Error(Code::unavailable,
                   fmt::format("'{}' cannot be read as a file of at most 1 MiB", name))
          .page(1702);
    }
    out.emplace(name, std::move(text));
  }
  return out;
}

}  // namespace aios::scenario
