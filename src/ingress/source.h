// SPDX-License-Identifier: Apache-2.0
#pragma once
// ingress/source: a kind of source: what a file sources/*.yaml of it may say, and what runs for
// all of its files. A kind is a plug-in, sources/<kind>.cc.
// Threading: a DeclaredSource is immutable and shared by any threads.

#include "core/context.h"
#include "core/result.h"
#include "expr/runtime_expression.h"
#include "expr/schema.h"
#include "net/http.h"
#include "observe/log.h"
#include "runtime/shards.h"
#include "store/store.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::ingress {

class Ingress;
class Sources;

/// What a kind made of the members that are its own.
struct SourceSettings {
  virtual ~SourceSettings() = default;
};

/// One file sources/*.yaml.
struct DeclaredSource {
  TenantId tenant;
  std::string name, kind, file;
  std::vector<std::string> secrets;  ///< by name
  std::shared_ptr<const SourceSettings> settings;
  expr::Template event;                ///< attributes and data of the CloudEvent
  std::optional<expr::Schema> schema;  ///< of its data
  Json params;                         ///< of the bundle: `$params`
  std::string owned;  ///< the `source` of all its events, which nobody else's have; empty: computed
};
using SourcePtr = std::shared_ptr<const DeclaredSource>;

/// What arrived: known to be the sender's own, and not looked into yet.
struct Arrival {
  Json seen;            ///< what the mapping's expressions have as `.`
  JsonObject defaults;  ///< attributes and data where the mapping names none; with `id`
  /// The member of `seen` that is the data where neither names any; empty: there is none.
  std::string data_member{};
  std::string digest;  ///< 32 bytes of what arrived; with the same id it is the same event
  std::size_t bytes = 0;
  /// Goes with the commit that makes it durable, when that is made.
  std::vector<store::StreamWrite> writes{};
};

/// Tells of a member that is wrong: JSON pointer, and a message.
using Complain = std::function<void(const std::string& pointer, std::string message)>;
/// @param own  the file's document, valid against the kind's form, with parameters put in.
using ReadSettings = std::shared_ptr<const SourceSettings>(const Json& own,
                                                           const Complain& complain);

/// What a kind has to work with; all of it outlives what is mounted or runs.
struct SourceServices {
  Ingress* ingress = nullptr;
  const Sources* sources = nullptr;
  store::Store* store = nullptr;
  net::Router* router = nullptr;
  const observe::Log* log = nullptr;
  runtime::BlockingPool* pool = nullptr;
  /// Gives the context of an authenticated sender, or the problem to answer with.
  std::function<Result<Context>(const Context& ctx, const net::Request& request)> authenticate;
  /// The same where a request begins, once: it counts against the sender's rate.
  std::function<Result<Context>(const Context& ctx, const net::Request& request)> admit;
  /// A secret by name; not_found says where it was looked for.
  std::function<Result<std::string>(const TenantId& tenant, std::string_view name)> secret;
  std::string watch_root;  ///< folder outside which no file is read; empty: none is
};

struct SourceEntry {
  std::string name;
  std::string summary;
  /// JSON Schema of the members that are the kind's own ("properties", "required"); empty: no file
  /// declares a source of this kind.
  std::string form{};
  std::string source_prefix{};  ///< with the name after it the `source` where the file says none
  ReadSettings* read = nullptr;
  /// Whether a source can work as the server stands; null: always.
  Result<void> (*ready)(const DeclaredSource& source, const std::string& watch_root) = nullptr;
  void (*mount)(const SourceServices& services) = nullptr;            ///< null: no routes
  Task<void> (*run)(SourceServices services, Context ctx) = nullptr;  ///< until ctx is cancelled
};
class SourceRegistry {
 public:
  void add(SourceEntry entry) { entries_.push_back(std::move(entry)); }
  const std::vector<SourceEntry>& entries() const { return entries_; }

 private:
  std::vector<SourceEntry> entries_;
};
void register_all_sources(SourceRegistry& registry);

/// Whether what was refused may be taken when it is given again; else it is refused for good.
bool may_pass(const Error& error);
/// Who a declared source is when it gives an event to the guard.
Context source_context(const DeclaredSource& source);

}  // namespace aios::ingress
