// SPDX-License-Identifier: Apache-2.0
// aios audit open: contents that somebody was shown, against the leaves that commit to them.
#include "app/detail/audit_read.h"

#include "govern/merkle.h"
#include "govern/opening.h"

#include "core/text.h"

#include <fmt/format.h>

#include <map>
#include <optional>

namespace aios::app {
namespace {

/// Every object with the members `leaf` and `salt`, wherever it is: so a run's whole history can be
/// given. Depth: bounded by the parser.
void collect_openings(const Json& value, JsonArray& found) {
  if (value.is_array()) {
    for (const Json& item : value.get_array()) {
      collect_openings(item, found);
    }
  } else if (value.is_object()) {
    if (!text_or(value, "leaf", "").empty() && !text_or(value, "salt", "").empty()) {
      found.push_back(value);
      return;
    }
    for (const auto& member : value.get_object()) {
      collect_openings(member.value(), found);
    }
  }
}

Result<JsonArray> read_openings(const AuditOptions& options) {
  auto text = read_file(options.openings);
  if (!text.ok()) {
    return std::move(text).error();
  }
  auto parsed = parse_json(*text);
  if (!parsed.ok()) {
    return std::move(parsed).error().with(fmt::format("reading {}", options.openings));
  }
  JsonArray found;
  collect_openings(*parsed, found);
  if (found.empty()) {
    return Error(Code::not_found,
                 fmt::format("{} has no opening: an object with the members leaf and salt",
                             options.openings))
        .page(527);
  }
  return found;
}

/// Index and text by hash.
using Seen = std::map<std::string, std::pair<std::uint64_t, std::string>, std::less<>>;

Error wanted_one(const AuditOptions& options, std::size_t found) {
  return Error(Code::invalid_argument,
               options.leaf
                   ? fmt::format("found {} openings of leaf {}, wanted one", found, *options.leaf)
                   : fmt::format("found {} openings beside --part, wanted one: name its "
                                 "leaf with --leaf",
                                 found))
      .page(527);
}

/// Those of --leaf, all without it.
void keep_leaf(const AuditOptions& options, const Seen& seen, JsonArray& openings) {
  if (!options.leaf) {
    return;
  }
  JsonArray kept;
  for (Json& opening : openings) {
    const auto at = seen.find(text_or(opening, "leaf", ""));
    if (at != seen.end() && at->second.first == *options.leaf) {
      kept.push_back(std::move(opening));
    }
  }
  openings = std::move(kept);
}

/// The file's text as it is or, where that does not open, as canonical JSON: a tool that showed it
/// may have set other spaces or members in another order.
Result<void> put_content(const AuditOptions& options, const Seen& seen, Json& opening) {
  auto content = read_file(options.content);
  if (!content.ok()) {
    return std::move(content).error();
  }
  const auto at = seen.find(text_or(opening, "leaf", ""));
  const auto leaf = at == seen.end() ? Result<Json>(Json()) : parse_json(at->second.second);
  const auto salt = from_hex(text_or(opening, "salt", ""));
  const auto opens = [&](const std::string& text) {
    return leaf.ok() && salt.ok() && govern::check_opening(*leaf, options.part, *salt, text).ok();
  };
  if (const auto json = parse_json(*content); json.ok() && !opens(*content)) {
    std::string canonical = govern::content_of(*json);
    if (opens(canonical)) {
      *content = std::move(canonical);
    }
  }
  opening.get_object()["contents"] = JsonObject{{options.part, *content}};
  return {};
}

struct Shown {
  JsonArray lines;   ///< one a content
  JsonArray closed;  ///< parts that a leaf commits to and nobody showed
  std::size_t opened = 0;
};

/// @return false when one does not open.
Result<bool> check_one(const Json& opening, const Seen& seen, Shown* shown) {
  const auto hash = text_or(opening, "leaf", "");
  auto salt = from_hex(text_or(opening, "salt", ""));
  if (!salt.ok()) {
    return std::move(salt).error().with("reading an opening's salt");
  }
  const auto at = seen.find(hash);
  if (at == seen.end()) {
    shown->lines.push_back(
        JsonObject{{"hash", hash}, {"opens", false}, {"why", "the log has no leaf of this hash"}});
    return false;
  }
  auto leaf = parse_json(at->second.second);
  if (!leaf.ok()) {
    return std::move(leaf).error();
  }
  const Json* contents = find(opening, "contents");
  for (const std::string& part : govern::parts_of(*leaf)) {
    if (contents == nullptr || find(*contents, part) == nullptr) {
      shown->closed.push_back(JsonObject{
          {"leaf", at->second.first}, {"kind", text_or(*leaf, "kind", "")}, {"part", part}});
    }
  }
  if (contents == nullptr || !contents->is_object()) {
    return true;  // a salt alone: its contents are elsewhere
  }
  bool all = true;
  for (const auto& member : contents->get_object()) {
    const std::string_view content =
        member.value().is_string() ? view(member.value().get_string()) : std::string_view();
    auto opened = govern::check_opening(*leaf, member.key(), *salt, content);
    JsonObject line{{"leaf", at->second.first},
                    {"kind", text_or(*leaf, "kind", "")},
                    {"part", member.key()},
                    {"opens", opened.ok()}};
    if (opened.ok()) {
      ++shown->opened;
      line["content"] = content;
      if (salt->size() == 16) {  // shown with this one, the other parts stay closed
        line["part_salt"] = to_hex(govern::part_salt(*salt, member.key()));
      }
    } else {
      line["why"] = opened.error().text();
    }
    shown->lines.push_back(std::move(line));
    all = all && opened.ok();
  }
  return all;
}

void print_lines(const Json& it) {
  for (const Json& line : it.at("items").as_array()) {
    if (bool_or(line, "opens", false)) {
      fmt::print("leaf {} {} {}: opens\n", int_or(line, "leaf", 0), text_or(line, "kind", ""),
                 text_or(line, "part", ""));
    } else {
      fmt::print("leaf {} {}: does not open: {}\n", int_or(line, "leaf", 0),
                 text_or(line, "part", text_or(line, "hash", "")), text_or(line, "why", ""));
    }
  }
  for (const Json& line : it.at("closed").as_array()) {
    fmt::print("leaf {} {} {}: content not given\n", int_or(line, "leaf", 0),
               text_or(line, "kind", ""), text_or(line, "part", ""));
  }
}

/// @param all  nothing that was shown is wrong
Result<void> print_shown(const Session& session, Shown& shown, bool all) {
  print(session,
        JsonObject{{"opens", all && shown.opened > 0},
                   {"items", std::move(shown.lines)},
                   {"closed", std::move(shown.closed)}},
        print_lines);
  if (!all) {
    return Error(Code::failed_precondition,
                 "not all that was shown is what the log's leaves commit to")
        .page(527);
  }
  if (shown.opened == 0) {
    return Error(Code::failed_precondition,
                 "nothing was opened: found salts and no content, wanted an opening's member "
                 "contents, or --part and --content")
        .page(527);
  }
  return {};
}

}  // namespace

Result<govern::VerifyReport> read_log(const AuditOptions& options, govern::SeeLeaf see,
                                      govern::LogFault* fault) {
  govern::LogCheck check;
  check.directory = options.directory;
  check.see = std::move(see);
  for (const std::string& path : options.checkpoints) {
    auto text = read_file(path);
    if (!text.ok()) {
      return std::move(text).error();
    }
    check.kept.push_back({path, std::move(*text)});
  }
  check.verifier_key = options.key;
  if (!options.key.empty() && options.key.find('+') == std::string::npos) {  // a file that holds it
    auto text = read_file(options.key);
    if (!text.ok()) {
      return std::move(text).error();
    }
    check.verifier_key = std::string(trim(*text));
  }
  return govern::verify_log(std::move(check), fault);
}

Result<void> open_leaves(const Session& session, const AuditOptions& options) {
  auto openings = read_openings(options);
  if (!openings.ok()) {
    return std::move(openings).error();
  }
  std::map<std::string, bool, std::less<>> wanted;
  for (const Json& opening : *openings) {
    wanted[std::string(text_or(opening, "leaf", ""))] = true;
  }
  Seen seen;
  auto report = read_log(options, [&](std::uint64_t index, std::string_view leaf) {
    auto hash = to_hex(view(govern::leaf_hash(leaf)));
    if (wanted.contains(hash)) {
      seen[std::move(hash)] = {index, std::string(leaf)};
    }
  });
  if (!report.ok()) {
    return std::move(report).error();
  }
  keep_leaf(options, seen, *openings);
  if (!options.part.empty() || options.leaf) {
    if (openings->size() != 1) {
      return wanted_one(options, openings->size());
    }
  }
  if (!options.part.empty()) {
    auto put = put_content(options, seen, openings->front());
    if (!put.ok()) {
      return std::move(put).error();
    }
  }
  Shown shown;
  bool all = true;
  for (const Json& opening : *openings) {
    auto checked = check_one(opening, seen, &shown);
    if (!checked.ok()) {
      return std::move(checked).error();
    }
    all = all && *checked;
  }
  return print_shown(session, shown, all);
}

}  // namespace aios::app
