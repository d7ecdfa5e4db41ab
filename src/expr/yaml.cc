// SPDX-License-Identifier: Apache-2.0
#include "expr/yaml.h"

#include "core/text.h"
#include "expr/detail/yaml_mistake.h"
#include "expr/detail/yaml_scalar.h"
#include "expr/scalar_place.h"

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <optional>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace aios::expr {
namespace {

/// yaml-cpp counts columns in bytes; people count characters. Marks come nearly in order, so each
/// is counted from the last one of its line.
class Places {
 public:
  explicit Places(std::string_view text) {
    starts_.push_back(text);
    for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
      starts_.push_back(text.substr(at + 1));
    }
  }

  Position of(const YAML::Mark& mark) {
    auto line = static_cast<std::size_t>(mark.line);
    auto byte = static_cast<std::size_t>(mark.column);
    if (mark.is_null() || line >= starts_.size()) {
      return {};
    }
    if (line != line_ || byte < byte_) {
      line_ = line;
      byte_ = 0;
      column_ = 1;
    }
    for (; byte_ < byte && byte_ < starts_[line].size(); ++byte_) {
      column_ += (static_cast<unsigned char>(starts_[line][byte_]) & 0xC0) != 0x80 ? 1 : 0;
    }
    return {static_cast<std::uint32_t>(line + 1), column_};
  }

  /// Of a byte of the text.
  Position at(std::size_t offset) {
    YAML::Mark mark;
    while (static_cast<std::size_t>(mark.line) + 1 < starts_.size() &&
           starts_[mark.line + 1].size() + offset >= starts_[0].size()) {
      ++mark.line;
    }
    mark.column = static_cast<int>(offset - (starts_[0].size() - starts_[mark.line].size()));
    return of(mark);
  }

  std::string_view from(const YAML::Mark& mark) const {
    const auto line = static_cast<std::size_t>(mark.line);
    const auto byte = static_cast<std::size_t>(mark.column);
    return mark.is_null() || line >= starts_.size() || byte > starts_[line].size()
               ? std::string_view()
               : starts_[line].substr(byte);
  }

 private:
  std::vector<std::string_view> starts_;  // the text from each line on
  std::size_t line_ = 0;
  std::size_t byte_ = 0;
  std::uint32_t column_ = 1;
};

/// Leaves yaml-cpp's parser; caught in parse_yaml and nowhere else.
struct Refusal {
  Position place;
  std::string message;
  bool limit = false;
};

struct Expansion {
  Json value;
  std::size_t nodes = 0;
  std::size_t depth = 0;
};

/// An array or object under construction.
struct Open {
  Json value;
  bool is_object = false;
  YAML::anchor_t anchor = 0;
  Position place;
  std::optional<std::string> key;  // read, its value not yet
  Position key_place;
  std::size_t nodes = 1;
  std::size_t depth = 1;
  std::size_t pointer_length = 0;
};

/// Whether a text that begins with a quote has the one that closes it.
bool closed(std::string_view text) {
  const char quote = text.empty() ? ' ' : text.front();
  if (quote != '"' && quote != '\'') {
    return true;
  }
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      if (quote == '"' || at + 1 == text.size() || text[at + 1] != quote) {
        return true;
      }
      ++at;  // '' stands for one of them
    }
  }
  return false;
}

class Builder final : public YAML::EventHandler {
 public:
  Builder(const YamlLimits& limits, Places& places) : limits_(limits), places_(places) {}
  YamlDocument take() {
    // yaml-cpp takes an open quote whose text ends with a line for a closed one
    if (!closed(places_.from(last_scalar_))) {
      throw Refusal{places_.of(last_scalar_), "the quote that opens here is not closed"};
    }
    return {std::move(root_), std::move(positions_)};
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      throw Refusal{places_.of(mark), "found a second document, wanted one"};
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto place = places_.of(mark);
    if (wants_key()) {
      throw Refusal{place, "found a null key, wanted text"};
    }
    add(nullptr, place, anchor, 1, 0);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto place = places_.of(mark);
    if (wants_key()) {
      throw Refusal{place, "found an alias as a key, wanted text"};
    }
    auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw Refusal{place, "found an alias inside its own anchor"};
    }
    check_depth(place, found->second.depth);
    count(place, found->second.nodes);  // before the copy is made
    add(found->second.value, place, 0, found->second.nodes, found->second.depth);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& written) override {
    auto place = places_.of(mark);
    const std::string text = detail::yaml_text(written);
    last_scalar_ = mark;
    if (wants_key()) {
      take_key(place, tag, text);
      return;
    }
    count(place, 1);
    add(scalar(place, tag, text), place, anchor, 1, 0);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(places_.of(mark), tag, anchor, false);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(places_.of(mark), tag, anchor, true);
  }
  void OnMapEnd() override { close(); }

 private:
  bool wants_key() const { return !open_.empty() && open_.back().is_object && !open_.back().key; }

  void count(Position place, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > limits_.nodes_max) {
      throw Refusal{place, fmt::format("more than {} values", limits_.nodes_max), true};
    }
  }

  void check_depth(Position place, std::size_t more) const {
    if (open_.size() + more > limits_.depth_max) {
      throw Refusal{place, fmt::format("nested more than {} levels deep", limits_.depth_max), true};
    }
  }

  void take_key(Position place, const std::string& tag, const std::string& text) {
    auto& at = open_.back();
    if (text == "<<" && tag == "?") {
      throw Refusal{place,
                    "found a merge key '<<', which YAML 1.2 does not have; write the members"};
    }
    if (at.value.get_object().contains(text)) {
      throw Refusal{place, fmt::format("found the key '{}' a second time", excerpt(text, 60))};
    }
    at.key = text;
    at.key_place = place;
  }

  static Json scalar(Position place, const std::string& tag, const std::string& text) {
    constexpr std::string_view core = "tag:yaml.org,2002:";
    if (tag == "!" || tag == "tag:yaml.org,2002:str") {
      return Json(text);
    }
    bool plain = tag == "?" || tag.empty();
    auto name = tag.starts_with(core) ? std::string_view(tag).substr(core.size()) : "";
    if ((plain || name == "null") && detail::is_yaml_null(text)) {
      return nullptr;
    }
    if (plain || name == "bool") {
      if (auto truth = detail::yaml_bool(text)) {
        return *truth;
      }
    }
    if ((plain || name == "float") && detail::is_yaml_non_finite(text)) {
      throw Refusal{place, fmt::format("found {}, which is no JSON number", text)};
    }
    if (plain && detail::is_yaml_beyond_double(text)) {
      throw Refusal{place, fmt::format("found the number {}, which is beyond a JSON number; "
                                       "a text stands in quotes",
                                       excerpt(text, 40))};
    }
    if (plain || name == "int" || name == "float") {
      if (auto number = detail::yaml_number(text)) {
        return std::move(*number);
      }
    }
    if (!plain) {
      throw Refusal{place, fmt::format("found tag '{}' on '{}', wanted a tag of the core schema "
                                       "that fits",
                                       excerpt(tag, 60), excerpt(text, 40))};
    }
    return Json(text);
  }

  void open(Position place, const std::string& tag, YAML::anchor_t anchor, bool is_object) {
    if (wants_key()) {
      throw Refusal{place, "found a collection as a key, wanted text"};
    }
    std::string_view wanted = is_object ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq";
    if (!tag.empty() && tag != "?" && tag != "!" && tag != wanted) {
      throw Refusal{place, fmt::format("found unknown tag '{}'", excerpt(tag, 60))};
    }
    check_depth(place, 1);
    count(place, 1);
    Open next;
    next.value = is_object ? Json(JsonObject()) : Json(JsonArray());
    next.is_object = is_object;
    next.anchor = anchor;
    next.place = place;
    next.pointer_length = pointer_.size();
    if (!open_.empty()) {
      push_pointer();
    }
    open_.push_back(std::move(next));
  }

  void push_pointer() {
    const auto& at = open_.back();
    append_pointer(pointer_, at.is_object ? *at.key : std::to_string(at.value.get_array().size()));
  }

  void close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    pointer_.resize(done.pointer_length);
    add(std::move(done.value), done.place, done.anchor, done.nodes, done.depth);
  }

  void add(Json value, Position place, YAML::anchor_t anchor, std::size_t nodes,
           std::size_t depth) {
    if (anchor != 0) {
      anchors_[anchor] = Expansion{value, nodes, depth};
    }
    if (open_.empty()) {
      positions_.add("", place, {});
      root_ = std::move(value);
      return;
    }
    auto length = pointer_.size();
    push_pointer();
    auto& at = open_.back();
    at.nodes += nodes;
    at.depth = std::max(at.depth, depth + 1);
    if (at.is_object) {
      positions_.add(pointer_, place, at.key_place);
      at.value.get_object().emplace(*at.key, std::move(value));
      at.key.reset();
    } else {
      positions_.add(pointer_, place, {});
      at.value.get_array().push_back(std::move(value));
    }
    pointer_.resize(length);
  }

  const YamlLimits& limits_;
  Places& places_;
  Json root_;
  Positions positions_;
  YAML::Mark last_scalar_ = YAML::Mark::null_mark();
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Expansion> anchors_;
  std::string pointer_;
  std::size_t nodes_ = 0;
  std::size_t documents_ = 0;
};

Error refused(std::string_view file, const Refusal& refusal) {
  auto code = refusal.limit ? Code::resource_exhausted : Code::invalid_argument;
  return Error(code, refusal.message)
      .page(refusal.limit ? 101 : 100)
      .at(file, refusal.place.line, refusal.place.column);
}

}  // namespace

std::optional<Position> YamlDocument::inside(std::string_view pointer, std::string_view text,
                                             std::size_t offset) const {
  return place_in_scalar(source, positions.of(pointer), text, offset);
}

Result<YamlDocument> parse_yaml(std::string_view text, std::string_view file,
                                const YamlLimits& limits) {
  if (text.size() > limits.bytes_max) {
    auto message =
        fmt::format("found {} bytes of YAML, at most {} are taken", text.size(), limits.bytes_max);
    return refused(file, {{}, std::move(message), true});
  }
  if (!is_utf8(text)) {
    return refused(file, {{}, "found bytes that are not UTF-8"});
  }
  Places places(text);
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    // not only none of YAML's characters: yaml-cpp would take what follows for another encoding
    return refused(file, {places.at(nul), "found a NUL character, which no YAML text has"});
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(limits, places);
    while (parser.HandleNextDocument(builder)) {}
    YamlDocument document = builder.take();
    document.source = text;
    return document;
  } catch (const Refusal& refusal) {
    return refused(file, refusal);
  } catch (const YAML::DeepRecursion& deep) {
    return refused(file, {places.of(deep.mark), "nested too deep for the parser", true});
  } catch (const YAML::Exception& wrong) {
    auto mistake = detail::yaml_mistake(text, places.of(wrong.mark), ascii_lower(wrong.msg));
    return refused(file, {mistake.place, std::move(mistake.message)});
  } catch (const std::exception& wrong) {
    return refused(file, {{}, wrong.what()});
  }
}

}  // namespace aios::expr
