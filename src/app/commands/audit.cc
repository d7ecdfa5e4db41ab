// SPDX-License-Identifier: Apache-2.0
#include "app/detail/audit_read.h"
#include "app/terminal.h"

#include "govern/audit_count.h"
#include "govern/audit_verify.h"
#include "govern/merkle.h"
#include "govern/opening.h"

#include "core/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <filesystem>
#include <system_error>

namespace aios::app {
namespace {

constexpr int exit_wrong_use = 2;

Json fault_json(const govern::LogFault& fault, const Error& error) {
  JsonObject said{{"kind", govern::name_of(fault.kind)}, {"error", error.text()}};
  if (!fault.file.empty()) {
    said["file"] = fault.file;
  }
  if (fault.leaf) {
    said["leaf"] = *fault.leaf;
  }
  return JsonObject{{"verified", false}, {"fault", std::move(said)}};
}

Json report_json(const govern::VerifyReport& report) {
  JsonArray continued;
  for (const govern::Continued& one : report.continued) {
    JsonArray proof;
    for (const Digest& hash : one.proof) {
      proof.emplace_back(to_hex(view(hash)));
    }
    continued.push_back(JsonObject{{"checkpoint", one.name},
                                   {"size", one.size},
                                   {"root", one.root_hex},
                                   {"consistency_proof", std::move(proof)}});
  }
  return JsonObject{{"verified", true},        {"origin", report.origin},
                    {"size", report.size},     {"leaves_checked", report.leaves_checked},
                    {"root", report.root_hex}, {"continues", std::move(continued)}};
}

/// Nothing is known of the log then: an auditor's timer is not to take a slip for a change.
bool was_wrong_use(const AuditOptions& options, const govern::LogFault& fault, const Error& error) {
  const bool of_arguments =
      error.code() == Code::not_found || error.code() == Code::invalid_argument;
  std::error_code ignored;
  return (fault.kind == govern::LogFault::Kind::none && of_arguments) ||
         !std::filesystem::is_directory(options.directory, ignored);
}

Result<void> verify(Session& session, const AuditOptions& options) {
  govern::LogFault fault;
  auto report = read_log(options, nullptr, &fault);
  if (!report.ok()) {
    session.exit_code = was_wrong_use(options, fault, report.error()) ? exit_wrong_use : 0;
    if (session.json && fault.kind != govern::LogFault::Kind::none) {
      print(session, fault_json(fault, report.error()), nullptr);
    }
    return std::move(report).error();
  }
  print(session, report_json(*report), [&](const Json&) {
    fmt::print("verified: {} leaves, root {}, origin {}\n", report->size, report->root_hex,
               report->origin);
    for (const govern::Continued& one : report->continued) {
      fmt::print("continues {}: {} leaves, {} since\n", shown_text(one.name), one.size,
                 report->size - one.size);
    }
  });
  return {};
}

Result<void> count_leaves(const Session& session, const AuditOptions& options,
                          const govern::LeafFilter& filter) {
  auto count = govern::LeafCount::by(options.count_by);
  if (!count.ok()) {
    return std::move(count).error();
  }
  Result<void> counted;
  auto report = read_log(options, [&](std::uint64_t, std::string_view text) {
    const auto leaf = parse_json(text);
    if (counted.ok() && leaf.ok() && filter.takes(*leaf)) {
      counted = count->add(*leaf);
    }
  });
  if (!report.ok()) {
    return std::move(report).error();
  }
  if (!counted.ok()) {
    return counted;
  }
  print(session, count->to_json(),
        [&](const Json&) { print_table(count->header(), count->rows()); });
  return {};
}

Result<void> leaves(const Session& session, const AuditOptions& options) {
  auto filter = govern::LeafFilter::parse(options.where);
  if (!filter.ok()) {
    return std::move(filter).error();
  }
  if (!options.stream.empty()) {
    filter->want("stream", options.stream);
  }
  if (!options.count_by.empty()) {
    return count_leaves(session, options, *filter);
  }
  std::deque<std::pair<std::uint64_t, std::string>> kept;
  auto report = read_log(options, [&](std::uint64_t index, std::string_view leaf) {
    if (!filter->takes_all()) {
      const auto parsed = parse_json(leaf);
      if (!parsed.ok() || !filter->takes(*parsed)) {
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

/// A file that is there is never replaced: it may be the one that proves what was.
Result<void> write_kept(const std::string& path, const std::string& note) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) {
    const int problem = errno;
    if (problem == EEXIST) {
      return Error(Code::already_exists,
                   fmt::format("{} is there already, wanted a new file: each checkpoint is kept",
                               path))
          .page(551);
    }
    return Error(Code::permission_denied,
                 fmt::format("cannot write {}: {}", path, std::generic_category().message(problem)))
        .page(1403);
  }
  std::string_view left = note;
  bool written = true;
  while (written && !left.empty()) {
    const auto done = ::write(fd, left.data(), left.size());
    written = done > 0 || (done < 0 && errno == EINTR);
    left.remove_prefix(done > 0 ? static_cast<std::size_t>(done) : 0);
  }
  written = written && ::fsync(fd) == 0;
  const int problem = errno;
  ::close(fd);
  if (written) {
    return {};
  }
  ::unlink(path.c_str());
  return Error(Code::resource_exhausted,
               fmt::format("cannot write {}: {}", path, std::generic_category().message(problem)))
      .page(1403);
}

Result<void> checkpoint(const Session& session, const AuditOptions& options) {
  auto answer = session.call({"GET", "/api/v1/audit/checkpoint", nullptr});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  const std::string note(text_or(*answer, "checkpoint", ""));
  if (!options.out.empty()) {
    auto written = write_kept(options.out, note);
    if (!written.ok()) {
      return written;
    }
  }
  print(session, *answer, [&](const Json& it) {
    if (options.out.empty()) {
      fmt::print("{}", note);
    } else {
      fmt::print("{}: {} leaves, root {}\n", shown_text(options.out), int_or(it, "size", 0),
                 text_or(it, "root", ""));
    }
  });
  return {};
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

void add_audit_commands(Command& app, Session& session) {
  auto options = std::make_shared<AuditOptions>();
  auto* audit = app.add_subcommand("audit", "The tenant's audit log")->require_subcommand();
  const auto add = [&](const char* name, const char* help, auto function) {
    auto* command = audit->add_subcommand(name, help);
    command->add_option("directory", options->directory, "<data>/audit/<tenant>, or a copy of it")
        ->required();
    command
        ->add_option("--key", options->key,
                     "Verifier key, or a file that holds it; 'aios audit show' prints it")
        ->required();
    command->add_option("--checkpoint", options->checkpoints,
                        "A checkpoint kept elsewhere: the log must continue it; may be repeated");
    command->callback([&session, options, function] {
      session.action = [&session, options, function] { return function(session, *options); };
    });
    return command;
  };
  add("verify", "Check a log's files offline", verify);
  auto* list = add("leaves", "Check a log's files offline and list its newest leaves", leaves);
  list->add_option("--stream", options->stream, "Only of this run, event, review or deployment");
  list->add_option("--where", options->where,
                   "Only leaves with this member: NAME=VALUE, NAME as in --count-by; repeatable");
  list->add_option("--count-by", options->count_by,
                   "Count them by members: kind,outcome,step,tenant,principal,facts.NAME");
  list->add_option("--limit", options->limit, "How many (default 50)");
  auto* shown =
      add("open", "Check what was shown against the leaves that commit to it", open_leaves);
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
  auto* newest =
      audit->add_subcommand("checkpoint", "The newest signed checkpoint, for keeping elsewhere");
  newest->add_option("--out", options->out, "Write it into this new file");
  newest->callback([&session, options] {
    session.action = [&session, options] { return checkpoint(session, *options); };
  });
  auto* state = audit->add_subcommand("show", "Leaves, newest checkpoint and verifier key");
  state->callback([&session] { session.action = [&session] { return show(session); }; });
}

}  // namespace aios::app
