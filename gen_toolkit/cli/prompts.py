"""gen prompts: files and registry, where aliases point and why, and the check for what values may do."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from gen_toolkit.cli.show import json_option
from gen_toolkit.text import one_line, terminal

if TYPE_CHECKING:
    from gen_toolkit.tracking.aliases import Move

group = typer.Typer(help="Prompts: files, versions, aliases.", no_args_is_help=True, rich_markup_mode=None)

_NAME = typer.Argument(..., metavar="NAME", help="The prompt.")
_ALIAS = typer.Argument(..., metavar="ALIAS", help="The alias: staging, live, …")


def _reason() -> Any:
    return typer.Option("", "--reason", help="Why; recorded with the move.")


@group.command("sync")
def sync(
    check: bool = typer.Option(False, "--check", help="Save nothing; exit 1 where files and registry differ."),
    message: str = typer.Option("", "-m", "--message", help="Why; recorded with each new version."),
    as_json: bool = json_option(),
) -> None:
    """Save the prompt files of the workspace as versions; what is there already makes none."""
    from gen_toolkit.prompts.sync import sync as sync_files

    found = sync_files(message, check=check)
    if as_json:
        _print([synced.to_json() for synced in found])
    for synced in () if as_json else found:
        version = "no version" if synced.version is None else f"version {synced.version}"
        print(f"{synced.state.ljust(9)}  {synced.name}  {version}  {synced.path}")
    if not found and not as_json:
        print("no prompt files (*.prompt.md) in this workspace; see docs/prompts.md")
    if check and any(synced.state != "same" for synced in found):
        raise typer.Exit(1)


@group.command("list")
def list_(as_json: bool = json_option()) -> None:
    """Every prompt: newest version, aliases, file, owner."""
    from gen_toolkit import display
    from gen_toolkit.prompts.overview import overview

    found = overview()
    if as_json:
        _print([line.to_json() for line in found])
    elif not found:
        print("no prompts yet; write one as a file, or save one: prompt.save(…)")
    else:
        rows = [[x.name, x.newest or "", _aliases(x.aliases), x.file, x.owner, x.description] for x in found]
        print(display.text_table(["name", "newest", "aliases", "file", "owner", "description"], rows, width=44))


def _aliases(aliases: Mapping[str, int]) -> str:
    return ", ".join(f"{alias} → {version}" for alias, version in sorted(aliases.items()))


@group.command("show")
def show(
    reference: str = typer.Argument(..., metavar="NAME[@REF]", help="A version or an alias; by default the newest."),
    as_json: bool = json_option(),
) -> None:
    """One version: who, when, why, what it declares, its text."""
    from gen_toolkit.prompts.overview import details

    found = details(reference)
    if as_json:
        _print(found)
        return
    for key, value in found.items():
        if key not in {"messages", "fragments"} and value not in (None, "", {}, []):
            shown = _when(value) if key == "made_at" else _aliases(value) if key == "aliases" else value
            said = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)
            print(f"{key.ljust(12)}{_printable(said)}")
    for message in found["messages"]:
        print(f"\n# {terminal(message['role'])}\n{_content(message)}")
    for name, fragment in found["fragments"].items():
        print(f"\n# fragment {name} ({fragment['hash'][:16]})\n{_printable(fragment['text'])}")


def _content(message: Mapping[str, Any]) -> str:
    from gen_toolkit.messages.request import content_text

    return _printable(content_text(message))


def _printable(text: str) -> str:
    """Without what would drive the terminal, and without halves of characters, which cannot be printed."""
    return terminal(text).encode("utf-8", "replace").decode("utf-8")


@group.command("diff")
def diff(
    name: str = _NAME,
    old: str = typer.Argument(..., metavar="A", help="A version, an alias, or `file`."),
    new: str = typer.Argument(..., metavar="B", help="A version, an alias, or `file`."),
    as_json: bool = json_option(),
) -> None:
    """What differs between two versions, word by word: [-removed-] {+added+}."""
    from gen_toolkit.prompts.overview import compare

    changes = compare(name, old, new)
    if as_json:
        _print([change.to_json() for change in changes])
        return
    for change in changes:
        print(f"{change.part}\n" + "\n".join(f"  {line}" for line in _printable(change.shown()).split("\n")))
    if not changes:
        print("no difference")


@group.command("log")
def log(name: str = _NAME, as_json: bool = json_option()) -> None:
    """Who saved which version and who moved which alias, when and why; the newest first."""
    from gen_toolkit import display
    from gen_toolkit.prompts.history import log as happened

    found = happened(name)
    if as_json:
        _print([line.to_json() for line in found])
        return
    rows = [[_when(line.at), line.by or "unknown", line.what, line.why] for line in found]
    print(display.text_table(["when", "who", "what", "why"], rows, width=160))


def _when(at: float | None) -> str:
    return "unknown" if at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


@group.command("promote")
def promote(
    name: str = _NAME,
    version: str = typer.Argument(..., metavar="VERSION", help="A version, or an alias that points to it."),
    alias: str = _ALIAS,
    reason: str = _reason(),
    rows: int | None = typer.Option(
        None, "--rows", min=1, help="For live: how many rows an evaluation must have scored (30)."
    ),
    as_json: bool = json_option(),
) -> None:
    """Let an alias point to a version; to `live` only with an evaluation that is not worse, or with --reason."""
    from gen_toolkit.evals.prompt_gate import FEWEST_ROWS
    from gen_toolkit.evals.prompt_gate import promote as promote_version

    number, move, gate = promote_version(name, version, alias, reason=reason, rows=rows or FEWEST_ROWS)
    if as_json:
        said = None if gate is None else {"passed": gate.passed, "said": gate.said}
        _print({"version": number, "move": None if move is None else move.to_json(), "gate": said})
        return
    _tell(name, alias, number, move)


@group.command("rollback")
def rollback(name: str = _NAME, alias: str = _ALIAS, reason: str = _reason(), as_json: bool = json_option()) -> None:
    """Let an alias point to where it pointed before; again, and it goes further back."""
    from gen_toolkit.prompts.history import rollback as go_back

    move = go_back(name, alias, reason)
    if as_json:
        _print({"version": move.after, "move": move.to_json()})
        return
    _tell(name, alias, move.after, move)


def _tell(name: str, alias: str, version: int, move: Move | None) -> None:
    if move is None:
        print(f"{name}@{alias} is version {version} already")
        return
    before = "nowhere" if move.before is None else f"version {move.before}"
    print(f"{name}@{alias} is version {version} now; it was {before}")
    if move.gate:
        print(f"  {one_line(move.gate, 400)}")


@group.command("check")
def check(
    name: str | None = typer.Argument(
        None, metavar="[NAME]", help="A prompt of a file, or NAME@REF; by default all files."
    ),
    model: str | None = typer.Option(
        None, "--model", metavar="ALIAS", help="Ask this model, too, whether it obeys values."
    ),
    as_json: bool = json_option(),
) -> None:
    """Render each prompt with sample and with hostile values, and say what is wrong."""
    from gen_toolkit.evals.prompt_check import check_prompts

    found = check_prompts(name, model=model)
    if as_json:
        _print([checked.to_json() for checked in found])
    for checked in () if as_json else found:
        tried = (
            f"{checked.cases} hostile values in {', '.join(checked.tried)}" if checked.tried else "no untrusted text"
        )
        print(f"{'FAIL' if checked.problems else 'ok  '}  {checked.name}  {checked.where}  ({tried})")
        for problem in checked.problems:
            print(f"      {one_line(problem, 300)}")
        if checked.obeyed is not None:
            print(f"      {model}: {checked.obeyed}")
    if not found and not as_json:
        print("no prompt files (*.prompt.md) in this workspace; see docs/prompts.md")
    if any(checked.problems for checked in found):
        raise typer.Exit(1)


def _print(data: Any) -> None:
    told = json.dumps(data, ensure_ascii=False)
    print(told if told == told.encode("utf-8", "replace").decode("utf-8") else json.dumps(data))
