"""gen warm start, stop, status: the template process that runs and kernels are forked from."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from gen_toolkit.cli.show import json_option
from gen_toolkit.errors import SetupError

if TYPE_CHECKING:
    from gen_toolkit.jobs.warm.keep import Status

group = typer.Typer(
    help="Keep a process ready that has everything imported: runs and kernels start from it at once.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_SLOWEST = 120.0


@group.command("start")
def start(
    idle: float = typer.Option(30, "--idle", metavar="MINUTES", min=0.05, help="End it after so long without a run."),
) -> None:
    """Have a template up for this workspace. `gen lab` and `gen serve` do this by themselves."""
    from gen_toolkit.jobs.warm.keep import keep_warm, last_words, status
    from gen_toolkit.jobs.warm.kernelspec import offer_kernel
    from gen_toolkit.settings import load_settings

    workspace = load_settings().workspace
    if not keep_warm(workspace, keeper=os.getpid(), idle=idle * 60):
        raise SetupError("there is no template on this system", fix="Nothing: everything starts cold, as before.")
    until = time.monotonic() + _SLOWEST
    while (found := status(workspace)) is None:
        if time.monotonic() > until:
            raise SetupError(f"the template did not come up: {last_words(workspace)}", fix="See mlruns/warm.log.")
        time.sleep(0.05)
    offer_kernel(workspace, os.environ)
    print("\n  ".join(told(found)))


@group.command("stop")
def stop() -> None:
    """End the template. Runs and kernels that it started go on."""
    from gen_toolkit.jobs.warm.keep import stop
    from gen_toolkit.workspace import find_workspace

    print("the template has ended" if stop(find_workspace()) else "no template is up")


@group.command("status")
def status(as_json: bool = json_option()) -> None:
    """Whether a template is up, and what it has imported."""
    from gen_toolkit.jobs.warm.keep import status
    from gen_toolkit.workspace import find_workspace

    found = status(find_workspace())
    if as_json:
        print(json.dumps(None if found is None else asdict(found), ensure_ascii=False))
    else:
        print("\n  ".join(told(found)))


def told(found: Status | None) -> list[str]:
    """For people: a line, and one for each thing that is not as it should be."""
    if found is None:
        return ["no template is up: runs and kernels start cold; gen warm start has one"]
    age = time.time() - found.since
    lines = [f"a template is up: process {found.pid}, {found.modules} modules, {age:.0f} s old"]
    lines += [f"{found.memory_mb:.0f} MB, with all that it has started or keeps waiting"]
    lines += [f"without {name}: {problem}" for name, problem in found.problems.items()]
    return lines + ([f"it makes itself anew at the next run: {found.stale}"] if found.stale else [])
