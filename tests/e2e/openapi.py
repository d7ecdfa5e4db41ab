# SPDX-License-Identifier: Apache-2.0
"""As much of JSON Schema as the API's own document uses, so that answers can be held against it."""

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
KNOWN = {"type", "required", "properties", "items", "enum", "additionalProperties", "$ref",
         "description", "title"}


def is_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def problems(document, schema, value, at="$"):
    """Where the value does not fit, one text each; an unknown keyword is a problem too."""
    if schema is True:
        return []
    if unknown := set(schema) - KNOWN:
        return [f"{at}: the schema uses {', '.join(sorted(unknown))}, which this test cannot read"]
    if "$ref" in schema:
        target = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return problems(document, target, value, at)
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is none of {schema['enum']}")
    if "type" in schema:
        wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(is_type(value, name) for name in wanted):
            return [*found, f"{at}: {type(value).__name__} found, wanted {' or '.join(wanted)}"]
    if isinstance(value, dict):
        found += [f"{at}: member '{name}' is missing" for name in schema.get("required", ())
                  if name not in value]
        rest = schema.get("additionalProperties", True)
        for name, member in value.items():
            below = schema.get("properties", {}).get(name, rest)
            if below is False:
                found.append(f"{at}: member '{name}' is not in the schema")
            else:
                found += problems(document, below, member, f"{at}.{name}")
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            found += problems(document, schema["items"], item, f"{at}[{index}]")
    return found


def operations(document):
    """{operationId: (method, path, operation)}"""
    return {operation["operationId"]: (method.upper(), path, operation)
            for path, item in document["paths"].items() for method, operation in item.items()}
