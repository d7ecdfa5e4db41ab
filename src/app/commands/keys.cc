// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/secret_file.h"
#include "app/terminal.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

namespace aios::app {
namespace {

struct KeyOptions {
  std::string name;
  std::string id;
  std::string out;
  std::string expires;
  std::uint32_t per_minute = 0;
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

std::string state_text(const Json& key) {
  const bool expired = bool_or(key, "expired", false);
  return bool_or(key, "revoked", false) ? "revoked" : expired ? "expired" : "valid";
}

std::string rate_text(const Json& key) {
  const std::int64_t rate = int_or(key, "per_minute", 0);
  return rate == 0 ? "" : std::to_string(rate);
}

Result<void> create(const Session& session, const KeyOptions& options) {
  SecretFile file;
  if (!options.out.empty()) {
    if (auto opened = file.open(options.out); !opened.ok()) {
      return opened;
    }
  }
  JsonArray roles;
  for (const auto& role : options.roles) {
    roles.emplace_back(role);
  }
  JsonObject body{{"name", options.name}, {"roles", std::move(roles)}};
  if (!options.expires.empty()) {
    body["expires"] = options.expires;
  }
  if (options.per_minute > 0) {
    body["per_minute"] = options.per_minute;
  }
  auto made = session.call({"POST", "/api/v1/keys", std::move(body)});
  if (!made.ok()) {
    return std::move(made).error();
  }
  if (!options.out.empty()) {
    const std::string id(text_or(*made, "id", ""));
    if (auto filled = file.fill(text_or(*made, "secret", "")); !filled.ok()) {
      return std::move(filled).error().with(
          fmt::format("keeping the secret of {}, which is lost: revoke that key", id));
    }
    made->as_object().erase("secret");
  }
  print(session, *made, [&](const Json& key) {
    const std::string_view expires = text_or(key, "expires", "");
    const std::string what =
        fmt::format("aios: made {} with roles {}{}", text_or(key, "id", ""), roles_text(key),
                    expires.empty() ? "" : fmt::format(", until {}", seconds_text(expires)));
    if (!options.out.empty()) {
      tell("{}; its secret is in {}\n", what, options.out);
    } else {
      tell("{}; the secret is shown once:\n", what);
      fmt::print("{}\n", text_or(key, "secret", ""));
    }
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
      rows.push_back({std::string(text_or(key, "id", "")), state_text(key),
                      std::string(text_or(key, "name", "")), roles_text(key),
                      seconds_text(text_or(key, "created", "")),
                      seconds_text(text_or(key, "expires", "")), rate_text(key)});
    }
    print_table({"ID", "STATE", "NAME", "ROLES", "CREATED", "EXPIRES", "A MINUTE"}, std::move(rows),
                "NAME");
  });
  return {};
}

Result<void> revoke(const Session& session, const KeyOptions& options) {
  auto answer = session.call({"DELETE", "/api/v1/keys/" + options.id, nullptr});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer, [&](const Json& it) {
    tell("aios: revoked {}\n", options.id);
    if (const auto file = text_or(it, "removed_file", ""); !file.empty()) {
      tell(
          "aios: removed {}, which held it: commands find no key there any more; name another with "
          "--key-file FILE or AIOS_KEY_FILE\n",
          file);
    }
  });
  return {};
}

}  // namespace

void add_key_commands(Command& app, Session& session) {
  auto options = std::make_shared<KeyOptions>();
  auto* key = app.add_subcommand("key", "API keys")->require_subcommand();
  auto* make = key->add_subcommand("create", "Make a key; prints its secret once");
  make->add_option("--name", options->name, "Who will hold it")->required();
  make->add_option("--role", options->roles,
                   "admin, operator, developer, reviewer, approver, ingest or auditor; repeatable")
      ->required();
  make->add_option("--expires", options->expires,
                   "It opens nothing from then on: P90D from now, or 2027-01-31T00:00:00Z");
  make->add_option("--rate", options->per_minute,
                   "Requests a minute; beyond it they are answered 429")
      ->check([](const std::string& value) {
        return value.size() <= 7 && value != "0" ? std::string()
                                                 : "wanted a number from 1 to 1000000";
      });
  make->add_option("--out", options->out, "Write the secret to this new file, mode 0600");
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
