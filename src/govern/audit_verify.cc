// SPDX-License-Identifier: Apache-2.0
#include "govern/audit_verify.h"

#include "core/text.h"
#include "govern/detail/culprit.h"
#include "govern/detail/kept_checkpoints.h"
#include "govern/detail/older_tiles.h"
#include "govern/detail/tenant_log.h"
#include "govern/detail/tile_tree.h"
#include "govern/merkle.h"
#include "govern/tlog.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace aios::govern {
namespace {

using detail::KeptHeads;
using detail::TileFile;
using detail::TileTree;
using Kind = LogFault::Kind;

Error bad(std::string message) { return Error(Code::data_loss, std::move(message)).page(522); }

std::string short_root(const Digest& root) { return to_hex(view(root)).substr(0, 16); }

/// The entries up to the first that leads past the end.
std::vector<std::string_view> whole_entries(std::string_view bundle) {
  std::vector<std::string_view> entries;
  while (bundle.size() >= 2) {
    const auto byte = [&](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(bundle[i]));
    };
    const std::size_t size = byte(0) << 8 | byte(1);
    if (size > bundle.size() - 2) {
      break;
    }
    entries.push_back(bundle.substr(2, size));
    bundle.remove_prefix(2 + size);
  }
  return entries;
}

// Rebuilds the tree from the entries alone and compares every tile it gives with the one on disk.
class Verifier {
 public:
  Verifier(LogCheck check, Checkpoint head, KeptHeads kept, LogFault* fault)
      : folder_(std::move(check.directory)),
        head_(std::move(head)),
        kept_(std::move(kept)),
        see_(std::move(check.see)),
        culprit_(check.culprit),
        fault_(fault) {}

  std::uint64_t size() const { return head_.size; }
  std::uint64_t checked() const { return tree_.size(); }
  bool at_end() const { return tree_.size() >= head_.size; }

  Result<void> next_bundle() { return check_bundle(tree_.size() >> 8); }

  Result<VerifyReport> run() {
    while (!at_end()) {
      auto checked = next_bundle();
      if (!checked.ok()) {
        return std::move(checked).error();
      }
    }
    return end();
  }

  /// Behind all bundles.
  Result<VerifyReport> end() {
    auto edge = compare(tree_.partials());
    if (!edge.ok()) {
      return std::move(edge).error();
    }
    if (tree_.root() != head_.root) {
      return rewritten();
    }
    if (const auto odd = detail::odd_older_tile(folder_, head_.size)) {
      return fail(
          Kind::file, *odd, {},
          fmt::format("{} is not the beginning of the tile that replaced it", tile_path(*odd)));
    }
    if (auto fork = kept_.fork()) {
      *fault_ = {Kind::forked, "", {}};
      return std::move(*fork);
    }
    VerifyReport report{head_.size, to_hex(view(head_.root)), tree_.size(), head_.origin, {}};
    const auto read = [this](const TileId& id) { return detail::read_tile(folder_, id); };
    auto continued = kept_.prove(head_, read);
    if (!continued.ok()) {
      return std::move(continued).error();
    }
    report.continued = std::move(*continued);
    return report;
  }

 private:
  Error fail(Kind kind, const TileId& file, std::optional<std::uint64_t> leaf,
             std::string message) const {
    *fault_ = {kind, tile_path(file), leaf};
    return bad(std::move(message));
  }

  Error missing(const TileId& file, const Error& why) const {
    const int level = std::max(file.level, 0);
    return fail(Kind::file, file, file.index << (8 * (level + 1)),
                fmt::format("{} cannot be read: {}", tile_path(file), why.message()));
  }

  Error rewritten() const {
    *fault_ = {Kind::rewritten, "", {}};
    return bad(fmt::format(
        "the {} leaves lead to root {}..., the checkpoint has {}...: leaves were rewritten "
        "together "
        "with their tiles{}",
        head_.size, short_root(tree_.root()), short_root(head_.root), kept_.where_it_parts()));
  }

  Result<void> check_bundle(std::uint64_t bundle) {
    const auto width =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(head_.size - (bundle << 8), tile_width));
    const TileId id{TileId::entries_level, bundle, width};
    auto bytes = detail::read_tile(folder_, id);
    if (!bytes.ok()) {
      return missing(id, bytes.error());
    }
    const auto entries = whole_entries(*bytes);
    auto fits = compare_leaves(id, *bytes, entries);
    if (!fits.ok()) {
      return fits;
    }
    std::vector<TileFile> full;
    for (const std::string_view entry : entries) {
      if (see_) {
        see_(tree_.size(), entry);
      }
      tree_.append(entry, full);
      kept_.look(tree_.size(), [this] { return tree_.root(); });
    }
    return compare(full);
  }

  // The leaves of one bundle against the hashes of their tile: the only place where single leaves
  // can be named.
  Result<void> compare_leaves(const TileId& bundle, const std::string& text,
                              const std::vector<std::string_view>& entries) const {
    const TileId id{0, bundle.index, bundle.width};
    auto hashes = detail::read_tile(folder_, id);
    if (!hashes.ok()) {
      return missing(id, hashes.error());
    }
    const std::uint64_t first = bundle.index << 8;
    const std::size_t common = std::min(
        {entries.size(), hashes->size() / sizeof(Digest), static_cast<std::size_t>(bundle.width)});
    std::size_t same = 0;
    while (same < common &&
           view(leaf_hash(entries[same])) ==
               std::string_view(*hashes).substr(same * sizeof(Digest), sizeof(Digest))) {
      ++same;
    }
    if (hashes->size() != bundle.width * sizeof(Digest)) {
      return fail(
          Kind::file, id, first + same,
          fmt::format("{} has {} bytes, wanted {} hashes of {}; as far as leaf {} it fits",
                      tile_path(id), hashes->size(), bundle.width, sizeof(Digest), first + same));
    }
    if (same < common) {
      return name_culprit(first + same, bundle, id);
    }
    return entries.size() == bundle.width ? check_end(bundle, text, entries)
                                          : wrong_count(bundle, text, entries);
  }

  Result<void> check_end(const TileId& bundle, const std::string& text,
                         const std::vector<std::string_view>& entries) const {
    const auto end =
        static_cast<std::size_t>(entries.back().data() + entries.back().size() - text.data());
    return end == text.size() ? Result<void>() : wrong_count(bundle, text, entries);
  }

  Error wrong_count(const TileId& bundle, const std::string& text,
                    const std::vector<std::string_view>& entries) const {
    const auto split = split_entries(text);
    const std::uint64_t leaf =
        (bundle.index << 8) + std::min<std::uint64_t>(entries.size(), bundle.width);
    return fail(Kind::leaf, bundle, leaf,
                split.ok() ? fmt::format("{} has {} entries, wanted {}: leaf {} is {}",
                                         tile_path(bundle), entries.size(), bundle.width, leaf,
                                         entries.size() < bundle.width ? "missing" : "too many")
                           : fmt::format("{}: {}: leaf {} is damaged", tile_path(bundle),
                                         split.error().message(), leaf));
  }

  // Leaf and hash disagree: the one that does not lead to the signed root is the changed one.
  Error name_culprit(std::uint64_t leaf, const TileId& bundle, const TileId& tile) const {
    if (culprit_ == Culprit::unnamed) {
      return fail(Kind::leaf, bundle, leaf,
                  fmt::format("leaf {} in {} and its hash in {} disagree", leaf, tile_path(bundle),
                              tile_path(tile)));
    }
    if (detail::level_leads_to_root(folder_, 0, head_)) {
      return fail(
          Kind::leaf, bundle, leaf,
          fmt::format("leaf {} in {} is not the one that was signed: its hash in {} is another",
                      leaf, tile_path(bundle), tile_path(tile)));
    }
    if (detail::entries_lead_to_root(folder_, head_)) {
      return fail(Kind::file, tile, leaf,
                  fmt::format("the hash of leaf {} in {} is not the one that was signed: the leaf "
                              "in {} is",
                              leaf, tile_path(tile), tile_path(bundle)));
    }
    return fail(
        Kind::leaf, bundle, leaf,
        fmt::format("leaf {} in {} and its hash in {} disagree, and neither all hashes nor all "
                    "leaves lead to the signed root",
                    leaf, tile_path(bundle), tile_path(tile)));
  }

  Result<void> compare(const std::vector<TileFile>& wanted) const {
    for (const TileFile& file : wanted) {
      auto found = detail::read_tile(folder_, file.id);
      if (!found.ok()) {
        return missing(file.id, found.error());
      }
      if (*found != file.bytes) {
        return name_tile(file, *found);
      }
    }
    return {};
  }

  Error name_tile(const TileFile& wanted, const std::string& found) const {
    const TileId& id = wanted.id;
    const auto odd =
        std::mismatch(found.begin(), found.end(), wanted.bytes.begin(), wanted.bytes.end());
    const auto slot = static_cast<std::uint64_t>(odd.first - found.begin()) / sizeof(Digest);
    if (id.level <= 0) {  // changed since it was compared with its leaves
      return fail(Kind::file, id, id.index << 8,
                  fmt::format("{} does not fit its entries", tile_path(id)));
    }
    const std::uint64_t node = (id.index << 8) + slot;
    const std::uint64_t leaf = node << (8 * id.level);
    if (found.size() != wanted.bytes.size()) {
      return fail(Kind::file, id, leaf,
                  fmt::format("{} has {} bytes, wanted {} hashes of {}", tile_path(id),
                              found.size(), id.width, sizeof(Digest)));
    }
    const TileId below{id.level - 1, node, tile_width};
    if (culprit_ == Culprit::unnamed) {
      return fail(
          Kind::file, id, leaf,
          fmt::format("hash {} of {} is not that of {}", slot, tile_path(id), tile_path(below)));
    }
    if (detail::entries_lead_to_root(folder_, head_)) {
      return fail(Kind::file, id, leaf,
                  fmt::format("hash {} of {} is not that of {}: it is not the one that was signed",
                              slot, tile_path(id), tile_path(below)));
    }
    if (detail::level_leads_to_root(folder_, id.level, head_)) {
      const std::uint64_t last = leaf + (std::uint64_t{1} << (8 * id.level)) - 1;
      return fail(Kind::rewritten, below, leaf,
                  fmt::format("hash {} of {} is not that of {}: some of the leaves {} to {} were "
                              "rewritten together with their hashes",
                              slot, tile_path(id), tile_path(below), leaf, last));
    }
    return fail(Kind::rewritten, id, leaf,
                fmt::format("hash {} of {} is not that of {}: one of the two was rewritten", slot,
                            tile_path(id), tile_path(below)));
  }

  std::string folder_;
  Checkpoint head_;
  KeptHeads kept_;
  SeeLeaf see_;
  Culprit culprit_;
  LogFault* fault_;
  TileTree tree_;
};

Result<Checkpoint> open_head(const std::string& folder, const VerifierKey& key) {
  auto note = detail::read_checkpoint_note(folder);
  if (!note.ok()) {
    return std::move(note).error().with(fmt::format("verifying '{}'", folder));
  }
  auto head = detail::open_checkpoint(*note, key);
  if (!head.ok()) {
    return std::move(head).error().with(fmt::format("reading '{}/checkpoint'", folder));
  }
  if (head->origin != key.name && !head->origin.starts_with(key.name + "/")) {
    return Error(Code::data_loss,
                 fmt::format("the checkpoint is of log '{}', the key signs for '{}'", head->origin,
                             key.name))
        .page(521);
  }
  return head;
}

/// @param fault  outlives the verifier
Result<Verifier> begin(LogCheck check, LogFault* fault) {
  *fault = {};
  auto key = VerifierKey::parse(trim(check.verifier_key));
  if (!key.ok()) {
    return std::move(key).error();
  }
  auto head = open_head(check.directory, *key);
  if (!head.ok()) {
    *fault = {Kind::checkpoint, "checkpoint", {}};
    return std::move(head).error();
  }
  auto kept = KeptHeads::open(check.kept, *key, *head, *fault);
  if (!kept.ok()) {
    return std::move(kept).error();
  }
  return Verifier(std::move(check), std::move(*head), std::move(*kept), fault);
}

}  // namespace

std::string_view name_of(LogFault::Kind kind) {
  constexpr std::string_view names[] = {"none",      "checkpoint", "file",  "leaf",
                                        "rewritten", "truncated",  "forked"};
  return names[static_cast<std::size_t>(kind)];
}

Result<VerifyReport> verify_log(LogCheck check, LogFault* fault) {
  LogFault unseen;
  auto verifier = begin(std::move(check), fault == nullptr ? &unseen : fault);
  if (!verifier.ok()) {
    return std::move(verifier).error();
  }
  return verifier->run();
}

struct LogWalk::Impl {
  LogFault fault;
  std::optional<Verifier> verifier;
};

Result<LogWalk> LogWalk::open(LogCheck check) {
  auto impl = std::make_unique<Impl>();
  auto verifier = begin(std::move(check), &impl->fault);
  if (!verifier.ok()) {
    return std::move(verifier).error();
  }
  impl->verifier.emplace(std::move(*verifier));
  return LogWalk(std::move(impl));
}

LogWalk::LogWalk(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LogWalk::LogWalk(LogWalk&&) noexcept = default;
LogWalk& LogWalk::operator=(LogWalk&&) noexcept = default;
LogWalk::~LogWalk() = default;

std::uint64_t LogWalk::size() const { return impl_->verifier->size(); }
std::uint64_t LogWalk::checked() const { return impl_->verifier->checked(); }
const LogFault& LogWalk::fault() const { return impl_->fault; }

Result<bool> LogWalk::step() {
  Verifier& verifier = *impl_->verifier;
  if (!verifier.at_end()) {
    auto checked = verifier.next_bundle();
    if (!checked.ok()) {
      return std::move(checked).error();
    }
  }
  if (!verifier.at_end()) {
    return true;
  }
  auto report = verifier.end();
  return report.ok() ? Result<bool>(false) : Result<bool>(std::move(report).error());
}

}  // namespace aios::govern
