// SPDX-License-Identifier: Apache-2.0
#include "app/templates.h"

#include "core/text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>

namespace aios::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t name_bytes_max = 63;
constexpr std::string_view mark = "@NAME@";
constexpr std::string_view fence = "```\n";

std::string named(std::string_view text, std::string_view name) {
  std::string out(text);
  for (std::size_t at = out.find(mark); at != std::string::npos;
       at = out.find(mark, at + name.size())) {
    out.replace(at, mark.size(), name);
  }
  return out;
}

Error in_the_way(const std::string& directory, std::string_view what) {
  return Error(Code::already_exists,
               fmt::format("'{}' is {}; a new bundle wants a name that is free or an empty folder",
                           directory, what))
      .page(1423);
}

Error cannot_write(const std::string& path, const std::error_code& failed) {
  return Error(failed == std::errc::no_space_on_device ? Code::resource_exhausted
                                                       : Code::permission_denied,
               fmt::format("cannot write {}: {}", path, failed.message()))
      .page(1403);
}

Result<void> check_free(const std::string& directory) {
  std::error_code failed;
  const auto status = fs::symlink_status(directory, failed);
  if (!fs::exists(status)) {
    return {};
  }
  if (!fs::is_directory(status)) {
    return in_the_way(directory, "there and no folder");
  }
  const bool empty = fs::is_empty(directory, failed);
  if (failed) {
    return cannot_write(directory, failed);
  }
  return empty ? Result<void>() : in_the_way(directory, "a folder that is not empty");
}

Result<void> write_files(const std::string& directory, const bundle::Files& files) {
  for (const auto& [path, text] : files) {
    const fs::path target = fs::path(directory) / path;
    std::error_code failed;
    fs::create_directories(target.parent_path(), failed);
    if (failed) {
      return cannot_write(target.parent_path().string(), failed);
    }
    errno = 0;
    std::ofstream out(target, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) {
      return cannot_write(target.string(), std::error_code(errno, std::generic_category()));
    }
  }
  return {};
}

}  // namespace

std::vector<std::string> template_names() {
  std::set<std::string> names;
  for (const TemplateFile& file : template_files()) {
    names.emplace(file.name);
  }
  return {names.begin(), names.end()};
}

Result<void> check_new_name(std::string_view what, std::string_view name) {
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto fits = [&](char c) { return lower(c) || (c >= '0' && c <= '9') || c == '-'; };
  if (!name.empty() && name.size() <= name_bytes_max && lower(name.front()) && name.back() != '-' &&
      std::all_of(name.begin(), name.end(), fits)) {
    return {};
  }
  return Error(Code::invalid_argument,
               fmt::format("'{}' is no name for a {}, wanted 1 to {} of a-z, 0-9 and '-', "
                           "beginning with a letter and not ending with '-'",
                           excerpt(name, 100), what, name_bytes_max))
      .page(1424);
}

bundle::Files files_of_template(std::string_view name_of_template, std::string_view name) {
  bundle::Files files;
  for (const TemplateFile& file : template_files()) {
    if (file.name == name_of_template) {
      files[std::string(file.path)] = named(file.text, name);
    }
  }
  return files;
}

std::vector<std::string> first_commands(std::string_view readme) {
  std::vector<std::string> commands;
  std::size_t open = readme.find(fence);
  while (open != std::string_view::npos) {
    const std::size_t begin = open + fence.size();
    const std::size_t close = std::min(readme.find(fence, begin), readme.size());
    const std::string_view block = readme.substr(begin, close - begin);
    if (block.find("aios ") != std::string_view::npos) {
      for (const std::string_view line : split(trim(block), '\n')) {
        commands.emplace_back(line);
      }
      return commands;
    }
    open = readme.find(fence, std::min(close + fence.size(), readme.size()));
  }
  return commands;
}

/// Beside the place it is meant for and then moved there: an end half-way leaves no half of it.
Result<void> write_new_folder(const std::string& directory, const bundle::Files& files) {
  if (auto free = check_free(directory); !free.ok()) {
    return free;
  }
  fs::path target = fs::path(directory).lexically_normal();
  if (!target.has_filename()) {
    target = target.parent_path();  // "name/"
  }
  const std::string part = fmt::format("{}.part-{}", target.string(), ::getpid());
  auto written = write_files(part, files);
  if (written.ok() && std::rename(part.c_str(), target.c_str()) != 0) {
    const int number = errno;
    written = number == ENOTEMPTY || number == EEXIST || number == ENOTDIR
                  ? in_the_way(directory, "there since a moment ago")
                  : cannot_write(directory, std::error_code(number, std::generic_category()));
  }
  if (!written.ok()) {
    std::error_code ignored;
    fs::remove_all(part, ignored);
  }
  return written;
}

}  // namespace aios::app
