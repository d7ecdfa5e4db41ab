// SPDX-License-Identifier: Apache-2.0
// listen: parks the run until one event comes that fits. What the filter makes of the run's own
// data is known when it parks; what it asks of the event is asked when one comes.
#include "workflow/task_kind.h"

#include "core/text.h"

#include <fmt/format.h>

#include <utility>

namespace aios::workflow {
namespace {

enum class Read : std::uint8_t { data, envelope, raw };

struct Attribute {
  std::string name;
  Expression wanted;
};
struct Correlation {
  std::string from;
  Expression expect;
};

class ListenTask final : public TaskBody {
 public:
  std::string type;
  std::vector<Attribute> attributes;
  std::vector<Correlation> correlations;
  Read read = Read::data;

  Step start(TaskScope& scope) const override {
    Listen out;
    out.type = type;
    for (const auto& one : attributes) {
      auto wanted = scope.evaluate(one.wanted, Json(), {});
      if (wanted.ok() && is_fixed(one, *wanted)) {
        out.attributes[one.name] = std::move(*wanted);
      }
    }
    for (const auto& one : correlations) {
      JsonObject entry{{"from", one.from}};
      if (one.expect.present()) {
        auto expect = scope.evaluate(one.expect);
        if (!expect.ok()) {
          return scope.expression_failed(expect.error());
        }
        entry["expect"] = std::move(*expect);
      }
      out.correlations.emplace_back(std::move(entry));
    }
    return out;
  }

  /// Each attribute for itself: what an expression says of it, or is to be.
  bool fits(TaskScope& scope, const Json& event) const override {
    for (const auto& one : attributes) {
      const auto* found = find(event, one.name);
      const Json value = found == nullptr ? Json() : *found;
      auto wanted = scope.evaluate(one.wanted, value, {});
      if (!wanted.ok()) {
        return false;
      }
      const bool holds =
          wanted->is_bool() && !value.is_bool() ? wanted->get_bool() : *wanted == value;
      if (!holds) {
        return false;
      }
    }
    return true;
  }

  Step received(TaskScope& /*scope*/, Json event) const override {
    JsonArray events;
    events.push_back(as_read(std::move(event)));
    return Done{Json(std::move(events)), {}};
  }

 private:
  /// Of an expression without an event: a text cannot be an answer of yes or no.
  static bool is_fixed(const Attribute& one, const Json& wanted) {
    return one.wanted.constant() || wanted.is_string();
  }

  Json as_read(Json event) const {
    if (read == Read::envelope) {
      return event;
    }
    const auto* data = find(event, "data");
    const auto* bytes = find(event, "data_base64");
    if (read == Read::raw && data != nullptr) {
      return data->is_string() ? *data : Json(to_text(*data));
    }
    return data != nullptr ? *data : bytes != nullptr ? *bytes : Json();
  }
};

void load_filter(TaskLoader& loader, const Json& filter, const std::string& pointer,
                 ListenTask* out) {
  loader.only(filter, pointer, {"with", "correlate"});
  const auto at = pointer + "/with";
  const auto* with = loader.member(filter, pointer, "with", "object", true);
  const auto* type = with == nullptr ? nullptr : loader.member(*with, at, "type", "string", true);
  if (type == nullptr) {
    return;
  }
  out->type = std::string(view(type->get_string()));
  if (out->type.find("${") != std::string::npos) {
    loader.fail(at + "/type",
                "an expression for the type is not supported: events are found by it; write the "
                "type itself",
                1002);
  }
  loader.listens(out->type);
  for (const auto& one : with->get_object()) {
    if (one.key() == "type") {
      continue;
    }
    const std::string name(one.key());
    out->attributes.push_back({name, loader.expression(one.value(), fmt::format("{}/{}", at, name),
                                                       BareText::literal, {})});
  }
  const auto* correlate = loader.member(filter, pointer, "correlate", "object", false);
  if (correlate == nullptr) {
    return;
  }
  for (const auto& one : correlate->get_object()) {
    const auto place = fmt::format("{}/correlate/{}", pointer,
                                   std::string_view(one.key().data(), one.key().size()));
    loader.only(one.value(), place, {"from", "expect"});
    const auto* from = loader.member(one.value(), place, "from", "string", true);
    const auto* expect = loader.member(one.value(), place, "expect", "string", false);
    Correlation correlation;
    if (from != nullptr) {
      loader.extraction(*from, place + "/from");
      correlation.from = std::string(view(from->get_string()));
    }
    if (expect != nullptr) {
      correlation.expect = loader.expression(*expect, place + "/expect", BareText::literal, {});
    }
    out->correlations.push_back(std::move(correlation));
  }
}

Read read_of(TaskLoader& loader, const Json& listen, const std::string& place) {
  const auto* read = loader.member(listen, place, "read", "string", false);
  const auto text = read == nullptr ? std::string_view("data") : view(read->get_string());
  if (text != "data" && text != "envelope" && text != "raw") {
    loader.fail(place + "/read",
                fmt::format("found '{}', wanted data, envelope or raw", excerpt(text, 40)), 1001);
  }
  return text == "envelope" ? Read::envelope : text == "raw" ? Read::raw : Read::data;
}

std::unique_ptr<TaskBody> load(TaskLoader& loader, const Json& node, const std::string& pointer) {
  const auto* listen = loader.member(node, pointer, "listen", "object", true);
  if (listen == nullptr) {
    return nullptr;
  }
  if (find(node, "foreach") != nullptr) {
    loader.fail(pointer + "/foreach", "'foreach' is not supported; supported: listen.to.one", 1002);
    return nullptr;
  }
  const auto place = pointer + "/listen";
  loader.only(*listen, place, {"to", "read"});
  const auto* to = loader.member(*listen, place, "to", "object", true);
  if (to == nullptr) {
    return nullptr;
  }
  for (const auto* absent : {"all", "any", "until"}) {
    if (find(*to, absent) != nullptr) {
      loader.fail(fmt::format("{}/to/{}", place, absent),
                  "waiting for several events is not supported; supported: one", 1002);
      return nullptr;
    }
  }
  loader.only(*to, place + "/to", {"one"});
  const auto* one = loader.member(*to, place + "/to", "one", "object", true);
  auto out = std::make_unique<ListenTask>();
  out->read = read_of(loader, *listen, place);
  if (one != nullptr) {
    load_filter(loader, *one, place + "/to/one", out.get());
  }
  return out;
}

}  // namespace

void register_task_listen(TaskRegistry& registry) {
  registry.add({"listen", "Waits for an event.", {"listen", "foreach"}, load});
}

}  // namespace aios::workflow
