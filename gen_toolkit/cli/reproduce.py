"""gen reproduce, gen runs export, gen release test: execute once more, offline, and compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from gen_toolkit.cli.show import follow, json_option

if TYPE_CHECKING:
    from gen_toolkit.releases.reproduction.repeat import Repeated


def reproduce(
    what: str = typer.Argument(..., metavar="RUN|FILE", help="A run of this workspace, or what was exported of one."),
    as_json: bool = json_option(),
) -> None:
    """Execute a run once more on the answers it had, and say whether it is identical. Exit 1 where it is not."""
    from gen_toolkit.releases.reproduction.export import export_of
    from gen_toolkit.releases.reproduction.exported import read_exported
    from gen_toolkit.releases.reproduction.reproduce import reproduce as reproduce_run

    path = Path(what)
    exported = read_exported(path) if path.is_file() or path.suffix == ".json" else export_of(what)
    source = path.name if path.is_file() else f"run {exported.run[:13]}"
    with follow(f"reproduce {source}", quiet=as_json) as progress:
        found = reproduce_run(exported, source, progress)
    _show(exported.title, found, {"run": exported.run}, as_json)


def export(
    run: str = typer.Argument(..., metavar="RUN", help="Its id, or the first 8 characters."),
    output: Path | None = typer.Option(None, "-o", "--output", metavar="FILE", help="By default run-RUN.json."),
    as_json: bool = json_option(),
) -> None:
    """Write a run into one file that `gen reproduce` executes again anywhere. Refused where it would hold a secret."""
    from gen_toolkit.releases.reproduction.export import export_run

    path, exported = export_run(run, output)
    size = path.stat().st_size
    if as_json:
        facts = {"run": exported.run, "file": str(path), "calls": len(exported.calls), "bytes": size}
        print(json.dumps(facts, ensure_ascii=False))
    else:
        print(f"{path}  {exported.title}, {len(exported.calls)} calls, {size // 1024 + 1} kB")
        print(f"  next    gen reproduce {path}")


def prove(
    name: str = typer.Argument(..., metavar="NAME", help="The pipeline."),
    number: int | None = typer.Argument(None, metavar="[N]", help="The release; by default the live one."),
    as_json: bool = json_option(),
) -> None:
    """Execute a release offline on its recorded calls, and compare with its reference. Exit 1 where they differ."""
    from gen_toolkit.releases.reproduction.tested import release_tested

    with follow(f"test {name}", quiet=as_json) as progress:
        found = release_tested(name, number, progress)
    if isinstance(found, str):
        print(json.dumps({"skipped": found}) if as_json else f"{name}: not tested: {found}")
        return
    _show(name, found, {}, as_json)


def _show(title: str, found: Repeated, facts: dict[str, str], as_json: bool) -> NoReturn:
    """What came of it, and the exit code that says so."""
    if as_json:
        print(json.dumps({**facts, **found.to_json()}, ensure_ascii=False))
    else:
        print(f"{title}: {found}")
        if found.difference is not None:
            print("\n".join(f"  {line}" for line in found.difference.diff().split("\n")))
    if found.signal is not None:
        raise typer.Exit(128 + found.signal)
    raise typer.Exit(0 if found.difference is None else 1)
