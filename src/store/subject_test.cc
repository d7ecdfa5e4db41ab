// SPDX-License-Identifier: Apache-2.0
#include "store/test/subject.h"
#include "runtime/task_group.h"

#include <fmt/format.h>

#include <filesystem>

namespace aios::store::testing {
namespace {

Task<void> commit_one(Store& store, Context ctx, Transition transition, Result<Committed>* slot) {
  auto answer = co_await store.commit(std::move(ctx), std::move(transition));
  *slot = std::move(answer);
}

Task<std::vector<Result<Committed>>> commit_all(Store& store, Context ctx,
                                                std::vector<Transition> transitions) {
  std::vector<Result<Committed>> answers(transitions.size(), Result<Committed>(Committed()));
  runtime::TaskGroup group(*runtime::Executor::current());
  for (std::size_t i = 0; i < transitions.size(); ++i) {
    group.spawn(commit_one(store, ctx, std::move(transitions[i]), &answers[i]));
  }
  co_await group.join();
  co_return answers;
}

}  // namespace

Subject::Subject(Kind kind) : kind_(kind) {
  options_.engine = is_sqlite() ? "sqlite" : "memory";
  options_.directory = scratch_.at("data");
  open();
}

Subject::~Subject() { close(); }

Result<std::unique_ptr<Store>> Subject::try_open() {
  if (is_sqlite()) {
    return open_store(options_, clock_);
  }
  return open_memory_store(
      options_, disk_, kind_ == Kind::memory_inline ? MemoryThreads::inline_ : MemoryThreads::own,
      clock_);
}

void Subject::open() {
  auto opened = try_open();
  if (!opened.ok()) {
    FAIL(opened.error().text());
  }
  store_ = *std::move(opened);
}

void Subject::crash() {
  if (!is_sqlite()) {
    disk_->crash();
    reopen();
    return;
  }
  // What a process that is killed now would leave behind: the files as they are.
  const std::string copy = scratch_.at(fmt::format("copy{}", ++copies_));
  std::filesystem::copy(options_.directory, copy, std::filesystem::copy_options::recursive);
  close();
  options_.directory = copy;
  open();
}

Context Subject::context(const std::string& tenant) {
  return system_context(*TenantId::parse(tenant), "test");
}

Transition Subject::transition(const std::string& tenant) {
  Transition out;
  out.tenant = *TenantId::parse(tenant);
  out.epoch = store_->epoch();
  return out;
}

Result<Committed> Subject::commit(Transition transition) {
  Context ctx = context(transition.tenant.text());
  return run(store_->commit(std::move(ctx), std::move(transition)));
}

Committed Subject::must_commit(Transition transition) {
  auto committed = commit(std::move(transition));
  if (!committed.ok()) {
    FAIL(committed.error().text());
  }
  return *committed;
}

std::vector<Result<Committed>> Subject::commit_together(std::vector<Transition> transitions) {
  Context ctx = context(transitions.at(0).tenant.text());
  return run(commit_all(*store_, std::move(ctx), std::move(transitions)));
}

StreamRow Subject::stream(const std::string& id, StreamKind kind) {
  auto row = run(store_->stream(context(), kind, id));
  if (!row.ok()) {
    FAIL(row.error().text());
  }
  return *row;
}

std::vector<std::string> Subject::history(const std::string& id) {
  auto rows = run(store_->history(context(), StreamKind::run, id));
  if (!rows.ok()) {
    FAIL(rows.error().text());
  }
  std::vector<std::string> out;
  for (const HistoryRow& row : *rows) {
    out.push_back(
        fmt::format("{}:{}{}{}", row.version, row.type, row.erased ? "!" : ":", row.data));
  }
  return out;
}

std::vector<std::string> Subject::ids(ListQuery query) {
  auto rows = run(store_->list(context(), std::move(query)));
  if (!rows.ok()) {
    FAIL(rows.error().text());
  }
  std::vector<std::string> out;
  for (const StreamRow& row : *rows) {
    out.push_back(row.id);
  }
  return out;
}

std::string Subject::everything(const std::string& tenant) {
  std::string out;
  ListQuery query = runs("", 1000);
  query.tenant = *TenantId::parse(tenant);
  auto rows = run(store_->list(context(tenant), query));
  REQUIRE(rows.ok());
  for (const StreamRow& row : *rows) {
    out += fmt::format("{} v{} {} {} {} {}\n", row.id, row.version, row.status, row.label,
                       row.wake_at ? row.wake_at->ns : 0, row.state);
    auto lines = run(store_->history(context(tenant), StreamKind::run, row.id));
    REQUIRE(lines.ok());
    for (const HistoryRow& line : *lines) {
      out += fmt::format("  {} {} {} {}\n", line.version, line.type, line.time.ns, line.data);
    }
  }
  auto leaves = run(store_->leaves(context(tenant), 0, 10'000));
  REQUIRE(leaves.ok());
  for (const std::string& leaf : *leaves) {
    out += "leaf " + leaf + "\n";
  }
  auto messages = run(store_->outbox(context(tenant), 0, 10'000));
  REQUIRE(messages.ok());
  for (const OutboxRow& message : *messages) {
    out += fmt::format("message {} {} {} {}\n", message.id, message.topic, message.ordering_key,
                       message.data);
  }
  return out;
}

StreamWrite write(const std::string& id, std::uint64_t expected, const std::string& state,
                  const std::string& status, const std::string& subject) {
  StreamWrite out;
  out.kind = StreamKind::run;
  out.id = id;
  out.expected_version = expected;
  out.state = Payload{subject, state};
  out.status = status;
  out.label = "flow";
  out.history.push_back(
      {7, Time{static_cast<std::int64_t>(expected) + 1}, Payload{subject, "line of " + state}});
  return out;
}

ListQuery runs(const std::string& status, std::uint32_t limit) {
  ListQuery query;
  query.tenant = *TenantId::parse("acme");
  query.status = status;
  query.limit = limit;
  return query;
}

}  // namespace aios::store::testing
