// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/signing_key.h"

#include "core/text.h"
#include "govern/detail/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace aios::govern::detail {
namespace {

constexpr std::string_view private_start = "PRIVATE+KEY+";

Error bad_key(Code code, const std::string& path, std::string_view why) {
  return Error(code, fmt::format("the audit signing key '{}' {}", path, why)).page(520);
}

Result<SigningKey> parse_key(const std::string& path, std::string_view text) {
  text = trim(text);
  if (!text.starts_with(private_start)) {
    return bad_key(Code::failed_precondition, path,
                   fmt::format("does not start with '{}'", private_start));
  }
  text.remove_prefix(private_start.size());
  const std::size_t name_end = std::min(text.find('+'), text.size());
  const std::string_view name = text.substr(0, name_end);
  const auto rest = text.substr(std::min(name_end + 1, text.size()));
  auto material = from_base64(rest.substr(std::min<std::size_t>(rest.size(), 9)));
  if (!is_note_name(name) || !material.ok() || material->size() != 33 ||
      material->front() != '\x01') {
    return bad_key(Code::data_loss, path, "holds no name or no Ed25519 seed");
  }
  SigningKey key;
  key.seed = material->substr(1);
  key.verifier = VerifierKey::make(name, ed25519_from_seed(key.seed).public_key);
  if (rest.substr(0, 9) != fmt::format("{:08x}+", key.verifier.id)) {
    return bad_key(Code::data_loss, path, "is damaged: its hash does not fit");
  }
  return key;
}

}  // namespace

Result<SigningKey> open_key(const std::string& path, const std::string& name_of_new) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    const std::string seed = secure_random(32);
    const auto verifier = VerifierKey::make(name_of_new, ed25519_from_seed(seed).public_key);
    const std::string text = fmt::format("{}{}+{:08x}+{}\n", private_start, name_of_new,
                                         verifier.id, to_base64("\x01" + seed));
    auto made = create_secret_file(path, text);
    if (!made.ok()) {
      return std::move(made).error().with("making the audit signing key");
    }
  }
  auto text = read_secret_file(path);
  if (!text.ok()) {
    return std::move(text).error().with("reading the audit signing key");
  }
  return parse_key(path, *text);
}

}  // namespace aios::govern::detail
