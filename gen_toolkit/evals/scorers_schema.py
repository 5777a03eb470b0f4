"""Whether data fits a schema, and where it does not; a schema that cannot be used is refused when it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gen_toolkit import text
from gen_toolkit.errors import ScorerError
from gen_toolkit.evals.scorers_check import shown

_FIX = "Give a JSON Schema as a dict, a pydantic model, or a type."


def problem_of_schema(schema: dict[str, Any]) -> Callable[[Any], str]:
    """Says what is wrong with data by a JSON Schema; "" where nothing is."""
    import jsonschema
    import referencing.exceptions
    import referencing.jsonschema
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # comes with jsonschema, untyped

    kind = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise _unusable(f"{error.json_path}: {error.message}") from None
    specification = referencing.jsonschema.specification_with(kind.META_SCHEMA["$schema"])
    resolver = REGISTRY.resolver_with_root(specification.create_resource(schema))
    for reference in _references(schema):
        try:
            resolver.lookup(reference)
        except referencing.exceptions.Unresolvable:
            raise _unusable(f"{reference!r} refers to nothing in it, and nothing is fetched") from None
    validator = kind(schema, registry=REGISTRY)

    def problem(data: Any) -> str:
        error = jsonschema.exceptions.best_match(validator.iter_errors(data))
        return "" if error is None else text.one_line(f"{error.json_path}: {error.message}", 200)

    return problem


def _references(schema: Any, *, inside: bool = False) -> Iterator[str]:
    """Every `$ref`, but not within parts that an `$id` gives a base of their own."""
    if isinstance(schema, list):
        for inner in schema:
            yield from _references(inner, inside=True)
    elif isinstance(schema, dict) and not (inside and isinstance(schema.get("$id"), str)):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for key, inner in schema.items():
            if key not in ("enum", "const", "default", "examples"):
                yield from _references(inner, inside=True)


def problem_of_type(kind: Any) -> Callable[[Any], str]:
    """Says what is wrong with data by a pydantic model or another type; "" where nothing is."""
    from pydantic import TypeAdapter, ValidationError
    from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
    from pydantic_core import to_json

    try:
        if isinstance(kind, str) or kind is None:
            raise TypeError("it is no type")
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
    except (PydanticUserError, PydanticUndefinedAnnotation, TypeError) as error:
        raise _unusable(f"{shown(kind)} is no type ({type(error).__name__})") from None

    def problem(data: Any) -> str:
        try:
            adapter.validate_json(to_json(data), strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
            return text.one_line(f"{path}: {first['msg']}", 200)
        return ""

    return problem


def _unusable(said: str) -> ScorerError:
    return ScorerError(
        f"scorer 'json_schema' cannot use the schema: {text.one_line(said, 160)}", fix=_FIX, scorer="json_schema"
    )
