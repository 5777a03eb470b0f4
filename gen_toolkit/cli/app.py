"""The commands, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import sys
from collections.abc import Callable
from functools import cache
from typing import NoReturn

import typer

from gen_toolkit import __version__
from gen_toolkit.cli import (
    calls,
    demo,
    evaluations,
    models,
    notebooks,
    promote,
    prompts,
    releases,
    reproduce,
    rollback,
    runs,
    runs_prune,
    schedules,
    serve,
    servers,
    warm,
    workspaces,
)
from gen_toolkit.cli.parameters import WithParameters
from gen_toolkit.errors import GenToolkitError, SetupError

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}  # wherever a command meets it, it is no fault of ours

app = typer.Typer(
    name="gen",
    help="From a prompt in a notebook cell to a scheduled production job, without rewriting it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: quick to print, easy to grep
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("init")(workspaces.init)
app.command("doctor")(workspaces.doctor)
app.command("lab")(servers.lab)
app.command("ui")(servers.ui)
app.command("demo")(demo.demo)
app.command("check")(notebooks.check)
app.command("try", cls=WithParameters)(notebooks.try_)
app.command("promote")(promote.promote)
app.command("run", cls=WithParameters)(runs.run)
app.command("eval")(evaluations.eval_)
app.command("resume")(runs.resume)
app.command("cancel")(runs.cancel)
app.command("reproduce")(reproduce.reproduce)
app.command("serve")(serve.serve)
app.add_typer(schedules.group, name="schedule")
app.add_typer(runs_prune.group, name="runs")
releases.group.command("rollback")(rollback.rollback)
releases.group.command("history")(rollback.history)
app.add_typer(releases.group, name="release")
app.add_typer(models.group, name="models")
app.add_typer(calls.group, name="calls")
app.add_typer(prompts.group, name="prompts")
app.add_typer(warm.group, name="warm")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"gen_toolkit {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
    _verbose: bool = typer.Option(False, "--verbose", "-v", help="Say whether a run starts warm or cold, and why."),
) -> None:
    pass


@cache
def made_command() -> Callable[[], object]:
    """What typer makes of `app`, once a process: a template makes it for its forks."""
    return typer.main.get_command(app)


def main() -> NoReturn:
    """Run a command; every known error is one line on standard error, and an exit code a script can use."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # half of a character, as models leave it, is no UTF-8
            stream.reconfigure(errors="backslashreplace")  # and JSON's own word for it
    try:
        made_command()()
    except GenToolkitError as error:
        _show(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # `gen runs list | head` is no error
        sys.exit(0)
    except OSError as error:
        if error.errno not in _DISK:
            raise
        trouble = SetupError(
            f"{error.filename or 'a file'} cannot be written: {error.strerror}", fix="Check free space and permissions."
        )
        _show(trouble)
        sys.exit(trouble.exit_code)
    sys.exit(0)


def _show(error: GenToolkitError) -> None:
    from gen_toolkit.text import encodable, scrub, terminal

    if "--json" in sys.argv:
        print(encodable(scrub(json.dumps({"error": error.to_json()}, ensure_ascii=False))))
        return
    print(terminal(f"error: {error}").replace("\n", " "), file=sys.stderr)


if __name__ == "__main__":
    main()
