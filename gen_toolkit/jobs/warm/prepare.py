"""What a template does once for all its forks, besides importing: searches and compilations that end in a cache."""

from __future__ import annotations

import contextlib
import importlib

_MINORS = (4, 5)  # of nbformat 4: what is written today, and what was before cells had ids


def prepare() -> None:
    """Each part alone: what fails here is told to whoever needs it."""
    for part in (_plugins, _schemas, _provisioners, _commands):
        with contextlib.suppress(Exception):
            part()


def _plugins() -> None:
    """Entry points are searched in every installed package."""
    from gen_toolkit.events import _listeners

    _listeners()


def _schemas() -> None:
    """The schema of notebooks is compiled to Python the first time one is checked: a tenth of a second."""
    from nbformat.validator import get_validator

    for minor in _MINORS:
        get_validator(4, minor)


def _provisioners() -> None:
    """Jupyter looks through all entry points for those of kernels."""
    from jupyter_client.provisioning import KernelProvisionerFactory

    KernelProvisionerFactory.instance()


def _commands() -> None:
    """typer makes its commands from the functions' signatures. By name: the command line is a floor above."""
    importlib.import_module("gen_toolkit.cli.app").made_command()
