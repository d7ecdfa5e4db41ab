// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/detail/tenant_log: the files of one tenant's log: <folder>/checkpoint and
// <folder>/tile/... Threading: none of its own; one caller at a time.

#include "core/result.h"
#include "govern/detail/files.h"
#include "govern/detail/signing_key.h"
#include "govern/detail/tile_tree.h"
#include "govern/tlog.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aios::govern::detail {

/// A tile as it is on disk; the start of the full one where the partial one was cleared away.
Result<std::string> read_tile(const std::string& folder, const TileId& id);
/// The text of <folder>/checkpoint. @return not_found when there is none.
Result<std::string> read_checkpoint_note(const std::string& folder);
/// Checks the signature, then reads the text. @return data_loss [AIOS-0521].
Result<Checkpoint> open_checkpoint(const std::string& note, const VerifierKey& key);

class TenantLog {
 public:
  TenantLog(std::string folder, std::string origin)
      : folder_(std::move(folder)),
        origin_(std::move(origin)) {}

  /// Continues from the checkpoint on disk; from nothing when there is none, and when files under
  /// it are missing: then lost() says what it was.
  Result<void> load(const SigningKey& key);
  /// A checkpoint on disk whose tiles are not all there; until sign().
  const std::optional<Checkpoint>& lost() const { return lost_; }
  /// Whether what was signed is still there: the checkpoint in the same words, the right edge, the
  /// newest full tiles, and of the older ones the next few, all of them in turn. To be asked when
  /// nothing was appended since sign().
  bool intact();
  /// Adds leaves and writes the tiles they complete; not all are durable before sign().
  Result<void> append(const std::vector<std::string>& leaves);
  /// Writes the right edge, then the checkpoint over it: in this order, so that what is signed can
  /// be read.
  Result<void> sign(const SigningKey& key);

  /// Leaves under the checkpoint on disk; and with those appended since.
  std::uint64_t signed_size() const { return signed_size_; }
  std::uint64_t size() const { return tree_.size(); }
  Digest root() const { return tree_.root(); }  ///< of size()
  /// Of the first `size` leaves, at most signed_size(), by the tiles on disk. @return not_found
  /// where they do not say it any more.
  Result<Digest> root_at(std::uint64_t size) const;

  /// Where the last signed bundle starts: what the store must still hold in the same words.
  std::uint64_t edge() const;
  /// @param leaves  the store's, from edge() to signed_size(). @return data_loss [AIOS-0524] naming
  /// the first other one.
  Result<void> compare_edge(const std::vector<std::string>& leaves) const;

 private:
  Result<void> put_all(const std::vector<TileFile>& files);
  void clear_partials();
  void remove_partials(const TileId& id) const;

  std::string folder_;
  std::string origin_;
  TileTree tree_;
  StagedFiles staged_;  // full tiles written, but not synced yet
  std::uint64_t signed_size_ = 0;
  std::string signed_note_;    // the checkpoint's text, as it is on disk
  std::uint64_t watched_ = 0;  // the bundle that intact() looks at next
  std::optional<Checkpoint> lost_;
  std::vector<std::uint64_t> finished_;  // full entry bundles since the last checkpoint
};

}  // namespace aios::govern::detail
