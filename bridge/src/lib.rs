// SPDX-License-Identifier: Apache-2.0
//! The border: raw pointers in, owned bytes out. No panic crosses it and none prints.

mod bounds;
mod graph;
mod rego;
mod schema;
mod schema_bounds;
mod statements;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Once;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    ptr: *const u8,
    len: usize,
}

#[repr(C)]
pub struct Bytes {
    ptr: *mut u8,
    len: usize,
    cap: usize,
    err: i32,
}

/// Why a call gave no answer; `Refused` carries the JSON list the header describes.
pub enum Failure {
    Refused(Vec<serde_json::Value>),
    Undefined,
}

pub type Answer = Result<Vec<u8>, Failure>;

const OK: i32 = 0;
const REFUSED: i32 = 1;
const DEFECT: i32 = 2;
const UNDEFINED: i32 = 3;

impl Bytes {
    fn new(mut bytes: Vec<u8>, err: i32) -> Bytes {
        let answer = Bytes { ptr: bytes.as_mut_ptr(), len: bytes.len(), cap: bytes.capacity(), err };
        std::mem::forget(bytes);
        answer
    }
}

/// One refusal that has no place.
pub fn refuse(message: impl Into<String>) -> Failure {
    let message: String = message.into();
    Failure::Refused(vec![serde_json::json!({"message": message, "file": "", "line": 0, "column": 0})])
}

fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

fn answer(call: impl FnOnce() -> Answer) -> Bytes {
    silence_panics();
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(bytes)) => Bytes::new(bytes, OK),
        Ok(Err(Failure::Refused(list))) => {
            Bytes::new(serde_json::Value::Array(list).to_string().into_bytes(), REFUSED)
        }
        Ok(Err(Failure::Undefined)) => Bytes::new(Vec::new(), UNDEFINED),
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_string()))
                .unwrap_or_else(|| "unknown panic".to_string());
            Bytes::new(text.into_bytes(), DEFECT)
        }
    }
}

/// # Safety: `text` points at `len` readable bytes that outlive the call.
unsafe fn text_of<'a>(text: Text, what: &str) -> Result<&'a str, Failure> {
    if text.len == 0 {
        return Ok("");
    }
    std::str::from_utf8(std::slice::from_raw_parts(text.ptr, text.len))
        .map_err(|_| refuse(format!("{what} is not UTF-8")))
}

/// # Safety: `items` points at `count` texts, each as `text_of` wants it.
unsafe fn list_of<'a>(items: *const Text, count: usize, what: &str) -> Result<Vec<&'a str>, Failure> {
    if count == 0 {
        return Ok(Vec::new());
    }
    std::slice::from_raw_parts(items, count).iter().map(|item| text_of(*item, what)).collect()
}

/// # Safety: `bytes` came from this library and is freed once.
#[no_mangle]
pub unsafe extern "C" fn aios_bytes_free(bytes: Bytes) {
    drop(Vec::from_raw_parts(bytes.ptr, bytes.len, bytes.cap));
}

#[repr(C)]
pub struct SchemaOptions {
    base_uri: Text,
    uris: *const Text,
    documents: *const Text,
    documents_count: usize,
    check_formats: i32,
}

/// # Safety: pointers as aios_bridge.h says.
#[no_mangle]
pub unsafe extern "C" fn aios_schema_compile(
    text: Text,
    options: *const SchemaOptions,
    out: *mut *mut schema::Schema,
) -> Bytes {
    answer(|| {
        let options = &*options;
        let uris = list_of(options.uris, options.documents_count, "a document's URI")?;
        let documents = list_of(options.documents, options.documents_count, "a referenced schema")?;
        let known: Vec<(&str, &str)> = uris.into_iter().zip(documents).collect();
        let base_uri = text_of(options.base_uri, "the base URI")?;
        let made = schema::Schema::compile(text_of(text, "the schema")?, base_uri, &known, options.check_formats != 0)?;
        *out = Box::into_raw(Box::new(made));
        Ok(Vec::new())
    })
}

/// # Safety: pointers as aios_bridge.h says.
#[no_mangle]
pub unsafe extern "C" fn aios_schema_validate(schema: *const schema::Schema, json: Text, errors_max: usize) -> Bytes {
    answer(|| (*schema).validate(text_of(json, "the document")?, errors_max))
}

/// # Safety: `schema` came from aios_schema_compile and is freed once.
#[no_mangle]
pub unsafe extern "C" fn aios_schema_free(schema: *mut schema::Schema) {
    if !schema.is_null() {
        drop(Box::from_raw(schema));
    }
}

#[repr(C)]
pub struct RegoOptions {
    paths: *const Text,
    texts: *const Text,
    modules_count: usize,
    data: Text,
    entry_points: *const Text,
    entry_points_count: usize,
    instructions_max: u64,
}

/// # Safety: pointers as aios_bridge.h says.
unsafe fn request_of<'a>(options: &RegoOptions) -> Result<rego::Request<'a>, Failure> {
    let paths = list_of(options.paths, options.modules_count, "a module's path")?;
    let texts = list_of(options.texts, options.modules_count, "a module")?;
    Ok(rego::Request {
        modules: paths.into_iter().zip(texts).collect(),
        data: text_of(options.data, "the data document")?,
        entry_points: list_of(options.entry_points, options.entry_points_count, "an entry point")?,
        instructions_max: options.instructions_max,
    })
}

/// # Safety: pointers as aios_bridge.h says.
#[no_mangle]
pub unsafe extern "C" fn aios_rego_prints(options: *const RegoOptions, path: Text) -> Bytes {
    answer(|| rego::prints(&request_of(&*options)?, text_of(path, "the rule path")?))
}

/// # Safety: pointers as aios_bridge.h says.
#[no_mangle]
pub unsafe extern "C" fn aios_rego_compile(options: *const RegoOptions, out: *mut *mut rego::Rego) -> Bytes {
    answer(|| {
        let request = request_of(&*options)?;
        let (made, report) = rego::compile(&request)?;
        *out = Box::into_raw(Box::new(made));
        Ok(report)
    })
}

/// # Safety: pointers as aios_bridge.h says.
#[no_mangle]
pub unsafe extern "C" fn aios_rego_evaluate(rego: *const rego::Rego, path: Text, input: Text) -> Bytes {
    answer(|| (*rego).evaluate(text_of(path, "the rule path")?, text_of(input, "the input")?))
}

/// # Safety: `rego` came from aios_rego_compile and is freed once.
#[no_mangle]
pub unsafe extern "C" fn aios_rego_free(rego: *mut rego::Rego) {
    if !rego.is_null() {
        drop(Box::from_raw(rego));
    }
}
