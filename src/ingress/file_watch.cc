// SPDX-License-Identifier: Apache-2.0
#include "ingress/detail/file_watch.h"

#include "core/crypto.h"
#include "core/text.h"
#include "ingress/ingress.h"
#include "ingress/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace aios::ingress {
namespace {

constexpr std::size_t files_a_look_max = 100;  // the next look takes the others
constexpr std::size_t refused_told_max = 20;
constexpr std::string_view other_content = "[AIOS-1203]";  // at the end of a dead letter's reason
constexpr std::size_t kept_max =
    4;  // files in memory from one turn to the next; others are read again
constexpr Duration complaint_period = std::chrono::hours(1);  // deploy and doctor tell it too

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

}  // namespace

/// A file under way.
struct FileWatch::Taken {
  SourcePtr source;
  DroppedFile file;
  Contents contents;
  std::size_t next = 0;  ///< the first record that is not taken
  std::uint64_t version = 0;
  bool done = false;
  std::vector<std::string> refused;  ///< the first of them, each with why
  JsonArray refused_numbers;         ///< of the same
  std::size_t refused_count = 0;

  void refuse(const std::string& why) {
    if (++refused_count <= refused_told_max) {
      refused.push_back(fmt::format("record {}: {}", next + 1, why));
      refused_numbers.emplace_back(next + 1);
    }
  }
  bool through() const { return next >= contents.records.size(); }
  std::string why_failed() const {
    if (!contents.wrong.empty() || refused_count == 0) {
      return contents.wrong;
    }
    const bool all = refused.size() == std::min(refused_count, refused_told_max);
    return fmt::format("{} of {} records were refused, the others were taken{}:\n{}", refused_count,
                       contents.records.size(),
                       all ? "" : " (what was refused before a restart is not told here)",
                       join(refused, "\n"));
  }
  store::StreamWrite progress(std::size_t to, store::StreamEnd end) const {
    store::StreamWrite write;
    write.kind = store::StreamKind::source_place;
    write.id = fmt::format("file/{}/{}", source->name, to_hex(contents.digest).substr(0, 40));
    write.expected_version = version;
    write.state = store::Payload{"", to_text(JsonObject{{"next", to},
                                                        {"name", file.name},
                                                        {"refused", refused_count},
                                                        {"which", refused_numbers}})};
    write.status = end == store::StreamEnd::closed ? "done" : "file";
    write.end = end;
    return write;
  }
  Arrival arrival(std::size_t index) const {
    Arrival out;
    const std::string id = fmt::format("{}:{}", to_hex(contents.digest).substr(0, 40), index + 1);
    const Json& record = contents.records[index];
    out.seen = JsonObject{{"file", file.name}, {"number", index + 1}, {"record", record}};
    out.defaults = {{"id", id}, {"source", "/files/" + source->name}, {"data", record}};
    out.digest = std::string(view(sha256(to_text(record))));  // in whichever file it comes
    out.bytes = to_text(record).size();
    out.writes.push_back(progress(index + 1, store::StreamEnd::open));
    return out;
  }
};

/// A source's part of a round.
struct FileWatch::Turn {
  SourcePtr source;
  Key key;
  std::shared_ptr<DropFolder> folder;
  std::size_t records_left = records_a_turn_max;
  Round done{};
};

/// No folder of the first tenant is hidden, so none of its sources reaches another's.
std::string watch_root_of(const DeclaredSource& source, const std::string& watch_root) {
  return source.tenant == default_tenant() ? watch_root
                                           : watch_root + "/.tenants/" + source.tenant.text();
}

Error no_watch_root() {
  return Error(Code::failed_precondition,
               "the server reads no folder: start it with --watch-root DIR")
      .page(1210);
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
  taken->refused_count = state.ok() ? static_cast<std::size_t>(int_or(*state, "refused", 0)) : 0;
  const auto* which = state.ok() ? find(*state, "which") : nullptr;
  if (which != nullptr && which->is_array()) {
    taken->refused_numbers = which->get_array();
  }
  for (const auto& number : taken->refused_numbers) {
    taken->refused.push_back(
        fmt::format("record {}: refused before a restart; the audit log has why", to_text(number)));
  }
  co_return Result<void>();
}

/// Each record is durable together with how far the file is taken.
Task<Result<void>> FileWatch::admit(Turn* turn, Taken* taken) {
  for (; !taken->through() && turn->records_left > 0; ++taken->next, --turn->records_left) {
    Context ctx = source_context(*taken->source);
    auto arrival = taken->arrival(taken->next);
    auto accepted =
        co_await services_.ingress->receive(std::move(ctx), taken->source, std::move(arrival));
    if (accepted.ok()) {
      taken->version += accepted->repeated ? 0 : 1;
      if (accepted->reason.ends_with(other_content)) {  // kept, but who dropped it should know
        taken->refuse(fmt::format("{}, kept as {}", accepted->reason, accepted->id));
      }
      continue;
    }
    if (may_pass(accepted.error())) {
      co_return std::move(accepted).error();
    }
    taken->refuse(accepted.error().text());
  }
  co_return Result<void>();
}

/// Also what was refused since the last record that was accepted, or was there before.
Task<Result<void>> FileWatch::save(Taken* taken, store::StreamEnd end) {
  store::Transition transition;
  transition.tenant = taken->source->tenant;
  transition.epoch = services_.store->epoch();
  transition.streams.push_back(taken->progress(taken->next, end));
  Context ctx = source_context(*taken->source);
  auto committed = co_await services_.store->commit(std::move(ctx), std::move(transition));
  taken->version += committed.ok() ? 1 : 0;
  co_return committed.ok() ? Result<void>() : Result<void>(std::move(committed).error());
}

/// Where the last turn ended, or from the disk and the store.
Task<Result<std::shared_ptr<FileWatch::Taken>>> FileWatch::open(Turn* turn, DroppedFile file) {
  auto kept = std::exchange(folders_[turn->key].under_way, nullptr);
  if (kept && kept->file == file && kept->source == turn->source) {
    co_return kept;
  }
  const Context ctx = source_context(*turn->source);
  std::function<Result<Contents>()> read = [source = turn->source, folder = turn->folder, file] {
    return contents_of(*folder, file, static_cast<const FileSettings&>(*source->settings));
  };
  auto contents = co_await runtime::blocking(ctx, *services_.pool, std::move(read));
  if (!contents.ok()) {
    co_return std::move(contents).error();
  }
  auto taken = std::make_shared<Taken>();
  taken->source = turn->source;
  taken->file = std::move(file);
  taken->contents = std::move(*contents);
  if (taken->contents.wrong.empty()) {
    auto begun = co_await begin(taken.get());
    if (!begun.ok()) {
      co_return std::move(begun).error();
    }
  }
  co_return taken;
}

/// For the next turn, where not too many are.
void FileWatch::keep(const Key& key, std::shared_ptr<Taken> taken) {
  std::size_t kept = 0;
  for (const auto& [name, folder] : folders_) {
    kept += folder.under_way ? 1 : 0;
  }
  if (kept < kept_max) {
    folders_[key].under_way = std::move(taken);
  }
}

/// As far as the turn goes.
Task<void> FileWatch::take(Turn* turn, DroppedFile file) {
  auto opened = co_await open(turn, std::move(file));
  if (!opened.ok()) {
    if (opened.error().code() != Code::aborted) {
      complain(*turn->source, opened.error());
    }
    co_return;
  }
  const auto taken = std::move(*opened);
  if (taken->contents.wrong.empty() && !taken->done) {
    auto done = co_await admit(turn, taken.get());
    if (done.ok()) {
      const auto end = taken->through() ? store::StreamEnd::closed : store::StreamEnd::open;
      done = co_await save(taken.get(), end);
    }
    if (!done.ok()) {
      complain(*turn->source, done.error());
      co_return;  // it stays where it is: the next look goes on with it
    }
    if (!taken->through()) {
      turn->done.more = true;
      keep(turn->key, taken);
      co_return;
    }
  }
  const bool away = co_await move_away(turn, taken);
  turn->done.moved += away ? 1 : 0;
}

Task<bool> FileWatch::move_away(Turn* turn, std::shared_ptr<Taken> taken) {
  const Context ctx = source_context(*turn->source);
  std::function<Result<bool>()> move = [folder = turn->folder, name = taken->file.name,
                                        why = taken->why_failed()] {
    auto moved = why.empty() ? folder->move_done(name) : folder->move_failed(name, why);
    return moved.ok() ? Result<bool>(true) : Result<bool>(std::move(moved).error());
  };
  auto moved = co_await runtime::blocking(ctx, *services_.pool, std::move(move));
  if (!moved.ok()) {
    complain(*turn->source, moved.error());
  } else if (!taken->why_failed().empty()) {
    services_.ingress->count_refused_file(ctx, turn->source->name);
  }
  co_return moved.ok();
}

Task<FileWatch::Round> FileWatch::look(SourcePtr source) {
  const auto& settings = static_cast<const FileSettings&>(*source->settings);
  const Context ctx = source_context(*source);
  using Look = std::pair<std::shared_ptr<DropFolder>, std::vector<DroppedFile>>;
  std::function<Result<Look>()> list = [root = watch_root_of(*source, services_.watch_root),
                                        path = settings.folder,
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
    co_return Round{};
  }
  const Instant now = runtime::Executor::current()->clock().instant();
  Turn turn{source, {source->tenant, source->name}, found->first};
  auto& before = folders_[turn.key].seen;
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
  if (const auto& first = folders_[turn.key].under_way) {
    const auto at = std::find(ready.begin(), ready.end(), first->file);
    std::rotate(ready.begin(), at == ready.end() ? ready.begin() : at,
                at == ready.end() ? ready.begin() : std::next(at));
  }
  for (const auto& file : ready) {
    if (turn.records_left == 0) {
      turn.done.more = true;
      break;
    }
    co_await take(&turn, file);
  }
  co_return turn.done;
}

Task<FileWatch::Round> FileWatch::round(Context ctx) {
  const auto sources = services_.sources->of_kind("file");
  std::set<Key> there;
  Round done;
  for (const auto& source : sources) {
    there.emplace(source->tenant, source->name);
    if (ctx.cancelled()) {
      break;
    }
    if (services_.watch_root.empty()) {
      complain(*source, no_watch_root());
      continue;
    }
    const Round turn = co_await look(source);
    done.moved += turn.moved;
    done.more = done.more || turn.more;
  }
  std::erase_if(folders_, [&](const auto& folder) { return !there.contains(folder.first); });
  co_return done;
}

}  // namespace aios::ingress
