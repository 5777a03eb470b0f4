"""What a template does once for all its forks, besides importing: searches and compilations that end in a cache."""

from __future__ import annotations

import contextlib
import importlib
import sys

from gen_toolkit.jobs.warm.rehearse import rehearse
from gen_toolkit.workspace import Workspace

_MINORS = (4, 5)  # of nbformat 4: what is written today, and what was before cells had ids


def prepare(workspace: Workspace) -> None:
    """Each part alone: what fails here is told to whoever needs it."""
    parts = (_plugins, _schemas, _provisioners, _commands, _packages, rehearse, _folders)
    with contextlib.chdir(workspace.root):
        for part in parts:
            with contextlib.suppress(Exception):
                part()


def _folders() -> None:
    """What is said of a folder that was not there would be believed for ever: forks look again."""
    for folder in [folder for folder, finder in sys.path_importer_cache.items() if finder is None]:
        del sys.path_importer_cache[folder]


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


def _packages() -> None:
    """The installed packages are listed, and their names brought to one form. By name: releases are a floor above."""
    packages = importlib.import_module("gen_toolkit.releases.environment")
    found = packages.environment()
    packages.changes(found, found)


def _commands() -> None:
    """typer makes its commands from the functions' signatures, and what reads an option the first time one is given.

    By name: the command line is a floor above.
    """
    gen = importlib.import_module("gen_toolkit.cli.app").made_command()
    for name in importlib.import_module("gen_toolkit.cli.entry").FORKED:
        gen.commands[name].make_context(name, ["name"], resilient_parsing=True)
