"""What is wrong with a value, in a line: for people, and for a model that is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gen_toolkit import text

if TYPE_CHECKING:
    from pydantic import ValidationError

_MOST = 3  # faults that are named


def fault_of(error: ValidationError) -> str:
    """`where: what`, for the first faults that pydantic found, without the value itself."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    said = [f"{'.'.join(map(str, fault['loc'])) or 'the value'}: {fault['msg']}" for fault in faults[:_MOST]]
    return "; ".join(said + [f"and {len(faults) - _MOST} more"] * (len(faults) > _MOST))


def schema_fault(schema: Mapping[str, Any]) -> str | None:
    """What keeps this from being a JSON Schema; None: it is one."""
    import jsonschema

    try:
        jsonschema.validators.validator_for(schema).check_schema(schema)
    except jsonschema.SchemaError as error:
        return f"{error.json_path}: {text.one_line(error.message)}"
    return None
