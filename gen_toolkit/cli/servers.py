"""gen lab, gen ui: JupyterLab and the MLflow UI on the workspace, on loopback."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

import typer

from gen_toolkit.errors import InputError
from gen_toolkit.text import terminal


def _port(default: int) -> Any:
    return typer.Option(default, "--port", min=1, max=65535, help="Where it listens, on 127.0.0.1.")


def lab(
    port: int = _port(8888),
    browser: bool = typer.Option(True, help="Open a browser."),
) -> None:
    """JupyterLab on the workspace's notebooks."""
    from gen_toolkit.jobs.warm.keep import keep_warm
    from gen_toolkit.jobs.warm.kernelspec import offer_kernel
    from gen_toolkit.settings import load_settings
    from gen_toolkit.tracking.store import prepare_environment

    settings = load_settings()
    prepare_environment(settings)
    if keep_warm(settings.workspace):  # for as long as this process lives, which is JupyterLab's soon
        offer_kernel(settings.workspace, os.environ)
    arguments = [
        "lab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={settings.workspace.root}",
    ]
    arguments += [
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    ]
    if os.geteuid() == 0:
        arguments.append("--allow-root")  # as in a container; it listens on loopback only
    _become("jupyter", arguments if browser else [*arguments, "--no-browser"])


def ui(port: int = _port(5000)) -> None:
    """The MLflow UI on the workspace's runs and prompts."""
    from gen_toolkit.settings import load_settings
    from gen_toolkit.tracking.store import prepare_environment
    from gen_toolkit.tracking.writer import drain

    settings = load_settings()
    if not settings.tracking_uri.startswith("sqlite:"):
        print(terminal(f"MLflow runs elsewhere: open {settings.tracking_uri}"))
        return
    _refuse_busy(port)
    prepare_environment(settings)
    drain(settings)
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # seven more processes that nobody asked for
    print(
        f"MLflow UI: http://127.0.0.1:{port}  (experiment {settings.experiment!r}; stop with Ctrl-C)",
        flush=True,
    )
    artifacts = settings.workspace.records / "artifacts"
    _become(
        "mlflow",
        [
            "server",
            *("--backend-store-uri", settings.tracking_uri),
            *("--artifacts-destination", str(artifacts)),
            *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        ],
    )


def _refuse_busy(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise InputError(f"port {port} is taken", fix=f"Name another: gen ui --port {port + 1}")


def _become(program: str, arguments: list[str]) -> NoReturn:
    """Turn this process into `program` of the same environment."""
    path = Path(sys.executable).parent / program
    sys.stdout.flush()
    os.execv(str(path), [str(path), *arguments])  # noqa: S606 - no shell; the program is our own environment's
