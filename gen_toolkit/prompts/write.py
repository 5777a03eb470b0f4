"""Writing `*.prompt.md`. What is written is read back first: a file never says something else than its prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gen_toolkit.errors import FragmentError, InputError, PromptError
from gen_toolkit.ipynb import write_text
from gen_toolkit.prompts.file import HEADING, SUFFIX, parse
from gen_toolkit.prompts.fragments import path_of
from gen_toolkit.prompts.frontmatter import write_front_matter
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.prompts.source import located, read_source, shown, with_newlines


def save_file(prompt: Prompt, path: str | Path) -> Path:
    """See Prompt.to_file."""
    file = located(path)
    if not file.name.endswith(SUFFIX):
        raise InputError(f"{shown(file)} is no name of a prompt file", fix=f"Call it {file.stem}{SUFFIX}.")
    written = as_text(prompt)
    missing = {path_of(name): text for name, text in prompt.fragments.items() if not _is_there(name, text)}
    for target, text in {**missing, file: written}.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, text if text.endswith("\n") else text + "\n", mode=0o644)
    return file


def as_text(prompt: Prompt) -> str:
    """The file's text. Raises PromptError where the format cannot hold the prompt."""
    body = []
    for number, message in enumerate(prompt.messages, 1):
        if set(message) != {"role", "content"} or not isinstance(message["content"], str):
            raise PromptError(
                f"message {number} of prompt {prompt.name!r} is more than a role and a text, and a file cannot hold it",
                fix="Keep it in the notebook: prompt.save(…).",
            )
        body.append(f"# {message['role']}\n{_escaped(message['content'])}\n")
    head = write_front_matter({key: value for key, value in _head(prompt).items() if value})
    text = f"---\n{head}---\n" + "\n".join(body)
    try:
        back = parse(with_newlines(text.encode().decode()), "the file", prompt.fragments)
    except (PromptError, UnicodeEncodeError) as error:
        raise PromptError(
            f"prompt {prompt.name!r} cannot be written as a file: {error}", fix="Keep it in the notebook."
        ) from None
    if (back, back.description, back.owner) != (prompt, prompt.description, prompt.owner):
        raise PromptError(
            f"prompt {prompt.name!r} cannot be written as a file: it would read back as another prompt",
            fix="Take blank lines at the begin and end of messages, and control characters, out.",
        )
    return text


def _head(prompt: Prompt) -> dict[str, Any]:
    schema = prompt.output.schema if prompt.output else None
    is_labels = (
        schema is not None and set(schema) == {"enum"} and all(isinstance(label, str) for label in schema["enum"])
    )
    return {
        "name": prompt.name,
        "description": prompt.description,
        "owner": prompt.owner,
        "variables": {name: str(kind) for name, kind in prompt.types.items()},
        "untrusted": sorted(prompt.untrusted),
        "output": schema["enum"] if schema is not None and is_labels else schema,
        "options": prompt.options,
        "defaults": prompt.defaults,
    }


def _escaped(content: str) -> str:
    return "\n".join("\\" + line if HEADING.fullmatch(line) else line for line in content.split("\n"))


def _is_there(name: str, text: str) -> bool:
    """Whether the fragment's file holds this text. Raises FragmentError where it holds another."""
    path = path_of(name)
    there = read_source(path).strip("\n") if path.is_file() else None
    if text != (text.strip("\n") if there is None else there):
        raise FragmentError(
            f"{shown(path)} has another text than this prompt's fragment {name!r}",
            fix="Move that file away, or write the prompt in another workspace.",
            fragment=name,
        )
    return there is not None
