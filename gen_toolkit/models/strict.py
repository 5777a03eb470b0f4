"""Strict mode: which schemas a server may be held to word by word, and the strict form of those made from a type.

A server in strict mode decodes by the schema, so that no answer can miss it; it asks for schemas in which every
property is required and no other is allowed. Source: OpenAI, "Structured outputs", supported schemas.

The strict form of a schema allows a part of what the schema itself allows: more properties are required, others are
forbidden, and annotations say nothing about validity. So an answer that fits the strict form fits the declared
output, against which it is checked as always. The form exists on the wire only: the declared schema, which is part of
a call's key, stays what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ANNOTATIONS = {"title", "description"}
_PLAIN = {
    *_ANNOTATIONS,
    *("type", "enum", "const", "pattern", "format"),
    *("multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"),
}
_NESTED = {"properties", "required", "additionalProperties", "items", "anyOf", "$defs"}

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def is_strict(schema: Any) -> bool:
    """Whether the schema can be sent in strict mode as it is."""
    if not isinstance(schema, Mapping):
        return False
    if "$ref" in schema:
        return set(schema) <= {"$ref", "$defs"}
    if not set(schema) <= _PLAIN | _NESTED or not {"type", "anyOf"} & set(schema):
        return False
    if "properties" in schema or _is_object(schema):
        properties = schema.get("properties")
        if not isinstance(properties, Mapping) or schema.get("additionalProperties") is not False:
            return False
        if set(schema.get("required", ())) != set(properties):
            return False
    return all(is_strict(inner) for inner in _inner(schema))


def strict_form(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The strict form of a schema that was made from a type; None: it has none, an open mapping for instance."""
    form = _narrowed(schema)
    return form if is_strict(form) else None


def _narrowed(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    if "$ref" in schema:
        kept = {"$ref": schema["$ref"]}
        return kept | ({"$defs": _each(schema["$defs"])} if "$defs" in schema else {})
    form = {name: value for name, value in schema.items() if name != "default"}
    if "type" not in form and isinstance(form.get("enum"), list):
        kinds = {_TYPES.get(type(value)) for value in form["enum"]}
        if len(kinds) == 1 and None not in kinds:
            form["type"] = kinds.pop()
    for name in ("properties", "$defs"):
        if isinstance(form.get(name), Mapping):
            form[name] = _each(form[name])
    if "items" in form:
        form["items"] = _narrowed(form["items"])
    if isinstance(form.get("anyOf"), list):
        form["anyOf"] = [_narrowed(each) for each in form["anyOf"]]
    if isinstance(form.get("properties"), Mapping):
        form["required"] = list(form["properties"])
        form.setdefault("additionalProperties", False)
    return form


def _each(schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _narrowed(inner) for name, inner in schemas.items()}


def _inner(schema: Mapping[str, Any]) -> list[Any]:
    found = [schema["items"]] if "items" in schema else []
    for name in ("properties", "$defs"):
        held = schema.get(name, {})
        found += held.values() if isinstance(held, Mapping) else [None]
    either = schema.get("anyOf", [])
    return found + (either if isinstance(either, list) else [None])


def _is_object(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)
