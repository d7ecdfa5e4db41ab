// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include "store/detail/memory_engine.h"
#include "store/detail/sqlite_engine.h"
#include "store/detail/store_impl.h"
#include "store/single_thread.h"

#include <fmt/format.h>

namespace aios::store {
namespace {

Result<std::unique_ptr<Store>> open_directory(const StoreOptions& options,
                                              const detail::JournalLog& log,
                                              runtime::Clock& clock) {
  auto engine = detail::SqliteEngine::open(options.directory, options.root_key, log);
  if (!engine.ok()) {
    return std::move(engine).error().with(
        fmt::format("opening the data directory '{}'", options.directory));
  }
  const std::string root_key = (*engine)->root_key();
  auto store = detail::open_parts({options, *std::move(engine), root_key, log.own_thread}, clock);
  if (!store.ok()) {
    return std::move(store).error().with(
        fmt::format("opening the data directory '{}'", options.directory));
  }
  return store;
}

}  // namespace

std::string_view name_of(StreamKind kind) {
  switch (kind) {
    case StreamKind::run: return "run";
    case StreamKind::event: return "event";
    case StreamKind::review: return "review";
    case StreamKind::deployment: return "deployment";
    case StreamKind::model: return "model";
    case StreamKind::model_alias: return "model_alias";
    case StreamKind::api_key: return "api_key";
    case StreamKind::correction: return "correction";
    case StreamKind::incident: return "incident";
    case StreamKind::blob: return "blob";
    case StreamKind::audit_log: return "audit_log";
    case StreamKind::source_place: return "source_place";
    case StreamKind::turn: return "turn";
    case StreamKind::delivery: return "delivery";
    case StreamKind::listener: return "listener";
    case StreamKind::kept_event: return "kept_event";
    case StreamKind::model_note: return "model_note";
    case StreamKind::search_attribute: return "search_attribute";
    case StreamKind::tenant: return "tenant";
  }
  return "unknown";
}

Result<std::unique_ptr<Store>> open_memory_store(const StoreOptions& options,
                                                 std::shared_ptr<MemoryDisk> disk,
                                                 MemoryThreads threads, runtime::Clock& clock) {
  const std::string root_key =
      options.root_key.empty() ? detail::memory_root_key(*disk) : options.root_key;
  auto engine = detail::open_memory_engine(std::move(disk));
  if (!engine.ok()) {
    return std::move(engine).error();
  }
  return detail::open_parts({options, *std::move(engine), root_key, threads == MemoryThreads::own},
                            clock);
}

Result<std::unique_ptr<Store>> open_single_thread_store(const StoreOptions& options,
                                                        std::uint64_t log_bytes_max,
                                                        runtime::Clock& clock) {
  return open_directory(options, {.own_thread = false, .bytes_max = log_bytes_max}, clock);
}

Result<std::unique_ptr<Store>> open_store(const StoreOptions& options, runtime::Clock& clock) {
  if (options.engine == "memory") {
    return open_memory_store(options, std::make_shared<MemoryDisk>(), MemoryThreads::inline_,
                             clock);
  }
  if (options.engine == "sqlite") {
    return open_directory(options, {}, clock);
  }
  return Error(Code::invalid_argument,
               fmt::format("store engine '{}', wanted sqlite or memory", options.engine))
      .page(419);
}

}  // namespace aios::store
