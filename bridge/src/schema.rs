// SPDX-License-Identifier: Apache-2.0
//! JSON Schema: compiled once, validated many times, never a fetch.

use crate::{refuse, Answer, Failure};
use jsonschema::{Draft, Registry, ValidationError, Validator};
use serde_json::{json, Value};

/// Backtracking steps one `pattern` may take on one text.
const REGEX_STEPS_MAX: usize = 100_000;
const REGEX_BYTES_MAX: usize = 4 << 20;

pub struct Schema {
    validator: Validator,
}

fn parse(text: &str, what: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::Refused(vec![json!({
            "message": format!("{what} is not JSON: {error}"),
            "file": "", "line": error.line(), "column": error.column(),
        })])
    })
}

fn issue(error: &ValidationError<'_>) -> Value {
    json!({
        "message": error.to_string(),
        "instance_path": error.instance_path().as_str(),
        "schema_path": error.schema_path().as_str(),
        "evaluation_path": error.evaluation_path().as_str(),
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
        let schema = parse(text, "the schema")?;
        let mut documents = Vec::with_capacity(known.len());
        for (uri, document) in known {
            documents.push(((*uri).to_string(), parse(document, uri)?));
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
            .with_pattern_options(
                jsonschema::PatternOptions::fancy_regex()
                    .backtrack_limit(REGEX_STEPS_MAX)
                    .size_limit(REGEX_BYTES_MAX),
            );
        if !base_uri.is_empty() {
            options = options.with_base_uri(base_uri.to_string());
        }
        let validator = options.build(&schema).map_err(|error| Failure::Refused(vec![issue(&error)]))?;
        Ok(Schema { validator })
    }

    pub fn validate(&self, text: &str, errors_max: usize) -> Answer {
        let document = parse(text, "the document")?;
        if self.validator.is_valid(&document) {
            return Ok(Vec::new());
        }
        let issues: Vec<Value> = self.validator.iter_errors(&document).take(errors_max.max(1)).map(|e| issue(&e)).collect();
        Err(Failure::Refused(issues))
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
