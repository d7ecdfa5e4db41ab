// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"

#include <fmt/format.h>

namespace aios::app {
namespace {

struct KeyOptions {
  std::string name;
  std::string id;
  std::vector<std::string> roles;
};

std::string roles_text(const Json& key) {
  std::string text;
  const Json* roles = find(key, "roles");
  if (roles != nullptr && roles->is_array()) {
    for (const Json& role : roles->get_array()) {
      text += (text.empty() ? "" : ",") + std::string(view(role.as_string()));
    }
  }
  return text;
}

Result<void> create(const Session& session, const KeyOptions& options) {
  JsonArray roles;
  for (const auto& role : options.roles) {
    roles.emplace_back(role);
  }
  auto made = session.call(
      {"POST", "/api/v1/keys", JsonObject{{"name", options.name}, {"roles", std::move(roles)}}});
  if (!made.ok()) {
    return std::move(made).error();
  }
  print(session, *made, [](const Json& key) {
    fmt::print(stderr, "aios: made {} with roles {}; the secret is shown once:\n",
               text_or(key, "id", ""), roles_text(key));
    fmt::print("{}\n", text_or(key, "secret", ""));
  });
  return {};
}

Result<void> list(const Session& session) {
  auto answer = session.call({"GET", "/api/v1/keys", nullptr});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer, [](const Json& page) {
    std::vector<std::vector<std::string>> rows;
    for (const Json& key : page.at("items").as_array()) {
      rows.push_back({std::string(text_or(key, "id", "")),
                      bool_or(key, "revoked", false) ? "revoked" : "valid",
                      std::string(text_or(key, "name", "")), roles_text(key),
                      seconds_text(text_or(key, "created", ""))});
    }
    print_table({"ID", "STATE", "NAME", "ROLES", "CREATED"}, std::move(rows), "NAME");
  });
  return {};
}

Result<void> revoke(const Session& session, const KeyOptions& options) {
  auto answer = session.call({"DELETE", "/api/v1/keys/" + options.id, nullptr});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer,
        [&](const Json&) { fmt::print(stderr, "aios: revoked {}\n", options.id); });
  return {};
}

}  // namespace

void add_key_commands(CLI::App& app, Session& session) {
  auto options = std::make_shared<KeyOptions>();
  auto* key = app.add_subcommand("key", "API keys")->require_subcommand(1);
  auto* make = key->add_subcommand("create", "Make a key; prints its secret once");
  make->add_option("--name", options->name, "Who will hold it")->required();
  make->add_option("--role", options->roles,
                   "admin, operator, developer, reviewer, approver, ingest or auditor; repeatable")
      ->required();
  make->callback([&session, options] {
    session.action = [&session, options] { return create(session, *options); };
  });
  auto* all = key->add_subcommand("list", "Keys of the tenant");
  all->callback([&session] { session.action = [&session] { return list(session); }; });
  auto* gone = key->add_subcommand("revoke", "Revoke a key at once");
  gone->add_option("id", options->id, "key_...")->required();
  gone->callback([&session, options] {
    session.action = [&session, options] { return revoke(session, *options); };
  });
}

}  // namespace aios::app
