"""Strict rendering of Jinja templates: nothing missing, nothing extra, values never expanded again.

Templates run in Jinja's immutable sandbox with a cap on output and time. A value is text wherever it
comes from: `{{` inside it stays as it is.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jinja2
import jinja2.exceptions
import jinja2.meta
import jinja2.nodes
import jinja2.sandbox

from gen_toolkit.errors import FragmentError, MissingVariable, PromptError
from gen_toolkit.prompts.fence import fence
from gen_toolkit.prompts.untrusted import fenced

MOST_CHARACTERS = 2_000_000
MOST_SECONDS = 2.0
_GROWING = {"*", "**", "%"}
_until: ContextVar[float] = ContextVar("gen_toolkit_template_until")


class _Sandbox(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """Jinja's sandbox, which alone would still build a text of any size from a short expression."""

    intercepted_binops = frozenset(_GROWING)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or any(isinstance(side, str | list | tuple) for side in (left, right)):
            sizes = [len(side) if isinstance(side, str | list | tuple) else abs(int(side)) for side in (left, right)]
            if operator != "%" and max(sizes, default=0) * max(1, min(sizes, default=1)) > MOST_CHARACTERS:
                raise jinja2.exceptions.SecurityError("an expression grows too large")
            if operator == "%" and isinstance(left, str) and any(len(w) > 4 for w in _numbers(left)):
                raise jinja2.exceptions.SecurityError("a format asks for too much space")
        return super().call_binop(context, operator, left, right)

    def _parse(self, source: str, name: str | None, filename: str | None) -> jinja2.nodes.Template:
        """Every turn of a loop looks at the clock: a loop that says nothing passes no other place of ours."""
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(jinja2.nodes.For):
            look = jinja2.nodes.Call(jinja2.nodes.EnvironmentAttribute("look_at_the_clock"), [], [], None, None)
            loop.body.insert(0, jinja2.nodes.ExprStmt(look))
        return tree

    fence = staticmethod(fence)  # what `untrusted.fenced` calls

    @staticmethod
    def look_at_the_clock() -> None:
        if time.monotonic() > _until.get():
            raise _too_much()


def _numbers(text: str) -> list[str]:
    return "".join(c if c.isdigit() else " " for c in text).split()


# What Python says of a template that is wrong, RecursionError and SyntaxError of one that is nested too deeply; and
# what Jinja's own filters say of a value that is not what they take.
_PYTHON_SAYS = (TypeError, ValueError, ArithmeticError, LookupError, MemoryError, RecursionError, SyntaxError)
_FILTERS_SAY = (AttributeError, AssertionError, RuntimeError, jinja2.exceptions.TemplateRuntimeError)
_FAULTS = (*_PYTHON_SAYS, *_FILTERS_SAY)

_environment = _Sandbox(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True)


@dataclass(frozen=True)
class Included:
    """An `{% include "…" %}` in a template."""

    fragment: str


def parts(source: str) -> list[str | Included]:
    """A template cut at its includes. Raises PromptError where it cannot be read, FragmentError for one unnamed."""
    if "include" not in source:
        return [source]
    found: list[str | Included] = []
    block: list[tuple[int, str, str]] = []  # the tokens since a block began
    with _parsing():
        for token in _environment.lex(source):
            if block or token[1] == "block_begin":
                block.append(token)
                if token[1] == "block_end":
                    found.append(_included(block) or "".join(text for _, _, text in block))
                    block = []
            else:
                found.append(token[2])
    return found


def _included(block: list[tuple[int, str, str]]) -> Included | None:
    said = [(kind, text) for _, kind, text in block[1:-1] if kind != "whitespace"]
    if said[:1] != [("name", "include")]:
        return None
    if len(said) != 2 or said[1][0] != "string":
        raise FragmentError(
            f"line {block[0][0]}: an include names one fragment, as a text",
            fix='Write {% include "folder/name" %}.',
            fragment=" ".join(text for _, text in said[1:]),
            line=block[0][0],
        )
    return Included(said[1][1][1:-1])


@lru_cache(1024)  # a playground renders at every key: a text for each
def _compiled(source: str, untrusted: frozenset[str]) -> jinja2.Template:
    template = _environment.from_string(fenced(_environment.parse(source), untrusted) if untrusted else source)
    template.globals = dict(template.globals)  # from a chain of mappings, which every rendering would walk
    return template


def variables(source: str, untrusted: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names a template needs. Raises PromptError where it cannot be parsed, or cannot fence the untrusted ones."""
    with _parsing():
        tree = _environment.parse(source)
        names = frozenset(jinja2.meta.find_undeclared_variables(tree))
        fenced(tree, untrusted)
    return names


@contextlib.contextmanager
def _parsing() -> Iterator[None]:
    try:
        yield
    except jinja2.TemplateSyntaxError as error:
        raise PromptError(
            f"the template cannot be parsed, line {error.lineno}: {error.message}",
            fix="Correct the template; see docs/prompts.md for what it may hold.",
            line=error.lineno,
        ) from None
    except RecursionError:
        raise PromptError("the template is nested too deeply to be read", fix="Make it flatter.") from None


def render(source: str, values: Mapping[str, Any], untrusted: frozenset[str] = frozenset()) -> str:
    """The text, with what shows `untrusted` variables in fences.

    Raises MissingVariable, or PromptError where the template does what it must not.
    """
    if "{" not in source and "\r" not in source and len(source) <= MOST_CHARACTERS:
        return source  # no template at all; Jinja would make of it what it is
    token = _until.set(time.monotonic() + MOST_SECONDS)
    pieces: list[str] = []
    size = 0
    try:
        for piece in _compiled(source, untrusted).generate(values):
            pieces.append(piece)
            size += len(piece)
            if size > MOST_CHARACTERS:
                raise _too_much()
            _environment.look_at_the_clock()
    except jinja2.UndefinedError as error:
        raise MissingVariable(
            f"the template cannot be rendered: {error.message}",
            fix="Give the value, or use {{ x | default('…') }}.",
            variable=str(error.message),
        ) from None
    except jinja2.exceptions.SecurityError as error:
        raise PromptError(f"the template does what a prompt may not: {error}", fix="Remove that expression.") from None
    except _FAULTS as error:
        raise PromptError(
            f"the template cannot be rendered: {type(error).__name__}: {error}",
            fix="Check the values it was given.",
        ) from None
    finally:
        _until.reset(token)
    return "".join(pieces)


def _too_much() -> PromptError:
    return PromptError(
        f"the rendered text passes {MOST_CHARACTERS:,} characters or {MOST_SECONDS:g} s",
        fix="Shorten the values or the loop in the template.",
    )
