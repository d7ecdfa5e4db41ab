// SPDX-License-Identifier: Apache-2.0
#pragma once
// scenario/detail/form: what a scenario file may say, as JSON Schema. Explained in
// docs/guide/scenarios.md.

namespace aios::scenario {

inline constexpr const char* scenario_form = R"({
  "type": "object",
  "required": ["scenarios"],
  "additionalProperties": false,
  "properties": {
    "given": {"$ref": "#/$defs/given"},
    "scenarios": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/scenario"}}
  },
  "$defs": {
    "given": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "parameters": {"type": "object"},
        "models": {"$ref": "#/$defs/models"},
        "systems": {"$ref": "#/$defs/systems"},
        "people": {"$ref": "#/$defs/people"},
        "region": {"type": "string", "minLength": 1},
        "within": {"type": "string"}
      }
    },
    "scenario": {
      "type": "object",
      "required": ["name", "expect"],
      "oneOf": [{"required": ["event"]}, {"required": ["arrival"]}],
      "additionalProperties": false,
      "properties": {
        "name": {"type": "string", "minLength": 1},
        "parameters": {"type": "object"},
        "event": {
          "type": "object",
          "required": ["type"],
          "properties": {"type": {"type": "string", "minLength": 1}}
        },
        "arrival": {
          "type": "object",
          "required": ["source"],
          "properties": {"source": {"type": "string", "minLength": 1}}
        },
        "models": {"$ref": "#/$defs/models"},
        "systems": {"$ref": "#/$defs/systems"},
        "people": {"$ref": "#/$defs/people"},
        "region": {"type": "string", "minLength": 1},
        "within": {"type": "string"},
        "expect": {"$ref": "#/$defs/expect"}
      }
    },
    "models": {
      "type": "object",
      "additionalProperties": {
        "anyOf": [
          {"$ref": "#/$defs/prediction"},
          {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/prediction"}}
        ]
      }
    },
    "prediction": {
      "anyOf": [
        {
          "type": "object",
          "required": ["label", "confidence"],
          "properties": {
            "label": {"type": "string"},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "usage": {
              "type": "object",
              "additionalProperties": false,
              "properties": {"input": {"$ref": "#/$defs/tokens"},
                             "output": {"$ref": "#/$defs/tokens"}}
            }
          }
        },
        {
          "type": "object",
          "required": ["unavailable"],
          "additionalProperties": false,
          "properties": {"unavailable": {"const": true}}
        }
      ]
    },
    "tokens": {"type": "integer", "minimum": 0, "maximum": 4294967296},
    "systems": {
      "type": "object",
      "propertyNames": {"pattern": "^[A-Z]+ (https?:/)?/"},
      "additionalProperties": {
        "anyOf": [
          {"$ref": "#/$defs/answer"},
          {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/answer"}}
        ]
      }
    },
    "answer": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "status": {"type": "integer", "minimum": 200, "maximum": 599},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "body": {},
        "lost": {"const": true},
        "refused": {"const": true}
      }
    },
    "people": {
      "type": "array",
      "items": {
        "type": "object",
        "oneOf": [{"required": ["answer"]}, {"required": ["approve"]}, {"required": ["send_back"]}],
        "additionalProperties": false,
        "properties": {
          "by": {"type": "string", "minLength": 1},
          "roles": {"type": "array", "items": {"type": "string"}},
          "answer": {},
          "approve": {"const": true},
          "send_back": {"type": "string", "minLength": 1}
        }
      }
    },
    "expect": {
      "type": "object",
      "minProperties": 1,
      "additionalProperties": false,
      "properties": {
        "event": {"enum": ["accepted", "refused", "dead_letter"]},
        "reason": {"type": "string", "minLength": 1},
        "mapped": {"type": "object"},
        "status": {"enum": ["running", "waiting", "completed", "faulted", "cancelled"]},
        "output": {},
        "error": {"type": "object"},
        "attributes": {"type": "object"},
        "requests": {
          "type": "array",
          "items": {
            "anyOf": [
              {"type": "string"},
              {"type": "object", "minProperties": 1, "maxProperties": 1}
            ]
          }
        },
        "questions": {"type": "array", "items": {"type": "object"}},
        "leaves": {"type": "array", "items": {"type": "string"}}
      }
    }
  }
})";

}  // namespace aios::scenario
