// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/tenant_log.h"

#include "core/failpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace aios::govern::detail {
namespace {

constexpr std::size_t staged_max = 64;
constexpr std::uint64_t bundles_watched = 16;
constexpr std::size_t checkpoint_bytes_max = 64 << 10;
constexpr std::size_t tile_bytes_max = tile_width * (entry_bytes_max + 2);

bool there(const std::string& folder, const TileId& id) {
  std::error_code failed;
  return std::filesystem::exists(folder + "/" + tile_path(id), failed);
}

/// A full bundle of entries, the tile of its hashes, and the tiles above that end with it.
bool has_bundle(const std::string& folder, std::uint64_t bundle) {
  bool all = there(folder, {TileId::entries_level, bundle, tile_width});
  std::uint64_t index = bundle;
  for (int level = 0; all && level < 8; ++level) {
    all = there(folder, {level, index, tile_width});
    if ((index & 0xff) != 0xff) {
      break;  // the tile above is not full yet
    }
    index >>= 8;
  }
  return all;
}

/// Looks for every full tile: resuming reads those of the right edge alone, and a log that has lost
/// another would be continued and verify nowhere.
bool has_full_tiles(const std::string& folder, std::uint64_t size) {
  for (std::uint64_t bundle = 0; bundle < size >> 8; ++bundle) {
    if (!has_bundle(folder, bundle)) {
      return false;
    }
  }
  return true;
}

/// The unfinished tiles; one that was filled since stands in for its beginning.
bool has_edge(const std::string& folder, std::uint64_t size) {
  const auto either = [&](int level, std::uint64_t index, std::uint32_t width) {
    return there(folder, {level, index, width}) || there(folder, {level, index, tile_width});
  };
  for (int level = 0; level < 8 && (size >> (8 * level)) != 0; ++level) {
    const std::uint64_t at_level = size >> (8 * level);
    const auto width = static_cast<std::uint32_t>(at_level & 0xff);
    const std::uint64_t index = at_level >> 8;
    if (width != 0 && (!either(level, index, width) ||
                       (level == 0 && !either(TileId::entries_level, index, width)))) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<std::string> read_tile(const std::string& folder, const TileId& id) {
  auto bytes = read_file(folder + "/" + tile_path(id), tile_bytes_max);
  if (bytes.ok() || bytes.error().code() != Code::not_found || id.width == tile_width) {
    return bytes;
  }
  auto full = read_file(folder + "/" + tile_path({id.level, id.index, tile_width}), tile_bytes_max);
  if (!full.ok()) {
    return bytes;
  }
  if (id.level != TileId::entries_level) {
    return full->substr(0, id.width * sizeof(Digest));
  }
  auto entries = split_entries(*full);
  if (!entries.ok() || entries->size() < id.width) {
    return bytes;
  }
  const std::string_view last = (*entries)[id.width - 1];
  return full->substr(0, static_cast<std::size_t>(last.data() + last.size() - full->data()));
}

Result<std::string> read_checkpoint_note(const std::string& folder) {
  return read_file(folder + "/checkpoint", checkpoint_bytes_max);
}

Result<Checkpoint> open_checkpoint(const std::string& note, const VerifierKey& key) {
  auto opened = open_note(note, {key});
  if (!opened.ok()) {
    return std::move(opened).error();
  }
  return Checkpoint::parse(opened->text);
}

Result<void> TenantLog::load(const SigningKey& key) {
  auto note = read_checkpoint_note(folder_);
  if (!note.ok()) {
    return note.error().code() == Code::not_found ? Result<void>() : std::move(note).error();
  }
  const std::string doing = fmt::format("continuing the audit log in '{}'", folder_);
  auto checkpoint = open_checkpoint(*note, key.verifier);
  if (!checkpoint.ok()) {
    return std::move(checkpoint).error().with(doing);
  }
  if (checkpoint->origin != origin_) {
    return Error(Code::data_loss, fmt::format("'{}/checkpoint' is of '{}', wanted '{}'", folder_,
                                              checkpoint->origin, origin_))
        .page(521);
  }
  auto resumed = TileTree::resume(checkpoint->size,
                                  [this](const TileId& id) { return read_tile(folder_, id); });
  const bool missing = resumed.ok() ? !has_full_tiles(folder_, checkpoint->size)
                                    : resumed.error().code() == Code::not_found;
  if (missing) {
    lost_ = std::move(*checkpoint);
    return {};
  }
  if (!resumed.ok()) {
    return Error(Code::data_loss, resumed.error().message()).page(522).with(doing);
  }
  if (resumed->root() != checkpoint->root) {
    return Error(Code::data_loss, "the tiles do not lead to the root that was signed")
        .page(522)
        .with(doing);
  }
  tree_ = std::move(*resumed);
  signed_size_ = tree_.size();
  signed_note_ = std::move(*note);
  return {};
}

bool TenantLog::intact() {
  AIOS_ASSERT(tree_.size() == signed_size_);
  if (signed_size_ == 0) {
    return true;
  }
  const auto note = read_checkpoint_note(folder_);
  if (!note.ok() || *note != signed_note_ || !has_edge(folder_, signed_size_)) {
    return false;
  }
  const std::uint64_t bundles = signed_size_ >> 8;
  bool all = bundles == 0 || has_bundle(folder_, bundles - 1);
  for (std::uint64_t i = 0; all && i < std::min(bundles, bundles_watched); ++i) {
    watched_ = watched_ < bundles ? watched_ : 0;
    all = has_bundle(folder_, watched_++);
  }
  return all;
}

Result<void> TenantLog::append(const std::vector<std::string>& leaves) {
  std::vector<TileFile> full;
  for (const std::string& leaf : leaves) {
    if (leaf.size() > entry_bytes_max) {
      return Error(Code::internal, fmt::format("leaf {} has {} bytes, at most {} fit an entry",
                                               tree_.size(), leaf.size(), entry_bytes_max))
          .page(525);
    }
    tree_.append(leaf, full);
  }
  for (const TileFile& file : full) {
    if (file.id.level == TileId::entries_level) {
      finished_.push_back(file.id.index);
    }
  }
  return put_all(full);
}

Result<void> TenantLog::put_all(const std::vector<TileFile>& files) {
  for (const TileFile& file : files) {
    auto put = staged_.put(folder_ + "/" + tile_path(file.id), file.bytes);
    if (!put.ok()) {
      return put;
    }
    if (staged_.count() >= staged_max) {
      auto done = staged_.commit();
      if (!done.ok()) {
        return done;
      }
    }
  }
  return {};
}

Result<void> TenantLog::sign(const SigningKey& key) {
  auto edge_put = put_all(tree_.partials());
  auto edge_durable = edge_put.ok() ? staged_.commit() : std::move(edge_put);
  if (!edge_durable.ok()) {
    return edge_durable;
  }
  AIOS_FAILPOINT("audit.tiles_written");
  const Checkpoint checkpoint{origin_, tree_.size(), tree_.root()};
  std::string note = sign_note(checkpoint.text(), key.verifier, key.seed);
  auto put = staged_.put(folder_ + "/checkpoint", note);
  AIOS_FAILPOINT("audit.checkpoint_written");
  auto done = put.ok() ? staged_.commit() : std::move(put);
  AIOS_FAILPOINT("audit.checkpoint_renamed");
  if (done.ok()) {
    signed_size_ = tree_.size();
    signed_note_ = std::move(note);
    lost_.reset();
    clear_partials();
  }
  return done;
}

// Partial tiles below full ones; failing to remove them harms nobody.
void TenantLog::clear_partials() {
  for (const std::uint64_t bundle : std::exchange(finished_, {})) {
    remove_partials({TileId::entries_level, bundle, tile_width});
    std::uint64_t index = bundle;
    for (int level = 0; level < 8; ++level) {
      remove_partials({level, index, tile_width});
      if ((index & 0xff) != 0xff) {
        break;  // the tile above is not full yet
      }
      index >>= 8;
    }
  }
}

void TenantLog::remove_partials(const TileId& id) const {
  std::error_code ignored;
  std::filesystem::remove_all(folder_ + "/" + tile_path(id) + ".p", ignored);
}

Result<Digest> TenantLog::root_at(std::uint64_t size) const {
  AIOS_ASSERT(size <= signed_size_);
  auto tree = TileTree::resume(size, [this](const TileId& id) { return read_tile(folder_, id); });
  if (!tree.ok()) {
    return std::move(tree).error();
  }
  return tree->root();
}

std::uint64_t TenantLog::edge() const {
  return signed_size_ == 0 ? 0 : (signed_size_ - 1) & ~std::uint64_t{0xff};
}

Result<void> TenantLog::compare_edge(const std::vector<std::string>& leaves) const {
  const std::uint64_t from = edge();
  const auto width = static_cast<std::uint32_t>(signed_size_ - from);
  auto bundle = read_tile(folder_, {TileId::entries_level, from >> 8, width});
  if (!bundle.ok()) {
    return std::move(bundle).error();
  }
  auto entries = split_entries(*bundle);
  if (!entries.ok()) {
    return std::move(entries).error();
  }
  const auto odd = std::mismatch(leaves.begin(), leaves.end(), entries->begin(), entries->end());
  if (odd.first == leaves.end() && odd.second == entries->end()) {
    return {};
  }
  const auto index = from + static_cast<std::uint64_t>(odd.first - leaves.begin());
  return Error(Code::data_loss,
               fmt::format("leaf {} in the store is not the one that was signed", index))
      .page(524);
}

}  // namespace aios::govern::detail
