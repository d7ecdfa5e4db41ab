// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"
#include "govern/audit.h"
#include "govern/detail/tenant_log.h"
#include "govern/detail/tile_tree.h"
#include "govern/merkle.h"
#include "govern/tlog.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace aios::govern {
namespace {

using detail::TileFile;
using detail::TileTree;

Error bad(std::string message) { return Error(Code::data_loss, std::move(message)).page(522); }

Error not_continued(std::string message) {
  return Error(Code::failed_precondition, std::move(message)).page(523);
}

std::string short_root(const Digest& root) { return to_hex(view(root)).substr(0, 16); }

// Rebuilds the tree from the entries alone and compares every tile it gives with the one on disk.
class Verifier {
 public:
  Verifier(std::string folder, Checkpoint head, std::optional<Checkpoint> older, SeeLeaf see)
      : folder_(std::move(folder)),
        head_(std::move(head)),
        older_(std::move(older)),
        see_(std::move(see)) {}

  Result<VerifyReport> run() {
    for (std::uint64_t bundle = 0; bundle << 8 < head_.size; ++bundle) {
      auto checked = check_bundle(bundle);
      if (!checked.ok()) {
        return std::move(checked).error();
      }
    }
    auto edge = compare(tree_.partials());
    if (!edge.ok()) {
      return std::move(edge).error();
    }
    if (tree_.root() != head_.root) {
      return bad(
          fmt::format("the {} leaves lead to root {}..., the checkpoint has {}...: leaves were "
                      "rewritten together with their tiles",
                      head_.size, short_root(tree_.root()), short_root(head_.root)));
    }
    return VerifyReport{head_.size, to_hex(view(head_.root)), tree_.size(), head_.origin};
  }

 private:
  Result<void> check_bundle(std::uint64_t bundle) {
    const auto width =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(head_.size - (bundle << 8), tile_width));
    const TileId id{TileId::entries_level, bundle, width};
    auto bytes = detail::read_tile(folder_, id);
    if (!bytes.ok()) {
      return bad(fmt::format("{} cannot be read: {}", tile_path(id), bytes.error().message()));
    }
    auto entries = split_entries(*bytes);
    if (!entries.ok()) {
      return bad(fmt::format("{}: {}", tile_path(id), entries.error().message()));
    }
    auto fits = compare_leaves(id, *entries);
    if (!fits.ok()) {
      return fits;
    }
    std::vector<TileFile> full;
    for (const std::string_view entry : *entries) {
      if (see_) {
        see_(tree_.size(), entry);
      }
      tree_.append(entry, full);
      auto continued = compare_older();
      if (!continued.ok()) {
        return continued;
      }
    }
    return compare(full);
  }

  Result<void> compare_older() const {
    if (!older_ || older_->size != tree_.size() || older_->root == tree_.root()) {
      return {};
    }
    return not_continued(
        fmt::format("the first {} leaves lead to root {}..., the older checkpoint has {}...: the "
                    "log is not its "
                    "continuation",
                    older_->size, short_root(tree_.root()), short_root(older_->root)));
  }

  // The leaves of one bundle against the hashes of their tile: the only place where single leaves
  // can be named.
  Result<void> compare_leaves(const TileId& bundle, const std::vector<std::string_view>& entries) {
    const TileId id{0, bundle.index, bundle.width};
    auto bytes = detail::read_tile(folder_, id);
    if (!bytes.ok()) {
      return bad(fmt::format("{} cannot be read: {}", tile_path(id), bytes.error().message()));
    }
    auto hashes = detail::split_hashes(*bytes, id.width);
    if (!hashes.ok()) {
      return bad(fmt::format("{}: {}", tile_path(id), hashes.error().message()));
    }
    const std::size_t common = std::min(entries.size(), hashes->size());
    for (std::size_t i = 0; i < common; ++i) {
      if (leaf_hash(entries[i]) != (*hashes)[i]) {
        return name_culprit((bundle.index << 8) + i, bundle, id);
      }
    }
    if (entries.size() != hashes->size()) {
      return bad(fmt::format("{} has {} entries, wanted {}", tile_path(bundle), entries.size(),
                             bundle.width));
    }
    return {};
  }

  // Leaf and hash disagree: the one that does not lead to the signed root is the changed one.
  Error name_culprit(std::uint64_t leaf, const TileId& bundle, const TileId& tile) const {
    if (hashes_lead_to_root()) {
      return bad(
          fmt::format("leaf {} in {} is not the one that was signed: its hash in {} is another",
                      leaf, tile_path(bundle), tile_path(tile)));
    }
    return bad(
        fmt::format("leaf {} in {} and its hash in {} disagree, and the hashes do not lead to the "
                    "signed root",
                    leaf, tile_path(bundle), tile_path(tile)));
  }

  bool hashes_lead_to_root() const {
    MerkleRange range;
    for (std::uint64_t index = 0; index << 8 < head_.size; ++index) {
      const auto width = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(head_.size - (index << 8), tile_width));
      auto bytes = detail::read_tile(folder_, {0, index, width});
      if (!bytes.ok()) {
        return false;
      }
      auto hashes = detail::split_hashes(*bytes, width);
      if (!hashes.ok()) {
        return false;
      }
      for (const Digest& hash : *hashes) {
        range.append(hash);
      }
    }
    return range.root() == head_.root;
  }

  Result<void> compare(const std::vector<TileFile>& wanted) const {
    for (const TileFile& file : wanted) {
      auto found = detail::read_tile(folder_, file.id);
      if (!found.ok()) {
        return bad(
            fmt::format("{} cannot be read: {}", tile_path(file.id), found.error().message()));
      }
      if (*found == file.bytes) {
        continue;
      }
      const auto odd =
          std::mismatch(found->begin(), found->end(), file.bytes.begin(), file.bytes.end());
      const auto slot = static_cast<std::uint64_t>(odd.first - found->begin()) / sizeof(Digest);
      if (file.id.level <= 0) {
        return bad(fmt::format("{} does not fit its entries", tile_path(file.id)));
      }
      const TileId below{file.id.level - 1, (file.id.index << 8) + slot, tile_width};
      return bad(fmt::format("hash {} of {} is not that of {}: one of the two was rewritten", slot,
                             tile_path(file.id), tile_path(below)));
    }
    return {};
  }

  std::string folder_;
  Checkpoint head_;
  std::optional<Checkpoint> older_;
  SeeLeaf see_;
  TileTree tree_;
};

Result<std::optional<Checkpoint>> open_older(const std::string& note, const VerifierKey& key,
                                             const Checkpoint& head) {
  if (note.empty()) {
    return std::optional<Checkpoint>();
  }
  auto older = detail::open_checkpoint(note, key);
  if (!older.ok()) {
    return std::move(older).error().with("reading the older checkpoint");
  }
  if (older->origin != head.origin) {
    return not_continued(fmt::format("the older checkpoint is of log '{}', this one is of '{}'",
                                     older->origin, head.origin));
  }
  if (older->size > head.size) {
    return not_continued(
        fmt::format("the log has {} leaves, the older checkpoint has {}: it was "
                    "truncated or rolled back",
                    head.size, older->size));
  }
  if (older->size == 0 && older->root != empty_root()) {
    return not_continued("the older checkpoint has no leaves, but a root");
  }
  return std::optional<Checkpoint>(std::move(*older));
}

}  // namespace

Result<VerifyReport> verify_log(const std::string& tenant_directory,
                                const std::string& verifier_key,
                                const std::string& older_checkpoint, SeeLeaf see) {
  auto key = VerifierKey::parse(trim(verifier_key));
  if (!key.ok()) {
    return std::move(key).error();
  }
  auto note = detail::read_checkpoint_note(tenant_directory);
  if (!note.ok()) {
    return std::move(note).error().with(fmt::format("verifying '{}'", tenant_directory));
  }
  auto head = detail::open_checkpoint(*note, *key);
  if (!head.ok()) {
    return std::move(head).error().with(fmt::format("reading '{}/checkpoint'", tenant_directory));
  }
  if (head->origin != key->name && !head->origin.starts_with(key->name + "/")) {
    return Error(Code::data_loss,
                 fmt::format("the checkpoint is of log '{}', the key signs for '{}'", head->origin,
                             key->name))
        .page(521);
  }
  auto older = open_older(older_checkpoint, *key, *head);
  if (!older.ok()) {
    return std::move(older).error();
  }
  return Verifier(tenant_directory, std::move(*head), std::move(*older), std::move(see)).run();
}

}  // namespace aios::govern
