"""An IPython kernel as a fork: `main()` does what `python -m ipykernel_launcher` does."""

from __future__ import annotations

MODULE = "ipykernel_launcher"


def main() -> None:
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()
