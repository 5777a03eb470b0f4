"""Prompt files: what they hold, that they come back as they were, and the line of what is wrong in them."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, Literal

import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.errors import FragmentError, GenToolkitError, InputError, PromptError, ReleaseError

WHOLE = """---
name: label-review
description: "Says: is a film review positive?"
owner: reviews
variables:
  text: str
  labels: list[str]
untrusted: [text]
output: [yes, no]
options:
  temperature: 0
  stop: ["\\n"]
defaults:
  labels: [yes, no]
---
# system
You label film reviews.

## How

\tCarefully.

# user
{{ text }}

\\# user
\\\\# system
Is it {{ labels | join(' or ') }}?

# assistant
yes

# user
And now?
"""


def written(workspace: Path, text: str | bytes, name: str = "label.prompt.md") -> Path:
    path = workspace / "notebooks" / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def head(front: str, body: str = "# user\n{{ x }}\n") -> str:
    return f"---\n{front}---\n{body}"


def test_a_file_holds_everything_that_a_prompt_is(workspace: Path) -> None:
    written(workspace, WHOLE)
    prompt = gt.Prompt.from_file("notebooks/label.prompt.md")
    made = gt.Prompt(
        "label-review",
        messages=[
            {"role": "system", "content": "You label film reviews.\n\n## How\n\n\tCarefully."},
            {"role": "user", "content": "{{ text }}\n\n# user\n\\# system\nIs it {{ labels | join(' or ') }}?"},
            {"role": "assistant", "content": "yes"},
            {"role": "user", "content": "And now?"},
        ],
        output=Literal["yes", "no"],
        types={"text": str, "labels": list[str]},
        untrusted=["text"],
        options={"temperature": 0, "stop": ["\n"]},
        defaults={"labels": ["yes", "no"]},
    )
    assert prompt.content() == made.content()
    assert prompt == made
    assert (prompt.description, prompt.owner) == ("Says: is a film review positive?", "reviews")
    reply = gt.chat(prompt(text="good"), model=gt.ScriptedModel("Yes."))
    assert reply.value == "yes"


def test_a_path_begins_at_the_workspace_wherever_one_stands(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(workspace, head("name: p\n"))
    monkeypatch.chdir(workspace / "notebooks")
    assert gt.Prompt.from_file("notebooks/label.prompt.md") == gt.Prompt.from_file(path)


@pytest.mark.parametrize("change", [
    lambda text: b"\xef\xbb\xbf" + text.encode(),
    lambda text: text.replace("\n", "\r\n").encode(),
    lambda text: text.replace("\n", "\r").encode(),
    lambda text: text.replace("---\n", "---  \n").replace("\n# user\n", "\n# user \t\n").encode(),
    lambda text: text.replace("# user\n{{", "# user\n\n\n{{").encode() + b"\n\n\n",
    lambda text: text.rstrip("\n").encode(),
], ids=["mark", "CRLF", "CR", "spaces", "blank lines", "no end"])  # fmt: skip
def test_what_an_editor_makes_of_a_file_does_not_change_the_prompt(workspace: Path, change: Any) -> None:
    before = gt.Prompt.from_file(written(workspace, WHOLE))
    assert gt.Prompt.from_file(written(workspace, change(WHOLE))) == before


def test_a_json_schema_is_an_output_and_labels_need_no_quotes(workspace: Path) -> None:
    schema = "output:\n  type: object\n  properties: {stars: {type: integer}}\n  required: [stars]\n"
    made = gt.Prompt.from_file(written(workspace, head("name: p\n" + schema)))
    assert gt.chat(made(x=1), model=gt.ScriptedModel('{"stars": 3}')).value == {"stars": 3}
    labels = gt.Prompt.from_file(written(workspace, head("name: p\noutput: [yes, no, off, 2024-05-01, 1:30]\n")))
    assert labels.output is not None
    assert labels.output.labels == ("yes", "no", "off", "2024-05-01", "1:30")


BROKEN = [
    ("", 1, "does not begin with front matter"),
    ("name: p\n", 1, "does not begin with front matter"),
    ("---\nname: p\n", 1, "does not begin with front matter"),
    (head("nam: p\n"), 2, r"'nam' is no key of front matter\. Did you mean 'name'\?"),
    (head("description: d\n"), 1, "'' cannot be a prompt's name"),
    (head("owner: o\nname: a/b\n"), 3, "'a/b' cannot be a prompt's name"),
    (head("name: a b\n"), 2, "'a b' cannot be a prompt's name"),
    (head("name: 5\n"), 2, r"'name' is int\. Give a text"),
    (head("name: p\nowner: [a]\n"), 3, "'owner' is list"),
    (head("name: p\nvariables: [x]\n"), 3, r"'variables' is list\. Give keys with values"),
    (head("name: p\nvariables: {x: 5}\n"), 3, r"variable 'x' has no type\. Write x: str"),
    (head("name: p\nvariables:\n  x: text\n"), 3, "'text' is no type of a variable"),
    (head("name: p\nvariables: {x: str, y: str}\n"), 3, "declares 'y', which its text does not use"),
    (head("name: p\nvariables: {x: str}\n", "# user\n{{ x }}{{ y }}\n"), 3, "uses 'y', whose type is not declared"),
    (head("name: p\nuntrusted: x\n"), 3, "'untrusted' is str"),
    (head("name: p\nuntrusted: [y]\n"), 3, "calls untrusted 'y'"),
    (head("name: p\nuntrusted: [1]\n"), 3, r"1 in 'untrusted' is no text\. Quote it"),
    (head("name: p\noutput: [a, true]\n"), 3, r'true in \'output\' is no text\. Quote it'),
    (head("name: p\noutput: a\n"), 3, "'output' is str"),
    (head("name: p\noutput: {type: nothing}\n"), 3, "this JSON Schema cannot be an output"),
    (head("name: p\noptions: {model: gpt}\n"), 3, "'model' is no option of a prompt"),
    (head("name: p\ndefaults: {y: 1}\n"), 3, "has a default for 'y'"),
    (head("name: p\nvariables: {x: str}\ndefaults: {x: 1}\n"), 4, "'x' is declared str, and 1 is int"),
    (head("name: p\nname: q\n"), 3, "'name' stands twice"),
    (head("name: p\n\towner: q\n"), 3, "'\\\\t'"),
    (head("name: p: q\n"), 2, "mapping values are not allowed here"),
    (head("name: &a p\nowner: *a\n"), 3, "aliases are not allowed"),
    (head("name: !!python/object/apply:os.system ['true']\n"), 2, "tags are not allowed"),
    (head("name: p\ndescription: a\x07b\n"), 3, "a control character"),
    (head("- name\n"), 2, "no list of keys and values"),
    (head("name: " + "[" * 3000 + "\n"), 1, "nested too deeply"),
    (head("name: p\ndescription: " + "x" * 100_001 + "\n"), 1, "more than 100,000 characters"),
    (head("name: p\noptions: {seed: " + "9" * 5000 + "}\n"), 1, "4300 digits"),
    (head("name: p\n", ""), 3, r"there is no message\. Write '# user'"),
    (head("name: p\n", "\nhello\n# user\n"), 5, "a text before the first heading"),
    (head("name: p\n", "# user\n\n# assistant\nyes"), 4, "the user message is empty"),
    (head("name: p\n", "# system\nx\n# User\ny"), 6, r"'# User' is almost a heading\. Write '# user', or '\\# User'"),
    (head("name: p\n", "# user:\ny"), 4, "almost a heading"),
    (head("name: p\n", "#user\ny"), 4, "almost a heading"),
    (head("name: p\n", "# system\nx\n\n# user\n\nfine\n{{ x"), 10, r"md:10: the template cannot be parsed: "),
    (head("name: p\n", "# user\nfine\n{% include x %}"), 6, r"md:6: an include names one fragment"),
    (head("name: p\nuntrusted: [x]\n", "# user\n\n{% filter upper %}{{ x }}{% endfilter %}"), 7, r"md:7: an untrusted"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "says"), BROKEN, ids=[says for _, _, says in BROKEN])
def test_what_is_wrong_in_a_file_names_file_and_line(workspace: Path, text: str, line: int, says: str) -> None:
    written(workspace, text)
    with pytest.raises(PromptError, match=says) as raised:
        gt.Prompt.from_file("notebooks/label.prompt.md")
    assert str(raised.value).startswith(f"notebooks/label.prompt.md:{line}: ")
    assert raised.value.line == line
    assert raised.value.fix
    assert "\n" not in str(raised.value)


def test_a_yaml_bomb_is_refused_at_once(workspace: Path) -> None:
    lines = "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(12))
    written(workspace, head("a0: &a0 [x, x]\n" + lines))
    with pytest.raises(PromptError, match=r"md:3: .*aliases are not allowed"):
        gt.Prompt.from_file("notebooks/label.prompt.md")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file"),
        (b"---\nname: p\n---\n# user\nlatin \xe9\n", r"md:5: the file is not UTF-8"),
        (b"---\nname: p\n---\n# user\n" + b"x" * 1_000_001, "has more than 1,000,000 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_typed_error(workspace: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        written(workspace, content)
    with pytest.raises(PromptError, match=says):
        gt.Prompt.from_file("notebooks/label.prompt.md")


def test_a_text_of_100_000_characters_is_a_prompt_and_renders(workspace: Path) -> None:
    long = "é" * 100_000
    prompt = gt.Prompt.from_file(written(workspace, head("name: p\n", f"# user\n{long}{{{{ x }}}}")))
    assert prompt(x="!").messages[0]["content"] == long + "!"


# --- writing


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text() | st.sampled_from(["no", "1e3", "~", "null", "2024-05-01", "#", " a ", "a: b", "*a", "<<", "---"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
LINES = st.sampled_from(
    ["# user", "\\# user", "# User:", "#system", "---", "", " ", "\ta", "# Heading", "text", "é", "a\r"]
)
CONTENT = st.lists(LINES, min_size=1, max_size=6).map("\n".join) | st.text(min_size=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    contents=st.lists(CONTENT, min_size=1, max_size=3),
    default=PLAIN,
    options=st.dictionaries(st.text("abc", min_size=1), PLAIN, max_size=2),
    about=st.text(),
)
def test_a_file_comes_back_as_the_same_prompt_or_is_not_written(
    workspace: Path, contents: list[str], default: Any, options: dict[str, Any], about: str
) -> None:
    messages = [{"role": "user", "content": "{% raw %}" + text + "{% endraw %}"} for text in contents]
    messages += [{"role": "system", "content": "{{ x }}\n" + contents[0].replace("{", "")}]
    prompt = gt.Prompt(
        "p", messages=messages, defaults={"x": default}, options=options, description=about, untrusted=["x"]
    )
    path = workspace / "notebooks" / "back.prompt.md"
    path.unlink(missing_ok=True)
    with contextlib.suppress(PromptError):
        prompt.to_file(path)
    if path.exists():
        back = gt.Prompt.from_file(path)
        assert back.content() == prompt.content()
        assert (back.description, back.owner) == (about, "")


def test_what_a_file_holds_is_written_as_it_was_read(workspace: Path) -> None:
    prompt = gt.Prompt.from_file(written(workspace, WHOLE))
    copy = prompt.to_file("notebooks/deep/copy.prompt.md")
    again = gt.Prompt.from_file(copy).to_file("notebooks/again.prompt.md")
    assert copy.read_bytes() == again.read_bytes()
    assert gt.Prompt.from_file(copy).content() == prompt.content()
    assert oct(copy.stat().st_mode)[-3:] == "644"


class Review(pydantic.BaseModel):
    stars: int


@pytest.mark.parametrize("output", [Literal["a", "b"], Review, list[int], {"enum": ["a", 1]}, None])
def test_every_declared_output_comes_back_as_the_same_version(workspace: Path, output: Any) -> None:
    prompt = gt.Prompt("p", user="?", output=output)
    assert gt.Prompt.from_file(prompt.to_file("p.prompt.md")).hash == prompt.hash


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": [{"type": "text", "text": "x"}]},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "user", "content": "x", "name": "ada"},
        {"role": "tool", "content": "x"},
        {"role": "user", "content": "\nx"},
        {"role": "user", "content": "x\n"},
        {"role": "user", "content": "a\r\nb"},
        {"role": "user", "content": "half \ud83d"},
        {"role": "user", "content": ""},
    ],
    ids=str,
)
def test_what_a_file_cannot_hold_is_refused_and_not_written(workspace: Path, message: dict[str, Any]) -> None:
    with pytest.raises(PromptError, match=r"file"):
        gt.Prompt("p", messages=[message]).to_file("p.prompt.md")
    assert not (workspace / "p.prompt.md").exists()


def test_a_file_that_sync_would_not_find_is_not_written(workspace: Path) -> None:
    with pytest.raises(InputError, match=r"is no name of a prompt file\. Call it label\.prompt\.md"):
        gt.Prompt("p", user="x").to_file("label.md")


def test_fragments_are_written_beside_where_they_are_not_there_and_never_over_others(workspace: Path) -> None:
    prompt = gt.Prompt("p", user='{% include "a/b" %}', fragments={"a/b": "shared"})
    prompt.to_file("p.prompt.md")
    path = workspace / "notebooks" / "fragments" / "a" / "b.md"
    assert path.read_text() == "shared\n"
    assert gt.Prompt.from_file("p.prompt.md") == prompt
    prompt.to_file("q.prompt.md")
    path.write_text("edited\n")
    with pytest.raises(FragmentError, match=r"notebooks/fragments/a/b\.md has another text"):
        prompt.to_file("r.prompt.md")
    assert path.read_text() == "edited\n"
    assert not (workspace / "r.prompt.md").exists()


def test_in_a_job_a_file_is_what_the_release_froze(workspace: Path, tmp_path: Path) -> None:
    written(workspace, WHOLE)
    reviewed = gt.Prompt("reviewed", user="{{ x }}")
    frozen = {"notebooks/label.prompt.md": {"name": "reviewed", "content": reviewed.content()}}
    release = tmp_path / "release"
    release.mkdir()
    (release / "manifest.json").write_text(json.dumps({"prompt_files": frozen}), encoding="utf-8")
    with scope.inside(release=release):
        assert gt.Prompt.from_file("notebooks/label.prompt.md") == reviewed
        with pytest.raises(ReleaseError, match=r"'other\.prompt\.md' is not frozen in this release"):
            gt.Prompt.from_file("other.prompt.md")


# --- options


def test_options_of_a_prompt_are_sent_and_those_of_the_call_win() -> None:
    prompt = gt.Prompt("p", user="x", options={"temperature": 0, "seed": 3})
    model = gt.ScriptedModel({"*": "yes"})
    gt.chat(prompt(), model=model)
    gt.chat(prompt(), model=model, temperature=1, max_tokens=5)
    gt.evaluate(prompt, [{"a": 1}], scorer=lambda value, row: True, model=model)
    sent = [dict(request.options) for request in model.requests]
    assert sent == [
        {"temperature": 0, "seed": 3},
        {"temperature": 1, "seed": 3, "max_tokens": 5},
        {"temperature": 0, "seed": 3},
    ]


@pytest.mark.parametrize("options", [{"stream": True}, {"messages": []}, {"temperature": float("nan")}, {"a": {1, 2}}])
def test_what_is_no_option_is_refused_when_the_prompt_is_made(options: dict[str, Any]) -> None:
    with pytest.raises(GenToolkitError):
        gt.Prompt("p", user="x", options=options)
