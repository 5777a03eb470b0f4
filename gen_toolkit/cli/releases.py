"""gen release: what was promoted, when and by whom, and what differs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gen_toolkit.cli.parameters import parameter_rows
from gen_toolkit.cli.reproduce import prove
from gen_toolkit.cli.rollback import override_line
from gen_toolkit.cli.show import json_option
from gen_toolkit.errors import InputError
from gen_toolkit.text import one_line

if TYPE_CHECKING:
    from gen_toolkit.releases.difference import Difference

group = typer.Typer(help="Releases of a pipeline.", no_args_is_help=True, rich_markup_mode=None)
group.command("test")(prove)

_NAME = typer.Argument(..., metavar="NAME", help="The pipeline.")
_NUMBER = typer.Argument(None, metavar="[N]", help="The release; by default the live one.")


@group.command("list")
def list_(
    name: str | None = typer.Argument(None, metavar="[NAME]", help="The pipeline; by default all of them."),
    as_json: bool = json_option(),
) -> None:
    """Every release of a pipeline, the newest first."""
    from gen_toolkit import display
    from gen_toolkit.releases.overview import all_releases, releases_of

    found = all_releases() if name is None else releases_of(name)
    if as_json:
        _print([line.to_json() for line in found])
        return
    columns = ["pipeline", "release", "live", "promoted", "by", "commit", "digest", "notebook"]
    rows = [
        [
            x.pipeline,
            "" if x.number is None else x.number,
            "live" if x.live else "",
            x.promoted_at,
            x.by,
            (x.commit or "")[:12],
            x.digest[:12],
            x.notebook,
        ]
        for x in found
    ]
    print(display.text_table(columns, rows) if rows else f"no releases yet; gen promote NOTEBOOK --as {name or 'NAME'}")
    for line in found:
        which = line.pipeline if line.number is None else f"{line.pipeline}, release {line.number}"
        for said in filter(None, (line.override, line.against, line.problem)):
            print(f"{which}: {one_line(said, 400)}")


@group.command("show")
def show(name: str = _NAME, number: int | None = _NUMBER, as_json: bool = json_option()) -> None:
    """One release: who and when, parameters, prompts, models, files, secrets it may read."""
    from gen_toolkit.releases.freeze import verify
    from gen_toolkit.releases.overview import pipeline_named
    from gen_toolkit.releases.parameters import released_parameters

    pipeline = pipeline_named(name)
    folder, standing = pipeline.release_folder(number), pipeline.standing
    manifest = verify(folder)
    if as_json:
        _print({**manifest, **standing.to_json()})
        return
    print(f"{'live'.ljust(12)}{one_line(standing, 400)}")
    for key in ("name", "release", "digest", "promoted_at", "promoted_by", "commit", "dirty", "notebook", "secrets"):
        print(f"{key.ljust(12)}{_said(manifest.get(key))}")
    for row in parameter_rows(released_parameters(folder)):
        print(f"{'parameter'.ljust(12)}{'  '.join(row)}".rstrip())
    for reference, frozen in manifest["prompts"].items():
        print(f"{'prompt'.ljust(12)}{reference} {'absent' if frozen.get('absent') else frozen['version']}")
    for alias, pinned in manifest["models"].items():
        print(f"{'model'.ljust(12)}{alias} {pinned['provider']} {pinned['model']}")
    for path in manifest["include"]:
        print(f"{'include'.ljust(12)}{path}")
    _show_proof(manifest)


def _show_proof(manifest: Mapping[str, Any]) -> None:
    """What it was promoted on, and against what."""
    from gen_toolkit.releases.overview import against_gates

    evidence = manifest.get("evidence") or {}
    for label, said in (("proof", evidence.get("run")), ("override", against_gates(manifest))):
        if said:
            print(f"{label.ljust(12)}{_said(said)}")
    for gate in evidence.get("gates", ()):
        print(f"{'gate'.ljust(12)}{'yes' if gate['passed'] else 'NO '} {_said(gate['gate'])}: {_said(gate['said'])}")


@group.command("review")
def review(
    name: str = _NAME,
    number: int | None = _NUMBER,
    notebook: Path | None = typer.Option(
        None, "--notebook", metavar="FILE", help="A page of this notebook as it is now; nothing is promoted."
    ),
    markdown: bool = typer.Option(False, "--markdown", help="Print the page as Markdown, for a pull request."),
    as_json: bool = json_option(),
) -> None:
    """The page that a reviewer reads: prints where it is, an HTML file that any browser shows."""
    from gen_toolkit.releases.review.made import review_of_notebook, review_of_release
    from gen_toolkit.releases.review.page import HTML, MARKDOWN

    if notebook is not None and number is not None:
        raise InputError("a page is either of a release or of a notebook", fix="Leave out N or --notebook.")
    folder = review_of_release(name, number) if notebook is None else review_of_notebook(name, notebook)
    if as_json:
        _print({"html": str(folder / HTML), "markdown": str(folder / MARKDOWN)})
    elif markdown:
        print((folder / MARKDOWN).read_text(encoding="utf-8"), end="")
    else:
        print(folder / HTML)


@group.command("verify")
def verify_(name: str = _NAME, number: int | None = _NUMBER, as_json: bool = json_option()) -> None:
    """Prove that releases are what was promoted; without a number all of them. Exit 1 where one is not."""
    from gen_toolkit.releases.overview import pipeline_named, releases_of

    if number is not None:
        pipeline_named(name).release_folder(number)  # one that is not there is nothing that could be verified
    found = [line for line in releases_of(name) if number in (None, line.number)]
    if as_json:
        _print([line.to_json() for line in found])
    for line in () if as_json else found:
        print(f"release {line.number}  {line.digest[:16]}  {line.problem or 'is what was promoted'}")
    if any(line.problem for line in found):
        raise typer.Exit(1)


@group.command("diff")
def diff(
    name: str = _NAME,
    old: int = typer.Argument(..., metavar="A", help="A release."),
    new: int = typer.Argument(..., metavar="B", help="A release."),
    as_json: bool = json_option(),
) -> None:
    """What differs between two releases: cells, prompts word by word, parameters, models, files, packages."""
    from gen_toolkit.releases.difference import difference
    from gen_toolkit.releases.overview import pipeline_named
    from gen_toolkit.releases.side import side_of_release

    pipeline = pipeline_named(name)
    _show(difference(side_of_release(pipeline, old), side_of_release(pipeline, new)), as_json)


@group.command("drift")
def drift(
    name: str = _NAME,
    notebook: Path | None = typer.Option(None, "--notebook", metavar="FILE", help="By default the live release's own."),
    as_json: bool = json_option(),
) -> None:
    """How far the working notebook, its prompts and models are from the live release. Exit 1 where they differ."""
    from gen_toolkit.releases.difference import difference
    from gen_toolkit.releases.overview import pipeline_named
    from gen_toolkit.releases.side import side_of_notebook, side_of_release

    pipeline = pipeline_named(name)
    found = difference(side_of_release(pipeline), side_of_notebook(pipeline, notebook))
    if not as_json and (line := override_line(pipeline)):
        print(line)
    _show(found, as_json, **pipeline.standing.to_json())
    if not found.is_empty:
        raise typer.Exit(1)


def _show(found: Difference, as_json: bool, **more: Any) -> None:
    if as_json:
        _print({**found.to_json(), **more})
        return
    print(found)


def _said(value: Any) -> str:
    return one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 120)


def _print(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False))
