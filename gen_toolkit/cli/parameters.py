"""`gen run NAME --help` and `gen try NOTEBOOK --help`: the command's own help, then the parameters of what is named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from gen_toolkit.errors import GenToolkitError
from gen_toolkit.text import one_line

if TYPE_CHECKING:
    from gen_toolkit.jobs.parameters import Parameters

_GIVEN = "gen_toolkit.given"


class WithParameters(TyperCommand):
    """A command of a pipeline (its argument `name`) or of a notebook (`notebook`)."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[_GIVEN] = list(args)  # the help is printed before any of them is read
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        said, _, _ = self.make_parser(ctx).parse_args(args=list(ctx.meta.get(_GIVEN, [])))
        try:
            told = _parameters_of(said)
        except GenToolkitError as error:
            formatter.write(f"\n{one_line(error, 300)}\n")
        else:
            formatter.write("" if told is None else "\n" + parameters_text(*told))


def _parameters_of(said: Mapping[str, Any]) -> tuple[str, Parameters] | None:
    """Whose parameters, and which; None where the command line does not say."""
    if isinstance(name := said.get("name"), str):
        from gen_toolkit.releases.overview import pipeline_named
        from gen_toolkit.releases.parameters import released_parameters

        pipeline, number = pipeline_named(name), said.get("release")
        folder = pipeline.release_folder(int(number) if isinstance(number, str) and number.isdecimal() else None)
        return f"{name} (release {folder.name})", released_parameters(folder)
    if isinstance(notebook := said.get("notebook"), str):
        from gen_toolkit.ipynb import read_notebook
        from gen_toolkit.releases.check import parameters_of

        path = Path(notebook)
        return path.name, parameters_of(read_notebook(path), path)
    return None


def parameters_text(whose: str, parameters: Parameters) -> str:
    """A line for each: name, type, default, description."""
    rows = parameter_rows(parameters)
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = [
        "  " + "  ".join([cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)]).rstrip()
        for row in rows
    ]
    return "\n".join([f"Parameters of {one_line(whose)}, given as -p NAME=VALUE:", *(lines or ["  none"])]) + "\n"


def parameter_rows(parameters: Parameters) -> list[tuple[str, str, str, str]]:
    """Of each parameter its name, type, default and description."""
    from gen_toolkit.jobs.shape import described
    from gen_toolkit.jobs.values import as_text

    return [
        (
            item.name,
            one_line(described(item.type), 60),
            f"[default: {one_line(as_text(item.default), 40)}]",
            one_line(item.description, 120),
        )
        for item in parameters.items
    ]
