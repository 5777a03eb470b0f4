"""The notebook as a file: its size, its kernel, the ids and tags of its cells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from gen_toolkit import text
from gen_toolkit.ipynb import Notebook, code_cells, source, tags
from gen_toolkit.releases.finding import Finding, Rule, Subject

_LARGEST_OUTPUTS = 5_000_000  # characters of all outputs together
_LARGEST_SOURCE = 200_000  # characters of one cell
_LARGEST_SOURCES = 2_000_000  # of all cells
_FIXED = "`gen check --fix` mends it."


def the_kernel_is_python(subject: Subject) -> Iterator[Finding]:
    metadata = subject.notebook.get("metadata", {})
    kernel, language = metadata.get("kernelspec"), metadata.get("language_info")
    named = [_said(kernel, "language"), _said(language, "name"), "python" if "python" in _said(kernel, "name") else ""]
    other = next((name for name in named if name and name.lower() not in {"python", "ipython", "python3"}), None)
    if other is not None:
        yield Finding(
            "kernel", f"the notebook is for {text.one_line(other, 30)}, and jobs run Python", "Choose a Python kernel."
        )
    elif not _said(kernel, "name"):
        yield Finding("kernel", "the notebook names no kernel", _FIXED, level="warning")


def tags_are_free(subject: Subject) -> Iterator[Finding]:
    """A cell of this tag is the generated one, which the digest leaves out: no other may hide behind it."""
    for index, cell in code_cells(subject.notebook):
        if "release" in tags(cell):
            message = "the tag 'release' is kept for the cell that promotion generates"
            yield Finding(
                "reserved-tag", message, "Remove the tag, or the cell if it came out of a release.", index + 1
            )


def no_cell_is_left_from_a_run(subject: Subject) -> Iterator[Finding]:
    for index, cell in code_cells(subject.notebook):
        if "injected-parameters" in tags(cell):
            message = "values of an earlier run stand in the notebook and win over the parameters cell"
            yield Finding("stale-injected", message, _FIXED, index + 1, level="warning")


def characters_are_whole(subject: Subject) -> Iterator[Finding]:
    """Half of one, as a text that was cut off leaves it, is no UTF-8, which the notebook of a release is."""
    for number, cell in enumerate(subject.notebook["cells"], 1):
        held = json.dumps([source(cell), tags(cell), cell.get("attachments")], ensure_ascii=False)
        if text.encodable(held) != held:
            yield Finding("half-character", "the cell holds half a character", "Correct the cell.", number)


def ids_are_unique(subject: Subject) -> Iterator[Finding]:
    if (subject.notebook.get("nbformat_minor") or 0) < 5:
        return  # the format has no ids before 4.5
    ids = [name if isinstance(name := cell.get("id"), str) else None for cell in subject.notebook["cells"]]
    told = [name for name, times in Counter(map(str, ids)).items() if times > 1]
    if None in ids or told:
        what = "cells have no id" if None in ids else f"two cells have the id {text.one_line(told[0], 30)!r}"
        yield Finding("cell-ids", what, _FIXED, level="warning")


def too_large(notebook: Notebook) -> Iterator[Finding]:
    """More code than anybody reviews: it is refused before any of it is read."""
    sizes = [len(source(cell)) for cell in notebook["cells"]]
    advice = "Put data into a file, and read it."
    for number, size in enumerate(sizes, 1):
        if size > _LARGEST_SOURCE:
            message = f"the cell has {size // 1000} thousand characters, which nobody reviews"
            yield Finding("size", message, advice, number)
    if sum(sizes) > _LARGEST_SOURCES:
        message = f"the cells have {sum(sizes) // 1000} thousand characters, which nobody reviews"
        yield Finding("size", message, advice)


def it_is_no_archive(subject: Subject) -> Iterator[Finding]:
    outputs = sum(len(json.dumps(cell.get("outputs", []))) for _, cell in code_cells(subject.notebook))
    if outputs > _LARGEST_OUTPUTS:
        message = f"the outputs take {outputs / 1e6:.0f} MB; a release holds none of them"
        yield Finding("size", message, "Clear them before the file goes into git.", level="warning")


def _said(data: object, key: str) -> str:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


FORM: tuple[Rule, ...] = (
    the_kernel_is_python,
    tags_are_free,
    no_cell_is_left_from_a_run,
    characters_are_whole,
    ids_are_unique,
    it_is_no_archive,
)
