// SPDX-License-Identifier: Apache-2.0
#include "store/detail/keys_file.h"

#include "core/codec.h"
#include "core/crypto.h"
#include "store/detail/files.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::store::detail {
namespace {

constexpr std::string_view magic = "AIOSKEY2";
constexpr std::string_view magic_without_files = "AIOSKEY1";
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t nonce_bytes = 12;
constexpr std::uint64_t file_bytes_max = std::uint64_t{4} << 30;
constexpr std::uint64_t kept_bytes_max = std::uint64_t{64} << 10;

void write_rows(Writer& out, const std::vector<WrappedKey>& rows) {
  out.varint(rows.size());
  for (const WrappedKey& row : rows) {
    out.varint(row.id);
    out.bytes(row.tenant);
    out.bytes(row.wrapped);
  }
}

std::vector<WrappedKey> read_rows(Reader& in) {
  std::vector<WrappedKey> rows;
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    WrappedKey row;
    row.id = in.varint();
    row.tenant = in.bytes();
    row.wrapped = in.bytes();
    rows.push_back(std::move(row));
  }
  return rows;
}

bool is_kept(const std::string& name) {
  return std::find(kept_secrets.begin(), kept_secrets.end(), name) != kept_secrets.end();
}

Result<KeysFile> read_image(std::string_view clear, bool with_files, const std::string& path) {
  Reader in(clear);
  KeysFile keys;
  keys.root_key = in.bytes();
  keys.image.root_check = in.bytes();
  keys.image.next_id = in.varint();
  keys.image.tenants = read_rows(in);
  keys.image.keys = read_rows(in);
  for (std::uint64_t n = with_files ? in.varint() : 0; n > 0 && in.ok(); --n) {
    KeptFile file;
    file.name = in.bytes();
    file.bytes = in.bytes();
    keys.files.push_back(std::move(file));
  }
  if (!in.ok() || !in.at_end()) {
    return Error(Code::data_loss, fmt::format("'{}' does not read to its end", path)).page(416);
  }
  return keys;
}

}  // namespace

Result<std::vector<KeptFile>> read_kept_secrets(const std::string& directory) {
  std::vector<KeptFile> files;
  for (const std::string_view name : kept_secrets) {
    const std::string path = fmt::format("{}/{}", directory, name);
    if (directory.empty() || !exists(path)) {
      continue;
    }
    auto bytes = read_file(path, kept_bytes_max);
    if (!bytes.ok()) {
      return std::move(bytes).error();
    }
    files.push_back({std::string(name), *std::move(bytes)});
  }
  return files;
}

Result<void> write_kept_secrets(const std::string& directory, const std::vector<KeptFile>& files) {
  for (const KeptFile& file : files) {
    if (!is_kept(file.name)) {
      return Error(Code::data_loss,
                   fmt::format("the exported keys have a file '{}' that this build does not know",
                               file.name))
          .page(416);
    }
    if (auto written = write_file_durably(directory + "/" + file.name, file.bytes); !written.ok()) {
      return written;
    }
  }
  return {};
}

Result<void> write_keys_file(const std::string& path, const std::string& passphrase,
                             const KeysFile& keys) {
  if (passphrase.empty()) {
    return Error(Code::invalid_argument, "the passphrase for the exported keys is empty").page(416);
  }
  Writer out;
  out.bytes(keys.root_key);
  out.bytes(keys.image.root_check);
  out.varint(keys.image.next_id);
  write_rows(out, keys.image.tenants);
  write_rows(out, keys.image.keys);
  out.varint(keys.files.size());
  for (const KeptFile& kept : keys.files) {
    out.bytes(kept.name);
    out.bytes(kept.bytes);
  }
  const std::string salt = secure_random(salt_bytes);
  const std::string nonce = secure_random(nonce_bytes);
  std::string file(magic);
  file.append(salt).append(nonce);
  file.append(aes_gcm_seal(scrypt_key(passphrase, salt), nonce, magic, out.data()));
  return write_file_durably(path, file);
}

Result<KeysFile> read_keys_file(const std::string& path, const std::string& passphrase) {
  auto file = read_file(path, file_bytes_max);
  if (!file.ok()) {
    return std::move(file).error();
  }
  std::string_view rest = *file;
  const std::string_view start = rest.substr(0, magic.size());
  if ((start != magic && start != magic_without_files) ||
      rest.size() < magic.size() + salt_bytes + nonce_bytes) {
    return Error(Code::data_loss, fmt::format("'{}' is not a file of exported keys", path))
        .page(416);
  }
  rest.remove_prefix(magic.size());
  const std::string_view salt = rest.substr(0, salt_bytes);
  const std::string_view nonce = rest.substr(salt_bytes, nonce_bytes);
  auto clear = aes_gcm_open(scrypt_key(passphrase, salt), nonce, start,
                            rest.substr(salt_bytes + nonce_bytes));
  if (!clear.ok()) {
    return Error(Code::permission_denied, fmt::format("the passphrase does not open '{}'", path))
        .page(416);
  }
  return read_image(*clear, start == magic, path);
}

}  // namespace aios::store::detail
