// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"

#include "govern/audit.h"
#include "govern/merkle.h"
#include "govern/opening.h"

#include "core/text.h"

#include <fmt/format.h>

#include <deque>
#include <map>
#include <optional>

namespace aios::app {
namespace {

struct AuditOptions {
  std::string directory;
  std::string key;
  std::string checkpoint;
  std::string stream;
  std::uint32_t limit = 50;
  std::string openings;  // file
  std::optional<std::uint64_t> leaf;
  std::string part;
  std::string content;  // file
};

/// Needs no server and no data directory: the log's files and the verifier key are enough.
Result<govern::VerifyReport> read_log(const AuditOptions& options, govern::SeeLeaf see) {
  std::string older;
  if (!options.checkpoint.empty()) {
    auto text = read_file(options.checkpoint);
    if (!text.ok()) {
      return std::move(text).error();
    }
    older = std::move(*text);
  }
  std::string key = options.key;
  if (!key.empty() && key.find('+') == std::string::npos) {  // not a vkey: a file that holds one
    auto text = read_file(key);
    if (!text.ok()) {
      return std::move(text).error();
    }
    key = std::string(trim(*text));
  }
  return govern::verify_log(options.directory, key, older, std::move(see));
}

Result<void> verify(const Session& session, const AuditOptions& options) {
  auto report = read_log(options, nullptr);
  if (!report.ok()) {
    return std::move(report).error();
  }
  const Json answer = JsonObject{{"verified", true},
                                 {"origin", report->origin},
                                 {"size", report->size},
                                 {"leaves_checked", report->leaves_checked},
                                 {"root", report->root_hex}};
  print(session, answer, [&](const Json&) {
    fmt::print("verified: {} leaves, root {}, origin {}\n", report->size, report->root_hex,
               report->origin);
  });
  return {};
}

Result<void> leaves(const Session& session, const AuditOptions& options) {
  std::deque<std::pair<std::uint64_t, std::string>> kept;
  auto report = read_log(options, [&](std::uint64_t index, std::string_view leaf) {
    if (!options.stream.empty()) {
      const auto parsed = parse_json(leaf);
      if (!parsed.ok() || text_or(*parsed, "stream", "") != options.stream) {
        return;
      }
    }
    kept.emplace_back(index, leaf);
    if (kept.size() > options.limit) {
      kept.pop_front();
    }
  });
  if (!report.ok()) {
    return std::move(report).error();
  }
  JsonArray items;
  for (const auto& [index, text] : kept) {
    auto leaf = parse_json(text);
    if (!leaf.ok()) {
      return std::move(leaf).error().with(fmt::format("reading leaf {}", index));
    }
    const auto parts = govern::parts_of(*leaf);
    items.push_back(JsonObject{{"index", index},
                               {"hash", to_hex(view(govern::leaf_hash(text)))},
                               {"commits_to", JsonArray(parts.begin(), parts.end())},
                               {"leaf", std::move(*leaf)}});
  }
  print(session, JsonObject{{"items", std::move(items)}}, [](const Json& it) {
    std::vector<std::vector<std::string>> rows;
    for (const Json& item : it.at("items").as_array()) {
      const Json& leaf = item.at("leaf");
      std::vector<std::string> parts;
      for (const Json& part : item.at("commits_to").as_array()) {
        parts.emplace_back(view(part.get_string()));
      }
      rows.push_back(
          {fmt::to_string(int_or(item, "index", 0)), seconds_text(text_or(leaf, "time", "")),
           std::string(text_or(leaf, "kind", "")), std::string(text_or(leaf, "outcome", "")),
           std::string(text_or(leaf, "stream", "")), join(parts, " ")});
    }
    print_table({"LEAF", "TIME", "KIND", "OUTCOME", "STREAM", "COMMITS TO"}, std::move(rows));
  });
  return {};
}

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

Result<void> open(const Session& session, const AuditOptions& options) {
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

Result<void> show(const Session& session) {
  auto answer = session.call({"GET", "/api/v1/audit", nullptr});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer, [](const Json& state) {
    fmt::print("tenant        {}\nleaves        {}\nsigned size   {}\nverifier key  {}\n",
               text_or(state, "tenant", ""), int_or(state, "leaves", 0),
               int_or(state, "signed_size", 0), text_or(state, "verifier_key", ""));
  });
  return {};
}

}  // namespace

void add_audit_commands(CLI::App& app, Session& session) {
  auto options = std::make_shared<AuditOptions>();
  auto* audit = app.add_subcommand("audit", "The tenant's audit log")->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, auto function) {
    auto* command = audit->add_subcommand(name, help);
    command->add_option("directory", options->directory, "<data>/audit/<tenant>, or a copy of it")
        ->required();
    command
        ->add_option("--key", options->key,
                     "Verifier key, or a file that holds it; 'aios audit show' prints it")
        ->required();
    command->add_option("--checkpoint", options->checkpoint,
                        "An older checkpoint, kept elsewhere: the log must be its continuation");
    command->callback([&session, options, function] {
      session.action = [&session, options, function] { return function(session, *options); };
    });
    return command;
  };
  add("verify", "Check a log's files offline", verify);
  auto* list = add("leaves", "Check a log's files offline and list its newest leaves", leaves);
  list->add_option("--stream", options->stream, "Only of this run, event, review or deployment");
  list->add_option("--limit", options->limit, "How many (default 50)");
  auto* shown = add("open", "Check what was shown against the leaves that commit to it", open);
  shown
      ->add_option("--opening", options->openings,
                   "File with openings {leaf, salt, contents}, such as 'aios runs history --json'")
      ->required();
  shown->add_option("--leaf", options->leaf, "Only the opening of this leaf");
  auto* part = shown->add_option("--part", options->part,
                                 "Of the one opening: check this part, with --content");
  auto* content = shown->add_option("--content", options->content,
                                    "File with the part's content; JSON may be written in any way");
  part->needs(content);
  content->needs(part);
  auto* state = audit->add_subcommand("show", "Leaves, newest checkpoint and verifier key");
  state->callback([&session] { session.action = [&session] { return show(session); }; });
}

}  // namespace aios::app
