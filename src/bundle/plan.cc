// SPDX-License-Identifier: Apache-2.0
#include "bundle/plan.h"

#include "core/crypto.h"
#include "core/text.h"
#include "expr/yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace aios::bundle {
namespace {

constexpr std::string_view hidden = "(not shown)";
constexpr std::size_t digest_shown = 12;

/// What two bundles have under one name: equal keys, equal part.
struct Facet {
  std::string identity;  ///< compared
  std::string shown;
};
struct PartName {
  std::string part;
  std::string name;
  auto operator<=>(const PartName&) const = default;
};
using Parts = std::map<PartName, Facet>;

std::string short_digest(std::string_view text) {
  return to_hex(view(sha256(text))).substr(0, digest_shown);
}

struct Folder {
  std::string_view folder;
  std::string_view part;
};
constexpr auto folders = std::to_array<Folder>({
    {"policies/", "policy"},
    {"forms/", "form"},
    {"models/", "model"},
    {"datasets/", "data set"},
    {"knowledge/", "article"},
    {"sources/", "source"},
    {"subscriptions/", "subscription"},
});

std::string_view part_of(std::string_view path) {
  if (path.starts_with("policies/") && path.ends_with("_test.rego")) {
    return "policy test";
  }
  const auto found = std::find_if(folders.begin(), folders.end(), [path](const Folder& one) {
    return path.starts_with(one.folder);
  });
  return found == folders.end() ? "file" : found->part;
}

/// "namespace/name@version" of a document that was checked.
std::string workflow_name(std::string_view text) {
  const auto document = expr::parse_yaml(text, "");
  const Json* head = document.ok() ? find(document->value, "document") : nullptr;
  if (head == nullptr) {
    return "";
  }
  return fmt::format("{}/{}@{}", text_or(*head, "namespace", ""), text_or(*head, "name", ""),
                     text_or(*head, "version", ""));
}

/// The address with the parameters in their places.
std::string address_of(const Json& manifest, const JsonObject& parameters) {
  std::string out(text_or(manifest, "baseUrl", ""));
  for (const auto& parameter : parameters) {
    const std::string mark = fmt::format("${{params.{}}}", std::string_view(parameter.key()));
    const Json& value = parameter.value();
    const std::string text =
        value.is_string() ? std::string(view(value.get_string())) : to_text(value);
    for (std::size_t at = out.find(mark); at != std::string::npos;
         at = out.find(mark, at + text.size())) {
      out.replace(at, mark.size(), text);
    }
  }
  return out;
}

bool has_password(std::string_view text) {
  const std::size_t scheme = text.find("://");
  const std::size_t end =
      scheme == std::string_view::npos ? scheme : text.find_first_of("/?#", scheme + 3);
  return scheme != std::string_view::npos && text.substr(0, end).find('@') < end &&
         text.substr(0, end).find('@') != std::string_view::npos;
}

void add_workflow(const workflow::DefinitionFile& file, Parts* parts) {
  const std::string digest = short_digest(file.text);
  const std::string name = workflow_name(file.text);
  const std::string version = name.substr(name.rfind('@') + 1);
  (*parts)[{"workflow", name}] = {digest, fmt::format("{} ({})", version, digest)};
}

void add_connector(const connectors::ManifestFile& file, const JsonObject& parameters,
                   Parts* parts) {
  const auto document = expr::parse_yaml(file.text, file.path);
  const Json manifest = document.ok() ? document->value : Json(JsonObject());
  const std::string address = address_of(manifest, parameters);
  const std::string digest = short_digest(file.text);
  (*parts)[{"connector", std::string(text_or(manifest, "name", file.path))}] = {
      digest + " " + address,
      fmt::format("{} ({})", has_password(address) ? std::string(hidden) : address, digest)};
}

/// Where `call: http` may go, and how.
void add_egress(const connectors::Egress& egress, Parts* parts) {
  const std::string shown = fmt::format(
      "(region {}, {} s{})", egress.region, std::chrono::duration<double>(egress.timeout).count(),
      egress.private_allowed ? ", private addresses allowed" : "");
  (*parts)[{"egress", egress.origin}] = {shown, shown};
}

Parts parts_of(const Bundle& bundle) {
  Parts parts;
  for (const auto& egress : bundle.egress) {
    add_egress(egress, &parts);
  }
  std::set<std::string> named;
  for (const auto& file : bundle.workflows) {
    add_workflow(file, &parts);
    named.insert(file.path);
  }
  for (const auto& file : bundle.connectors) {
    add_connector(file, bundle.parameters, &parts);
    named.insert(file.path);
  }
  for (const auto& [path, text] : bundle.files) {
    if (named.count(path) == 0) {
      const std::string digest = short_digest(text);
      parts[{std::string(part_of(path)), path}] = {digest, digest};
    }
  }
  return parts;
}

/// "support/ticket@1.0.0" -> "support/ticket"
std::string without_version(const std::string& name) { return name.substr(0, name.rfind('@')); }

/// The only change of that kind to a workflow of that name; null: none, or several.
const PartChange* only_one(const std::vector<PartChange>& changes, const std::string& name,
                           PartChange::What what) {
  const PartChange* found = nullptr;
  for (const PartChange& one : changes) {
    if (one.part == "workflow" && one.what == what && without_version(one.name) == name) {
      if (found != nullptr) {
        return nullptr;
      }
      found = &one;
    }
  }
  return found;
}

/// A version that goes and one that comes are one change of that workflow.
std::vector<PartChange> with_versions_paired(const std::vector<PartChange>& changes) {
  std::vector<PartChange> out;
  for (const PartChange& one : changes) {
    if (one.part != "workflow") {
      out.push_back(one);
      continue;
    }
    const std::string name = without_version(one.name);
    const PartChange* gone = only_one(changes, name, PartChange::What::remove);
    const PartChange* come = only_one(changes, name, PartChange::What::add);
    PartChange kept = one;
    kept.name = name;
    if (gone != nullptr && come != nullptr && one.what != PartChange::What::change) {
      if (&one == gone) {
        continue;  // told with the one that comes
      }
      kept.what = PartChange::What::change;
      kept.from = gone->from;
    } else if (one.what == PartChange::What::change) {
      kept.note = "another text under the same version: raise document.version to tell them apart";
    }
    out.push_back(std::move(kept));
  }
  return out;
}

bool named_like_a_secret(std::string_view name) {
  constexpr auto words = std::to_array<std::string_view>(
      {"password", "passwd", "passphrase", "secret", "token", "credential", "api_key", "api-key",
       "apikey", "private_key", "privatekey", "access_key"});
  const std::string lower = ascii_lower(name);
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

std::string_view word_of(PartChange::What what) {
  switch (what) {
    case PartChange::What::add: return "add";
    case PartChange::What::remove: return "remove";
    case PartChange::What::change: break;
  }
  return "change";
}

}  // namespace

/// A fraction is no secret, whatever it is called: floors are named after the intents of a bundle,
/// and people write about passwords.
Json shown_parameter(std::string_view name, const Json& value) {
  if (value.is_null() || value.is_bool() || value.is_double()) {
    return value;
  }
  if (named_like_a_secret(name)) {
    return Json(hidden);
  }
  if (value.is_string()) {
    return has_password(view(value.get_string())) ? Json(hidden) : value;
  }
  Json out = value;
  if (out.is_object()) {
    for (auto& member : out.get_object()) {
      member.value() = shown_parameter(member.key(), member.value());
    }
  } else if (out.is_array()) {
    for (Json& item : out.get_array()) {
      item = shown_parameter("", item);
    }
  }
  return out;
}

JsonObject shown_parameters(const JsonObject& parameters) {
  JsonObject out;
  for (const auto& member : parameters) {
    out[member.key()] = shown_parameter(member.key(), member.value());
  }
  return out;
}

bool stands_for_hidden(const Json& value) {
  if (value.is_object()) {
    const auto& members = value.get_object();
    return std::any_of(members.begin(), members.end(),
                       [](const auto& member) { return stands_for_hidden(member.value()); });
  }
  if (value.is_array()) {
    const auto& items = value.get_array();
    return std::any_of(items.begin(), items.end(), stands_for_hidden);
  }
  return value.is_string() && view(value.get_string()) == hidden;
}

std::vector<PartChange> part_changes(const Bundle* before, const Bundle& after) {
  const Parts had = before == nullptr ? Parts() : parts_of(*before);
  const Parts has = parts_of(after);
  std::vector<PartChange> changes;
  for (const auto& [name, facet] : had) {
    if (has.count(name) == 0) {
      changes.push_back({name.part, name.name, PartChange::What::remove, facet.shown, "", ""});
    }
  }
  for (const auto& [name, facet] : has) {
    const auto old = had.find(name);
    if (old == had.end()) {
      changes.push_back({name.part, name.name, PartChange::What::add, "", facet.shown, ""});
    } else if (old->second.identity != facet.identity) {
      changes.push_back(
          {name.part, name.name, PartChange::What::change, old->second.shown, facet.shown, ""});
    }
  }
  changes = with_versions_paired(changes);
  const auto place = [](const PartChange& one) {
    return std::tuple(one.part != "workflow", one.part, one.name, one.what);
  };
  std::sort(changes.begin(), changes.end(),
            [&place](const auto& a, const auto& b) { return place(a) < place(b); });
  return changes;
}

std::vector<std::string> workflows_touched(const std::vector<PartChange>& changes) {
  std::set<std::string> names;
  for (const PartChange& one : changes) {
    if (one.part == "workflow" && one.what != PartChange::What::add) {
      names.insert(one.name);
    }
  }
  return {names.begin(), names.end()};
}

Json Plan::to_json() const {
  JsonArray changes;
  for (const PartChange& one : parts) {
    changes.push_back(JsonObject{{"part", one.part},
                                 {"name", one.name},
                                 {"change", word_of(one.what)},
                                 {"from", one.from},
                                 {"to", one.to},
                                 {"note", one.note}});
  }
  JsonArray values;
  for (const ParameterChange& one : parameters) {
    values.push_back(JsonObject{{"name", one.name},
                                {"from", shown_parameter(one.name, one.from)},
                                {"to", shown_parameter(one.name, one.to)}});
  }
  JsonArray kept;
  for (const RunsUnderWay& one : runs) {
    kept.push_back(JsonObject{{"workflow", one.workflow},
                              {"version", one.version},
                              {"count", one.count},
                              {"more", one.more}});
  }
  JsonArray told;
  for (const std::string& warning : warnings) {
    told.emplace_back(warning);
  }
  const Json from =
      from_digest.empty()
          ? Json(nullptr)
          : Json(JsonObject{
                {"version", from_version}, {"digest", from_digest}, {"number", from_number}});
  return JsonObject{{"name", name},
                    {"version", version},
                    {"digest", digest},
                    {"from", from},
                    {"changed", changed},
                    {"changes", std::move(changes)},
                    {"parameters", std::move(values)},
                    {"runs", std::move(kept)},
                    {"warnings", std::move(told)}};
}

}  // namespace aios::bundle
