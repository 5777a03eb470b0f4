"""What `gen` begins with: a command that executes notebooks is handed to the workspace's template, when one is up.

Nothing heavy is loaded on that path. All other commands, and all commands where no template is up, are
loaded and run here.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

FORKED = {"run", "try", "resume"}
"""The commands that a template is asked for."""
_VERBOSE = {"-v", "--verbose"}


def main() -> NoReturn:
    arguments = sys.argv[1:]
    command = next((it for it in arguments if it not in _VERBOSE), "")
    if command in FORKED and sys.platform == "linux":
        _hand_over(arguments, verbose=arguments[0] in _VERBOSE)
    from gen_toolkit.cli.begin import main as run

    run()


def _hand_over(arguments: list[str], *, verbose: bool) -> None:
    """Returns only where the command has to be run here; nothing has happened then."""
    from gen_toolkit.jobs.warm.client import Cold, hand_over

    try:
        handed = hand_over("gen_toolkit.cli.begin", arguments)
    except Cold as reason:
        if verbose:
            print(f"cold start: {reason}", file=sys.stderr)
        return
    if verbose:
        print(f"warm start: process {handed.pid}, a fork of the template", file=sys.stderr)
    code, problem = handed.ended()
    if problem:
        print(f"error: {problem}; see: gen runs list", file=sys.stderr)
    sys.stderr.flush()
    os._exit(code)  # nothing was opened here, and the output is the other's


if __name__ == "__main__":
    main()
