/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* aios_bridge: JSON Schema and Rego behind a C interface; implemented by the Rust static library in bridge/.
 *
 * Text is UTF-8 with a length, never zero-terminated, and is read only during the call.
 * Every answer is an aios_bytes that the caller gives back to aios_bytes_free exactly once.
 * Handles are immutable once made: any number of threads may use one at the same time without a lock; free it when
 * the last use has returned.
 *
 * err: 0  the answer stands in ptr/len
 *      1  refused; ptr/len is a JSON array of {"message", "file", "line", "column", ...}, line and column from 1,
 *         0 when unknown
 *      2  a defect in the library was caught; ptr/len is text
 *      3  undefined (aios_rego_evaluate only): no rule gave a value; ptr/len is empty
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct aios_text {
  const char* ptr;
  size_t len;
} aios_text;

typedef struct aios_bytes {
  char* ptr;
  size_t len;
  size_t cap;
  int32_t err;
} aios_bytes;

void aios_bytes_free(aios_bytes bytes);

/* ---- JSON Schema: drafts 4 to 2020-12, 2020-12 where the schema names none; nothing is fetched ---- */

typedef struct aios_schema aios_schema;

typedef struct aios_schema_options {
  aios_text base_uri;        /* empty: none */
  const aios_text* uris;     /* documents the schema may refer to: uris[i] names documents[i] (JSON) */
  const aios_text* documents;
  size_t documents_count;
  int32_t check_formats;     /* 0: "format" is an annotation; 1: it is checked */
} aios_schema_options;

/* On err 0 *out is a handle and the answer is empty. Refusals carry "schema_path" and "instance_path". */
aios_bytes aios_schema_compile(aios_text schema, const aios_schema_options* options, aios_schema** out);
/* err 0 with an empty answer: valid. err 1: at most errors_max of
 * {"message", "instance_path", "schema_path", "keyword"}; paths are JSON pointers. */
aios_bytes aios_schema_validate(const aios_schema* schema, aios_text json, size_t errors_max);
void aios_schema_free(aios_schema* schema);

/* ---- Rego v1 ---- */

typedef struct aios_rego aios_rego;

typedef struct aios_rego_options {
  const aios_text* paths;    /* file names, for messages */
  const aios_text* texts;    /* modules */
  size_t modules_count;
  aios_text data;            /* JSON object; empty: {} */
  const aios_text* entry_points;  /* "data.support.decide" (a rule) or "data.aios.connector_egress" (a package) */
  size_t entry_points_count;      /* 0: every package, and every rule, is one */
  uint64_t instructions_max;      /* per evaluation of one rule; 0: 200,000 */
} aios_rego_options;

/* Refuses what does not parse or compile and every recursive rule or function, with file, line and column.
 * On err 0 *out is a handle and the answer is
 * {"entry_points": [{"path", "kind": "rule"|"package", "engine": "vm"|"interpreter"}],
 *  "tests": [{"path", "file", "line", "column", "statements"}]}; statements: of a test with one body
 *  [{"kind": "compare"|"assign"|"value"|"not"|"other", "line", "column", "place": [first byte, behind the last],
 *    "with": byte where its `with` begins (or its end), "parts": the places of what is compared, or of the value}],
 *  else null.
 * The interpreter takes what the virtual machine cannot express (`with`, for one); it is bounded by time (2 s),
 * the virtual machine by instructions. */
aios_bytes aios_rego_compile(const aios_rego_options* options, aios_rego** out);
/* path: an entry point, or a test rule ("data.support_test.test_refund"). A package gives an object of its rules
 * (functions and undefined rules left out); sets come as sorted arrays. input: JSON; empty: no input. */
aios_bytes aios_rego_evaluate(const aios_rego* rego, aios_text path, aios_text input);
/* What a rule prints, as a JSON list of "file:line: text": evaluated anew, by the interpreter; without input. */
aios_bytes aios_rego_prints(const aios_rego_options* options, aios_text path);
void aios_rego_free(aios_rego* rego);

#ifdef __cplusplus
}
#endif
