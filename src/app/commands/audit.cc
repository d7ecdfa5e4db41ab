// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"

#include "govern/audit.h"

#include "core/text.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

struct AuditOptions {
  std::string directory;
  std::string key;
  std::string checkpoint;
};

/// Needs no server and no data directory: the log's files and the verifier key are enough.
Result<void> verify(const Session& session, const AuditOptions& options) {
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
  auto report = govern::verify_log(options.directory, key, older);
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
  auto* check = audit->add_subcommand("verify", "Check a log's files offline");
  check->add_option("directory", options->directory, "<data>/audit/<tenant>, or a copy of it")
      ->required();
  check->add_option("--key", options->key, "Verifier key, or a file that holds it")->required();
  check->add_option("--checkpoint", options->checkpoint,
                    "An older checkpoint, kept elsewhere: the log must be its continuation");
  check->callback([&session, options] {
    session.action = [&session, options] { return verify(session, *options); };
  });
  auto* state = audit->add_subcommand("show", "Leaves, newest checkpoint and verifier key");
  state->callback([&session] { session.action = [&session] { return show(session); }; });
}

}  // namespace aios::app
