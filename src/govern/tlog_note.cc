// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"
#include "govern/tlog.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace aios::govern {
namespace {

constexpr std::string_view signature_start = "\xe2\x80\x94 ";  // em dash, space
constexpr std::size_t signatures_max = 100;
constexpr std::size_t note_bytes_max = std::size_t{1} << 20;
constexpr std::array<std::string_view, 9> note_spaces = {
    "\x20",         "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

struct Signature {
  std::string name;
  std::uint32_t id = 0;
  std::string bytes;
  bool operator==(const Signature&) const = default;
};

struct ParsedNote {
  std::string_view text;
  std::vector<Signature> signatures;
};

Error malformed(std::string_view why) {
  return Error(Code::data_loss, fmt::format("malformed note: {}", why)).page(521);
}

bool has_control(std::string_view text, bool newline_allowed) {
  return std::any_of(text.begin(), text.end(), [&](char c) {
    return static_cast<unsigned char>(c) < 0x20 && !(newline_allowed && c == '\n');
  });
}

std::uint32_t read_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

std::string u32_bytes(std::uint32_t value) {
  std::string bytes(4, '\0');
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[i] = static_cast<char>(value >> (24 - 8 * i));
  }
  return bytes;
}

Result<Signature> parse_signature(std::string_view line) {
  if (!line.starts_with(signature_start)) {
    return malformed("a line after the text is no signature");
  }
  line.remove_prefix(signature_start.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || !is_note_name(line.substr(0, space))) {
    return malformed("a signature line has no key name");
  }
  auto bytes = from_base64(line.substr(space + 1));
  if (!bytes.ok() || bytes->size() < 5) {
    return malformed("a signature is not base64 of at least 5 bytes");
  }
  return Signature{std::string(line.substr(0, space)), read_u32(*bytes), bytes->substr(4)};
}

Result<ParsedNote> parse_note(std::string_view note) {
  if (note.size() > note_bytes_max || !is_utf8(note) || has_control(note, true)) {
    return malformed("it is too long, not UTF-8 or has control characters");
  }
  const std::size_t blank = note.rfind("\n\n");
  if (blank == std::string_view::npos || !note.ends_with('\n') || blank + 2 >= note.size()) {
    return malformed("it has no block of signatures");
  }
  ParsedNote parsed{note.substr(0, blank + 1), {}};
  std::string_view rest = note.substr(blank + 2);
  std::size_t lines = 0;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    auto signature = parse_signature(rest.substr(0, end));
    if (!signature.ok()) {
      return std::move(signature).error();
    }
    if (++lines > signatures_max) {
      return malformed(fmt::format("it has more than {} signatures", signatures_max));
    }
    auto& seen = parsed.signatures;
    if (std::find(seen.begin(), seen.end(), *signature) == seen.end()) {
      seen.push_back(std::move(*signature));
    }
    rest.remove_prefix(end + 1);
  }
  return parsed;
}

Result<const VerifierKey*> key_of(const Signature& signature,
                                  const std::vector<VerifierKey>& keys) {
  const VerifierKey* found = nullptr;
  for (const VerifierKey& key : keys) {
    if (key.name != signature.name || key.id != signature.id) {
      continue;
    }
    if (found != nullptr) {
      return Error(Code::data_loss, fmt::format("ambiguous key {}+{:08x}", key.name, key.id))
          .page(521);
    }
    found = &key;
  }
  return found;
}

}  // namespace

bool is_note_name(std::string_view name) {
  if (name.empty() || !is_utf8(name) || has_control(name, false) ||
      name.find('+') != std::string_view::npos) {
    return false;
  }
  const auto within = [&](std::string_view space) {
    return name.find(space) != std::string_view::npos;
  };
  if (std::any_of(note_spaces.begin(), note_spaces.end(), within)) {
    return false;
  }
  // U+2000 to U+200A.
  for (std::size_t at = name.find("\xe2\x80"); at != std::string_view::npos;
       at = name.find("\xe2\x80", at + 1)) {
    const auto last = static_cast<unsigned char>(name[at + 2]);
    if (last >= 0x80 && last <= 0x8a) {
      return false;
    }
  }
  return true;
}

VerifierKey VerifierKey::make(std::string_view name, std::string_view public_key) {
  const std::string material = "\x01" + std::string(public_key);
  const Digest digest = sha256(fmt::format("{}\n", name), material);
  return {std::string(name), read_u32(view(digest)), std::string(public_key)};
}

std::string VerifierKey::text() const {
  return fmt::format("{}+{:08x}+{}", name, id, to_base64("\x01" + public_key));
}

Result<VerifierKey> VerifierKey::parse(std::string_view text) {
  const auto refuse = [](std::string_view why) {
    return Error(Code::invalid_argument,
                 fmt::format("malformed verifier key: {}, wanted <name>+<8 hex digits>+<base64>",
                             why))
        .page(526);
  };
  const auto parts = split(text, '+');
  if (parts.size() < 3 || !is_note_name(parts[0]) || parts[1].size() != 8) {
    return refuse("it does not have three parts");
  }
  // Base64 may hold '+' itself, so the third part is the rest.
  auto material = from_base64(text.substr(parts[0].size() + parts[1].size() + 2));
  if (!material.ok() || material->size() != 33 || material->front() != '\x01') {
    return refuse("it holds no Ed25519 key");
  }
  VerifierKey key = make(parts[0], std::string_view(*material).substr(1));
  if (fmt::format("{:08x}", key.id) != parts[1]) {
    return refuse("its hash does not fit name and key");
  }
  return key;
}

Result<OpenedNote> open_note(std::string_view note, const std::vector<VerifierKey>& keys) {
  auto parsed = parse_note(note);
  if (!parsed.ok()) {
    return std::move(parsed).error();
  }
  OpenedNote opened{std::string(parsed->text), {}, {}};
  std::vector<const VerifierKey*> seen;
  for (const Signature& signature : parsed->signatures) {
    auto key = key_of(signature, keys);
    if (!key.ok()) {
      return std::move(key).error();
    }
    if (*key == nullptr) {
      opened.unverified.push_back(signature.name);
      continue;
    }
    if (std::find(seen.begin(), seen.end(), *key) != seen.end()) {
      continue;
    }
    seen.push_back(*key);
    if (!ed25519_verify((*key)->public_key, opened.text, signature.bytes)) {
      return Error(Code::data_loss, fmt::format("the signature by key {}+{:08x} is false",
                                                signature.name, signature.id))
          .page(521);
    }
    opened.verified.push_back(signature.name);
  }
  if (opened.verified.empty()) {
    return Error(Code::data_loss, "the note has no signature by a known key").page(521);
  }
  return opened;
}

std::string sign_note(std::string_view text, const VerifierKey& key, std::string_view seed) {
  AIOS_ASSERT(text.ends_with('\n') && is_note_name(key.name));
  const std::string signature = u32_bytes(key.id) + ed25519_sign(seed, text);
  return fmt::format("{}\n{}{} {}\n", text, signature_start, key.name, to_base64(signature));
}

std::string Checkpoint::text() const {
  return fmt::format("{}\n{}\n{}\n", origin, size, to_base64(view(root)));
}

Result<Checkpoint> Checkpoint::parse(std::string_view text) {
  const auto refuse = [](std::string_view why) {
    return Error(Code::data_loss, fmt::format("malformed checkpoint: {}", why)).page(521);
  };
  const auto lines = split(text, '\n');
  if (lines.size() < 4 || lines[0].empty() || !lines.back().empty()) {
    return refuse("wanted origin, size and root, a line each");
  }
  Checkpoint checkpoint;
  checkpoint.origin = lines[0];
  const char* end = lines[1].data() + lines[1].size();
  const auto read = std::from_chars(lines[1].data(), end, checkpoint.size);
  const bool leading_zero = lines[1].size() > 1 && lines[1].front() == '0';
  if (read.ec != std::errc() || read.ptr != end || leading_zero) {
    return refuse("the size is no decimal number");
  }
  auto root = from_base64(lines[2]);
  if (!root.ok() || root->size() != checkpoint.root.size()) {
    return refuse("the root is not base64 of 32 bytes");
  }
  std::copy(root->begin(), root->end(), checkpoint.root.begin());
  if (std::any_of(lines.begin() + 3, lines.end() - 1, [](auto line) { return line.empty(); })) {
    return refuse("an extension line is empty");
  }
  return checkpoint;
}

}  // namespace aios::govern
