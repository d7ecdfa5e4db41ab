// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"
#include "app/secret_file.h"
#include "app/terminal.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

namespace aios::app {
namespace {

struct TenantOptions {
  std::string name;
  std::string region;
  std::string out;
};

/// What was made is there whatever becomes of the file: asked again it would give no other key.
Error lost(Error error, const std::string& tenant, std::string_view key) {
  return std::move(error).with(
      fmt::format("keeping the secret of {}, the first key of tenant '{}', which is lost: stop the "
                  "server and revoke it on the data directory",
                  key, tenant));
}

Result<void> create(const Session& session, const TenantOptions& options) {
  SecretFile file;
  if (!options.out.empty()) {
    if (auto opened = file.open(options.out); !opened.ok()) {
      return opened;
    }
  }
  auto made = session.call(
      {"POST", "/api/v1/tenants", JsonObject{{"name", options.name}, {"region", options.region}}});
  if (!made.ok()) {
    return std::move(made).error();
  }
  Json* key = made->as_object().if_contains("key");
  if (key != nullptr && !options.out.empty()) {
    if (auto filled = file.fill(text_or(*key, "secret", "")); !filled.ok()) {
      return lost(std::move(filled).error(), options.name, text_or(*key, "id", ""));
    }
    key->as_object().erase("secret");
  }
  print(session, *made, [&](const Json& tenant) {
    const Json* first = find(tenant, "key");
    if (first == nullptr) {
      tell("aios: tenant {} is there, and has an admin: no key was made\n", options.name);
    } else if (!options.out.empty()) {
      tell("aios: tenant {}; the secret of its first key is in {}\n", options.name, options.out);
    } else {
      tell("aios: tenant {}; the secret of its first key is shown once:\n", options.name);
      fmt::print("{}\n", text_or(*first, "secret", ""));
    }
  });
  return {};
}

Result<void> list(const Session& session) {
  auto answer = session.call({"GET", "/api/v1/tenants", nullptr});
  if (!answer.ok()) {
    return std::move(answer).error();
  }
  print(session, *answer, [](const Json& page) {
    std::vector<std::vector<std::string>> rows;
    for (const Json& tenant : page.at("items").as_array()) {
      const std::string created = seconds_text(text_or(tenant, "created", ""));
      rows.push_back({std::string(text_or(tenant, "name", "")),
                      std::string(text_or(tenant, "region", "")), created.empty() ? "-" : created});
    }
    print_table({"NAME", "REGION", "CREATED"}, std::move(rows));
  });
  return {};
}

}  // namespace

void add_tenant_commands(Command& app, Session& session) {
  auto options = std::make_shared<TenantOptions>();
  auto* tenant = app.add_subcommand("tenant", "Who shares this installation")->require_subcommand();
  auto* make = tenant->add_subcommand(
      "create", "Make a tenant, while the server runs; prints the secret of its first key once");
  make->add_option("name", options->name, "1 to 63 of a-z, 0-9 and '-'")->required();
  make->add_option("--region", options->region, "Where its data may stay; for good")->required();
  make->add_option("--out", options->out, "Write the secret to this new file, mode 0600");
  make->callback([&session, options] {
    session.action = [&session, options] { return create(session, *options); };
  });
  auto* all = tenant->add_subcommand("list", "Tenants of this installation");
  all->callback([&session] { session.action = [&session] { return list(session); }; });
}

}  // namespace aios::app
