// SPDX-License-Identifier: Apache-2.0
#include "app/settings.h"

#include "app/retention.h"
#include "app/tenant_reach.h"
#include "core/json.h"
#include "core/text.h"
#include "expr/yaml.h"
#include "observe/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace aios::app {
namespace {

constexpr int page_unknown = 1460;
constexpr int page_value = 1461;

using Refuse = std::function<std::optional<std::string>(const std::string& value)>;

std::optional<std::uint64_t> as_number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failed == std::errc() && end == text.data() + text.size() ? std::optional(out)
                                                                   : std::nullopt;
}

Refuse number_between(std::uint64_t least, std::uint64_t most) {
  return [least, most](const std::string& value) -> std::optional<std::string> {
    const auto number = as_number(value);
    return number && *number >= least && *number <= most
               ? std::nullopt
               : std::optional(fmt::format("a number from {} to {}", least, most));
  };
}

Refuse one_of(std::vector<std::string> words) {
  return [words = std::move(words)](const std::string& value) -> std::optional<std::string> {
    return std::find(words.begin(), words.end(), value) != words.end()
               ? std::nullopt
               : std::optional("one of " + join(words, ", "));
  };
}

/// As the regions of other tenants are written.
Refuse region_name() {
  return [](const std::string& value) -> std::optional<std::string> {
    constexpr std::size_t longest = 32;
    const auto fits = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    };
    return !value.empty() && value.size() <= longest &&
                   std::all_of(value.begin(), value.end(), fits)
               ? std::nullopt
               : std::optional(fmt::format("1 to {} of a-z, 0-9 and '-'", longest));
  };
}

std::string spelt(std::string_view name, char between, bool upper) {
  std::string out;
  for (const char letter : name) {
    const bool joint = letter == '.' || letter == '_';
    out += joint ? between : upper ? static_cast<char>(std::toupper(letter)) : letter;
  }
  return out;
}

/// A value of the file as the text a flag would have.
std::optional<std::string> text_of(const Json& value) {
  if (value.is_string()) {
    return std::string(view(value.get_string()));
  }
  if (value.is_bool() || value.is_int64() || value.is_uint64()) {
    return to_text(value);
  }
  return std::nullopt;
}

/// What server.yaml says, by name; every problem goes to `problems`.
class FileReader {
 public:
  FileReader(const std::vector<Setting>& rows, std::string file, expr::YamlDocument document,
             std::vector<std::string>* problems)
      : file_(std::move(file)),
        document_(std::move(document)),
        problems_(problems) {
    for (const Setting& row : rows) {
      names_.push_back(row.name);
    }
  }

  std::map<std::string, Settled> read() {
    if (document_.value.is_object()) {
      walk(document_.value.get_object(), "", "");
    } else if (!document_.value.is_null()) {
      problem("", fmt::format("the document is {}, wanted an object of settings",
                              type_name(document_.value)));
    }
    return std::move(found_);
  }

 private:
  /// No deeper than the names are: a level below is a problem of its own.
  void walk(const JsonObject& object, const std::string& name, const std::string& pointer) {
    for (const auto& member : object) {
      const std::string key(member.key());
      const std::string full = name.empty() ? key : name + "." + key;
      std::string at = pointer;
      expr::append_pointer(at, key);
      if (is_level(full) && member.value().is_object()) {
        walk(member.value().get_object(), full, at);
      } else {
        take(full, at, member.value());
      }
    }
  }

  void take(const std::string& name, const std::string& pointer, const Json& value) {
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
      const std::string nearest = nearest_name(name, names_);
      problem_at(document_.positions.of_key(pointer),
                 fmt::format("'{}' is no setting{}", name,
                             nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest)));
      return;
    }
    auto text = text_of(value);
    if (!text) {
      problem(pointer,
              fmt::format("'{}' is {}, wanted a text or a number", name, type_name(value)));
      return;
    }
    const auto place = document_.positions.of(pointer);
    found_[name] = {std::move(*text), fmt::format("{}:{}:{}", file_, place.line, place.column)};
  }

  bool is_level(const std::string& name) const {
    return std::any_of(names_.begin(), names_.end(),
                       [&name](const std::string& other) { return other.starts_with(name + "."); });
  }

  void problem(const std::string& pointer, const std::string& text) {
    problem_at(document_.positions.of(pointer), text);
  }
  void problem_at(expr::Position place, const std::string& text) {
    problems_->push_back(fmt::format("{}:{}:{}: {}", file_, place.line, place.column, text));
  }

  std::string file_;
  expr::YamlDocument document_;
  std::vector<std::string>* problems_;
  std::vector<std::string> names_;
  std::map<std::string, Settled> found_;
};

Settled first_given(const Setting& row, const Given& given,
                    const std::map<std::string, Settled>& file) {
  if (const auto flag = given.flags.find(row.name); flag != given.flags.end()) {
    return {flag->second, row.flag()};
  }
  const char* variable = given.environment ? given.environment(row.environment().c_str()) : nullptr;
  if (variable != nullptr && *variable != '\0') {
    return {variable, row.environment()};
  }
  const auto said = file.find(row.name);
  return said != file.end() ? said->second : Settled{row.fallback, "default"};
}

Error all_of(const std::vector<std::string>& problems, int page) {
  return Error(Code::invalid_argument, join(problems, "\n")).page(page);
}

}  // namespace

std::string Setting::flag() const { return "--" + spelt(name, '-', false); }
std::string Setting::environment() const { return "AIOS_" + spelt(name, '_', true); }

std::vector<Setting> server_settings() {
  std::vector<Setting> rows = {
      {"listen", "HOST:PORT; port 0 takes any free one", "127.0.0.1:8787", nullptr},
      {"data", "Data directory", "aios-data", nullptr},
      {"tls_cert", "Certificate chain (PEM): speak https; looked at again every minute", "",
       nullptr},
      {"tls_key", "Its key (PEM, unencrypted)", "", nullptr},
      {"tls_ca", "Certificates (PEM) of authorities to trust besides the system's", "", nullptr},
      {"ready_file", "Written with the port once requests are answered", "", nullptr},
      {"backups", "Folder outside which no backup is written that the server is asked for", "",
       nullptr},
      {"watch_root",
       "Folder below which sources of kind 'file' may watch; without it they read none", "",
       nullptr},
      {"region",
       "Region of the default tenant's data. The first start records it ('eu' where none is "
       "given); afterwards it need not be given, and --change-region alone changes it",
       "", region_name()},
      {"private_tenants",
       "Tenants besides the default one whose calls may reach private addresses, with commas; the "
       "others reach public ones alone",
       "", refuse_tenants},
      {"threads", "Shards, one thread each; 1 to 64", "2", number_between(1, 64)},
      {"log_level", "The least important lines to write: debug, info, warn or error", "info",
       one_of({"debug", "info", "warn", "error"})},
  };
  for (const KeptClass& one : kept_classes) {
    rows.push_back({fmt::format("retention.{}", one.name),
                    fmt::format("How long {} are kept, such as P90D; not set: for good", one.what),
                    "", refuse_retention});
  }
  return rows;
}

Result<Settings> Settings::settle(const std::vector<Setting>& rows, const Given& given) {
  std::vector<std::string> problems;
  std::map<std::string, Settled> file;
  if (!given.file.empty()) {
    auto document = expr::parse_yaml(given.text, given.file);
    if (!document.ok()) {
      return std::move(document).error();
    }
    file = FileReader(rows, given.file, std::move(*document), &problems).read();
  }
  const int page = problems.empty() ? page_value : page_unknown;
  Settings out;
  for (const Setting& row : rows) {
    Settled settled = first_given(row, given, file);
    const bool judged = row.refuse && !settled.value.empty();
    if (const auto wanted = judged ? row.refuse(settled.value) : std::nullopt) {
      problems.push_back(fmt::format("{}: '{}' is '{}', wanted {}", settled.origin, row.name,
                                     settled.value, *wanted));
    }
    out.all_.emplace_back(row, std::move(settled));
  }
  if (!problems.empty()) {
    return all_of(problems, page);
  }
  return out;
}

const Settled& Settings::at(std::string_view name) const {
  const auto found = std::find_if(all_.begin(), all_.end(),
                                  [name](const auto& row) { return row.first.name == name; });
  AIOS_ASSERT(found != all_.end());
  return found->second;
}

std::uint64_t Settings::number(std::string_view name) const {
  return as_number(text(name)).value_or(0);
}

}  // namespace aios::app
