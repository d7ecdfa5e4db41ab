// SPDX-License-Identifier: Apache-2.0
#pragma once
// bundle/detail/steps: what a step of a workflow says of its function's own matters, as far as it
// stands in the text; what expressions make is known when they run.

#include "bundle/bundle.h"
#include "bundle/detail/findings.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace aios::bundle {

constexpr int page_arguments = 1118;
constexpr int page_labels = 1119;

/// The schema of each operation's arguments by connector and operation; null where there is none.
using Operations = std::map<std::string, std::map<std::string, Json>>;

/// A `connector` step's literal arguments against the operation's schema.
/// @param pointer  of the step's `with`.
void check_connector_arguments(const Json& with, const std::string& pointer, const Json& schema,
                               Findings* findings);

/// The data of one model, under the names by which a review may mean it.
struct LabelSet {
  std::vector<std::string> names;
  std::string path;  ///< of the data set
  std::set<std::string> labels;
};
/// Of the models whose data sets can be read.
std::vector<LabelSet> label_sets_of(const Bundle& bundle);

/// What reviews ask of forms: (form, data set).
using AskedForms = std::set<std::pair<std::string, std::string>>;

/// The form that a `review` step names, without ".json"; empty for an expression.
std::string form_of(const Json& with);
/// A `review` step: roles, time and data set. Adds to `asked` what is to be held against the form.
void check_review(const Json& with, const std::string& pointer, const Bundle& bundle,
                  const std::vector<LabelSet>& sets, AskedForms* asked, Findings* findings);
/// The labels' member of each form; its values against the labels of the data sets that `asked`
/// names beside it.
void check_forms(const Bundle& bundle, const std::vector<LabelSet>& sets, const AskedForms& asked,
                 Checked* checked);
/// Labels that no held-out line measures, and names that are nearly labels in a parameter.
void check_labels(const Bundle& bundle, const std::vector<LabelSet>& sets, Checked* checked);

}  // namespace aios::bundle
