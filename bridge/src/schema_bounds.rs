// SPDX-License-Identifier: Apache-2.0
//! Bounds for JSON Schema. The library counts nothing: a schema that branches and refers to itself takes two to the
//! depth of the value, which whoever sends the value chooses. What can be repeated without end goes through a
//! reference, so each reference is put behind a keyword that counts and ends the evaluation.

use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use serde_json::{json, Map, Value};
use std::cell::Cell;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

pub const STEP: &str = "aios-step";
/// References that are followed to tell whether any value fits, and more for each byte of it.
const STEPS: usize = 1 << 19;
const STEPS_A_BYTE: usize = 2;
/// And to tell where it does not: each can make an error that holds others.
const STEPS_TOLD: usize = 1 << 14;
/// Characters of a text that is held against a pattern that looks around or back: its time grows with the square.
const SLOW_CHARACTERS_MAX: u64 = 10_000;
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
const BY_NAME: [&str; 6] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];
const VALUES: [&str; 4] = ["enum", "const", "default", "examples"];

thread_local! {
    static LEFT: Cell<usize> = const { Cell::new(0) };
}

struct Exhausted;

struct Count;

impl<'i> Keyword<'i> for Count {
    fn validate(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        self.is_valid(value);
        Ok(())
    }
    fn is_valid(&self, _: &'i Value) -> bool {
        match LEFT.get().checked_sub(1) {
            Some(left) => LEFT.set(left),
            None => resume_unwind(Box::new(Exhausted)),
        }
        true
    }
}

pub fn step<'a>(
    _: &'a Map<String, Value>,
    _: &'a Value,
    _: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    Ok(Box::new(Count))
}

/// Whether a value of so many bytes fits; nothing when the steps were not enough.
pub fn whether(bytes: usize, call: impl FnOnce() -> bool) -> Option<bool> {
    within(STEPS.saturating_add(bytes.saturating_mul(STEPS_A_BYTE)), call)
}

/// Where it does not; nothing when the steps were not enough.
pub fn told<T>(call: impl FnOnce() -> T) -> Option<T> {
    within(STEPS_TOLD, call)
}

fn within<T>(steps: usize, call: impl FnOnce() -> T) -> Option<T> {
    LEFT.set(steps);
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(made) => Some(made),
        Err(panic) if panic.is::<Exhausted>() => None,
        Err(panic) => resume_unwind(panic),
    }
}

/// What a schema says of the errors that one value can make.
#[derive(Default)]
pub struct Traits {
    pub branches: usize,
    pub slow_pattern: bool,
}

impl Traits {
    pub fn add(&mut self, other: Traits) {
        self.branches = self.branches.saturating_add(other.branches);
        self.slow_pattern |= other.slow_pattern;
    }
}

pub fn nodes(value: &Value) -> usize {
    let mut open = vec![value];
    let mut count = 0;
    while let Some(at) = open.pop() {
        count += 1;
        match at {
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => open.extend(fields.values()),
            _ => {}
        }
    }
    count
}

fn is_slow(pattern: &str) -> bool {
    let mut last = ' ';
    let refers = pattern.chars().any(|c| {
        let back = last == '\\' && (c.is_ascii_digit() || c == 'k' || c == 'g');
        last = if last == '\\' { ' ' } else { c };
        back
    });
    refers || ["(?=", "(?!", "(?<=", "(?<!", "(?>"].iter().any(|mark| pattern.contains(mark))
}

/// Before drafts of 2019 what stands beside a reference says nothing.
fn is_old(schema: &Value) -> bool {
    let draft = schema.get("$schema").and_then(Value::as_str).unwrap_or("");
    ["draft-04", "draft-06", "draft-07", "draft-03"].iter().any(|name| draft.contains(name))
}

fn count_references(schema: &mut Map<String, Value>, old: bool) {
    let silent = ["$schema", "$id", "id", "$comment", "$ref", "definitions", "$defs", "title", "description"];
    if old && !schema.keys().all(|name| silent.contains(&name.as_str())) {
        return;
    }
    let mut counted = vec![];
    for name in REFERENCES {
        if schema.get(name).is_some_and(Value::is_string) {
            counted.extend(schema.remove(name).map(|to| json!({name: to})));
        }
    }
    if counted.is_empty() {
        return;
    }
    counted.insert(0, json!({STEP: true}));
    match schema.get_mut("allOf") {
        Some(Value::Array(own)) => own.append(&mut counted),
        _ => drop(schema.insert("allOf".to_string(), Value::Array(counted))),
    }
}

fn prepare_object(schema: &mut Map<String, Value>, old: bool, traits: &mut Traits) {
    for name in ["anyOf", "oneOf", "enum"] {
        traits.branches += schema.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    }
    if schema.get("pattern").and_then(Value::as_str).is_some_and(is_slow) {
        traits.slow_pattern = true;
        let own = schema.get("maxLength").and_then(Value::as_u64).unwrap_or(SLOW_CHARACTERS_MAX);
        schema.insert("maxLength".to_string(), json!(own.min(SLOW_CHARACTERS_MAX)));
    }
    for (name, part) in schema.iter_mut().filter(|(name, _)| !VALUES.contains(&name.as_str())) {
        match part {
            Value::Object(parts) if BY_NAME.contains(&name.as_str()) => {
                parts.values_mut().for_each(|part| prepare_part(part, old, traits));
            }
            _ => prepare_part(part, old, traits),
        }
    }
    count_references(schema, old);
}

fn prepare_part(part: &mut Value, old: bool, traits: &mut Traits) {
    match part {
        Value::Object(schema) => prepare_object(schema, old, traits),
        Value::Array(parts) => parts.iter_mut().for_each(|part| prepare_part(part, old, traits)),
        _ => {}
    }
}

/// Puts each reference behind a step, and a bound on texts before each slow pattern.
pub fn prepare(schema: &mut Value) -> Traits {
    let mut traits = Traits { branches: 1, slow_pattern: false };
    let old = is_old(schema);
    prepare_part(schema, old, &mut traits);
    traits
}

/// The path of an evaluation as the schema was before: without what stands around its references.
pub fn as_written(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    let mut out: Vec<&str> = Vec::with_capacity(parts.len());
    for part in parts {
        if REFERENCES.contains(&part) && out.len() >= 2 && out[out.len() - 2] == "allOf" {
            out.truncate(out.len() - 2);
        }
        out.push(part);
    }
    out.join("/")
}
