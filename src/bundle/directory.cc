// SPDX-License-Identifier: Apache-2.0
#include "bundle/bundle.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace aios::bundle {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 5000;
constexpr std::uintmax_t bytes_max = std::uintmax_t{64} << 20;

/// The folders a bundle is made of; anything else beside them is the author's own business.
bool belongs(std::string_view path) {
  static constexpr std::array<std::string_view, 7> folders = {
      "workflows/", "policies/", "models/", "datasets/", "connectors/", "forms/", "knowledge/"};
  if (path == "aios.yaml") {
    return true;
  }
  for (const auto folder : folders) {
    if (path.starts_with(folder) || path == folder.substr(0, folder.size() - 1)) {
      return path.find("/.") == std::string_view::npos;
    }
  }
  return false;
}

/// Why an entry cannot be part of a bundle; empty when it can.
std::string oddity(const fs::directory_entry& entry, std::string_view path) {
  std::error_code ec;
  const bool directory = entry.is_directory(ec);
  if (directory && entry.is_symlink(ec)) {
    return "found a symbolic link to a directory, which is not followed; copy the directory";
  }
  if (directory) {
    for (const std::string_view ending : {".yaml", ".rego", ".json"}) {
      if (path.ends_with(ending)) {
        return fmt::format("found a directory, wanted a file by this name (it ends in {})", ending);
      }
    }
    return "";
  }
  if (!entry.is_regular_file(ec)) {
    return entry.is_symlink(ec) ? "found a symbolic link that leads to no file"
                                : "found neither a file nor a directory";
  }
  return "";
}

}  // namespace

Result<Files> read_bundle_directory(const std::string& directory) {
  std::error_code ec;
  if (!fs::is_regular_file(fs::path(directory) / "aios.yaml", ec)) {
    return Error(Code::not_found,
                 fmt::format("'{}' is no app bundle: it has no aios.yaml", directory))
        .page(1101);
  }
  Files files;
  std::uintmax_t bytes = 0;
  for (auto it = fs::recursive_directory_iterator(directory, ec);
       !ec && it != fs::recursive_directory_iterator(); it.increment(ec)) {
    // by name: fs::relative() would follow links out of the bundle
    const std::string path = it->path().lexically_relative(directory).generic_string();
    if (ec || !belongs(path)) {
      continue;
    }
    if (const std::string wrong = oddity(*it, path); !wrong.empty()) {
      return Error(Code::invalid_argument, wrong).page(1102).at(path, 0, 0);
    }
    if (it->is_directory(ec)) {
      continue;
    }
    bytes += it->file_size(ec);
    if (files.size() >= files_max || bytes > bytes_max) {
      return Error(Code::resource_exhausted,
                   fmt::format("bundle '{}' has more than {} files or {} MiB", directory, files_max,
                               bytes_max >> 20))
          .page(1102);
    }
    std::ifstream file(it->path(), std::ios::binary);
    files[path] = std::string(std::istreambuf_iterator<char>(file), {});
    if (file.bad()) {
      return Error(Code::unavailable, fmt::format("cannot read '{}'", it->path().string()))
          .page(1102);
    }
  }
  if (ec) {
    return Error(Code::unavailable,
                 fmt::format("cannot read bundle '{}': {}", directory, ec.message()))
        .page(1102);
  }
  return files;
}

}  // namespace aios::bundle
