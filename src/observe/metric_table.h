// SPDX-License-Identifier: Apache-2.0
#pragma once
// observe/metric_table: every metric of the product, declared once. Who records one names its row:
// `metrics.counter(observe::metric("aios_runs_started"))`; a name that is not here does not
// compile, and a metric with this prefix that was declared elsewhere ends the process where it is
// first recorded. /metrics takes its HELP, TYPE and UNIT from here, and docs/guide/reference/
// metrics.md is printed from here.

#include "observe/metrics.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string_view>

namespace aios::observe {

enum class MetricType : std::uint8_t { counter, gauge, histogram };
std::string_view name_of(MetricType type);

/// A label, and what its values are.
struct MetricLabel {
  std::string_view name;
  std::string_view values;
};

inline constexpr std::size_t metric_labels_max = 3;

struct MetricRow {
  std::string_view name;  ///< ends with its unit; a counter's samples have _total besides
  MetricType type = MetricType::counter;
  std::string_view unit;                              ///< "seconds", "bytes" or ""
  std::string_view help;                              ///< one sentence
  std::array<MetricLabel, metric_labels_max> labels;  ///< those with a name

  /// What Metrics takes.
  operator MetricInfo() const;
};

namespace detail {

using Labels = std::array<MetricLabel, metric_labels_max>;
inline constexpr MetricLabel alias_label = {"alias", "the model's alias"};
inline constexpr Labels budget_labels = {
    {{"tenant", "its id"}, {"budget", "its name"}, {"currency", "such as EUR"}}};

constexpr MetricRow row(MetricType type, std::string_view name, std::string_view unit,
                        std::string_view help, Labels labels = {}) {
  return {name, type, unit, help, labels};
}

inline constexpr std::array metric_rows = {
    row(MetricType::gauge, "aios_audit_leaves_unsigned", "",
        "Committed leaves that no signed checkpoint covers yet."),
    row(MetricType::gauge, "aios_audit_logs_altered", "",
        "Audit logs whose files were not as they were signed when they were last looked at."),
    row(MetricType::counter, "aios_audit_rebuilt", "",
        "Audit logs whose files were missing and that were written again from the store since the "
        "start."),
    row(MetricType::gauge, "aios_budget_limit", "", "What a budget grants in its present window.",
        budget_labels),
    row(MetricType::counter, "aios_budget_refused", "",
        "Calls that were not made because no budget covered them.",
        Labels{{MetricLabel{"workflow", "namespace/name"}}}),
    row(MetricType::gauge, "aios_budget_reserved", "", "What of it is held for calls under way.",
        budget_labels),
    row(MetricType::gauge, "aios_budget_spent", "", "What of it is spent.", budget_labels),
    row(MetricType::histogram, "aios_connector_attempt_seconds", "seconds",
        "Time from sending a request to its judged answer.",
        Labels{{MetricLabel{"connector", "its name"}}}),
    row(MetricType::counter, "aios_connector_attempts", "",
        "Attempts at operations of business systems.",
        Labels{
            {MetricLabel{"connector", "its name"},
             MetricLabel{"operation", "one of its operations"},
             MetricLabel{"outcome",
                         "done, failed, unknown, blocked, refused, looked_up or lookup_failed"}}}),
    row(MetricType::gauge, "aios_dead_letters", "",
        "Events that were taken and started nothing, and were not replayed."),
    row(MetricType::counter, "aios_deliveries", "", "Tries at deliveries, by what came of them.",
        Labels{{MetricLabel{"outcome",
                            "delivered, failed, refused or dead (it is not tried again)"}}}),
    row(MetricType::gauge, "aios_deliveries_dead", "",
        "Deliveries that were given up and were not replayed."),
    row(MetricType::gauge, "aios_deliveries_pending", "",
        "Callbacks and events that wait to be delivered."),
    row(MetricType::counter, "aios_effects", "",
        "Calls made for runs, by effect class and outcome.",
        Labels{
            {MetricLabel{"class", "local, read, key, lookup or none"},
             MetricLabel{
                 "outcome",
                 "done, failed, unknown, blocked, lookup_found, lookup_absent or lookup_failed"}}}),
    row(MetricType::counter, "aios_events", "", "Events received, by what became of them.",
        Labels{{MetricLabel{
            "outcome", "accepted, repeated, conflict, dead_letter, refused, held or no_room"}}}),
    row(MetricType::counter, "aios_expired", "", "What was no longer kept and was taken away.",
        Labels{{MetricLabel{"class", "a name under retention in the configuration"}}}),
    row(MetricType::gauge, "aios_http_connections", "", "Open connections."),
    row(MetricType::histogram, "aios_http_request_seconds", "seconds",
        "Time from the whole request to its answer."),
    row(MetricType::counter, "aios_http_requests", "", "Requests answered.",
        Labels{{MetricLabel{"class", "of the status: 1xx to 5xx"}}}),
    row(MetricType::gauge, "aios_incidents_open", "",
        "Effects of unknown outcome that a person must settle."),
    row(MetricType::gauge, "aios_log_lines_dropped", "",
        "Log lines since the start that were not written: nobody read them in time."),
    row(MetricType::histogram, "aios_model_call_seconds", "seconds",
        "Time from the question to the answer, guard included."),
    row(MetricType::counter, "aios_model_calls", "", "Calls of models by alias and outcome.",
        Labels{{alias_label,
                MetricLabel{"outcome", "done, failed, unknown, blocked, refused or not_sent"}}}),
    row(MetricType::counter, "aios_model_cost_nano", "",
        "Cost of hosted models in nano-units of the currency; of calls whose cost is not known, "
        "the highest.",
        Labels{{alias_label, MetricLabel{"currency", "such as EUR"}}}),
    row(MetricType::counter, "aios_model_tokens", "",
        "Tokens of hosted models as their vendors count them.",
        Labels{{alias_label, MetricLabel{"direction", "input or output"}}}),
    row(MetricType::gauge, "aios_reviews_in_approval", "",
        "Answers that wait for another person's word."),
    row(MetricType::gauge, "aios_reviews_open", "", "Questions to people without an answer."),
    row(MetricType::gauge, "aios_reviews_overdue", "",
        "Questions that wait and whose due time has passed."),
    row(MetricType::counter, "aios_run_commits", "", "Commits made for runs."),
    row(MetricType::gauge, "aios_runs_driven", "", "Runs that are driven now."),
    row(MetricType::counter, "aios_runs_ended", "", "Runs that ended, by status.",
        Labels{{MetricLabel{"status", "completed, faulted or cancelled"}}}),
    row(MetricType::counter, "aios_runs_started", "", "Runs that were started."),
    row(MetricType::gauge, "aios_runs_waiting", "",
        "Runs that wait: for a time, another system or a person."),
    row(MetricType::gauge, "aios_store_damaged", "",
        "1 while the tables cannot be read or written, or an audit log cannot be continued, else "
        "0."),
    row(MetricType::gauge, "aios_store_delta_bytes", "bytes",
        "Committed bytes that wait in memory to be folded into the tables."),
    row(MetricType::gauge, "aios_store_delta_max_bytes", "bytes",
        "The delta at which writes are refused until folding caught up."),
    row(MetricType::gauge, "aios_store_fold_failing", "",
        "1 while the tables take up nothing of what is committed, else 0."),
    row(MetricType::gauge, "aios_store_read_only", "",
        "1 while the disk is full and every write is refused, else 0."),
    row(MetricType::gauge, "aios_tenants_held", "",
        "Tenants that stand still, for their bundle could not be loaded at the start."),
    row(MetricType::gauge, "aios_tls_certificate_expiry_seconds", "seconds",
        "When the listener's certificate ends (Unix time)."),
    row(MetricType::counter, "aios_tls_handshakes_failed", "",
        "Connections that ended before TLS was agreed.",
        Labels{{MetricLabel{"reason", "plain_http, closed, timed_out or refused"}}}),
};

}  // namespace detail

/// All of them, by name.
constexpr std::span<const MetricRow> all_metrics() { return detail::metric_rows; }

/// Null: there is none of that name.
constexpr const MetricRow* find_metric(std::string_view name) {
  for (const MetricRow& row : detail::metric_rows) {
    if (row.name == name) {
      return &row;
    }
  }
  return nullptr;
}

/// The row of that name; without one it does not compile.
consteval const MetricRow& metric(std::string_view name) {
  const MetricRow* row = find_metric(name);
  if (row == nullptr) {
    throw std::out_of_range("no metric of that name is declared");  // tidy: at compile time only
  }
  return *row;
}

}  // namespace aios::observe
