// SPDX-License-Identifier: Apache-2.0
#include "served.h"

#include "load.h"
#include "must.h"

#include "app/system.h"
#include "core/text.h"
#include "runtime/shards.h"
#include "store/store.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

namespace aios::bench {
namespace {

double count(runtime::Shards& shards, store::Store& store, store::StreamKind kind,
             std::string status) {
  store::ListQuery query;
  query.tenant = default_tenant();
  query.kind = kind;
  query.status = std::move(status);
  const Context ctx = system_context(default_tenant(), "bench");
  return static_cast<double>(must(shards.run(0, store.count(ctx, std::move(query)))));
}

}  // namespace

Served::Served(std::string folder) : folder_(std::move(folder)) {
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(std::filesystem::path(folder_).parent_path());
  app::SystemOptions options;
  options.data = folder_;
  options.listen = true;
  options.port = 0;
  options.log_level = observe::Level::error;
  system_ = must(app::System::open(options));
  std::ifstream(system_->first_key_file()) >> key_;
}

Served::~Served() { stop(); }

std::uint16_t Served::port() const { return system_->port(); }

void Served::deploy(const std::map<std::string, std::string>& files) {
  JsonObject encoded;
  for (const auto& [path, text] : files) {
    encoded[path] = to_base64(text);
  }
  const std::string body = to_text(JsonObject{{"files", std::move(encoded)}});
  const auto answer = ask(port(), request_text("POST", "/api/v1/deployments", key_, body));
  if (answer.status != 201) {
    give_up(fmt::format("the bundle was answered {}: {}", answer.status, answer.body));
  }
}

void Served::stop() {
  if (system_) {
    must(system_->stop(std::chrono::seconds(10)));
    system_.reset();
  }
}

Stored count_stored(const std::string& folder) {
  runtime::Shards shards(1);
  store::StoreOptions options;
  options.directory = folder;
  auto store = must(store::open_store(options, runtime::system_clock()));
  Stored stored;
  stored.runs = count(shards, *store, store::StreamKind::run, "");
  stored.runs_completed = count(shards, *store, store::StreamKind::run, "completed");
  stored.events = count(shards, *store, store::StreamKind::event, "");
  stored.events_accepted = count(shards, *store, store::StreamKind::event, "accepted");
  const Context ctx = system_context(default_tenant(), "bench");
  stored.leaves = static_cast<double>(must(shards.run(0, store->leaf_count(ctx))));
  must(store->close());
  store.reset();
  shards.stop();
  return stored;
}

}  // namespace aios::bench
