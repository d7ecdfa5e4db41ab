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

Result<StoreImpl::BlobPlan> StoreImpl::plan_blob(const Context& ctx, const Payload& payload) {
  if (payload.bytes.size() > blob_bytes_max || payload.subject.find('\0') != std::string::npos) {
    return Error(Code::invalid_argument,
                 fmt::format("a blob of {} bytes, wanted at most {}, its subject without NUL",
                             payload.bytes.size(), blob_bytes_max))
        .page(406);
  }
  const std::string tenant = ctx.tenant.text();
  auto name = keyring_->blob_name(tenant, payload.subject, payload.bytes);
  if (!name.ok()) {
    return std::move(name).error();
  }
  BlobPlan plan;
  plan.name = *name;
  auto known = read_stream(ctx.tenant, StreamKind::blob, *name);
  if (!known.ok() && known.error().code() != Code::not_found) {
    return std::move(known).error();
  }
  plan.present = known.ok() && !known->erased;
  if (plan.present) {
    return plan;
  }
  StreamWrite write;
  write.kind = StreamKind::blob;
  write.id = *name;
  write.expected_version = known.ok() ? known->version : 0;
  write.end = StreamEnd::closed;
  write.status = in_row;
  write.state = payload;
  if (payload.bytes.size() > inline_bytes_max) {
    auto grant = keyring_->grant(tenant, payload.subject, clock_.now());
    if (!grant.ok()) {
      return std::move(grant).error();
    }
    const std::string owner = stream_key(StreamKind::blob, tenant, *name);
    auto kept = engine_->put_file(*name, sealer_.seal(*grant, Use::blob, owner, payload.bytes));
    if (!kept.ok()) {
      return std::move(kept).error();
    }
    write.status = in_file;
    // Sealed with the same key: it carries that key's assignment and shows whether the file can
    // still be opened.
    write.state = Payload{payload.subject, std::string(in_file)};
  }
  plan.transition.tenant = ctx.tenant;
  plan.transition.epoch = epoch();
  plan.transition.streams.push_back(std::move(write));
  return plan;
}

Task<Result<std::string>> StoreImpl::put_blob(Context ctx, Payload payload) {
  if (auto refused = refuse(ctx)) {
    co_return *std::move(refused);
  }
  auto plan = plan_blob(ctx, payload);
  if (!plan.ok()) {
    co_return std::move(plan).error();
  }
  if (plan->present) {
    co_return plan->name;
  }
  auto committed = co_await commit(ctx, std::move(plan->transition));
  if (!committed.ok() && committed.error().code() == Code::aborted) {
    // Somebody stored the same bytes at the same time: his row serves as well.
    plan = plan_blob(ctx, payload);
    if (plan.ok() && plan->present) {
      co_return plan->name;
    }
  }
  if (!committed.ok()) {
    co_return std::move(committed).error().with("storing a blob");
  }
  co_return plan->name;
}

Result<std::string> StoreImpl::read_blob(const TenantId& tenant, const std::string& name) {
  auto row = read_stream(tenant, StreamKind::blob, name);
  if (!row.ok()) {
    return std::move(row).error();
  }
  if (row->erased) {
    return erased_blob(name);
  }
  if (row->status != in_file) {
    return std::move(row->state);
  }
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
  co_return read_blob(ctx.tenant, name);
}

}  // namespace aios::store::detail
