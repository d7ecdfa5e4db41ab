// SPDX-License-Identifier: Apache-2.0
// A blob is a stream of kind blob: its bytes are the state, or, when they are large, a file that
// the state stands for.
#include "store/detail/store_impl.h"

#include <fmt/format.h>

namespace aios::store::detail {
namespace {

constexpr std::size_t inline_bytes_max = std::size_t{16} << 10;
constexpr std::size_t blob_bytes_max = std::size_t{64} << 20;
constexpr std::string_view in_row = "row";
constexpr std::string_view in_file = "file";

Error erased_blob(std::string_view name) {
  return Error(Code::not_found, fmt::format("blob '{}' was erased with its data subject", name))
      .page(417);
}

}  // namespace

/// What is to be stored, and whether it is there already.
Result<StoreImpl::BlobPlan> StoreImpl::find_blob(const TenantId& tenant, const Payload& payload) {
  auto name = keyring_->blob_name(tenant.text(), payload.subject, payload.bytes);
  if (!name.ok()) {
    return std::move(name).error();
  }
  BlobPlan plan;
  plan.name = *name;
  auto known = read_stream(tenant, StreamKind::blob, *name);
  if (!known.ok() && known.error().code() != Code::not_found) {
    return std::move(known).error();
  }
  plan.present = known.ok() && !known->erased;
  plan.version = known.ok() ? known->version : 0;
  return plan;
}

Result<bool> StoreImpl::keep_file(const TenantId& tenant, const std::string& name,
                                  const Keyring::Grant& grant, const std::string& bytes) {
  const std::string owner = stream_key(StreamKind::blob, tenant.text(), name);
  auto kept = engine_->put_file(name, sealer_.seal(grant, Use::blob, owner, bytes));
  return kept.ok() ? Result<bool>(true) : Result<bool>(std::move(kept).error());
}

/// The subject's key, named by the journal: what is sealed by it may reach a disk before the
/// transition that it belongs to, and can be erased whatever becomes of that.
Task<Result<Keyring::Grant>> StoreImpl::durable_key(Context ctx, std::string subject) {
  auto grant = keyring_->grant(ctx.tenant.text(), subject, clock_.now());
  if (!grant.ok() || !grant->assignment) {
    co_return grant;
  }
  auto record = std::make_shared<Record>();
  record->tenant = ctx.tenant.text();
  record->epoch = epoch();
  record->assignments.push_back(*grant->assignment);
  auto submission = std::make_unique<Submission>();
  submission->body = encode(*record);
  submission->record = std::move(record);
  submission->holds.push_back(std::move(grant->hold));
  auto committed = co_await submit(std::move(ctx), std::move(submission));
  if (!committed.ok()) {
    co_return std::move(committed).error();
  }
  co_return grant;
}

Task<Result<StoreImpl::BlobPlan>> StoreImpl::plan_blob(Context ctx,
                                                       std::shared_ptr<const Payload> payload) {
  std::function<Result<BlobPlan>()> find = [this, tenant = ctx.tenant, payload] {
    return find_blob(tenant, *payload);
  };
  const bool in_own_file = payload->bytes.size() > inline_bytes_max;
  auto plan = co_await off_shard(ctx, in_own_file, std::move(find));
  if (!plan.ok()) {
    co_return plan;
  }
  if (plan->present && !in_own_file) {
    co_return plan;
  }
  if (plan->present) {  // a file that was damaged or lost is written again: here are its bytes
    std::function<Result<bool>()> look = [this, tenant = ctx.tenant, name = plan->name] {
      const auto bytes = read_file(tenant, name);
      return bytes.ok() || bytes.error().code() != Code::data_loss;
    };
    auto whole = co_await off_shard(ctx, in_own_file, std::move(look));
    if (!whole.ok() || *whole) {
      co_return plan;
    }
  }
  StreamWrite write;
  write.kind = StreamKind::blob;
  write.id = plan->name;
  write.expected_version = plan->version;
  write.end = StreamEnd::closed;
  write.status = in_file;
  // Shows whether the file's key is still there.
  write.state = Payload{payload->subject, std::string(in_file)};
  if (in_own_file) {
    auto granted = co_await durable_key(ctx, payload->subject);
    if (!granted.ok()) {
      co_return std::move(granted).error();
    }
    auto grant = std::make_shared<const Keyring::Grant>(*std::move(granted));
    std::function<Result<bool>()> keep = [this, tenant = ctx.tenant, payload, grant,
                                          name = plan->name] {
      return keep_file(tenant, name, *grant, payload->bytes);
    };
    auto kept = co_await off_shard(ctx, in_own_file, std::move(keep));
    if (!kept.ok()) {
      co_return std::move(kept).error();
    }
    if (plan->present) {
      co_return plan;
    }
  } else {
    write.status = in_row;
    write.state = *payload;
  }
  plan->transition.tenant = ctx.tenant;
  plan->transition.epoch = epoch();
  plan->transition.streams.push_back(std::move(write));
  co_return plan;
}

Task<Result<std::string>> StoreImpl::put_blob(Context ctx, Payload payload) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  if (payload.bytes.size() > blob_bytes_max || payload.subject.find('\0') != std::string::npos) {
    co_return Error(Code::invalid_argument,
                    fmt::format("a blob of {} bytes, wanted at most {}, its subject without NUL",
                                payload.bytes.size(), blob_bytes_max))
        .page(406);
  }
  const auto shared = std::make_shared<const Payload>(std::move(payload));
  auto plan = co_await plan_blob(ctx, shared);
  if (!plan.ok()) {
    co_return std::move(plan).error();
  }
  if (plan->present) {
    co_return plan->name;
  }
  auto committed = co_await commit(ctx, std::move(plan->transition));
  if (!committed.ok() && committed.error().code() == Code::aborted) {
    // Somebody stored the same bytes at the same time: his row serves as well.
    plan = co_await plan_blob(ctx, shared);
    if (plan.ok() && plan->present) {
      co_return plan->name;
    }
  }
  if (!committed.ok()) {
    co_return std::move(committed).error().with("storing a blob");
  }
  co_return plan->name;
}

Result<std::string> StoreImpl::read_file(const TenantId& tenant, const std::string& name) {
  auto sealed = engine_->file(name);
  if (!sealed.ok()) {
    return std::move(sealed).error();
  }
  auto opened = sealer_.open(Use::blob, stream_key(StreamKind::blob, tenant.text(), name), *sealed);
  if (!opened.ok()) {
    return std::move(opened).error().with(fmt::format("reading blob '{}'", name));
  }
  if (opened->erased) {
    return erased_blob(name);
  }
  return std::move(opened->bytes);
}

Task<Result<std::string>> StoreImpl::blob(Context ctx, std::string name) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  auto row = read_stream(ctx.tenant, StreamKind::blob, name);
  if (!row.ok()) {
    co_return std::move(row).error();
  }
  if (row->erased) {
    co_return erased_blob(name);
  }
  if (row->status != in_file) {
    co_return std::move(row->state);
  }
  std::function<Result<std::string>()> read = [this, tenant = ctx.tenant, name] {
    return read_file(tenant, name);
  };
  auto bytes = co_await off_shard(ctx, true, std::move(read));
  co_return bytes;
}

/// Search attributes stand in clear, so a key that is gone does not hide them.
Result<void> StoreImpl::forget_attributes(const std::string& tenant) {
  constexpr std::uint32_t rows_at_once = 5'000;
  TableRemoval removal;
  removal.tenant = tenant;
  removal.limit = rows_at_once;
  removal.gone = [this](std::string_view state) {
    const auto key = keyring_->key(Sealer::key_id(state));
    return key.ok() && !*key;
  };
  do {
    auto page = folder_.remove(removal);
    if (!page.ok()) {
      return std::move(page).error();
    }
    removal.after = page->next;
  } while (!removal.after.empty());
  return {};
}

Task<Result<std::uint64_t>> StoreImpl::erase_subject(Context ctx, std::string subject) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  if (subject.empty() || subject.find('\0') != std::string::npos) {
    co_return Error(Code::invalid_argument, "the data subject to erase has no name").page(406);
  }
  std::function<Result<std::uint64_t>()> destroy = [this, tenant = ctx.tenant.text(),
                                                    subject]() -> Result<std::uint64_t> {
    auto destroyed = keyring_->destroy(tenant, subject);
    if (!destroyed.ok()) {
      return destroyed;
    }
    if (auto forgotten = forget_attributes(tenant); !forgotten.ok()) {
      return std::move(forgotten).error().with(
          "taking away search attributes of an erased subject: ask for it again");
    }
    return destroyed;
  };
  auto destroyed = co_await off_shard(ctx, true, std::move(destroy));
  co_return destroyed;
}

}  // namespace aios::store::detail
