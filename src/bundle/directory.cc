// SPDX-License-Identifier: Apache-2.0
#include "bundle/bundle.h"

#include "bundle/detail/layout.h"

#include "store/file_io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace aios::bundle {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 5000;
constexpr std::uintmax_t bytes_max = std::uintmax_t{64} << 20;

/// The folders a bundle is made of; anything else beside them is the author's own business.
bool belongs(std::string_view path) {
  if (path == "aios.yaml") {
    return true;
  }
  for (const auto folder : part_folders) {
    if (path.starts_with(folder) || path == folder.substr(0, folder.size() - 1)) {
      return path.find("/.") == std::string_view::npos;
    }
  }
  return false;
}

/// Whoever deploys a bundle that somebody else wrote uploads no file of their own with it.
bool leads_out(const fs::path& link, const fs::path& root) {
  std::error_code ec;
  const fs::path whole_root = fs::canonical(root, ec);
  const fs::path target = ec ? fs::path() : fs::canonical(link, ec);
  const fs::path inside = target.lexically_relative(whole_root);
  return ec || inside.empty() || *inside.begin() == "..";
}

/// Why an entry cannot be part of a bundle; empty when it can.
std::string oddity(const fs::directory_entry& entry, std::string_view path, const fs::path& root) {
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
  if (entry.is_symlink(ec) && leads_out(entry.path(), root)) {
    return "found a symbolic link that leads out of the bundle, which is not followed; copy the "
           "file";
  }
  return "";
}

/// At most `bytes_left`: the size that a file tells of may be nothing like what it gives.
Result<std::string> read_whole(const std::string& path, std::uintmax_t bytes_left) {
  const store::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::string bytes;
  std::string part(std::size_t{64} << 10, '\0');
  ssize_t got = file.get() < 0 ? -1 : 1;
  while (got > 0 && bytes.size() <= bytes_left) {
    got = ::read(file.get(), part.data(), part.size());
    if (got > 0) {
      bytes.append(part, 0, static_cast<std::size_t>(got));
    } else if (got < 0 && errno == EINTR) {
      got = 1;
    }
  }
  if (got < 0) {
    return Error(Code::unavailable, fmt::format("cannot read it: {}", std::strerror(errno)));
  }
  return bytes;
}

}  // namespace

Result<Files> read_bundle_directory(const std::string& directory) {
  std::error_code ec;
  if (!fs::is_directory(directory, ec)) {
    return Error(Code::not_found,
                 fs::exists(directory, ec)
                     ? fmt::format("'{}' is no folder, wanted an app bundle", directory)
                     : fmt::format("there is no folder '{}'", directory))
        .page(1101);
  }
  if (!fs::is_regular_file(fs::path(directory) / "aios.yaml", ec)) {
    const auto strays = stray_names(directory);
    const auto near = std::find_if(strays.begin(), strays.end(), [](const Error& stray) {
      return stray.message().find("'aios.yaml'") != std::string::npos;
    });
    return Error(Code::not_found,
                 fmt::format("'{}' is no app bundle: it has no aios.yaml{}", directory,
                             near == strays.end() ? "" : fmt::format(", but '{}'", near->file())))
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
    if (const std::string wrong = oddity(*it, path, directory); !wrong.empty()) {
      return Error(Code::invalid_argument, wrong).page(1102).at(path, 0, 0);
    }
    if (it->is_directory(ec)) {
      continue;
    }
    auto content = read_whole(it->path().string(), bytes_max - bytes);
    if (!content.ok()) {
      return std::move(content).error().page(1102).at(path, 0, 0);
    }
    bytes += content->size();
    if (files.size() >= files_max || bytes > bytes_max) {
      return Error(Code::resource_exhausted,
                   fmt::format("bundle '{}' has more than {} files or {} MiB", directory, files_max,
                               bytes_max >> 20))
          .page(1102);
    }
    files[path] = std::move(*content);
  }
  if (ec) {
    return Error(Code::unavailable,
                 fmt::format("cannot read bundle '{}': {}", directory, ec.message()))
        .page(1102);
  }
  return files;
}

}  // namespace aios::bundle
