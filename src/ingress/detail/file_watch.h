// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/detail/file_watch: what lies in the watched folders becomes events. A file is read once
// it was the same for a while, checked whole, and taken record by record; how far that went is
// durable with each record, so a crash at any place takes none twice. Then it is moved away.
// Sources have turns: a long file of one holds up no other's.
// Threading: everything on the executor that awaits it; the disk is read on the pool.

#include "core/time.h"
#include "ingress/detail/drop_folder.h"
#include "ingress/source.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace aios::ingress {

enum class FileFormat : std::uint8_t { csv, jsonl, json, text };

struct FileSettings final : SourceSettings {
  std::string folder;  ///< relative to the watch root
  std::string pattern = "*";
  FileFormat format = FileFormat::json;
  Duration stable = std::chrono::seconds(2);
  std::size_t bytes_max = std::size_t{16} << 20;
};

inline constexpr std::size_t records_max = 100'000;  ///< of one file
/// What each event is made of. invalid_argument [AIOS-1211] naming the line; a file without records
/// has none.
Result<std::vector<Json>> records_of(FileFormat format, const std::string& text,
                                     const std::string& name);

/// The folder below which a source of its tenant watches.
std::string watch_root_of(const DeclaredSource& source, const std::string& watch_root);
/// failed_precondition [AIOS-1210]: the server was started without one.
Error no_watch_root();

class FileWatch {
 public:
  /// Of one source in a round, whatever becomes of them; the next round goes on.
  static constexpr std::size_t records_a_turn_max = 500;

  explicit FileWatch(SourceServices services) : services_(std::move(services)) {}
  struct Round {
    std::uint64_t moved = 0;  ///< files
    bool more = false;        ///< of a file that is ready there are records left
  };
  /// One look at each folder; files that are ready are taken, as far as the sources' turns go.
  Task<Round> round(Context ctx);

 private:
  struct Seen {
    DroppedFile file;
    Instant since;
  };
  struct Taken;
  using Key = std::pair<TenantId, std::string>;
  struct Folder {
    std::map<std::string, Seen> seen;
    Instant told_at{};
    std::shared_ptr<Taken> under_way;  ///< what the last turn did not come through with
  };
  struct Turn;
  Task<Round> look(SourcePtr source);
  Task<void> take(Turn* turn, DroppedFile file);
  Task<Result<std::shared_ptr<Taken>>> open(Turn* turn, DroppedFile file);
  Task<bool> move_away(Turn* turn, std::shared_ptr<Taken> taken);
  Task<Result<void>> admit(Turn* turn, Taken* taken);
  Task<Result<void>> save(Taken* taken, store::StreamEnd end);
  Task<Result<void>> begin(Taken* taken);
  void keep(const Key& key, std::shared_ptr<Taken> taken);
  void complain(const DeclaredSource& source, const Error& error);

  SourceServices services_;
  std::map<Key, Folder> folders_;
};

}  // namespace aios::ingress
