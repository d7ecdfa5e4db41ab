// SPDX-License-Identifier: Apache-2.0
// What `review` steps ask: whom, until when, with which form, and for which data set.
#include "bundle/detail/steps.h"

#include "bundle/detail/names.h"
#include "core/time.h"
#include "govern/identity.h"
#include "review/bounds.h"
#include "review/review_info.h"

namespace aios::bundle {
namespace {

std::vector<std::string> names_in(const std::vector<LabelSet>& sets) {
  std::set<std::string> names;
  for (const LabelSet& set : sets) {
    names.insert(set.names.begin(), set.names.end());
  }
  return {names.begin(), names.end()};
}

/// Reviews::open() takes this member of an answer for the label.
std::string label_member(const Json& form) {
  return std::string(text_or(form, "x-label", "label"));
}

void check_assignees(const Json& with, const std::string& pointer, Findings* findings) {
  const Json* assignees = find(with, "assignees");
  if (assignees != nullptr && assignees->is_string() && !holds_expression(*assignees)) {
    findings->error(pointer + "/assignees", Code::invalid_argument,
                    fmt::format("found the text '{}' for 'assignees', wanted a list of roles",
                                excerpt(view(assignees->get_string()), 40)),
                    page_arguments);
    return;
  }
  if (assignees == nullptr || !assignees->is_array()) {
    return;
  }
  const auto roles = govern::Identity::role_names();
  for (std::size_t i = 0; i < assignees->get_array().size(); ++i) {
    const Json& one = assignees->get_array()[i];
    if (one.is_string() && !holds_expression(one)) {
      findings->expect("role", std::string(view(one.get_string())), roles,
                       fmt::format("{}/assignees/{}", pointer, i), 1104);
    }
  }
}

void check_due(const Json& with, const std::string& pointer, Findings* findings) {
  const std::string due = plain_text(with, "due");
  if (due.empty()) {
    return;
  }
  const auto parsed = parse_iso_duration(due);
  if (!parsed.ok() || parsed->count() <= 0) {
    findings->error(pointer + "/due", Code::invalid_argument,
                    fmt::format("found '{}' for 'due', wanted an ISO 8601 duration above zero, "
                                "such as P2D or PT8H",
                                excerpt(due, 40)),
                    page_arguments);
  }
}

/// A member that the running step reads with the same function.
template <class Read>
void check_member(const Json& with, const std::string& name, const std::string& pointer, Read read,
                  Findings* findings) {
  const Json* given = find(with, name);
  if (given == nullptr || holds_expression(*given)) {
    return;
  }
  if (auto taken = read(*given); !taken.ok()) {
    findings->error(pointer + "/" + name, Code::invalid_argument, taken.error().message(),
                    page_arguments);
  }
}

/// Times that grow, roles that are some, and with `fail` nothing behind the end.
void check_escalation(const Json& with, const std::string& pointer, Findings* findings) {
  const Json* given = find(with, "escalation");
  if (given == nullptr || !given->is_array()) {
    check_member(with, "escalation", pointer, review::escalation_of, findings);
    return;
  }
  const auto complain = [&](const std::string& place, std::string message) {
    findings->error(place, Code::invalid_argument, std::move(message), page_arguments);
  };
  const auto& steps = given->get_array();
  const std::string list = pointer + "/escalation";
  if (steps.size() > review::escalations_max) {
    complain(list, fmt::format("found {} entries in 'escalation', wanted at most {}", steps.size(),
                               review::escalations_max));
  }
  const auto due = parse_iso_duration(plain_text(with, "due"));
  const bool fails = plain_text(with, "onTimeout") == "fail";
  Duration before{0};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::string place = fmt::format("{}/{}", list, i);
    check_assignees(steps[i], place, findings);
    if (texts_of(find(steps[i], "assignees")).empty() && !holds_expression(steps[i])) {
      complain(place, "found an entry of 'escalation' without 'assignees', wanted a list of roles");
    }
    if (const Json* time = find(steps[i], "after"); time != nullptr && holds_expression(*time)) {
      continue;
    }
    const auto after = parse_iso_duration(text_or(steps[i], "after", ""));
    if (!after.ok() || *after <= before) {
      complain(place + "/after",
               fmt::format("found '{}' for 'after', wanted an ISO 8601 duration above {}",
                           excerpt(text_or(steps[i], "after", ""), 40),
                           before.count() == 0 ? "zero" : to_iso_duration(before)));
    } else if (fails && due.ok() && *after > *due) {
      complain(place + "/after", fmt::format("found '{}' for 'after', but the step fails after {}",
                                             to_iso_duration(*after), to_iso_duration(*due)));
    }
    before = after.ok() ? std::max(before, *after) : before;
  }
}

/// Where a value of a form stands: JSON is YAML too, unless it is indented with tabs.
class FormFile {
 public:
  FormFile(const Bundle& bundle, const std::string& form, Checked* checked)
      : path_(fmt::format("forms/{}.json", form)),
        document_(read(bundle, path_)),
        findings_(path_, document_, checked) {}
  Findings& findings() { return findings_; }

 private:
  static expr::YamlDocument read(const Bundle& bundle, const std::string& path) {
    const auto file = bundle.files.find(path);
    if (file != bundle.files.end()) {
      auto document = expr::parse_yaml(file->second, path);
      if (document.ok()) {
        return std::move(*document);
      }
    }
    expr::YamlDocument top;
    top.positions.add("", {1, 1}, {});
    return top;
  }

  std::string path_;
  expr::YamlDocument document_;
  Findings findings_;
};

/// "x-label" must lead to a property.
void check_label_member(const Bundle& bundle, const std::string& name, const Json& form,
                        Checked* checked) {
  const Json* properties = find(form, "properties");
  if (find(form, "x-label") == nullptr || properties == nullptr || !properties->is_object()) {
    return;
  }
  const std::string member = label_member(form);
  FormFile file(bundle, name, checked);
  file.findings().expect("property", member, keys_of(properties), "/x-label", page_labels);
}

/// Labels that nobody can answer with, where the form lists what one can.
void check_offered(const Bundle& bundle, const std::string& name, const Json& form,
                   const LabelSet& set, Checked* checked) {
  std::string pointer = "/properties";
  expr::append_pointer(pointer, label_member(form));
  pointer += "/enum";
  const Json* values = at_pointer(form, pointer);
  if (values == nullptr || !values->is_array()) {
    return;
  }
  std::set<std::string> missing = set.labels;
  std::vector<std::string> others;  // what may be misspelt
  for (const Json& value : values->get_array()) {
    const std::string offered(value.is_string() ? view(value.get_string()) : "");
    if (missing.erase(offered) == 0) {
      others.push_back(offered);
    }
  }
  FormFile file(bundle, name, checked);
  constexpr std::size_t told_max = 12;
  std::size_t told = 0;
  for (const std::string& label : missing) {
    if (++told > told_max) {
      file.findings().warn(
          pointer, Code::not_found,
          fmt::format("{} more labels of {} are not offered", missing.size() - told_max, set.path),
          page_labels);
      return;
    }
    const std::string near = nearest_name(label, others);
    file.findings().warn(
        pointer, Code::not_found,
        fmt::format("the label '{}' of {} is not offered, so a review that suggests it cannot be "
                    "answered so{}",
                    label, set.path, near.empty() ? "" : fmt::format("; found '{}'", near)),
        page_labels);
  }
}

}  // namespace

std::string form_of(const Json& with) {
  std::string form = plain_text(with, "form");
  if (form.ends_with(".json")) {
    form.resize(form.size() - 5);
  }
  return form;
}

void check_review(const Json& with, const std::string& pointer, const Bundle& bundle,
                  const std::vector<LabelSet>& sets, AskedForms* asked, Findings* findings) {
  check_assignees(with, pointer, findings);
  check_due(with, pointer, findings);
  check_member(with, "onTimeout", pointer, review::on_timeout_of, findings);
  check_member(with, "priority", pointer, review::priority_of, findings);
  if (plain_text(with, "onTimeout") == "fail" && find(with, "due") == nullptr) {
    findings->error(pointer + "/onTimeout", Code::invalid_argument,
                    "found onTimeout 'fail' without 'due', wanted both", page_arguments);
  }
  check_escalation(with, pointer, findings);
  const std::string dataset = plain_text(with, "dataset");
  const auto form = bundle.forms.find(form_of(with));
  if (dataset.empty()) {
    return;
  }
  const auto known = names_in(sets);
  if (!known.empty() && std::find(known.begin(), known.end(), dataset) == known.end()) {
    findings->warn(pointer + "/dataset", Code::not_found,
                   fmt::format("corrections go to a data set '{}', from which no model of the "
                               "bundle learns{}",
                               dataset, hint(dataset, known)),
                   page_labels);
  }
  if (form == bundle.forms.end() || !form->second.is_object()) {
    return;
  }
  asked->emplace(form->first, dataset);
  const std::string member = label_member(form->second);
  const Json* properties = find(form->second, "properties");
  const bool named = find(form->second, "x-label") != nullptr;  // check_forms() looks at that
  if (!named && (properties == nullptr || find(*properties, member) == nullptr)) {
    findings->error(pointer + "/form", Code::not_found,
                    fmt::format("the form '{}' has no property '{}' and no 'x-label' that names "
                                "another: what is the label for the data set '{}'?",
                                form->first, member, dataset),
                    page_labels);
  }
}

void check_forms(const Bundle& bundle, const std::vector<LabelSet>& sets, const AskedForms& asked,
                 Checked* checked) {
  for (const auto& [name, form] : bundle.forms) {
    check_label_member(bundle, name, form, checked);
  }
  for (const auto& [name, dataset] : asked) {
    for (const LabelSet& set : sets) {
      if (std::find(set.names.begin(), set.names.end(), dataset) != set.names.end()) {
        check_offered(bundle, name, bundle.forms.at(name), set, checked);
      }
    }
  }
}

}  // namespace aios::bundle
