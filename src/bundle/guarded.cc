// SPDX-License-Identifier: Apache-2.0
// What the guard would deny each time, because no rule of the policies could allow it
// (docs/guide/policy-inputs.md).
#include "bundle/detail/findings.h"
#include "bundle/detail/layout.h"

#include <map>

namespace aios::bundle {
namespace {

constexpr int page_no_rule = 505;
constexpr int page_layout = 1113;

/// A point, by the package that is asked there.
struct Point {
  std::string_view package;
  bool needed = false;  ///< without that package the point is denied
  std::string_view what;
};
constexpr Point event_admit = {"event_admit", false, "events of this type"};
constexpr Point pre_model_call = {"pre_model_call", true, "this model call"};
constexpr Point connector_egress = {"connector_egress", true, "any call of this connector"};
constexpr Point http_egress = {"connector_egress", true, "this call"};
constexpr Point review_assign = {"review_assign", false, "this review"};
constexpr Point model_promote = {"model_promote", true,
                                 "the promotion of any version of this model"};

class Guarded {
 public:
  explicit Guarded(const govern::Guard& guard) : guard_(guard) {}

  /// One warning a point, where it is met first.
  void expect(const Point& point, const std::string& pointer, Findings* findings) {
    if (!told_.emplace(point.package, pointer).second || possible(point)) {
      return;
    }
    const bool there = has(fmt::format("aios/{}", point.package));
    findings->warn(pointer, Code::failed_precondition,
                   there ? fmt::format("no policy can allow {}: the package aios.{} has no rule "
                                       "'allow' or 'escalate'",
                                       point.what, point.package)
                         : fmt::format("no policy can allow {}: policies/*.rego have no package "
                                       "aios.{}",
                                       point.what, point.package),
                   page_layout);
  }

 private:
  bool has(const std::string& path) const {
    const auto answer =
        guard_.query(system_context(default_tenant(), "check"), path, Json(JsonObject()));
    return answer.ok() || answer.error().page() != page_no_rule;
  }
  bool possible(const Point& point) const {
    const std::string package = fmt::format("aios/{}", point.package);
    return has(package + "/allow") || has(package + "/escalate") ||
           (!point.needed && !has(package));
  }

  const govern::Guard& guard_;
  std::map<std::string, std::string, std::less<>> told_;
};

void check_steps(const Json& node, const std::string& pointer, Guarded* guarded,
                 Findings* findings) {
  if (node.is_object()) {
    const std::string_view call = text_or(node, "call", "");
    if (call.starts_with("infer:")) {
      guarded->expect(pre_model_call, pointer + "/call", findings);
    } else if (call.starts_with("review:")) {
      guarded->expect(review_assign, pointer + "/call", findings);
    } else if (call == "http" || call.starts_with("http:")) {
      guarded->expect(http_egress, pointer + "/call", findings);
    }
    for (const auto& member : node.get_object()) {
      std::string below = pointer;
      expr::append_pointer(below, member.key());
      check_steps(member.value(), below, guarded, findings);
    }
  } else if (node.is_array()) {
    for (std::size_t i = 0; i < node.get_array().size(); ++i) {
      check_steps(node.get_array()[i], fmt::format("{}/{}", pointer, i), guarded, findings);
    }
  }
}

void check_file(const std::string& path, const expr::YamlDocument& document, Guarded* guarded,
                Checked* checked) {
  Findings findings(path, document, checked);
  if (path.starts_with("connectors/") || path.starts_with("subscriptions/")) {
    guarded->expect(connector_egress, "/name", &findings);
  } else if (find(document.value, "provider") != nullptr) {
    return;  // nothing is promoted; the steps that ask it are looked at
  } else if (path.starts_with("models/")) {
    guarded->expect(model_promote, "/name", &findings);
  } else {
    const std::string trigger = "/schedule/on/one/with/type";
    if (at_pointer(document.value, trigger) != nullptr) {
      guarded->expect(event_admit, trigger, &findings);
    }
    check_steps(document.value, "", guarded, &findings);
  }
}

}  // namespace

void check_guarded(const Bundle& bundle, const govern::Guard& guard, Checked* checked) {
  Guarded guarded(guard);
  for (const auto& [path, text] : bundle.files) {
    const bool asks = (path.starts_with("connectors/") && path.ends_with("/connector.yaml")) ||
                      (path.starts_with("models/") && path.ends_with(".yaml")) ||
                      (path.starts_with("subscriptions/") && path.ends_with(".yaml")) ||
                      (path.starts_with("workflows/") && path.ends_with(".yaml"));
    if (!asks) {
      continue;
    }
    const auto document = expr::parse_yaml(text, path);
    if (document.ok()) {
      check_file(path, *document, &guarded, checked);
    }
  }
}

}  // namespace aios::bundle
