// SPDX-License-Identifier: Apache-2.0
#include "govern/detail/reads.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace aios::govern::detail {
namespace {

enum class Kind : std::uint8_t { end, name, text, symbol };

struct Token {
  Kind kind = Kind::end;
  std::string_view text;  // of a text: without its quotes
  bool plain = true;      // text without escapes and without interpolation
  bool adjacent = false;  // nothing between it and the token before
  std::size_t at = 0;
};

bool starts_name(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool in_name(char c) { return starts_name(c) || (c >= '0' && c <= '9'); }

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Token next() {
    const std::size_t before = at_;
    skip_blank();
    Token token;
    token.adjacent = at_ == before;
    token.at = at_;
    if (at_ == text_.size()) {
      return token;
    }
    const char c = text_[at_];
    if (c == '"' || c == '`') {
      scan_text(c, token);
    } else if (starts_name(c)) {
      const auto end =
          std::find_if_not(text_.begin() + static_cast<std::ptrdiff_t>(at_), text_.end(), in_name);
      token.kind = Kind::name;
      token.text = text_.substr(at_, static_cast<std::size_t>(end - text_.begin()) - at_);
      at_ += token.text.size();
    } else {
      token.kind = Kind::symbol;
      token.text = text_.substr(at_++, 1);
    }
    return token;
  }

 private:
  void skip_blank() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (std::strchr(" \t\r\n", text_[at_]) != nullptr && text_[at_] != '\0') {
        ++at_;
      } else {
        return;
      }
    }
  }

  void scan_text(char quote, Token& token) {
    token.kind = Kind::text;
    // $"... {input.x} ..." holds expressions: no use of it is understood here.
    token.plain = at_ == 0 || text_[at_ - 1] != '$';
    const std::size_t from = ++at_;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && quote == '"') {
        token.plain = false;
        ++at_;
      }
      ++at_;
    }
    at_ = std::min(at_, text_.size());
    token.text = text_.substr(from, at_ - from);
    at_ = std::min(at_ + 1, text_.size());
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::vector<Token> scan(std::string_view text) {
  std::vector<Token> tokens;
  Scanner scanner(text);
  for (Token token = scanner.next(); token.kind != Kind::end; token = scanner.next()) {
    tokens.push_back(token);
  }
  tokens.resize(tokens.size() + 4);  // looking ahead never leaves the list
  return tokens;
}

bool is_symbol(const Token& token, char c) {
  return token.kind == Kind::symbol && token.text[0] == c;
}

// `.name` or `["name"]` without blanks; 0 when the path ends here.
std::size_t link_length(const std::vector<Token>& tokens, std::size_t at) {
  if (!tokens[at].adjacent || !tokens[at + 1].adjacent) {
    return 0;
  }
  if (is_symbol(tokens[at], '.') && tokens[at + 1].kind == Kind::name) {
    return 2;
  }
  const bool literal = is_symbol(tokens[at], '[') && tokens[at + 1].kind == Kind::text &&
                       tokens[at + 1].plain && is_symbol(tokens[at + 2], ']');
  return literal ? 3 : 0;
}

// `object.get(input, "name", ...)` reads one member, as written by those who want a default.
bool is_default_get(const std::vector<Token>& tokens, std::size_t input) {
  return input >= 4 && is_symbol(tokens[input - 1], '(') && tokens[input - 2].text == "get" &&
         is_symbol(tokens[input - 3], '.') && tokens[input - 4].text == "object" &&
         (input < 5 || !is_symbol(tokens[input - 5], '.')) && is_symbol(tokens[input + 1], ',') &&
         tokens[input + 2].kind == Kind::text && tokens[input + 2].plain;
}

void add_path(const std::vector<Token>& tokens, std::size_t input, ReadTree& tree) {
  if (is_default_get(tokens, input)) {
    tree.members[std::string(tokens[input + 2].text)].whole = true;
    return;
  }
  ReadTree* node = &tree;
  std::size_t at = input + 1;
  for (std::size_t length = link_length(tokens, at); length != 0;
       length = link_length(tokens, at)) {
    node = &node->members[std::string(tokens[at + 1].text)];
    at += length;
  }
  node->whole = true;
}

// The built-ins whose answer is not a function of their arguments.
bool is_unstable(const std::vector<Token>& tokens, std::size_t at) {
  constexpr std::array<std::string_view, 4> unstable_families = {"rand", "uuid", "http", "opa"};
  const std::string_view name = tokens[at].text;
  if (!is_symbol(tokens[at + 1], '.')) {
    return false;
  }
  const std::string_view member = tokens[at + 2].text;
  return std::find(unstable_families.begin(), unstable_families.end(), name) !=
             unstable_families.end() ||
         (name == "time" && member == "now_ns") || (name == "net" && member == "lookup_ip_addr");
}

void append_number(std::uint64_t value, std::string& image) {
  image.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void append_text(std::string_view text, std::string& image) {
  append_number(text.size(), image);
  image.append(text);
}

// A byte for the kind, then the bytes of the value; lengths before what has one.
void append_whole(const Json& value, std::string& image) {
  image.push_back(static_cast<char>(value.kind()));
  switch (value.kind()) {
    case boost::json::kind::null: return;
    case boost::json::kind::bool_: image.push_back(value.get_bool() ? 1 : 0); return;
    case boost::json::kind::int64:
      append_number(static_cast<std::uint64_t>(value.get_int64()), image);
      return;
    case boost::json::kind::uint64: append_number(value.get_uint64(), image); return;
    case boost::json::kind::double_: {
      std::uint64_t bits = 0;
      const double number = value.get_double();
      std::memcpy(&bits, &number, sizeof(bits));
      append_number(bits, image);
      return;
    }
    case boost::json::kind::string: append_text(view(value.get_string()), image); return;
    case boost::json::kind::array:
      append_number(value.get_array().size(), image);
      for (const Json& item : value.get_array()) {
        append_whole(item, image);
      }
      return;
    case boost::json::kind::object:
      append_number(value.get_object().size(), image);
      for (const auto& member : value.get_object()) {
        append_text({member.key().data(), member.key().size()}, image);
        append_whole(member.value(), image);
      }
      return;
  }
}

}  // namespace

const ReadTree* ReadTree::find(std::string_view member) const {
  if (whole) {
    return this;
  }
  const auto at = members.find(member);
  return at == members.end() ? nullptr : &at->second;
}

void add_reads(std::string_view rego_text, Reads& reads) {
  const std::vector<Token> tokens = scan(rego_text);
  for (std::size_t at = 0; tokens[at].kind != Kind::end; ++at) {
    const Token& token = tokens[at];
    const bool interpolated = token.kind == Kind::text && at > 0 && is_symbol(tokens[at - 1], '$');
    if (interpolated) {
      reads.input.whole = true;
      reads.unstable = true;
    }
    const bool member = at > 0 && is_symbol(tokens[at - 1], '.');
    if (token.kind != Kind::name || member) {
      continue;
    }
    if (token.text == "input") {
      add_path(tokens, at, reads.input);
    }
    reads.unstable = reads.unstable || is_unstable(tokens, at);
  }
}

PackageName package_of(std::string_view rego_text) {
  const std::vector<Token> tokens = scan(rego_text);
  PackageName package;
  if (tokens[0].text != "package" || tokens[1].kind != Kind::name) {
    return package;
  }
  package.path = tokens[1].text;
  std::size_t at = 2;
  for (std::size_t length = link_length(tokens, at); length != 0;
       length = link_length(tokens, at)) {
    package.path += '.';
    package.path += tokens[at + 1].text;
    at += length;
  }
  const std::string_view before = rego_text.substr(0, tokens[1].at);
  const std::size_t newline = before.rfind('\n');
  package.line = static_cast<std::uint32_t>(1 + std::count(before.begin(), before.end(), '\n'));
  package.column = static_cast<std::uint32_t>(
      1 + before.size() - (newline == std::string_view::npos ? 0 : newline + 1));
  return package;
}

void append_image(const Json& value, const ReadTree& tree, std::string& image) {
  if (tree.whole || !value.is_object()) {
    append_whole(value, image);
    return;
  }
  image.push_back(static_cast<char>(boost::json::kind::object));
  const JsonObject& object = value.get_object();
  for (const auto& [name, below] : tree.members) {
    const Json* member = object.if_contains(name);
    image.push_back(member != nullptr ? 1 : 0);
    if (member != nullptr) {
      append_image(*member, below, image);
    }
  }
}

Json project(const Json& value, const ReadTree& tree) {
  if (tree.whole || !value.is_object()) {
    return value;
  }
  JsonObject projected;
  for (const auto& [name, below] : tree.members) {
    const Json* member = value.get_object().if_contains(name);
    if (member != nullptr) {
      projected[name] = project(*member, below);
    }
  }
  return projected;
}

}  // namespace aios::govern::detail
