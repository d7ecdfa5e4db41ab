// SPDX-License-Identifier: Apache-2.0
#pragma once
// workflow/engine_calls: what the engine is given and asked with, and what it tells.

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "store/transition.h"
#include "workflow/attribute.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::workflow {

struct DefinitionFile {
  std::string path;
  std::string text;
};
struct DefinitionInfo {
  std::string workflow_namespace, name, version, title;
  std::string digest;                      ///< hex SHA-256 of the text
  std::vector<std::string> trigger_types;  ///< CloudEvents types of schedule.on
  std::vector<std::string> listen_types;   ///< of its tasks `listen`
  std::vector<AttributeInfo> attributes;   ///< by which its runs are found
};

struct PlacesOptions {
  std::uint32_t all_max = 512;
  std::uint32_t tenant_max = 384;  ///< calls of one tenant that hang hold up no other tenant
};

struct StartRequest {
  std::string
      workflow;  ///< name, or namespace/name; the newest installed version unless `version` is set
  std::string version;
  Json input;
  std::string subject;  ///< data subject, for sealing
  std::string run_id;   ///< empty: made here
  /// Runs of the workflow with the same key act one by one, in the order in which they started:
  /// each when the one before has ended or waits for a person. Empty: at once.
  std::string order_key{};
  /// The run faults with a timeout then, or at its definition's own timeout when that is earlier.
  std::optional<Time> deadline{};
  /// {"receiver", "url"}: the commit that ends the run has a message "callback" for the outbox,
  /// with these and the outcome as a CloudEvent. Null: nobody is told.
  Json callback{};
  /// What must become durable in the same commit (the inbox event, its key, its leaf). Tenant and
  /// epoch are set here.
  store::Transition with;
};

/// What a person says became of an effect.
struct Resolution {
  std::string incident;  ///< the one that was looked at; the run may wait at another by now
  std::string word;      ///< "retry", "happened" (with result), "fail"; then "approve", "send_back"
  Json result;
};

/// Of the words on an incident that are one person's alone: retry, happened or fail.
/// @return invalid_argument [AIOS-1018]
Result<void> check_first_word(std::string_view word);

/// Whether an event that is kept started a run: then nobody has to listen for it.
enum class KeptBeside : std::uint8_t { nothing, run };

/// What became of an event that was kept for the runs that listen.
struct EventFate {
  std::string run;     ///< that went on with it
  std::string reason;  ///< why nobody did, and nobody will; both empty: it still waits
};

/// With which document a faulted run goes on.
enum class RetryWith : std::uint8_t {
  same_definition,    ///< the one it has
  newest_definition,  ///< the newest installed, where the run stands at the same place
};

/// What became of the runs that were under way when the engine stopped.
struct Stopped {
  std::uint64_t cut = 0;   ///< their calls were cancelled
  std::uint64_t left = 0;  ///< not even that ended them: the engine must not be destroyed
};

}  // namespace aios::workflow
