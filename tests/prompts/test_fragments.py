"""Fragments: texts that prompts share, taken in when a prompt is made."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from mlflow_store import Store

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.errors import FragmentError, PromptError, ReleaseError


def fragment(workspace: Path, name: str, text: str) -> Path:
    path = workspace / "notebooks" / "fragments" / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def said(text: str, **values: object) -> str:
    return str(gt.Prompt("p", user=text)(**values).messages[0]["content"])


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("You are kind.\n", 'A {% include "safety/identity" %} B', "A You are kind. B"),
        ("\ufeff\r\nYou\r\nare.\r\n\r\n", "{%include 'safety/identity'%}", "You\nare."),
        ("You are {{ tone }}.", '{% include "safety/identity" %}', "You are kind."),
        ("x", 'a  {%- include "safety/identity" -%}  b', "axb"),
        ("x", '{% if tone %}{% include "safety/identity" %}{% endif %}', "x"),
        ("{% for t in [1, 2] %}{{ t }}{% endfor %}", '{% include "safety/identity" %}', "12"),
        ("x", '{% raw %}{% include "safety/identity" %}{% endraw %}', '{% include "safety/identity" %}'),
        ("x", '{# {% include "safety/identity" %} #}include', "include"),
        ("x", "{{ 'include' }}", "include"),
    ],
)
def test_an_include_is_the_fragments_text(workspace: Path, file: str, text: str, expected: str) -> None:
    fragment(workspace, "safety/identity", file)
    values = {"tone": "kind"} if "tone" in file + text else {}
    assert said(text, **values) == expected


def test_fragments_include_fragments_and_bring_their_variables(workspace: Path) -> None:
    fragment(workspace, "outer", '[{% include "deep/inner" %}]')
    fragment(workspace, "deep/inner", "{{ who }}")
    prompt = gt.Prompt("p", user='{% include "outer" %}')
    assert prompt.variables == {"who"}
    assert prompt.fragments == {"outer": '[{% include "deep/inner" %}]', "deep/inner": "{{ who }}"}
    assert prompt(who="Ada").messages[0]["content"] == "[Ada]"


def test_a_changed_fragment_makes_every_prompt_that_includes_it_another_one(workspace: Path) -> None:
    path = fragment(workspace, "inner", "one")
    fragment(workspace, "outer", '{% include "inner" %}')
    before = gt.Prompt("p", user='{% include "outer" %}'), gt.Prompt("p", user="alone")
    path.write_text("two", encoding="utf-8")
    after = gt.Prompt("p", user='{% include "outer" %}'), gt.Prompt("p", user="alone")
    assert [a.hash == b.hash for a, b in zip(before, after, strict=True)] == [False, True]


def test_a_saved_version_renders_without_the_files_and_the_ui_shows_the_whole_text(
    workspace: Path, store: Store
) -> None:
    path = fragment(workspace, "safety/identity", "You are {{ tone }}.")
    made = gt.Prompt("p", system='{% include "safety/identity" %} Be brief.', user="{{ x }}", untrusted=["x"])
    made.save()
    path.unlink()
    loaded = gt.load_prompt("p@1")
    assert loaded == made
    assert loaded(tone="kind", x="v").messages == made(tone="kind", x="v").messages
    assert store.mlflow.get_prompt_version("p", "1").template[0]["content"] == "You are {{ tone }}. Be brief."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{% include "gone/missing" %}', r"no fragment 'gone/missing'.*Write it: notebooks/fragments/gone/missing\.md"),
        ("{% include name %}", r"line 1: an include names one fragment, as a text"),
        ('\n{% include "a" ~ b %}', r"line 2: an include names one fragment"),
        ('{% include ["a", "b"] %}', "an include names one fragment"),
        ('{% include "a" ignore missing %}', "an include names one fragment"),
        ('{% include "a" without context %}', "an include names one fragment"),
        ('{% include "../secret" %}', "names no fragment"),
        ('{% include "/etc/passwd" %}', "names no fragment"),
        ('{% include "a.md" %}', "names no fragment"),
        ('{% include "a//b" %}', "names no fragment"),
        ('{% include "" %}', "names no fragment"),
        ('{% include "loop1" %}', r"includes itself: loop1 → loop2 → loop1"),
        ('{% include "self" %}', "includes itself"),
        ('{% include "broken" %}', r"fragment 'broken'.*line 2"),
        ('{% include "unended" %}', "fragment 'unended'"),
    ],
)
def test_what_cannot_be_included_is_one_typed_error(workspace: Path, text: str, says: str) -> None:
    fragment(workspace, "loop1", '{% include "loop2" %}')
    fragment(workspace, "loop2", '{% include "loop1" %}')
    fragment(workspace, "self", '{% include "self" %}')
    fragment(workspace, "broken", "fine\n{{ x")
    fragment(workspace, "unended", "{% if x %}")
    with pytest.raises(FragmentError, match=says) as raised:
        gt.Prompt("p", user=text)
    assert raised.value.code == "fragment"
    assert "\n" not in str(raised.value)


def test_a_fragment_that_is_not_a_text_is_one_typed_error(workspace: Path) -> None:
    fragment(workspace, "latin", "").write_bytes(b"one\ntwo\xff")
    with pytest.raises(PromptError, match=r"notebooks/fragments/latin\.md:2: the file is not UTF-8"):
        gt.Prompt("p", user='{% include "latin" %}')


@pytest.mark.parametrize("text", ["x" * 10, ""])
def test_fragments_that_would_grow_without_bounds_are_refused_in_time(workspace: Path, text: str) -> None:
    for n in range(19):
        fragment(workspace, f"f{n}", f'{{% include "f{n + 1}" %}}' * 20)
    fragment(workspace, "f19", text)
    start = time.monotonic()
    if text:
        with pytest.raises(FragmentError, match="characters"):
            gt.Prompt("p", user='{% include "f0" %}')
    else:
        assert said('{% include "f0" %}') == ""
    assert time.monotonic() - start < 5


def test_a_chain_that_is_too_long_is_refused(workspace: Path) -> None:
    for n in range(30):
        fragment(workspace, f"f{n}", f'{{% include "f{n + 1}" %}}')
    with pytest.raises(FragmentError, match="20 deep"):
        gt.Prompt("p", user='{% include "f0" %}')


def test_in_a_job_a_fragment_is_what_the_release_froze(workspace: Path, tmp_path: Path) -> None:
    fragment(workspace, "tone", "changed since")
    release = tmp_path / "release"
    release.mkdir()
    (release / "manifest.json").write_text(json.dumps({"fragments": {"tone": "as reviewed"}}), encoding="utf-8")
    with scope.inside(release=release):
        assert said('{% include "tone" %}') == "as reviewed"
        with pytest.raises(ReleaseError, match="fragment 'other' is not frozen in this release; frozen: tone"):
            gt.Prompt("p", user='{% include "other" %}')
