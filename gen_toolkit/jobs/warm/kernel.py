"""An IPython kernel as a fork: `main()` does what `python -m ipykernel_launcher` does."""

from __future__ import annotations

import os

MODULE = "ipykernel_launcher"


def main() -> None:
    from ipykernel import kernelapp

    # "I have a parent, and need not look whether it lives": whoever asked for this kernel does that
    os.environ["JPY_PARENT_PID"] = "1"
    kernelapp.launch_new_instance()
