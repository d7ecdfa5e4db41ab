// SPDX-License-Identifier: Apache-2.0
// Built-ins written in jq; compiled into a program when it uses them.
#include "expr/detail/jq_natives.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aios::expr::detail {
namespace {

struct Definition {
  std::string_view name;
  std::size_t arity;
  std::string_view text;
};

// clang-format off
constexpr std::array definitions = {
Definition{"values", 0, "def values: select(. != null);"},
Definition{"nulls", 0, "def nulls: select(. == null);"},
Definition{"booleans", 0, R"(def booleans: select(type == "boolean");)"},
Definition{"numbers", 0, R"(def numbers: select(type == "number");)"},
Definition{"strings", 0, R"(def strings: select(type == "string");)"},
Definition{"arrays", 0, R"(def arrays: select(type == "array");)"},
Definition{"objects", 0, R"(def objects: select(type == "object");)"},
Definition{"iterables", 0, R"(def iterables: select(type == "array" or type == "object");)"},
Definition{"scalars", 0, R"(def scalars: select(type != "array" and type != "object");)"},
Definition{"finites", 0, "def finites: select(isinfinite or isnan | not);"},
Definition{"normals", 0, "def normals: select(isnormal);"},
Definition{"recurse", 0, "def recurse: def r: ., (.[]? | r); r;"},
Definition{"recurse", 1, "def recurse(f): def r: ., (f | r); r;"},
Definition{"recurse", 2, "def recurse(f; cond): def r: ., (f | select(cond) | r); r;"},
Definition{"map_values", 1, "def map_values(f): .[] |= f;"},
Definition{"with_entries", 1, "def with_entries(f): to_entries | map(f) | from_entries;"},
Definition{"paths", 0, "def paths: path(..) | select(length > 0);"},
Definition{"paths", 1, R"(
def paths(f): . as $top | paths | select(. as $p | $top | getpath($p) | f);)"},
Definition{"leaf_paths", 0, "def leaf_paths: paths(scalars);"},
Definition{"del", 1, "def del(f): delpaths([path(f)]);"},
Definition{"pick", 1, R"(
def pick(f): . as $top | reduce path(f) as $p (null; setpath($p; $top | getpath($p)));)"},
Definition{"_assign", 2, R"(
def _assign(paths; $value): reduce path(paths) as $p (.; setpath($p; $value));)"},
Definition{"add", 1, "def add(f): reduce f as $x (null; . + $x);"},
Definition{"any", 0, "def any: any(.[]; .);"},
Definition{"any", 1, "def any(f): any(.[]; f);"},
Definition{"any", 2, "def any(g; f): isempty(first(g | f or empty)) | not;"},
Definition{"all", 0, "def all: all(.[]; .);"},
Definition{"all", 1, "def all(f): all(.[]; f);"},
Definition{"all", 2, "def all(g; f): isempty(first(g | f and empty));"},
Definition{"isempty", 1, "def isempty(g): label $go | (g | false, break $go), true;"},
Definition{"isvalid", 1, "def isvalid(f): try (f | true) catch false;"},
Definition{"in", 1, "def in(xs): . as $x | xs | has($x);"},
Definition{"inside", 1, "def inside(xs): . as $x | xs | contains($x);"},
Definition{"while", 2, "def while(cond; f): def r: if cond then ., (f | r) else empty end; r;"},
Definition{"until", 2, "def until(cond; f): def r: if cond then . else (f | r) end; r;"},
Definition{"repeat", 1, "def repeat(f): def r: f, r; r;"},
Definition{"limit", 2, R"(
def limit($n; f): if $n > 0 then label $out | foreach f as $x (0; . + 1; $x, if . >= $n
  then break $out else empty end) elif $n == 0 then empty else
  error("limit doesn't support negative count") end;)"},
Definition{"skip", 2, R"(
def skip($n; f): if $n > 0 then foreach f as $x ($n; . - 1; if . < 0 then $x else empty
  end) elif $n == 0 then f else error("skip doesn't support negative count") end;)"},
Definition{"first", 0, "def first: .[0];"},
Definition{"last", 0, "def last: .[-1];"},
Definition{"last", 1, "def last(f): reduce f as $x ([]; [$x]) | .[];"},
Definition{"nth", 1, "def nth($n): .[$n];"},
Definition{"nth", 2, R"(
def nth($n; f): if $n < 0 then error("nth doesn't support negative indices") else
  first(skip($n; f)) end;)"},
Definition{"flatten", 0, "def flatten: flatten(1e9);"},
Definition{"sort_by", 1, "def sort_by(f): _sort_by(map([f]));"},
Definition{"group_by", 1, "def group_by(f): _group_by(map([f]));"},
Definition{"unique_by", 1, "def unique_by(f): _unique_by(map([f]));"},
Definition{"min_by", 1, "def min_by(f): _min_by(map([f]));"},
Definition{"max_by", 1, "def max_by(f): _max_by(map([f]));"},
Definition{"reverse", 0, R"(
def reverse: if type == "string" then explode | _reverse | implode else _reverse end;)"},
Definition{"indices", 1, R"(
def indices($i): if type == "array" and ($i | type) == "array" then .[$i] elif type ==
  "array" then .[[$i]] elif . == null then null else _strindices($i) end;)"},
Definition{"index", 1, "def index($i): indices($i) | .[0];"},
Definition{"rindex", 1, "def rindex($i): indices($i) | .[-1];"},
Definition{"combinations", 0, R"(
def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as
  $rest | [$x] + $rest end;)"},
Definition{"combinations", 1, R"(
def combinations(n): . as $top | [range(n)] | map($top) | combinations;)"},
Definition{"walk", 1, R"(
def walk(f): def w: if type == "object" then map_values(w) elif type == "array" then
  map(w) else . end | f; w;)"},
Definition{"toarray", 0, R"(def toarray: if type == "array" then . else [.] end;)"},
Definition{"abs", 0, R"(def abs: if type == "number" and . < 0 then -. else . end;)"},
Definition{"trimstr", 1, "def trimstr($x): ltrimstr($x) | rtrimstr($x);"},
Definition{"ascii", 0, "def ascii: [.] | implode;"},
Definition{"todate", 0, R"(def todate: strftime("%Y-%m-%dT%H:%M:%SZ");)"},
Definition{"fromdate", 0, "def fromdate: fromdateiso8601;"},
Definition{"date", 0, "def date: todate;"},
Definition{"todateiso8601", 0, "def todateiso8601: todate;"},
Definition{"fromdateiso8601", 0, R"(
def fromdateiso8601: strptime("%Y-%m-%dT%H:%M:%SZ") | mktime;)"},
Definition{"dateadd", 2, "def dateadd(unit; n): . + n;"},
Definition{"datesub", 2, "def datesub(unit; n): . - n;"},
Definition{"match", 1, R"(
def match($re): ($re | type) as $t | if $t == "string" then match($re; null) elif $t ==
  "array" and ($re | length) > 1 then match($re[0]; $re[1]) elif $t == "array" and ($re |
  length) > 0 then match($re[0]; null) else error($t + " not a string or array") end;)"},
Definition{"match", 2, "def match(re; flags): _match(re; flags; false) | .[];"},
Definition{"test", 1, R"(
def test($re): ($re | type) as $t | if $t == "string" then test($re; null) elif $t ==
  "array" and ($re | length) > 1 then test($re[0]; $re[1]) elif $t == "array" and ($re |
  length) > 0 then test($re[0]; null) else error($t + " not a string or array") end;)"},
Definition{"test", 2, "def test(re; flags): _match(re; flags; true);"},
Definition{"_captures", 0, R"(
def _captures: [.captures[] | select(.name != null) | {key: .name, value: .string}] |
  from_entries;)"},
Definition{"capture", 1, "def capture($re): match($re) | _captures;"},
Definition{"capture", 2, "def capture(re; flags): match(re; flags) | _captures;"},
Definition{"scan", 1, "def scan($re): scan($re; null);"},
Definition{"scan", 2, R"(
def scan($re; $flags): match($re; "g" + $flags) | if (.captures | length) > 0 then
  [.captures[].string] else .string end;)"},
Definition{"split", 2, R"(
def split($re; flags): . as $s | [foreach ((match($re; flags + "g") | [.offset, .length]),
  null) as $m ([0, null]; if $m == null then [.[0], $s[.[0]:]] else [$m[0] + $m[1],
  $s[.[0]:$m[0]]] end; .[1])];)"},
Definition{"splits", 1, "def splits($re): splits($re; null);"},
Definition{"splits", 2, "def splits($re; flags): split($re; flags) | .[];"},
Definition{"sub", 2, R"(def sub($re; f): sub($re; f; "");)"},
Definition{"sub", 3, R"(
def sub($re; f; $flags): . as $in | (reduce match($re; $flags) as $m ({parts: [], at: 0};
  $in[.at:$m.offset] as $gap | [$m | _captures | f] as $new | reduce range($new | length)
  as $i (.; .parts[$i] += $gap + $new[$i]) | .at = $m.offset + $m.length)) | .parts[] +
  $in[.at:] // $in;)"},
Definition{"gsub", 2, R"(def gsub($re; f): sub($re; f; "g");)"},
Definition{"gsub", 3, R"(def gsub($re; f; $flags): sub($re; f; $flags + "g");)"},
Definition{"tostream", 0, R"(
def tostream: path(def r: (.[]? | r), .; r) as $p | getpath($p) | reduce path(.[]?) as $q
  ([$p, .]; [$p + $q]);)"},
Definition{"fromstream", 1, R"(
def fromstream(f): {x: null, e: false} as $init | foreach f as $i ($init; if .e then $init
  else . end | if ($i | length) == 2 then setpath(["e"]; ($i[0] | length) == 0) |
  setpath(["x"] + $i[0]; $i[1]) else setpath(["e"]; ($i[0] | length) == 1) end; if .e then
  .x else empty end);)"},
Definition{"truncate_stream", 1, R"(
def truncate_stream(stream): . as $n | null | stream | . as $input | if (.[0] | length) >
  $n then setpath([0]; .[0][$n:]) else empty end;)"},
Definition{"IN", 1, "def IN(s): any(s == .; .);"},
Definition{"IN", 2, "def IN(source; s): any(source == s; .);"},
Definition{"INDEX", 1, "def INDEX(f): INDEX(.[]; f);"},
Definition{"INDEX", 2, R"(
def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);)"},
Definition{"JOIN", 2, "def JOIN($index; f): [.[] | [., $index[f]]];"},
Definition{"JOIN", 3, "def JOIN($index; stream; f): stream | [., $index[f]];"},
Definition{"JOIN", 4, "def JOIN($index; stream; f; joined): stream | [., $index[f]] | joined;"},
Definition{"debug", 1, "def debug(message): (message | empty), .;"},
Definition{"input_line_number", 0, "def input_line_number: 0;"},
Definition{"input_filename", 0, "def input_filename: null;"},
Definition{"have_literal_numbers", 0, "def have_literal_numbers: true;"},
Definition{"have_decnum", 0, "def have_decnum: false;"},
};
// clang-format on

// What the compiler turns into instructions.
constexpr std::array<std::string_view, 15> specials = {
    "empty/0", "select/1", "map/1",    "path/1",   "getpath/1", "first/1", "range/1", "range/2",
    "range/3", "debug/0",  "stderr/0", "inputs/0", "true/0",    "false/0", "null/0"};

}  // namespace

std::string_view library_definition(std::string_view name, std::size_t arity) {
  auto found = std::find_if(definitions.begin(), definitions.end(),
                            [name, arity](const Definition& definition) {
                              return definition.arity == arity && definition.name == name;
                            });
  return found == definitions.end() ? std::string_view() : found->text;
}

std::vector<std::string> builtin_names() {
  std::vector<std::string> names(specials.begin(), specials.end());
  for (const auto& definition : definitions) {
    if (definition.name.front() != '_') {
      names.push_back(fmt::format("{}/{}", definition.name, definition.arity));
    }
  }
  append_native_names(&names);
  return names;
}

}  // namespace aios::expr::detail
