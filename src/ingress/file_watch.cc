// SPDX-License-Identifier: Apache-2.0
#include "ingress/detail/file_watch.h"

#include "core/crypto.h"
#include "core/text.h"
#include "ingress/ingress.h"
#include "ingress/sources.h"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace aios::ingress {
namespace {

constexpr std::size_t files_a_look_max = 100;  // the next look takes the others
constexpr std::size_t refused_told_max = 20;
constexpr Duration complaint_period = std::chrono::minutes(1);

struct Contents {
  std::string digest;
  std::vector<Json> records;
  std::string wrong;  ///< why it cannot be taken, whatever is done
};

/// On the pool. aborted: it is still being written.
Result<Contents> contents_of(const DropFolder& folder, const DroppedFile& file,
                             const FileSettings& settings) {
  Contents out;
  auto text = folder.read(file, settings.bytes_max);
  if (!text.ok() && text.error().page() == 1211) {
    out.wrong = text.error().text();
    return out;
  }
  if (!text.ok()) {
    return std::move(text).error();
  }
  out.digest = std::string(view(sha256(file.name + '\0', *text)));
  auto records = records_of(settings.format, *text, file.name);
  if (records.ok()) {
    out.records = std::move(*records);
  } else {
    out.wrong = records.error().text();
  }
  return out;
}

/// Asked again it may go otherwise.
bool may_pass(const Error& error) {
  return error.retry() != Retry::never || error.code() == Code::aborted ||
         error.code() == Code::cancelled || error.code() == Code::deadline_exceeded;
}

}  // namespace

/// A file under way.
struct FileWatch::Taken {
  SourcePtr source;
  std::shared_ptr<DropFolder> folder;
  std::string name;
  Contents contents;
  std::size_t next = 0;  ///< the first record that is not taken
  std::uint64_t version = 0;
  bool done = false;
  std::vector<std::string> refused;
  std::size_t refused_count = 0;

  store::StreamWrite progress(std::size_t to, store::StreamEnd end) const {
    store::StreamWrite write;
    write.kind = store::StreamKind::source_place;
    write.id = fmt::format("file/{}/{}", source->name, to_hex(contents.digest).substr(0, 40));
    write.expected_version = version;
    write.state = store::Payload{"", to_text(JsonObject{{"next", to}, {"name", name}})};
    write.status = end == store::StreamEnd::closed ? "done" : "file";
    write.end = end;
    return write;
  }
  Arrival arrival(std::size_t index) const {
    Arrival out;
    const std::string id = fmt::format("{}:{}", to_hex(contents.digest).substr(0, 40), index + 1);
    const Json& record = contents.records[index];
    out.seen = JsonObject{{"file", name}, {"number", index + 1}, {"record", record}};
    out.defaults = {{"id", id}, {"source", "/files/" + source->name}, {"data", record}};
    out.digest = std::string(view(sha256(to_text(record))));  // in whichever file it comes
    out.bytes = to_text(record).size();
    out.writes.push_back(progress(index + 1, store::StreamEnd::open));
    return out;
  }
};

/// No folder of the first tenant is hidden, so none of its sources reaches another's.
std::string FileWatch::root_of(const DeclaredSource& source) const {
  return source.tenant == default_tenant()
             ? services_.watch_root
             : services_.watch_root + "/.tenants/" + source.tenant.text();
}

void FileWatch::complain(const DeclaredSource& source, const Error& error) {
  const Instant now = runtime::Executor::current()->clock().instant();
  auto& told_at = folders_[{source.tenant, source.name}].told_at;
  if (services_.log == nullptr || (told_at.ns != 0 && now - told_at < complaint_period)) {
    return;
  }
  told_at = now;
  const Context ctx = source_context(source);
  services_.log->error(
      "ingress", Error(error).with(fmt::format("watching the folder of source '{}'", source.name)),
      &ctx);
}

/// How far an earlier look came with this very file.
Task<Result<void>> FileWatch::begin(Taken* taken) {
  Context ctx = source_context(*taken->source);
  std::string id = taken->progress(0, store::StreamEnd::open).id;
  auto row = co_await services_.store->stream(std::move(ctx), store::StreamKind::source_place,
                                              std::move(id));
  if (!row.ok()) {
    co_return row.error().code() == Code::not_found ? Result<void>()
                                                    : Result<void>(std::move(row).error());
  }
  const auto state = parse_json(row->state);
  taken->version = row->version;
  taken->done = row->status == "done";
  taken->next = state.ok() ? static_cast<std::size_t>(int_or(*state, "next", 0)) : 0;
  co_return Result<void>();
}

/// Each record is durable together with how far the file is taken.
Task<Result<void>> FileWatch::admit(Taken* taken) {
  for (; taken->next < taken->contents.records.size(); ++taken->next) {
    Context ctx = source_context(*taken->source);
    auto arrival = taken->arrival(taken->next);
    auto accepted =
        co_await services_.ingress->receive(std::move(ctx), taken->source, std::move(arrival));
    if (accepted.ok()) {
      taken->version += accepted->repeated ? 0 : 1;
      continue;
    }
    if (may_pass(accepted.error())) {
      co_return std::move(accepted).error();
    }
    if (++taken->refused_count <= refused_told_max) {
      taken->refused.push_back(
          fmt::format("record {}: {}", taken->next + 1, accepted.error().text()));
    }
  }
  co_return Result<void>();
}

Task<Result<void>> FileWatch::finish(Taken* taken) {
  store::Transition transition;
  transition.tenant = taken->source->tenant;
  transition.epoch = services_.store->epoch();
  transition.streams.push_back(
      taken->progress(taken->contents.records.size(), store::StreamEnd::closed));
  Context ctx = source_context(*taken->source);
  auto committed = co_await services_.store->commit(std::move(ctx), std::move(transition));
  co_return committed.ok() ? Result<void>() : Result<void>(std::move(committed).error());
}

/// @return whether it was moved away
Task<bool> FileWatch::take(SourcePtr source, std::shared_ptr<DropFolder> folder, DroppedFile file) {
  const Context ctx = source_context(*source);
  std::function<Result<Contents>()> read = [source, folder, file] {
    return contents_of(*folder, file, static_cast<const FileSettings&>(*source->settings));
  };
  auto contents = co_await runtime::blocking(ctx, *services_.pool, std::move(read));
  if (!contents.ok()) {
    if (contents.error().code() != Code::aborted) {
      complain(*source, contents.error());
    }
    co_return false;
  }
  Taken taken;
  taken.source = source;
  taken.folder = folder;
  taken.name = file.name;
  taken.contents = std::move(*contents);
  std::string why = taken.contents.wrong;
  if (why.empty()) {
    auto done = co_await begin(&taken);
    if (done.ok() && !taken.done) {
      done = co_await admit(&taken);
      if (done.ok()) {
        done = co_await finish(&taken);
      }
    }
    if (!done.ok()) {
      complain(*source, done.error());
      co_return false;  // it stays where it is: the next look goes on with it
    }
    if (taken.refused_count > 0) {
      why = fmt::format("{} of {} records were refused, the others were taken:\n{}",
                        taken.refused_count, taken.contents.records.size(),
                        join(taken.refused, "\n"));
    }
  }
  std::function<Result<bool>()> move = [folder, name = file.name, why] {
    auto moved = why.empty() ? folder->move_done(name) : folder->move_failed(name, why);
    return moved.ok() ? Result<bool>(true) : Result<bool>(std::move(moved).error());
  };
  auto moved = co_await runtime::blocking(ctx, *services_.pool, std::move(move));
  if (!moved.ok()) {
    complain(*source, moved.error());
  }
  co_return moved.ok();
}

Task<std::uint64_t> FileWatch::look(SourcePtr source) {
  const auto& settings = static_cast<const FileSettings&>(*source->settings);
  const Context ctx = source_context(*source);
  using Look = std::pair<std::shared_ptr<DropFolder>, std::vector<DroppedFile>>;
  std::function<Result<Look>()> list = [root = root_of(*source), path = settings.folder,
                                        pattern = settings.pattern]() -> Result<Look> {
    auto folder = DropFolder::open(root, path);
    if (!folder.ok()) {
      return std::move(folder).error();
    }
    auto files = folder->look(pattern);
    if (!files.ok()) {
      return std::move(files).error();
    }
    return Look{std::make_shared<DropFolder>(std::move(*folder)), std::move(*files)};
  };
  auto found = co_await runtime::blocking(ctx, *services_.pool, std::move(list));
  if (!found.ok()) {
    complain(*source, found.error());
    co_return 0;
  }
  const Instant now = runtime::Executor::current()->clock().instant();
  auto& before = folders_[{source->tenant, source->name}].seen;
  std::map<std::string, Seen> seen;
  std::vector<DroppedFile> ready;
  for (const auto& file : found->second) {
    const auto known = before.find(file.name);
    const bool same = known != before.end() && known->second.file == file;
    const Instant since = same ? known->second.since : now;
    seen[file.name] = {file, since};
    if (now - since >= settings.stable && ready.size() < files_a_look_max) {
      ready.push_back(file);
    }
  }
  before = std::move(seen);
  std::uint64_t moved = 0;
  for (const auto& file : ready) {
    const bool away = co_await take(source, found->first, file);
    moved += away ? 1 : 0;
  }
  co_return moved;
}

Task<std::uint64_t> FileWatch::round(Context ctx) {
  const auto sources = services_.sources->of_kind("file");
  std::set<Key> there;
  std::uint64_t moved = 0;
  for (const auto& source : sources) {
    there.emplace(source->tenant, source->name);
    if (ctx.cancelled()) {
      break;
    }
    if (services_.watch_root.empty()) {
      complain(*source, Error(Code::failed_precondition,
                              "the server reads no folder: start it with --watch-root DIR")
                            .page(1210));
      continue;
    }
    const auto count = co_await look(source);
    moved += count;
  }
  std::erase_if(folders_, [&](const auto& folder) { return !there.contains(folder.first); });
  co_return moved;
}

}  // namespace aios::ingress
