// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/bundle_policy.h"

#include "core/crypto.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace aios::govern::detail {
namespace {

constexpr std::array<std::string_view, 4> kOwnMembers = {"labels", "point", "principal", "tenant"};
constexpr std::array<std::pair<DataLabel, std::string_view>, 4> kLabels = {{
    {DataLabel::personal, "personal"},
    {DataLabel::redacted, "redacted"},
    {DataLabel::confidential, "confidential"},
    {DataLabel::untrusted, "untrusted"},
}};
constexpr std::string_view kRoot = "aios";

// Points of which a bundle may say nothing: what happens there has passed another point or leads to
// one.
bool open_without_package(GuardPoint point) {
  return point == GuardPoint::event_admit || point == GuardPoint::post_model_call ||
         point == GuardPoint::review_assign || point == GuardPoint::incident_settle;
}

Result<void> check_packages(const std::vector<PolicyFile>& files) {
  std::vector<std::string> known;
  for (const GuardPoint point : guard_points) {
    known.push_back(fmt::format("{}.{}", kRoot, name_of(point)));
  }
  for (const PolicyFile& file : files) {
    const PackageName package = package_of(file.text);
    const bool ours = package.path == kRoot || package.path.starts_with("aios.");
    if (!ours || package.path.ends_with("_test") ||
        std::find(known.begin(), known.end(), package.path) != known.end()) {
      continue;
    }
    return Error(Code::invalid_argument, fmt::format("package '{}' is no guard point{}",
                                                     package.path, hint(package.path, known)))
        .page(503)
        .at(file.path, package.line, package.column);
  }
  return {};
}

std::string digest_of_bundle(const std::vector<PolicyFile>& files, const Json& params) {
  std::vector<const PolicyFile*> sorted;
  for (const PolicyFile& file : files) {
    sorted.push_back(&file);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->path < b->path; });
  std::string image;
  for (const PolicyFile* file : sorted) {
    image += fmt::format("{} {}\n{} {}\n", file->path.size(), file->path, file->text.size(),
                         to_hex(view(sha256(file->text))));
  }
  return to_hex(view(sha256(image, to_hex(view(sha256(image_of(params)))))));
}

JsonArray labels_of(const Context& ctx) {
  JsonArray labels;
  for (const auto& [label, name] : kLabels) {
    if (ctx.has(label)) {
      labels.emplace_back(name);
    }
  }
  return labels;
}

JsonObject principal_of(const Context& ctx) {
  if (!ctx.principal) {
    return {{"id", ""}, {"kind", ""}, {"roles", JsonArray()}};
  }
  const auto& roles = ctx.principal->roles;
  return {{"id", ctx.principal->id},
          {"kind", ctx.principal->kind},
          {"roles", JsonArray(roles.begin(), roles.end())}};
}

void append_sized(std::string_view text, std::string& key) {
  const auto size = static_cast<std::uint32_t>(text.size());
  key.append(reinterpret_cast<const char*>(&size), sizeof(size));
  key.append(text);
}

void append_principal(const Principal* principal, const ReadTree& reads, std::string& key) {
  key.push_back(principal != nullptr ? 1 : 0);
  if (principal == nullptr) {
    return;
  }
  if (reads.find("id") != nullptr) {
    append_sized(principal->id, key);
  }
  if (reads.find("kind") != nullptr) {
    append_sized(principal->kind, key);
  }
  if (reads.find("roles") != nullptr) {
    for (const std::string& role : principal->roles) {
      append_sized(role, key);
    }
    append_sized("", key);
  }
}

}  // namespace

std::string image_of(const Json& value) {
  auto canonical = to_canonical_text(value);
  return canonical.ok() ? std::move(*canonical) : to_text(value);
}

bool is_test_file(const PolicyFile& file) { return file.path.ends_with("_test.rego"); }

JsonObject data_of(const Json& params) {
  JsonObject data;
  if (!params.is_null()) {
    data["params"] = params;
  }
  return data;
}

JsonObject input_of(const Asked& asked) {
  JsonObject input = asked.facts;
  input["point"] = name_of(asked.point);
  input["tenant"] = JsonObject{{"id", asked.ctx.tenant.text()}, {"region", asked.region}};
  input["principal"] = principal_of(asked.ctx);
  input["labels"] = labels_of(asked.ctx);
  return input;
}

Result<std::shared_ptr<BundlePolicy>> BundlePolicy::load(const std::vector<PolicyFile>& files,
                                                         const Json& params) {
  auto checked = check_packages(files);
  if (!checked.ok()) {
    return std::move(checked).error();
  }
  std::vector<PolicyFile> running;
  std::copy_if(files.begin(), files.end(), std::back_inserter(running),
               [](const PolicyFile& file) { return !is_test_file(file); });
  auto rego = Rego::compile(running, data_of(params));
  if (!rego.ok()) {
    return std::move(rego).error();
  }
  auto policy = std::make_shared<BundlePolicy>();
  policy->rego_ = std::move(*rego);
  policy->digest_ = digest_of_bundle(files, params);
  for (const PolicyFile& file : running) {
    add_reads(file.text, policy->reads_);
    policy->texts_ += file.text;
  }
  for (const GuardPoint point : guard_points) {
    policy->has_point_[static_cast<std::size_t>(point)] =
        policy->rego_->has(fmt::format("data.{}.{}", kRoot, name_of(point)));
  }
  return policy;
}

// The tenant needs no mention: each has a cache of its own.
void BundlePolicy::append_key(const Asked& asked, std::string& key) const {
  key.push_back(static_cast<char>(asked.point));
  append_sized(asked.region, key);
  if (const ReadTree* principal = reads_.input.find("principal"); principal != nullptr) {
    append_principal(asked.ctx.principal.get(), *principal, key);
  }
  if (reads_.input.find("labels") != nullptr) {
    key.append(reinterpret_cast<const char*>(&asked.ctx.labels), sizeof(asked.ctx.labels));
  }
  if (reads_.input.whole) {
    append_image(asked.facts, reads_.input, key);
    return;
  }
  for (const auto& [name, below] : reads_.input.members) {
    if (std::find(kOwnMembers.begin(), kOwnMembers.end(), name) != kOwnMembers.end()) {
      continue;
    }
    const Json* member = asked.facts.if_contains(name);
    key.push_back(member != nullptr ? 1 : 0);
    if (member != nullptr) {
      append_image(*member, below, key);
    }
  }
}

std::shared_ptr<const PolicyAnswer> BundlePolicy::find(const Asked& asked, bool& hit) {
  hit = false;
  if (reads_.unstable) {
    return evaluate(asked);
  }
  std::string key;
  key.reserve(512);
  append_key(asked, key);
  auto known = cache_.get(key);
  if (known) {
    hit = true;
    return known;
  }
  auto answer = evaluate(asked);
  cache_.put(key, answer);
  return answer;
}

/// A whole sentence between quotes in the policies says nothing of the input but that a rule fired;
/// a single word may be the input's own.
bool BundlePolicy::stands_in_text(const std::string& reason) const {
  return reason.find(' ') != std::string::npos &&
         texts_.find('"' + reason + '"') != std::string::npos;
}

std::shared_ptr<const PolicyAnswer> BundlePolicy::evaluate(const Asked& asked) const {
  const Json input = project(input_of(asked), reads_.input);
  auto answer = std::make_shared<PolicyAnswer>();
  const std::string_view name = name_of(asked.point);
  if (!has_point_[static_cast<std::size_t>(asked.point)]) {
    *answer = denied(fmt::format("the bundle has no package aios.{}", name));
    if (open_without_package(asked.point)) {
      answer->verdict = Verdict::allow;
      answer->reasons.clear();
      answer->fixed_reasons.clear();
    }
  } else {
    auto rules = rego_->evaluate(fmt::format("data.{}.{}", kRoot, name), to_text(input));
    if (rules.ok() && rules->has_value()) {
      *answer = answer_of(asked.point, **rules);
      if (answer->fixed_reasons.empty()) {
        std::copy_if(answer->reasons.begin(), answer->reasons.end(),
                     std::back_inserter(answer->fixed_reasons),
                     [this](const std::string& reason) { return stands_in_text(reason); });
      }
    } else {
      *answer = denied(fmt::format("policy aios.{} gave no answer", name));
      if (!rules.ok()) {  // an evaluation's error may quote what it was given
        answer->reasons.front() += ": " + rules.error().text();
        answer->fixed_reasons.clear();
      }
    }
  }
  answer->input = std::make_shared<const std::string>(image_of(input));
  answer->input_digest = to_hex(view(sha256(*answer->input)));
  return answer;
}

}  // namespace aios::govern::detail
