// SPDX-License-Identifier: Apache-2.0
#include "govern/tlog.h"

#include "core/text.h"
#include "govern/detail/tile_tree.h"
#include "govern/merkle.h"
#include "govern/test/fixtures.h"

#include <doctest/doctest.h>

namespace aios::govern {
namespace {

std::string pack_file(const std::string& name) {
  return aios::test::read_bytes(aios::test::conformance_path("tlog/" + name));
}

std::vector<std::string> names_in(const Json& item, std::string_view member) {
  std::vector<std::string> names;
  if (const Json* list = find(item, member); list != nullptr) {
    for (const Json& name : list->get_array()) {
      names.emplace_back(view(name.get_string()));
    }
  }
  return names;
}

void check_open(const Json& item) {
  std::vector<VerifierKey> keys;
  for (const std::string& text : names_in(item, "verifiers")) {
    keys.push_back(VerifierKey::parse(text).value());
  }
  const auto opened = open_note(from_base64(text_or(item, "note_b64", "")).value(), keys);
  INFO(text_or(item, "name", ""));
  REQUIRE(opened.ok() == bool_or(item, "ok", false));
  if (opened.ok()) {
    CHECK(opened->verified == names_in(item, "verified"));
    CHECK(opened->unverified == names_in(item, "unverified"));
  } else {
    CHECK(opened.error().page() == 521);
  }
}

}  // namespace

TEST_CASE("tlog: the pack's tile paths, both ways, and its invalid ones") {
  const auto pack = test::conformance_json("tlog/tile-paths.json");
  if (!pack) {
    MESSAGE("SKIPPED: pack tlog is absent");
    return;
  }
  std::size_t cases = 0;
  const auto number = [](const Json& item, std::string_view member) {
    return static_cast<std::uint64_t>(int_or(item, member, 0));
  };
  for (const std::string_view list : {"hash_tile", "entries"}) {
    for (const Json& item : find(*pack, list)->get_array()) {
      TileId id{static_cast<int>(int_or(item, "level", TileId::entries_level)),
                number(item, "index"), tile_width};
      if (number(item, "partial") != 0) {
        id.width = static_cast<std::uint32_t>(number(item, "partial"));
      }
      CHECK(tile_path(id) == text_or(item, "path", ""));
      CHECK(parse_tile_path(text_or(item, "path", "")).value() == id);
      ++cases;
    }
  }
  for (const Json& item : find(*pack, "entries_for_log_index")->get_array()) {
    const std::uint64_t tile = number(item, "index") / tile_width;
    const std::uint64_t width =
        std::min<std::uint64_t>(number(item, "log_size") - tile * tile_width, tile_width);
    CHECK(tile_path({TileId::entries_level, tile, static_cast<std::uint32_t>(width)}) ==
          text_or(item, "path", ""));
    ++cases;
  }
  for (const Json& item : find(*pack, "invalid")->get_array()) {
    // Index 123456 by the specification, and of one form with the pack's own valid
    // "tile/15/x455/667".
    const bool in_doubt = view(item.get_string()) == "tile/0/x123/456";
    CHECK_MESSAGE(parse_tile_path(view(item.get_string())).ok() == in_doubt, item);
    ++cases;
  }
  CHECK(cases == 29);
}

TEST_CASE("tlog: the largest index has a path that reads back") {
  const TileId id{63, UINT64_MAX >> 8, 255};
  CHECK(parse_tile_path(tile_path(id)).value() == id);
}

TEST_CASE("tlog: the pack's notes are signed, opened and refused as it says") {
  const auto pack = test::conformance_json("tlog/signed-note.json");
  if (!pack) {
    MESSAGE("SKIPPED: pack tlog is absent");
    return;
  }
  const Json& sign = find(*pack, "sign")->get_array().at(0);
  const std::string_view private_key = text_or(sign, "key", "");  // its base64 has a '+' too
  const auto parts = split(private_key, '+');
  const std::string material = from_base64(private_key.substr(private_key.find(parts[4]))).value();
  const auto key = VerifierKey::make(parts[2], ed25519_from_seed(material.substr(1)).public_key);
  CHECK(sign_note(text_or(sign, "text", ""), key, material.substr(1)) == text_or(sign, "want", ""));
  const auto valid = names_in(*pack, "verifier_keys_valid");
  CHECK(valid.size() == 2);
  for (const std::string& text : valid) {
    CHECK(VerifierKey::parse(text).value().text() == text);
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::string raised = text;
      raised[i] = static_cast<char>(raised[i] + 1);
      CHECK_FALSE(VerifierKey::parse(raised).ok());
      CHECK_FALSE(VerifierKey::parse(text.substr(0, i)).ok());
      CHECK_FALSE(VerifierKey::parse(text.substr(i + 1)).ok());
    }
  }
  const auto invalid = names_in(*pack, "verifier_keys_invalid");
  CHECK(invalid.size() == 7);
  for (const std::string& text : invalid) {
    CHECK_FALSE_MESSAGE(VerifierKey::parse(text).ok(), text);
  }
  const JsonArray& notes = find(*pack, "open")->get_array();
  CHECK(notes.size() == 16);
  for (const Json& item : notes) {
    check_open(item);
  }
}

TEST_CASE("tlog: a key name without spaces or '+' is one, the others are not") {
  CHECK(is_note_name("example.com/log"));
  CHECK(is_note_name("gr\xc3\xbc\xc3\x9f"));
  for (const char* name : {"", "a b", "a+b", "a\tb",
                           "a\xc2\xa0"
                           "b",
                           "a\xe2\x80\x83"
                           "b",
                           "a\xe3\x80\x80", "\xff"}) {
    CHECK_FALSE(is_note_name(name));
  }
}

TEST_CASE("tlog: a checkpoint reads back, and a wrong one is refused") {
  const Checkpoint checkpoint{"example.com/log", 20'852'163, sha256("x")};
  const auto parsed = Checkpoint::parse(checkpoint.text());
  REQUIRE(parsed.ok());
  CHECK(parsed->origin == checkpoint.origin);
  CHECK(parsed->size == checkpoint.size);
  CHECK(parsed->root == checkpoint.root);
  const std::string root = to_base64(view(checkpoint.root));
  CHECK(Checkpoint::parse("o\n1\n" + root + "\nextension\n").ok());
  for (const std::string& text :
       {std::string(), "o\n1\n" + root, "\n1\n" + root + "\n", "o\n01\n" + root + "\n",
        "o\n-1\n" + root + "\n", "o\n1\n" + root.substr(4) + "\n", "o\n1\n" + root + "\n\n",
        "o\n99999999999999999999\n" + root + "\n"}) {
    CHECK_FALSE_MESSAGE(Checkpoint::parse(text).ok(), text);
  }
}

TEST_CASE("tlog: entries that were appended are split again, a cut bundle is refused") {
  std::string bundle;
  for (const std::string& entry :
       {std::string("one"), std::string(), std::string(entry_bytes_max, 'x')}) {
    append_entry(bundle, entry);
  }
  const auto entries = split_entries(bundle);
  REQUIRE(entries.ok());
  CHECK(entries->size() == 3);
  CHECK((*entries)[2].size() == entry_bytes_max);
  CHECK_FALSE(split_entries(std::string_view(bundle).substr(0, bundle.size() - 1)).ok());
  CHECK_FALSE(split_entries(std::string_view(bundle).substr(0, 6)).ok());
}

TEST_CASE("tlog: the pack's sample log is rebuilt from its words, byte for byte at each size") {
  const std::string key_text = pack_file("sample-log/verifier-key.txt");
  if (key_text.empty()) {
    MESSAGE("SKIPPED: pack tlog is absent");
    return;
  }
  const auto key = VerifierKey::parse(trim(key_text)).value();
  const std::string words = pack_file("sample-log/tile/entries/000.p/15");
  const auto entries = split_entries(words).value();
  REQUIRE(entries.size() == 15);
  detail::TileTree tree;
  std::vector<detail::TileFile> full;
  for (std::size_t size = 0; size <= entries.size(); ++size) {
    const std::string note = pack_file("sample-log/checkpoint." + std::to_string(size));
    const auto checkpoint = Checkpoint::parse(open_note(note, {key}).value().text).value();
    CHECK(checkpoint.size == size);
    CHECK(checkpoint.root == tree.root());
    CHECK(note.starts_with(Checkpoint{checkpoint.origin, size, tree.root()}.text()));
    for (const auto& file : tree.partials()) {
      CHECK_MESSAGE(file.bytes == pack_file("sample-log/" + tile_path(file.id)),
                    tile_path(file.id));
    }
    CHECK(tree.partials().size() == (size == 0 ? 0 : 2));
    if (size < entries.size()) {
      tree.append(entries[size], full);
    }
  }
  CHECK(full.empty());
}

TEST_CASE("tlog: the pack's mirror of 300 entries has the root its tiles lead to") {
  const std::string note = pack_file("sample-mirror/checkpoint");
  if (note.empty()) {
    MESSAGE("SKIPPED: pack tlog is absent");
    return;
  }
  const auto checkpoint = Checkpoint::parse(note.substr(0, note.rfind("\n\n") + 1)).value();
  auto hashes = detail::split_hashes(pack_file("sample-mirror/tile/0/000"), 256).value();
  CHECK(detail::join_hashes({root_of(hashes)}) == pack_file("sample-mirror/tile/1/000.p/1"));
  const auto rest = detail::split_hashes(pack_file("sample-mirror/tile/0/001.p/44"), 44).value();
  hashes.insert(hashes.end(), rest.begin(), rest.end());
  CHECK(checkpoint.size == hashes.size());
  CHECK(root_of(hashes) == checkpoint.root);
}

TEST_CASE("tlog: a tree resumed from its tiles at any size goes on as if it had never stopped") {
  detail::TileTree tree;
  std::map<std::string, std::string> disk;
  std::vector<detail::TileFile> full;
  MerkleRange range;
  for (std::uint64_t i = 0; i < 66'000; ++i) {
    const std::string entry = "entry " + std::to_string(i);
    tree.append(entry, full);
    range.append(leaf_hash(entry));
    for (auto& file : full) {
      disk[tile_path(file.id)] = std::move(file.bytes);
    }
    full.clear();
    const bool edge = i % 256 >= 254 || i % 256 == 0;
    if ((i < 1'000 && i % 7 == 0) || (edge && i > 65'500) || i % 9'001 == 0) {
      for (const auto& file : tree.partials()) {
        disk[tile_path(file.id)] = file.bytes;
      }
      auto resumed = detail::TileTree::resume(
          tree.size(),
          [&](const TileId& id) -> Result<std::string> { return disk.at(tile_path(id)); });
      REQUIRE(resumed.ok());
      CHECK(resumed->root() == range.root());
      tree = std::move(*resumed);
    }
  }
  CHECK(tree.root() == range.root());
  CHECK(disk.count("tile/1/000") == 1);
  CHECK(disk.count("tile/2/000.p/1") == 1);
}

}  // namespace aios::govern
