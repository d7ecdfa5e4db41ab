// SPDX-License-Identifier: Apache-2.0
//! Bounds for the built-ins. The engine counts instructions and looks at the clock between them, but one call of a
//! built-in is one instruction: `numbers.range(1, 1e12)` would take a core and all memory without either noticing.
//! Each built-in is therefore reached through a guard that refuses what would cost too much before it runs, and
//! charges what it made to the evaluation. A refusal ends the evaluation: a rule must not read it as undefined.

use regorus::unstable::{BuiltinFcn, Expr, Ref, Source, Span, BUILTINS};
use regorus::{Engine, LimitError, Value};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// Elements a range or an expanded network may have.
const ELEMENTS_MAX: u64 = 1 << 16;
/// Bytes one text may grow to in one call.
const TEXT_BYTES_MAX: u64 = 4 << 20;
/// Steps of a built-in that compares everything with everything: well below a second.
const STEPS_MAX: u64 = 1 << 26;
/// Bits of a whole number: what is longer takes long to write in decimal.
const NUMBER_BITS_MAX: u64 = 4096;
/// Of ten.
const EXPONENT_MAX: u64 = 1000;
const WIDTH_MAX: u64 = 10_000;
/// Nodes of a value that is walked as a whole. A value may share its parts, so its tree can be far larger than it.
const NODES_MAX: u64 = 1 << 19;
/// What the built-ins of one evaluation may make, in bytes; an element counts as 16.
const MADE_BYTES_MAX: u64 = 64 << 20;
const GRAPH_NODES_MAX: usize = 1000;
const GRAPH_VISITS_MAX: u64 = 20_000;

type Guard = fn(&Span, &[Ref<Expr>], &[Value], bool) -> anyhow::Result<Value>;

thread_local! {
    static MADE: Cell<u64> = const { Cell::new(0) };
    static REFUSAL: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Begins the account of an evaluation on this thread.
pub fn begin() {
    MADE.set(0);
    REFUSAL.set(None);
}

/// Why a built-in was refused since begin().
pub fn refusal() -> Option<String> {
    REFUSAL.take()
}

fn over(what: &str, found: u64, most: u64) -> Result<(), String> {
    if found > most {
        return Err(format!("{found} {what}, at most {most} are taken"));
    }
    Ok(())
}

/// What a value is as a tree; the walk stops at the bound.
#[derive(Default)]
pub struct Size {
    pub nodes: u64,
    pub text_bytes: u64,
}

/// Refuses a value whose tree is too large to be walked, or that holds a number too long to be written.
pub fn measure(value: &Value) -> Result<Size, String> {
    let mut size = Size::default();
    let mut open = vec![value];
    while let Some(at) = open.pop() {
        size.nodes += 1;
        over("nodes in a value", size.nodes + open.len() as u64, NODES_MAX)?;
        match at {
            Value::String(text) => {
                size.text_bytes += text.len() as u64;
                over("bytes of text in a value", size.text_bytes, MADE_BYTES_MAX)?;
            }
            Value::Number(number) if number.is_integer() && number.as_i64().is_none() && number.as_u64().is_none() => {
                let bits = number.as_big().map_or(0, |big| big.bits());
                over("bits in a number", bits, NUMBER_BITS_MAX)?;
            }
            Value::Array(items) => {
                over("nodes in a value", size.nodes + items.len() as u64, NODES_MAX)?;
                open.extend(items.iter());
            }
            Value::Set(items) => {
                over("nodes in a value", size.nodes + items.len() as u64, NODES_MAX)?;
                open.extend(items.iter());
            }
            Value::Object(fields) => {
                over("nodes in a value", size.nodes + 2 * fields.len() as u64, NODES_MAX)?;
                fields.iter().for_each(|(key, field)| open.extend([key, field]));
            }
            _ => {}
        }
    }
    Ok(size)
}

fn length(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.len() as u64,
        Value::Array(items) => items.len() as u64,
        Value::Set(items) => items.len() as u64,
        Value::Object(fields) => fields.len() as u64,
        _ => 0,
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

fn range(from: &Value, to: &Value, step: u64) -> Result<(), String> {
    let (Value::Number(_), Value::Number(_)) = (from, to) else { return Ok(()) };
    let (Some(from), Some(to)) = (whole(from), whole(to)) else {
        return Err(format!("a range that is no range of 64-bit numbers, at most {ELEMENTS_MAX} elements are taken"));
    };
    over("elements", from.abs_diff(to) / step.max(1) + 1, ELEMENTS_MAX)
}

fn network(value: &Value) -> Result<(), String> {
    let Value::String(text) = value else { return Ok(()) };
    let Some((address, prefix)) = text.split_once('/') else { return Ok(()) };
    let all: u32 = if address.contains(':') { 128 } else { 32 };
    let free = all.saturating_sub(prefix.trim().parse().unwrap_or(all));
    over("addresses", 1u64.checked_shl(free.min(63)).unwrap_or(u64::MAX), ELEMENTS_MAX)
}

/// The widths and precisions of a format: each run of digits after a percent sign.
fn widths(format: &Value) -> Result<(), String> {
    let Value::String(format) = format else { return Ok(()) };
    for verb in format.split('%').skip(1) {
        let digits = verb.trim_start_matches(|c: char| "+-# .".contains(c));
        let width = digits.chars().map_while(|c| c.to_digit(10)).try_fold(0u64, |all, digit| {
            Some(all * 10 + u64::from(digit)).filter(|width| *width <= u64::from(u32::MAX))
        });
        over("characters of width", width.unwrap_or(u64::MAX), WIDTH_MAX)?;
        // The engine reads any numeric character here and knows ASCII digits only.
        if digits.chars().next().is_some_and(|c| c.is_numeric() && !c.is_ascii_digit()) {
            return Err("a width that is not written in ASCII digits".to_string());
        }
    }
    Ok(())
}

/// A number in scientific form is written out, digit by digit.
fn exponent(text: &Value) -> Result<(), String> {
    let Value::String(text) = text else { return Ok(()) };
    for (at, _) in text.match_indices(['e', 'E']) {
        let digits = text[at + 1..].trim_start_matches(|c: char| "+-_".contains(c));
        let tens = digits.chars().filter(|c| *c != '_').map_while(|c| c.to_digit(10)).try_fold(0u64, |all, digit| {
            Some(all * 10 + u64::from(digit)).filter(|tens| *tens <= u64::from(u32::MAX))
        });
        over("as an exponent", tens.unwrap_or(u64::MAX), EXPONENT_MAX)?;
    }
    Ok(())
}

fn texts(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.len() as u64,
        Value::Array(items) => items.iter().map(length).sum(),
        Value::Set(items) => items.iter().map(length).sum(),
        Value::Object(fields) => fields.iter().map(|(key, field)| length(key) + length(field)).sum(),
        _ => 0,
    }
}

/// Walks as `graph.reachable_paths` does, with a bound; deep graphs would also take its stack.
fn paths(graph: &Value, from: &Value) -> Result<(), String> {
    let Value::Object(graph) = graph else { return Ok(()) };
    over("vertices", graph.len() as u64, GRAPH_NODES_MAX as u64)?;
    let neighbours = |value: &Value| -> Vec<Value> {
        match value {
            Value::Array(items) => items.iter().cloned().collect(),
            Value::Set(items) => items.iter().cloned().collect(),
            _ => Vec::new(),
        }
    };
    let mut open: Vec<(Value, bool)> = neighbours(from).into_iter().map(|node| (node, true)).collect();
    let mut on_path: BTreeSet<Value> = BTreeSet::new();
    let mut visits = 0;
    while let Some((node, enter)) = open.pop() {
        if !enter {
            on_path.remove(&node);
            continue;
        }
        visits += 1 + on_path.len() as u64 / 16;
        over("steps along paths", visits, GRAPH_VISITS_MAX)?;
        let Some(next) = graph.get(&node) else { continue };
        if on_path.insert(node.clone()) {
            open.push((node, false));
            open.extend(neighbours(next).into_iter().map(|neighbour| (neighbour, true)));
        }
    }
    Ok(())
}

fn product(a: u64, b: u64) -> u64 {
    a.saturating_add(1).saturating_mul(b.saturating_add(1))
}

/// What a call would cost, before it runs.
fn check(name: &str, args: &[Value]) -> Result<(), String> {
    // These look at the top of their argument only.
    let shallow = ["count", "object.get", "object.keys", "array.slice", "type_name", "array.concat", "array.reverse"];
    if !shallow.contains(&name) && !name.starts_with("is_") {
        for arg in args {
            measure(arg)?;
        }
    }
    match (name, args) {
        ("numbers.range", [from, to]) => range(from, to, 1),
        ("numbers.range_step", [from, to, step]) => range(from, to, whole(step).unwrap_or(1).unsigned_abs()),
        ("bits.lsh", [_, shift]) => over("bits to shift", whole(shift).map_or(u64::MAX, i64::unsigned_abs), NUMBER_BITS_MAX),
        ("net.cidr_expand", [net]) => network(net),
        ("sprintf", [format, _]) => widths(format),
        ("concat", [between, parts]) => {
            over("bytes of text", texts(parts).saturating_add(length(between).saturating_mul(length(parts))), TEXT_BYTES_MAX)
        }
        ("replace", [text, old, new]) => {
            over("bytes of text", product(length(text) / length(old).max(1), length(new)), TEXT_BYTES_MAX)
        }
        ("strings.replace_n", [patterns, text]) => {
            over("bytes of text", product(length(text), texts(patterns)), STEPS_MAX)
        }
        ("regex.replace", [text, _, new]) => over("bytes of text", product(length(text), length(new)), TEXT_BYTES_MAX),
        ("regex.match" | "regex.split", [pattern, text]) | ("regex.find_n", [pattern, text, _]) => {
            over("steps", product(length(pattern), length(text)), STEPS_MAX)
        }
        ("json.marshal_with_options", [value, options]) => {
            let nodes = measure(value)?.nodes;
            over("bytes of text", product(nodes, texts(options).saturating_mul(nodes.ilog2().into())), TEXT_BYTES_MAX)
        }
        ("json.patch", [_, operations]) => over("operations", length(operations), WIDTH_MAX),
        ("product", [factors]) => over("factors", length(factors), 1000),
        ("to_number", [text]) => over("bytes of text", length(text), 1000),
        ("units.parse" | "units.parse_bytes", [text]) => {
            over("bytes of text", length(text), 1000)?;
            exponent(text)
        }
        ("graph.reachable_paths", [graph, from]) => paths(graph, from),
        ("object.subset" | "strings.any_prefix_match" | "strings.any_suffix_match" | "object.remove" | "object.filter"
        | "json.remove" | "json.filter" | "trim" | "trim_left" | "trim_right" | "indexof" | "indexof_n" | "glob.match", _) => {
            let work = args.iter().map(|arg| length(arg).max(texts(arg))).fold(1, product);
            over("steps", work, STEPS_MAX)
        }
        _ => Ok(()),
    }
}

fn charge(value: &Value) -> Result<(), String> {
    let bytes = match value {
        Value::String(text) => text.len() as u64,
        Value::Array(_) | Value::Set(_) => length(value).saturating_mul(16),
        Value::Object(_) => length(value).saturating_mul(32),
        _ => 0,
    };
    MADE.set(MADE.get().saturating_add(bytes));
    over("bytes made by built-ins", MADE.get(), MADE_BYTES_MAX)
}

fn refuse_call<T>(name: &str, why: String) -> anyhow::Result<T> {
    REFUSAL.with_borrow_mut(|first| {
        first.get_or_insert_with(|| format!("built-in {name} is refused: {why}"));
    });
    // The one kind of error the engine never turns into undefined.
    Err(LimitError::MemoryLimitExceeded { usage: MADE.get(), limit: MADE_BYTES_MAX }.into())
}

fn all() -> &'static [(&'static str, BuiltinFcn)] {
    static ALL: OnceLock<Vec<(&'static str, BuiltinFcn)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: Vec<_> = BUILTINS.iter().map(|(name, builtin)| (*name, *builtin)).collect();
        all.sort_by_key(|(name, _)| *name);
        all
    })
}

fn guarded<const SLOT: usize>(span: &Span, params: &[Ref<Expr>], args: &[Value], strict: bool) -> anyhow::Result<Value> {
    let (name, builtin) = all()[SLOT];
    if let Err(why) = check(name, args) {
        return refuse_call(name, why);
    }
    let made = builtin.0(span, params, args, strict)?;
    match charge(&made) {
        Ok(()) => Ok(made),
        Err(why) => refuse_call(name, why),
    }
}

// The engine takes plain functions, so each slot needs one of its own.
macro_rules! slots {
    ($($ten:literal)*) => {
        [$(guarded::<{ $ten * 10 }>, guarded::<{ $ten * 10 + 1 }>, guarded::<{ $ten * 10 + 2 }>, guarded::<{ $ten * 10 + 3 }>,
           guarded::<{ $ten * 10 + 4 }>, guarded::<{ $ten * 10 + 5 }>, guarded::<{ $ten * 10 + 6 }>,
           guarded::<{ $ten * 10 + 7 }>, guarded::<{ $ten * 10 + 8 }>, guarded::<{ $ten * 10 + 9 }>),*]
    };
}
const SLOTS: [Guard; 200] = slots!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);

/// The guarded form of a built-in; nothing when there is none of that name (or no slot for it).
pub fn guard_of(name: &str) -> Option<BuiltinFcn> {
    let slot = all().binary_search_by_key(&name, |(name, _)| name).ok()?;
    SLOTS.get(slot).map(|guard| (*guard, all()[slot].1 .1))
}

fn call(name: &str, args: &[Value]) -> anyhow::Result<Value> {
    thread_local! {
        static NOWHERE: Option<Span> = Source::from_contents("<builtin>".to_string(), String::new())
            .ok()
            .map(|source| Span { source, line: 1, col: 1, start: 0, end: 0 });
    }
    let Some((guard, _)) = guard_of(name) else { return refuse_call(name, "it has no guard".to_string()) };
    NOWHERE.with(|nowhere| {
        let Some(span) = nowhere else { return refuse_call(name, "it has no place".to_string()) };
        let param = || Ref::new(Expr::Null { span: span.clone(), value: Value::Null, eidx: 0 });
        let params: Vec<Ref<Expr>> = args.iter().map(|_| param()).collect();
        guard(span, &params, args, true)
    })
}

/// The interpreter asks extensions before it asks its own table, so each built-in is registered again, guarded.
pub fn guard_interpreter(engine: &mut Engine) -> anyhow::Result<()> {
    // The interpreter treats these itself, and none of them can grow.
    let own = ["trace", "walk", "time.now_ns", "rand.intn", "uuid.rfc4122", "opa.runtime"];
    for (name, (_, count)) in all().iter().filter(|(name, _)| !own.contains(name)) {
        let name: &'static str = name;
        engine.add_extension(name.to_string(), *count, Box::new(move |args: Vec<Value>| call(name, &args)))?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "bounds_test.rs"]
mod bounds_test;
