// SPDX-License-Identifier: Apache-2.0
#include "api/detail/start_once.h"

#include "core/crypto.h"
#include "core/text.h"
#include "runtime/executor.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace aios::api {
namespace {

store::KeyClaim claim_of(const std::string& key, std::string_view body, std::string id) {
  const Digest digest = sha256(body);
  return {"start-run", key, std::string(digest.begin(), digest.end()), std::move(id)};
}

/// The run that the key stands for; nothing when it is new.
Task<Result<std::optional<StartedOnce>>> first_of(store::Store* store, Context ctx,
                                                  store::KeyClaim claim) {
  const std::string key = claim.key;
  auto record = co_await store->key(std::move(ctx), std::move(claim));
  if (!record.ok()) {
    co_return std::move(record).error();
  }
  if (!record->has_value()) {
    co_return std::optional<StartedOnce>();
  }
  if (!(*record)->same_request) {
    co_return Error(
        Code::already_exists,
        fmt::format("the Idempotency-Key '{}' was used for another request", excerpt(key, 80)))
        .page(1305);
  }
  co_return StartedOnce{(*record)->value, true};
}

}  // namespace

Task<Result<StartedOnce>> start_once(workflow::Engine* engine, store::Store* store, Context ctx,
                                     workflow::StartRequest start, std::string key,
                                     std::string body) {
  if (key.empty() || key.size() > idempotency_key_bytes_max) {
    co_return Error(Code::invalid_argument,
                    fmt::format("the Idempotency-Key has {} characters, wanted 1 to {}", key.size(),
                                idempotency_key_bytes_max))
        .page(1306);
  }
  runtime::Executor* executor = runtime::Executor::current();
  start.run_id = runtime::new_id("run", executor->clock(), executor->random());
  const store::KeyClaim claim = claim_of(key, body, start.run_id);
  // Asked first: what the first one started may not be there any more to be started again.
  auto before = co_await first_of(store, ctx, claim);
  if (!before.ok()) {
    co_return std::move(before).error();
  }
  if (before->has_value()) {
    co_return **std::move(before);
  }
  start.with.keys.push_back(claim);
  auto id = co_await engine->start(ctx, std::move(start));
  if (id.ok()) {
    co_return StartedOnce{*std::move(id), false};
  }
  if (id.error().code() != Code::already_exists) {
    co_return std::move(id).error();
  }
  auto meanwhile = co_await first_of(store, ctx, claim);
  if (!meanwhile.ok()) {
    co_return std::move(meanwhile).error();
  }
  if (!meanwhile->has_value()) {
    co_return Error(Code::aborted, "the key changed while it was read", Retry::same_call);
  }
  co_return **std::move(meanwhile);
}

}  // namespace aios::api
