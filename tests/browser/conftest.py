"""One JupyterLab for all browser tests of a worker; for each test a page, a notebook in its workspace, a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow_store import store
from openai_server import OpenAIServer

from tests.browser.lab import CHROMIUM, Lab, Notebook, Seen, launch, serve_lab, watched

__all__ = ["store"]

_EMPTY = '{"cells": [], "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}}, "nbformat": 4, \
"nbformat_minor": 5}'


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab over the folder that holds every test's workspace."""
    if CHROMIUM is None:
        pytest.skip("needs chromium: apt-get install chromium")
    with serve_lab(tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("lab")) as served:
        yield served


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Of one module only: while it runs, tests in this process cannot run an event loop of their own."""
    if CHROMIUM is None:
        pytest.skip("needs chromium: apt-get install chromium")
    with launch() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(chromium: Any) -> Iterator[tuple[Any, Seen]]:
    """One page for the notebooks of a module: loading JupyterLab takes longer than most tests."""
    with watched(chromium) as found:
        yield found


@pytest.fixture
def notebook(lab: Lab, page: tuple[Any, Seen], workspace: Path) -> Iterator[Notebook]:
    """An empty notebook in the test's workspace, open in chromium, its kernel ready.

    Write `gen_toolkit.toml` and files before the first cell runs. At the end: no request has left loopback,
    and no alert was shown.
    """
    path = workspace / "notebooks" / "tried.ipynb"
    path.write_text(_EMPTY, encoding="utf-8")
    shown, seen = page
    opened = lab.open(shown, path)
    yield opened
    opened.close()
    assert seen.outside == []
    assert seen.dialogs == []


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    """A model on loopback."""
    served = OpenAIServer()
    yield served
    served.close()
