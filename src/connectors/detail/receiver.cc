// SPDX-License-Identifier: Apache-2.0
#include "connectors/detail/receiver.h"

#include "connectors/detail/params.h"
#include "connectors/detail/reader.h"
#include "core/text.h"
#include "expr/yaml.h"
#include "net/client.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::connectors::detail {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t name_characters_max = 60;
constexpr std::size_t receivers_max = 50;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= name_characters_max &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

std::string read_url(Reader& reader, const Node& node, const Json& params) {
  const auto written = reader.text(node);
  const auto url = written ? substitute(reader, node, *written, params) : std::nullopt;
  if (!url) {
    return {};
  }
  auto checked = net::check_url(*url);
  if (!checked.ok()) {
    reader.take(node, as_written(*written, *url, checked.error()));
  } else if (url->find('#') != std::string::npos) {
    reader.mistake(node, "an address that is sent to has no fragment");
  }
  return *url;
}

void read_types(Reader& reader, const Node& node, Receiver* out) {
  for (const Node& item : reader.items(node)) {
    const auto type = reader.text(item);
    if (!type) {
      continue;
    }
    if (type->empty() || type->find('*') < type->size() - 1) {
      reader.mistake(item, fmt::format("found the type '{}', wanted an event's type, or the begin "
                                       "of one and a '*' behind it",
                                       excerpt(*type, 80)));
    }
    out->types.push_back(*type);
  }
  if (out->types.empty() && reader.good()) {
    reader.mistake(node, "names no type of event");
  }
}

void read_retry(Reader& reader, const Node& node, Receiver* out) {
  reader.allow(node, {"first", "most", "giveUpAfter"});
  if (const auto first = reader.member(node, "first")) {
    out->first = reader.duration(*first, milliseconds(100), hours(1)).value_or(out->first);
  }
  if (const auto most = reader.member(node, "most")) {
    out->most = reader.duration(*most, milliseconds(100), hours(6)).value_or(out->most);
  }
  if (const auto age = reader.member(node, "giveUpAfter")) {
    out->give_up_after = reader.duration(*age, seconds(1), hours(72)).value_or(out->give_up_after);
  }
}

void read_targets(Reader& reader, const Json& params, Receiver* out) {
  const Node root = reader.root();
  const auto url = reader.member(root, "url");
  const auto types = reader.member(root, "types");
  const auto callbacks = reader.member(root, "callbacks");
  if (url) {
    out->url = read_url(reader, *url, params);
  }
  if (types) {
    read_types(reader, *types, out);
  }
  if (url.has_value() != types.has_value()) {
    reader.mistake(url ? *url : *types,
                   "'url' and 'types' go together: which events are sent, and where to");
  }
  if (const auto source = reader.member(root, "source")) {
    out->source = reader.text(*source).value_or("");
  }
  if (callbacks) {
    out->callbacks = read_url(reader, *callbacks, params);
    if (out->callbacks.find('?') != std::string::npos) {
      reader.mistake(*callbacks, "the begin of callbacks' addresses has no query");
    }
  }
  if (!url && !types && !callbacks) {
    reader.mistake(root, "wanted 'url' with 'types', or 'callbacks': nothing would be sent");
  }
}

std::shared_ptr<const Receiver> read_one(const ManifestFile& file, const Json& params,
                                         std::vector<Error>* errors) {
  auto document = expr::parse_yaml(file.text, file.path);
  if (!document.ok()) {
    errors->push_back(document.error());
    return nullptr;
  }
  std::vector<Error> found;
  Reader reader(*document, file.path, &found);
  auto out = std::make_shared<Receiver>();
  const Node root = reader.root();
  reader.allow(root, {"name", "description", "region", "url", "types", "source", "callbacks",
                      "secret", "timeout", "concurrency", "retry"});
  if (const auto name = reader.needed(root, "name")) {
    out->name = reader.text(*name).value_or("");
    if (!is_name(out->name)) {
      reader.mistake(*name, fmt::format("found '{}', wanted 1 to {} characters of a-z, 0-9 and -",
                                        excerpt(out->name, 80), name_characters_max));
    }
  }
  if (const auto region = reader.needed(root, "region")) {
    out->region = reader.text(*region).value_or("");
  }
  if (const auto secret = reader.needed(root, "secret")) {
    out->secret = reader.text(*secret).value_or("");
  }
  read_targets(reader, params, out.get());
  if (const auto timeout = reader.member(root, "timeout")) {
    out->timeout = reader.duration(*timeout, milliseconds(100), minutes(1)).value_or(out->timeout);
  }
  if (const auto concurrency = reader.member(root, "concurrency")) {
    out->limits.concurrency =
        static_cast<std::uint32_t>(reader.integer(*concurrency, 1, 32).value_or(1));
  }
  if (const auto retry = reader.member(root, "retry")) {
    read_retry(reader, *retry, out.get());
  }
  out->path = file.path;
  const bool good = found.empty();
  for (Error& error : found) {
    errors->push_back(std::move(error).page(940));
  }
  return good ? out : nullptr;
}

/// Where the path begins: behind scheme, host and port.
std::size_t path_of(std::string_view url) {
  const std::size_t authority = url.find("://") + 3;
  return std::min(url.find_first_of("/?#", authority), url.size());
}

/// Scheme and host in small letters; the port as it is written.
std::string origin_of(std::string_view url) { return ascii_lower(url.substr(0, path_of(url))); }

}  // namespace

bool Receiver::takes(std::string_view event_type, std::string_view event_source) const {
  if (url.empty() || !event_source.starts_with(source)) {
    return false;
  }
  return std::any_of(types.begin(), types.end(), [&](const std::string& type) {
    return type.ends_with('*')
               ? event_type.starts_with(std::string_view(type).substr(0, type.size() - 1))
               : event_type == type;
  });
}

bool Receiver::allows_callback(std::string_view callback_url) const {
  if (callbacks.empty() || !net::check_url(callback_url).ok() ||
      callback_url.find('#') != std::string_view::npos ||
      origin_of(callback_url) != origin_of(callbacks)) {
    return false;
  }
  std::string_view allowed = std::string_view(callbacks).substr(path_of(callbacks));
  const std::string_view target = callback_url.substr(path_of(callback_url));
  std::string_view asked = target.substr(0, std::min(target.find('?'), target.size()));
  // What a server may take for a way out of the folder, written as it is or hidden.
  const std::string lower = ascii_lower(asked);
  if (lower.find("//") != std::string::npos) {
    return false;
  }
  for (const std::string_view way : {"/../", "/./", "%2e", "%2f", "%5c", "\\"}) {
    if ((lower + "/").find(way) != std::string::npos) {
      return false;
    }
  }
  while (allowed.ends_with('/')) {
    allowed.remove_suffix(1);
  }
  return asked.starts_with(allowed) &&
         (asked.size() == allowed.size() || asked[allowed.size()] == '/');
}

Receivers read_receivers(const std::vector<ManifestFile>& files, const Json& params,
                         std::vector<Error>* errors) {
  Receivers out;
  for (const ManifestFile& file : files) {
    auto read = read_one(file, params, errors);
    if (!read) {
      continue;
    }
    const auto [at, fresh] = out.try_emplace(read->name, read);
    if (!fresh) {
      errors->push_back(
          Error(Code::invalid_argument, fmt::format("subscription '{}' is already defined in {}",
                                                    read->name, at->second->path))
              .page(940)
              .at(file.path, 1, 1));
    }
  }
  if (out.size() > receivers_max) {
    errors->push_back(
        Error(Code::invalid_argument, fmt::format("found {} subscriptions, at most {} are taken",
                                                  out.size(), receivers_max))
            .page(940)
            .at(files.back().path, 1, 1));
  }
  return out;
}

}  // namespace aios::connectors::detail
