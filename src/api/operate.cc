// SPDX-License-Identifier: Apache-2.0
// What the operator of the server does with it while it runs: a look at its health, a backup.
#include "api/detail/operation.h"

#include "govern/audit.h"
#include "runtime/executor.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <system_error>

namespace aios::api {
namespace {

using Answer = Result<net::Response>;
namespace fs = std::filesystem;

constexpr std::size_t passphrase_characters_min = 12;

Error refusal(std::string text) {
  return Error(Code::invalid_argument, std::move(text)).page(1303);
}

bool is_inside(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

/// A directory that is there keeps its mode: whether it may be closed to others is not ours to
/// say, so it must be nobody else's to change.
Result<void> check_is_ours(const fs::path& whole) {
  struct stat info{};
  if (::lstat(whole.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return refusal(fmt::format("'{}' is there and no directory", whole.string()));
  }
  if (info.st_uid != ::geteuid() || (info.st_mode & 0022) != 0) {
    return refusal(fmt::format("others than the server may write to directory '{}' (mode {:04o})",
                               whole.string(), info.st_mode & 07777));
  }
  std::error_code failed;
  if (!fs::is_empty(whole, failed) || failed) {
    return refusal(fmt::format("directory '{}' is not empty", whole.string()));
  }
  return {};
}

/// The directory is new or empty, outside the data, and where backups go when that is set.
/// @return its real path
Result<std::string> make_target(const std::string& directory, const std::string& data,
                                const std::string& backups) {
  const fs::path path(directory);
  if (!path.is_absolute()) {
    return refusal(fmt::format("directory '{}' is not absolute", directory));
  }
  std::error_code failed;
  const fs::path whole = fs::weakly_canonical(path, failed);
  const fs::path own = failed ? fs::path() : fs::canonical(data, failed);
  if (failed) {
    return refusal(fmt::format("directory '{}': {}", directory, failed.message()));
  }
  if (is_inside(whole, own)) {
    return refusal(fmt::format("directory '{}' is inside the data directory", directory));
  }
  if (!backups.empty()) {
    const fs::path root = fs::canonical(backups, failed);
    if (failed || whole == root || !is_inside(whole, root)) {
      return refusal(fmt::format("directory '{}' is not in '{}', where the server writes backups",
                                 directory, backups));
    }
  }
  if (::mkdir(whole.c_str(), 0700) != 0) {
    if (errno != EEXIST) {
      return refusal(fmt::format("directory '{}' cannot be made: {}", directory,
                                 std::generic_category().message(errno)));
    }
    if (auto ours = check_is_ours(whole); !ours.ok()) {
      return std::move(ours).error();
    }
  }
  return whole.string();
}

struct Job {
  store::Store* store = nullptr;
  std::string data;
  std::string backups;
  std::string directory;
  std::string passphrase;  ///< empty: no keys
};

Result<Json> make_backup(const Job& job) {
  const auto made = make_target(job.directory, job.data, job.backups);
  if (!made.ok()) {
    return made.error();
  }
  const std::string archive = *made + "/backup.archive";
  if (auto copied = job.store->backup(archive); !copied.ok()) {
    return std::move(copied).error().with("writing the backup");
  }
  JsonObject out{{"archive", archive}};
  if (!job.passphrase.empty()) {
    const std::string keys = *made + "/keys.sealed";
    if (auto exported = job.store->export_keys(keys, job.passphrase); !exported.ok()) {
      return std::move(exported).error().with("exporting the keys");
    }
    out["keys"] = keys;
  }
  return Json(std::move(out));
}

/// Who took a copy of everything belongs into the log, also when the copy then fails.
Task<Result<void>> record(const ApiServices& services, Context ctx, std::string directory,
                          std::string outcome) {
  govern::LeafFacts leaf(govern::LeafKind::backup);
  leaf.stream = "store";
  leaf.outcome = std::move(outcome);
  leaf.facts["directory"] = directory;
  leaf.facts["by"] = ctx.principal->id;
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = services.store->epoch();
  const Time now = runtime::Executor::current()->clock().now();
  transition.leaves.push_back(govern::make_leaf(ctx, now, leaf));
  auto committed = co_await services.store->commit(ctx, std::move(transition));
  if (!committed.ok()) {
    co_return std::move(committed).error().with("recording the backup");
  }
  co_return Result<void>();
}

Task<Answer> backup(const ApiServices& services, Context ctx, net::Request request) {
  auto asked = body_with_text(request, "directory");
  if (!asked.ok()) {
    co_return std::move(asked).error();
  }
  Job job{services.store, services.data, services.backups, asked->text, ""};
  if (asked->body.if_contains("passphrase") != nullptr) {
    auto passphrase = text_member(asked->body, "passphrase");
    auto allowed = govern::Identity::allow(ctx, govern::Action::manage_keys);
    if (!passphrase.ok() || !allowed.ok()) {
      co_return passphrase.ok() ? std::move(allowed).error() : std::move(passphrase).error();
    }
    if (passphrase->size() < passphrase_characters_min) {
      co_return refusal(fmt::format("the passphrase has {} characters, at least {} are wanted",
                                    passphrase->size(), passphrase_characters_min));
    }
    job.passphrase = std::move(*passphrase);
  }
  Context whole = ctx;  // a copy of much data takes longer than a request may
  whole.deadline = Context().deadline;
  std::function<Result<Json>()> work = [job] { return make_backup(job); };
  auto made = co_await runtime::blocking(whole, *services.pool, std::move(work));
  if (!made.ok() && made.error().page() == 1303) {
    co_return std::move(made).error();  // nothing was copied
  }
  auto recorded = co_await record(services, std::move(whole), std::move(asked->text),
                                  made.ok() ? "ok" : "failed");
  if (!made.ok() || !recorded.ok()) {
    co_return made.ok() ? std::move(recorded).error() : std::move(made).error();
  }
  co_return net::json_response(201, *made);
}

Task<Answer> doctor(const ApiServices& services, Context ctx, net::Request) {
  auto examining = services.doctor(std::move(ctx));
  auto report = co_await std::move(examining);
  if (!report.ok()) {
    co_return std::move(report).error();
  }
  co_return net::json_response(200, *report);
}

}  // namespace

void mount_operate(net::Router& router, const ApiServices& services) {
  add(router, services,
      {"GET", "/api/v1/operate/doctor", "doctor",
       "What an operator should know: disk and when it is full, keys, clock, limits, listener, "
       "bundle, and what waits for people.",
       govern::Action::operate, doctor, "",
       R"({"type": "object", "required": ["health", "findings"], "properties": {
           "health": {"enum": ["good", "watch", "bad"]},
           "findings": {"type": "array", "items": {"type": "object",
             "required": ["part", "health", "found", "next"]}}}})"});
  add(router, services,
      {"POST", "/api/v1/operate/backup", "backup",
       "Copies the store, while it serves, into a new directory on the server's machine; with a "
       "passphrase (admin only) also the keys, sealed by it.",
       govern::Action::operate, backup,
       R"({"type": "object", "required": ["directory"], "properties": {
           "directory": {"type": "string"}, "passphrase": {"type": "string"}}})",
       R"({"type": "object", "required": ["archive"], "properties": {
           "archive": {"type": "string"}, "keys": {"type": "string"}}})"});
}

}  // namespace aios::api
