// SPDX-License-Identifier: Apache-2.0
//! JSON Schema: compiled once, validated many times, never a fetch.

use crate::schema_bounds::{self as bounds, Traits};
use crate::{refuse, Answer, Failure};
use jsonschema::{Draft, Registry, ValidationError, Validator};
use serde_json::{json, Value};

/// Backtracking steps one `pattern` may take on one text.
const REGEX_STEPS_MAX: usize = 100_000;
const REGEX_BYTES_MAX: usize = 4 << 20;

/// Errors that may be made to find those that are told; beyond, the first one is told alone.
const ERRORS_MADE_MAX: usize = 1 << 18;

pub struct Schema {
    validator: Validator,
    traits: Traits,
}

fn parse(text: &str, what: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::Refused(vec![json!({
            "message": format!("{what} is not JSON: {error}"),
            "file": "", "line": error.line(), "column": error.column(),
        })])
    })
}

fn unplaced(message: &str) -> Vec<Value> {
    vec![json!({"message": message, "instance_path": "", "schema_path": "", "evaluation_path": "", "keyword": ""})]
}

fn issue(error: &ValidationError<'_>) -> Value {
    json!({
        "message": error.to_string(),
        "instance_path": error.instance_path().as_str(),
        "schema_path": error.schema_path().as_str(),
        "evaluation_path": bounds::as_written(error.evaluation_path().as_str()),
        "keyword": error.kind().keyword(),
    })
}

impl Schema {
    pub fn compile(
        text: &str,
        base_uri: &str,
        known: &[(&str, &str)],
        check_formats: bool,
    ) -> Result<Schema, Failure> {
        let mut schema = parse(text, "the schema")?;
        let mut traits = bounds::prepare(&mut schema);
        let mut documents = Vec::with_capacity(known.len());
        for (uri, document) in known {
            let mut document = parse(document, uri)?;
            traits.add(bounds::prepare(&mut document));
            documents.push(((*uri).to_string(), document));
        }
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .retriever(Offline)
            .extend(documents)
            .and_then(|builder| builder.prepare())
            .map_err(|error| refuse(error.to_string()))?;
        let mut options = jsonschema::options()
            .with_registry(&registry)
            .with_retriever(Offline)
            .should_validate_formats(check_formats)
            .with_keyword(bounds::STEP, bounds::step)
            .with_pattern_options(
                jsonschema::PatternOptions::fancy_regex()
                    .backtrack_limit(REGEX_STEPS_MAX)
                    .size_limit(REGEX_BYTES_MAX),
            );
        if !base_uri.is_empty() {
            options = options.with_base_uri(base_uri.to_string());
        }
        let validator = options.build(&schema).map_err(|error| Failure::Refused(vec![issue(&error)]))?;
        Ok(Schema { validator, traits })
    }

    pub fn validate(&self, text: &str, errors_max: usize) -> Answer {
        let document = parse(text, "the document")?;
        match bounds::whether(text.len(), || self.validator.is_valid(&document)) {
            Some(true) => return Ok(Vec::new()),
            Some(false) => {}
            None => return Err(Failure::Refused(unplaced("it takes too many steps to tell whether it fits"))),
        }
        Err(Failure::Refused(self.issues(&document, errors_max.max(1))))
    }

    /// All errors are made before the first one is there, so of what breaks a schema everywhere the first is made alone.
    fn issues(&self, document: &Value, count: usize) -> Vec<Value> {
        let few = !self.traits.slow_pattern
            && bounds::nodes(document).saturating_mul(self.traits.branches) <= ERRORS_MADE_MAX;
        let all = || self.validator.iter_errors(document).take(count).map(|e| issue(&e)).collect();
        let first = || self.validator.validate(document).err().iter().map(issue).collect();
        few.then(|| bounds::told(all))
            .flatten()
            .or_else(|| bounds::told(first))
            .unwrap_or_else(|| unplaced("it does not fit; it takes too many steps to tell where"))
    }
}

/// Refuses every document that was not handed over.
struct Offline;

impl jsonschema::Retrieve for Offline {
    fn retrieve(
        &self,
        uri: &jsonschema::Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("schema '{uri}' is not among the known documents; nothing is fetched").into())
    }
}
