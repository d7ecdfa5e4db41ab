// SPDX-License-Identifier: Apache-2.0
// What an auditor is handed: checkpoints and keys as texts, names of tiles, bundles of entries.
#include "core/text.h"
#include "govern/detail/tile_tree.h"
#include "govern/tlog.h"
#include "tests/fuzz/fuzz.h"

namespace aios::fuzz {
namespace {

const govern::VerifierKey& key() {
  static const govern::VerifierKey& made = *new govern::VerifierKey(
      govern::VerifierKey::make("log.example", ed25519_from_seed(std::string(32, 's')).public_key));
  return made;
}

void check_texts(std::string_view input) {
  if (const auto read = govern::VerifierKey::parse(input); read.ok()) {
    AIOS_ASSERT(read->text() == input && govern::is_note_name(read->name));
  }
  if (const auto tile = govern::parse_tile_path(input); tile.ok()) {
    AIOS_ASSERT(govern::tile_path(*tile) == input);
  }
  if (const auto head = govern::Checkpoint::parse(input); head.ok()) {
    const auto again = govern::Checkpoint::parse(head->text());
    AIOS_ASSERT(again.ok() && again->size == head->size && again->root == head->root);
    AIOS_ASSERT(input.starts_with(head->text()));
  }
}

void check_note(std::string_view input) {
  // nobody else has the key: a note is good only when it is the one that was signed
  const auto opened = govern::open_note(input, {key()});
  AIOS_ASSERT(!opened.ok() || input.starts_with("log.example/default\n"));
  const bool can_be_text = is_utf8(input) && input.find('\0') == std::string_view::npos;
  if (!can_be_text || input.find_first_of("\n\r\t") != std::string_view::npos) {
    return;
  }
  for (const char c : input) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return;
    }
  }
  const std::string text = "mine " + std::string(input) + "\n";
  const auto signed_note = govern::sign_note(text, key(), std::string(32, 's'));
  const auto again = govern::open_note(signed_note, {key()});
  AIOS_ASSERT(again.ok() && again->text == text && again->verified.size() == 1);
  std::string other = signed_note;
  other[0] = 'M';
  AIOS_ASSERT(!govern::open_note(other, {key()}).ok());
}

}  // namespace

void note(std::string_view input) {
  check_texts(input);
  check_note(input);
  if (const auto entries = govern::split_entries(input); entries.ok()) {
    std::string bundle;
    for (const auto entry : *entries) {
      govern::append_entry(bundle, entry);
    }
    AIOS_ASSERT(bundle == input);
  }
  const std::size_t count = input.size() / sizeof(Digest);
  if (const auto hashes = govern::detail::split_hashes(input, count); hashes.ok()) {
    AIOS_ASSERT(govern::detail::join_hashes(*hashes) == input);
  }
}

}  // namespace aios::fuzz
