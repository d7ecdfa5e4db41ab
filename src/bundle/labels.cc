// SPDX-License-Identifier: Apache-2.0
// Labels of data sets: which of them nothing measures, and names that are nearly one of them.
#include "bundle/detail/steps.h"

#include "bundle/detail/names.h"

#include <algorithm>
#include <optional>

namespace aios::bundle {
namespace {

constexpr std::size_t told_max = 12;

using Counts = std::map<std::string, std::size_t>;

/// How many lines each label has; nothing when the file is not there or cannot be read, which
/// other checks say.
std::optional<Counts> counts_of(const Bundle& bundle, const std::string& path) {
  const auto file = bundle.files.find(path);
  if (file == bundle.files.end()) {
    return std::nullopt;
  }
  const auto examples = models::read_examples(file->second, path);
  if (!examples.ok()) {
    return std::nullopt;
  }
  Counts counts;
  for (const models::Example& example : *examples) {
    ++counts[example.label];
  }
  return counts;
}

std::string listed(const std::vector<std::string>& labels) {
  const auto end = labels.begin() + static_cast<std::ptrdiff_t>(std::min(labels.size(), told_max));
  return fmt::format(
      "'{}'{}", fmt::join(labels.begin(), end, "', '"),
      labels.size() > told_max ? fmt::format(" and {} more", labels.size() - told_max) : "");
}

/// Without a held-out file a fifth of each label's lines is held out: none of fewer than five.
void check_split(const Counts& learnt, const ModelSource& model, Findings* findings) {
  constexpr std::size_t lines_min = 5;
  std::vector<std::string> few;
  for (const auto& [label, count] : learnt) {
    if (count < lines_min) {
      few.push_back(label);
    }
  }
  if (!few.empty()) {
    findings->warn("/dataset", Code::failed_precondition,
                   fmt::format("{} has fewer than {} lines with {}: none is held out, so nothing "
                               "tells how well the model knows it",
                               model.dataset, lines_min, listed(few)),
                   page_labels);
  }
}

void check_heldout(const Counts& learnt, const Counts& held, const ModelSource& model,
                   Findings* findings) {
  std::vector<std::string> unmeasured;
  for (const auto& [label, count] : learnt) {
    if (!held.contains(label)) {
      unmeasured.push_back(label);
    }
  }
  if (!unmeasured.empty()) {
    findings->warn("/heldout", Code::failed_precondition,
                   fmt::format("{} has no line with {} of {}: nothing tells how well the model "
                               "knows it",
                               model.heldout, listed(unmeasured), model.dataset),
                   page_labels);
  }
  const auto labels = names_of(learnt);
  for (const auto& [label, count] : held) {
    const auto& declared = model.spec.new_labels;
    if (!learnt.contains(label) &&
        std::find(declared.begin(), declared.end(), label) == declared.end()) {
      findings->warn("/heldout", Code::not_found,
                     fmt::format("{} has the label '{}', which {} does not have: the model "
                                 "never answers that{}",
                                 model.heldout, label, model.dataset, did_you_mean(label, labels)),
                     page_labels);
    }
  }
}

void check_measured(const Bundle& bundle, const ModelSource& model, Checked* checked) {
  const auto learnt = counts_of(bundle, model.dataset);
  const auto document = expr::parse_yaml(bundle.files.at(model.file), model.file);
  if (!learnt || !document.ok()) {
    return;
  }
  Findings findings(model.file, *document, checked);
  if (model.heldout.empty()) {
    check_split(*learnt, model, &findings);
  } else if (const auto held = counts_of(bundle, model.heldout)) {
    check_heldout(*learnt, *held, model, &findings);
  }
}

/// A parameter of which at least half the names are labels of one model is a table by label; a name
/// in it that is no label, but near to one, is taken for a slip.
void check_table(const std::string& name, const JsonObject& table, const LabelSet& set,
                 Findings* findings) {
  std::vector<std::string> others;
  for (const auto& member : table) {
    if (!set.labels.contains(std::string(member.key()))) {
      others.emplace_back(member.key());
    }
  }
  if (others.size() * 2 > table.size()) {
    return;
  }
  const std::vector<std::string> labels(set.labels.begin(), set.labels.end());
  for (const std::string& other : others) {
    const std::string near = nearest_name(other, labels);
    if (near.empty() || table.contains(near)) {
      continue;
    }
    std::string pointer = "/parameters";
    for (const std::string_view part :
         {std::string_view(name), std::string_view("default"), std::string_view(other)}) {
      expr::append_pointer(pointer, part);
    }
    findings->warn_at_key(pointer, Code::not_found,
                          fmt::format("parameter '{}' has '{}' among labels of {}, which is none "
                                      "of them{}",
                                      name, other, set.path, did_you_mean(other, labels)),
                          page_labels);
  }
}

}  // namespace

std::vector<LabelSet> label_sets_of(const Bundle& bundle) {
  std::vector<LabelSet> sets;
  for (const ModelSource& model : bundle.models) {
    const auto counts = counts_of(bundle, model.dataset);
    if (!counts) {
      continue;
    }
    LabelSet set;
    set.names = {model.spec.name, stem_of(model.dataset)};
    set.path = model.dataset;
    for (const auto& [label, count] : *counts) {
      set.labels.insert(label);
    }
    set.labels.insert(model.spec.new_labels.begin(), model.spec.new_labels.end());
    sets.push_back(std::move(set));
  }
  return sets;
}

void check_labels(const Bundle& bundle, const std::vector<LabelSet>& sets, Checked* checked) {
  for (const ModelSource& model : bundle.models) {
    check_measured(bundle, model, checked);
  }
  const auto manifest = expr::parse_yaml(bundle.files.at("aios.yaml"), "aios.yaml");
  if (!manifest.ok()) {
    return;
  }
  Findings findings("aios.yaml", *manifest, checked);
  for (const auto& parameter : bundle.parameters) {
    if (!parameter.value().is_object()) {
      continue;
    }
    for (const LabelSet& set : sets) {
      check_table(std::string(parameter.key()), parameter.value().get_object(), set, &findings);
    }
  }
}

}  // namespace aios::bundle
