"""The YAML at the head of a prompt file. Only what JSON has: texts, numbers, true, false, null, lists, mappings.

So `no` and `2024-05-01` are texts, and nothing refers to anything else: aliases (which can grow without
bounds), tags and keys that stand twice are refused, with their line.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from gen_toolkit.errors import PromptError

_MOST_CHARACTERS = 100_000
_JSON_SCALARS = {
    "null": (r"(?:null|~|)$", "~n\0"),
    "bool": (r"(?:true|false)$", "tf"),
    "int": (r"-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    "float": (r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", "-0123456789"),
}
_RESOLVERS: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
for _tag, (_pattern, _firsts) in _JSON_SCALARS.items():
    for _first in _firsts:
        place = _RESOLVERS.setdefault("" if _first == "\0" else _first, [])
        place.append((f"tag:yaml.org,2002:{_tag}", re.compile(_pattern)))


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # the library has no types
    yaml_implicit_resolvers = _RESOLVERS

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            raise yaml.constructor.ConstructorError(None, None, "aliases are not allowed", event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise yaml.constructor.ConstructorError(None, None, "tags are not allowed", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            name = key.value if key.tag == "tag:yaml.org,2002:str" else None
            if not isinstance(name, str) or name in seen:
                said = f"{name!r} stands twice" if name in seen else "a key is no text"
                raise yaml.constructor.ConstructorError(None, None, said, key.start_mark)
            seen.add(name)
        return dict(super().construct_mapping(node, deep))


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # the library has no types
    yaml_implicit_resolvers = _RESOLVERS

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the library's own signature
        return True


def read_front_matter(text: str, where: str) -> tuple[dict[str, Any], dict[str, int]]:
    """(data, the line of each key in the file) of the text between the two lines of dashes.

    Raises PromptError that names file and line.
    """
    if len(text) > _MOST_CHARACTERS:
        raise _refused(where, 1, f"the front matter has more than {_MOST_CHARACTERS:,} characters")
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        data = {} if node is None else loader.construct_document(node)
    except yaml.reader.ReaderError as error:
        raise _refused(where, text.count("\n", 0, error.position) + 2, "a control character") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise _refused(where, line, error.problem or "no YAML") from None
    except RecursionError:
        raise _refused(where, 1, "it is nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits
        raise _refused(where, 1, str(error)) from None
    if not isinstance(data, dict):
        raise _refused(where, 2, "it is no list of keys and values")
    return data, {} if node is None else {key.value: key.start_mark.line + 2 for key, _ in node.value}


def write_front_matter(data: dict[str, Any]) -> str:
    """The YAML, keys in the order given."""
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


def _refused(where: str, line: int, problem: str) -> PromptError:
    return PromptError(
        f"{where}:{line}: the front matter cannot be read: {problem}",
        fix="Write 'key: value' lines between two lines of '---'; quote texts with ':' or '#' in them.",
        line=line,
    )
