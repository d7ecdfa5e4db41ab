// SPDX-License-Identifier: Apache-2.0
#include "bundle/detail/egress.h"

#include "bundle/detail/findings.h"
#include "bundle/detail/money.h"

#include "connectors/http_call.h"
#include "core/text.h"
#include "core/time.h"
#include "expr/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace aios::bundle {
namespace {

constexpr int page_egress = 1060;
constexpr int page_undeclared = 1062;
constexpr const char* manifest_file = "aios.yaml";
constexpr std::string_view schema = R"({
  "type": "array", "maxItems": 100,
  "items": {"anyOf": [
    {"type": "string", "minLength": 1},
    {"type": "object", "additionalProperties": false, "required": ["origin"],
     "properties": {
       "origin": {"type": "string", "minLength": 1},
       "region": {"type": "string", "minLength": 1, "maxLength": 40},
       "private": {"type": "boolean"},
       "timeout": {"type": "string"}}}]}})";

class EgressReader {
 public:
  EgressReader(const expr::YamlDocument& document, Bundle* bundle, Checked* checked)
      : document_(document),
        bundle_(bundle),
        checked_(checked) {}

  void read(const Json& listed) {
    const std::size_t before = checked_->errors.size();
    const Complain told = [this](const std::string& pointer, std::string message) {
      complain(pointer, std::move(message));
    };
    const Json list = with_parameters(listed, bundle_->parameters, told);
    if (checked_->errors.size() > before || !fits_schema(schema, list, told)) {
      return;
    }
    const auto& entries = list.get_array();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      take(entries[i], fmt::format("/{}", i));
    }
  }

 private:
  /// @param pointer  into the list
  void complain(const std::string& pointer, std::string message) {
    const expr::Position place = document_.positions.of("/needs/egress" + pointer);
    checked_->errors.push_back(Error(Code::invalid_argument, std::move(message))
                                   .page(page_egress)
                                   .at(manifest_file, place.line, place.column));
  }

  void take(const Json& entry, const std::string& pointer) {
    const std::string text = entry.is_string() ? std::string(view(entry.get_string()))
                                               : std::string(text_or(entry, "origin", ""));
    auto origin = connectors::origin_of(text);
    if (!origin.ok()) {
      complain(pointer, std::string(origin.error().message()));
      return;
    }
    connectors::Egress egress;
    egress.origin = std::move(*origin);
    egress.region = text_or(entry, "region", egress.region);
    egress.private_allowed = bool_or(entry, "private", false);
    if (connectors::is_private_origin(egress.origin) && !egress.private_allowed) {
      complain(pointer, fmt::format("'{}' is a private address; if it is meant, write {{origin: "
                                    "\"{}\", private: true}}",
                                    egress.origin, egress.origin));
      return;
    }
    if (const Json* timeout = find(entry, "timeout"); timeout != nullptr) {
      constexpr Duration longest = std::chrono::minutes(10);
      auto parsed = parse_iso_duration(view(timeout->get_string()));
      if (!parsed.ok() || *parsed < std::chrono::milliseconds(1) || *parsed > longest) {
        complain(pointer + "/timeout", "wanted a duration from PT0.001S to PT10M");
        return;
      }
      egress.timeout = *parsed;
    }
    const bool known =
        std::any_of(bundle_->egress.begin(), bundle_->egress.end(),
                    [&](const connectors::Egress& one) { return one.origin == egress.origin; });
    if (known) {
      complain(pointer, fmt::format("'{}' is there twice", egress.origin));
      return;
    }
    bundle_->egress.push_back(std::move(egress));
  }

  const expr::YamlDocument& document_;
  Bundle* bundle_;
  Checked* checked_;
};

/// The origin of a call's endpoint as far as it stands in the text; nothing where a run makes it.
std::optional<std::string> written_origin(const Json& endpoint) {
  const std::string_view text = endpoint.is_string() ? std::string_view(view(endpoint.get_string()))
                                                     : text_or(endpoint, "uri", "");
  if (trim(text).starts_with("${")) {
    return std::nullopt;
  }
  const std::string_view fixed = text.substr(0, text.find('{'));
  const std::size_t scheme = fixed.find("://");
  const std::size_t authority = scheme == std::string_view::npos ? 0 : scheme + 3;
  const bool whole =
      fixed.size() == text.size() || fixed.find_first_of("/?", authority) != std::string_view::npos;
  auto origin = connectors::origin_of_url(fixed);
  return whole && origin.ok() ? std::optional(std::move(*origin)) : std::nullopt;
}

class CallChecker {
 public:
  explicit CallChecker(const Bundle& bundle) {
    for (const auto& egress : bundle.egress) {
      declared_.push_back(egress.origin);
    }
  }

  /// Calls stand at any depth; the parser has bounded it.
  void visit(const Json& node, const std::string& pointer, Findings* findings) {
    if (node.is_object()) {
      const std::string_view call = text_or(node, "call", "");
      const Json* with = find(node, "with");
      const Json* endpoint = with == nullptr ? nullptr : find(*with, "endpoint");
      if (endpoint != nullptr && (call == "http" || call.starts_with("http:"))) {
        check(*endpoint, pointer + "/with/endpoint", findings);
      }
      for (const auto& member : node.get_object()) {
        std::string below = pointer;
        expr::append_pointer(below, member.key());
        visit(member.value(), below, findings);
      }
    } else if (node.is_array()) {
      for (std::size_t i = 0; i < node.get_array().size(); ++i) {
        visit(node.get_array()[i], fmt::format("{}/{}", pointer, i), findings);
      }
    }
  }

  /// Warnings of what no call names, where every call says where it goes.
  void check_used(const expr::YamlDocument& manifest, Checked* checked) const {
    for (std::size_t i = 0; i < declared_.size() && !open_; ++i) {
      if (called_.count(declared_[i]) == 0) {
        Findings(manifest_file, manifest, checked)
            .warn(fmt::format("/needs/egress/{}", i), Code::not_found,
                  fmt::format("no 'call: http' goes to '{}'", declared_[i]), page_undeclared);
      }
    }
  }

 private:
  void check(const Json& endpoint, const std::string& pointer, Findings* findings) {
    const auto origin = written_origin(endpoint);
    if (origin) {
      called_.insert(*origin);
      if (std::find(declared_.begin(), declared_.end(), *origin) == declared_.end()) {
        findings->error(pointer, Code::not_found,
                        std::string(connectors::not_declared(*origin, declared_).message()),
                        page_undeclared);
      }
      return;
    }
    open_ = true;
    if (declared_.empty()) {
      findings->error(pointer, Code::not_found,
                      "where this call goes is known when it runs, and 'needs.egress' of aios.yaml "
                      "lets it go nowhere",
                      page_undeclared);
    }
  }

  std::vector<std::string> declared_;
  std::set<std::string> called_;
  bool open_ = false;  ///< some call's origin is known when it runs only
};

}  // namespace

void read_egress(Bundle* bundle, Checked* checked) {
  const auto file = bundle->files.find(manifest_file);
  const auto document = expr::parse_yaml(file->second, manifest_file);
  const Json* list = document.ok() ? at_pointer(document->value, "/needs/egress") : nullptr;
  if (list != nullptr) {
    EgressReader(*document, bundle, checked).read(*list);
  }
}

void check_http_calls(const Bundle& bundle, Checked* checked) {
  CallChecker checker(bundle);
  for (const auto& file : bundle.workflows) {
    const auto document = expr::parse_yaml(file.text, file.path);
    if (document.ok()) {
      Findings findings(file.path, *document, checked);
      checker.visit(document->value, "", &findings);
    }
  }
  const auto manifest = bundle.files.find(manifest_file);
  const auto document = expr::parse_yaml(manifest->second, manifest_file);
  if (document.ok() && checked->errors.empty()) {
    checker.check_used(*document, checked);
  }
}

std::vector<Named> secrets_of_calls(const Bundle& bundle) {
  std::vector<Named> out;
  for (const auto& file : bundle.workflows) {
    const auto document = expr::parse_yaml(file.text, file.path);
    if (!document.ok()) {
      continue;
    }
    std::size_t i = 0;
    for (std::string& name : texts_of(at_pointer(document->value, "/use/secrets"))) {
      const expr::Position place = document->positions.of(fmt::format("/use/secrets/{}", i++));
      out.push_back({std::move(name), file.path, place.line, place.column});
    }
  }
  return out;
}

}  // namespace aios::bundle
