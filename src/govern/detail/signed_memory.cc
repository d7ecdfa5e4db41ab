// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/signed_memory.h"

#include "core/json.h"
#include "core/text.h"

#include <algorithm>

namespace aios::govern::detail {
namespace {

constexpr const char* signed_stream = "signed";

Error no_memory() {
  return Error(Code::data_loss, "what the store remembers of the last checkpoint cannot be read")
      .page(532);
}

Result<SignedMemory> memory_from(const store::StreamRow& row) {
  auto state = parse_json(row.state);
  if (!state.ok()) {
    return no_memory();
  }
  SignedMemory memory;
  auto root = from_hex(text_or(*state, "root", ""));
  const std::int64_t size = int_or(*state, "size", -1);
  if (size < 0 || !root.ok() || root->size() != memory.root.size()) {
    return no_memory();
  }
  memory.version = row.version;
  memory.size = static_cast<std::uint64_t>(size);
  std::copy(root->begin(), root->end(), memory.root.begin());
  memory.key = text_or(*state, "key", "");
  return memory;
}

}  // namespace

Task<Result<SignedMemory>> recall(store::Store& store, Context ctx) {
  auto row = co_await store.stream(std::move(ctx), store::StreamKind::audit_log, signed_stream);
  if (!row.ok()) {
    if (row.error().code() == Code::not_found) {
      co_return SignedMemory();
    }
    co_return std::move(row).error();
  }
  co_return memory_from(*row);
}

Task<Result<SignedMemory>> remember(store::Store& store, Context ctx, SignedMemory memory,
                                    std::vector<store::AuditLeaf> leaves) {
  store::StreamWrite write;
  write.kind = store::StreamKind::audit_log;
  write.id = signed_stream;
  write.expected_version = memory.version;
  write.state = store::Payload{
      "", to_text(JsonObject{
              {"size", memory.size}, {"root", to_hex(view(memory.root))}, {"key", memory.key}})};
  write.status = "signed";
  store::Transition transition;
  transition.tenant = ctx.tenant;
  transition.epoch = store.epoch();
  transition.streams.push_back(std::move(write));
  transition.leaves = std::move(leaves);
  auto committed = co_await store.commit(std::move(ctx), std::move(transition));
  if (!committed.ok()) {
    co_return std::move(committed).error().with("remembering the signed checkpoint");
  }
  ++memory.version;
  co_return memory;
}

}  // namespace aios::govern::detail
