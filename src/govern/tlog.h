// SPDX-License-Identifier: Apache-2.0
#pragma once
// govern/tlog: the texts and names of a tiled transparency log. Sources: C2SP tlog-tiles (paths,
// entry bundles), signed-note v1 (Ed25519 notes and verifier keys), tlog-checkpoint. Pure
// functions; nothing here reads a file.

#include "core/crypto.h"
#include "core/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aios::govern {

constexpr std::uint32_t tile_width = 256;
constexpr std::size_t entry_bytes_max = 65'535;  ///< the length before an entry has 16 bits

/// A tile of hashes or, at level entries_level, a bundle of entries.
struct TileId {
  static constexpr int entries_level = -1;
  int level = 0;  ///< 0 to 63, or entries_level
  std::uint64_t index = 0;
  std::uint32_t width = tile_width;  ///< 1 to 256; below 256 the tile is partial
  bool operator==(const TileId&) const = default;
};
/// "tile/0/x001/x234/067", "tile/entries/000.p/8".
std::string tile_path(const TileId& tile);
/// Takes exactly what tile_path gives. @return invalid_argument.
Result<TileId> parse_tile_path(std::string_view path);

/// Appends one entry of at most entry_bytes_max bytes: 16-bit big-endian length, then the bytes.
void append_entry(std::string& bundle, std::string_view entry);
/// The entries of a bundle, borrowed from it. @return data_loss when a length leads past the end.
Result<std::vector<std::string_view>> split_entries(std::string_view bundle);

/// Ed25519 note key: "<name>+<8 hex digits>+<base64 of 0x01 and 32 bytes>".
struct VerifierKey {
  std::string name;
  std::uint32_t id = 0;
  std::string public_key;
  std::string text() const;
  /// @return invalid_argument [AIOS-0526].
  static Result<VerifierKey> parse(std::string_view text);
  /// @param name  without spaces and '+'; see is_note_name.
  static VerifierKey make(std::string_view name, std::string_view public_key);
};
/// Not empty, UTF-8, no Unicode space, no '+', no control character.
bool is_note_name(std::string_view name);

/// A note whose signatures by known keys were checked.
struct OpenedNote {
  std::string text;                     ///< with its final newline
  std::vector<std::string> verified;    ///< key names
  std::vector<std::string> unverified;  ///< names of keys nobody here knows
};
/// @return data_loss [AIOS-0521] when malformed, when no signature is by one of the keys, or when
/// one of theirs is false.
Result<OpenedNote> open_note(std::string_view note, const std::vector<VerifierKey>& keys);
/// @param text  UTF-8 that ends with a newline and has no other control character.
std::string sign_note(std::string_view text, const VerifierKey& key, std::string_view seed);

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Digest root{};
  std::string text() const;  ///< the note's text, without extension lines
  /// @return data_loss [AIOS-0521].
  static Result<Checkpoint> parse(std::string_view text);
};

}  // namespace aios::govern
