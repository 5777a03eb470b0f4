"""Strict rendering: nothing missing, nothing extra, values never expanded again."""

from __future__ import annotations

import time

import pytest
from hostile import CORPUS
from hypothesis import given
from hypothesis import strategies as st

from gen_toolkit.errors import MissingVariable, PromptError
from gen_toolkit.prompts import template
from gen_toolkit.prompts.template import MOST_CHARACTERS, MOST_SECONDS, render, variables

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(CORPUS)
TEMPLATE_LIKE = st.lists(
    st.sampled_from(["{{", "}}", "{%", "%}", "{#", "#}", " x ", "{{ 7*7 }}", "{% raw %}", "\n", "a"]), max_size=8
).map("".join)


@given(value=ANY_TEXT | TEMPLATE_LIKE)
def test_a_value_is_never_expanded_again(value: str) -> None:
    assert render("<{{ x }}>", {"x": value}) == f"<{value}>"


@given(value=TEMPLATE_LIKE)
def test_a_value_inside_a_list_is_never_expanded_either(value: str) -> None:
    assert render("{% for v in xs %}[{{ v }}]{% endfor %}", {"xs": [value, value]}) == f"[{value}][{value}]"


@given(text=st.text(st.characters(exclude_characters="{}\r", exclude_categories=["Cs"])))
def test_a_text_without_variables_is_itself(text: str) -> None:
    assert render(text, {}) == text


@pytest.mark.parametrize(
    ("source", "values", "expected"),
    [
        ("Hello {{ name }}!", {"name": "Ada"}, "Hello Ada!"),
        ("{{ labels | join(' or ') }}", {"labels": ["a", "b"]}, "a or b"),
        ("{{ name | upper }}", {"name": "ada"}, "ADA"),
        ("{{ x | default('none') }}", {}, "none"),
        ("{% if deep %}yes{% else %}no{% endif %}", {"deep": False}, "no"),
        ("{{ row.title }}", {"row": {"title": "Alien"}}, "Alien"),
        ("{{ 3 * 4 }}", {}, "12"),
        ("{{ '-' * 3 }}", {}, "---"),
        ("ends with a line\n", {}, "ends with a line\n"),
        ("{{ x }}", {"x": "<b>&"}, "<b>&"),
    ],
)
def test_a_template_renders_as_jinja_does(source: str, values: dict[str, object], expected: str) -> None:
    assert render(source, values) == expected


def test_the_variables_of_a_template_are_those_it_does_not_set_itself() -> None:
    assert variables("{% set y = 1 %}{{ x }} {{ y }}{% for z in zs %}{{ z }}{% endfor %}") == {"x", "zs"}


@pytest.mark.parametrize(("source", "missing"), [("{{ gone }}", "gone"), ("{{ row.gone }}", "gone")])
def test_a_missing_variable_is_named(source: str, missing: str) -> None:
    with pytest.raises(MissingVariable, match=missing):
        render(source, {"row": {}})


@pytest.mark.parametrize(
    ("source", "line"),
    [("{{ x", 1), ("fine\n{{ 1 + }}", 2), ("a\nb\n{% for %}", 3), ("{{ x | nosuchfilter }}", 1), ("{% endif %}", 1)],
)
def test_a_syntax_error_names_its_line(source: str, line: int) -> None:
    with pytest.raises(PromptError, match=f"line {line}") as raised:
        variables(source)
    assert raised.value.line == line


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ x.__init__.__globals__ }}",
        "{{ ''['__class__'] }}",
        "{{ x | attr('__class__') | attr('__base__') }}",
        "{{ '{0.__class__}'.format(x) }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ xs.append(1) }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% extends 'base' %}",
    ],
)
def test_a_template_cannot_leave_its_sandbox(source: str) -> None:
    xs: list[int] = []
    with pytest.raises(PromptError):
        print(render(source, {"x": "text", "xs": xs}))
    assert xs == []


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' * 300000000 }}",
        "{{ 'ab' * 2000 * 2000 }}",
        "{{ '%0300000000d' % 1 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ [1] * 300000000 }}",
        "{% for a in range(9999) %}{% for b in range(9999) %}text{% endfor %}{% endfor %}",
        "{{ 1 // 0 }}",
        "{{ 'a' + 1 }}",
        "{{ xs[7] }}{{ range(10 ** 8) }}",
        "{{ " + "(" * 4000 + "1" + ")" * 4000 + " }}",
        "{% for a in [1] %}" * 30 + "{% endfor %}" * 30,
    ],
)
def test_a_template_that_is_too_much_is_one_typed_error(source: str) -> None:
    start = time.monotonic()
    with pytest.raises(PromptError):
        render(source, {"xs": []})
    assert time.monotonic() - start < MOST_SECONDS + 3


@pytest.mark.parametrize(
    "loop",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set x %}{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{% endset %}",
        "{% macro m() %}{% for a in xs %}{% for b in xs %}{% for c in xs %}{% endfor %}{% endfor %}{% endfor %}"
        "{% endmacro %}{{ m() }}",
    ],
)
def test_a_loop_that_says_nothing_ends_in_time(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "MOST_SECONDS", 0.2)
    with pytest.raises(PromptError, match=r"passes .* s"):
        render(loop, {"xs": list(range(5000))})


@pytest.mark.parametrize(
    "source",
    [
        "{{ x | xmlattr }}",
        "{{ x | dictsort }}",
        "{{ x | truncate(1) }}",
        "{{ [1] | select('nosuch') | list }}",
        "{{ cycler().next() }}",
        "{% set y = namespace() %}{% set x.a = 1 %}",
    ],
)
def test_what_a_filter_of_jinja_says_of_a_wrong_value_is_a_prompt_error(source: str) -> None:
    with pytest.raises(PromptError, match="the template cannot be rendered: "):
        render(source, {"x": "abc"})


def test_the_output_is_capped_just_above_the_longest_allowed() -> None:
    assert len(render("{{ x }}", {"x": "a" * MOST_CHARACTERS})) == MOST_CHARACTERS
    with pytest.raises(PromptError, match="characters"):
        render("{{ x }}b", {"x": "a" * MOST_CHARACTERS})


@given(text=ANY_TEXT | st.text(st.sampled_from("a {}%#\r\n"), max_size=20))
def test_a_text_without_templates_in_it_is_what_jinja_makes_of_it(text: str) -> None:
    text = text.replace("{", "(")
    assert render(text, {}) == template._environment.from_string(text).render()
