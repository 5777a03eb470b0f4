"""A notebook executed before its promotion, as a job would: what sessions were answered is not asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gen_toolkit.jobs.execute import Finished, execute
from gen_toolkit.jobs.limits import Limits
from gen_toolkit.jobs.prepare import RELEASE
from gen_toolkit.jobs.session import Session
from gen_toolkit.jobs.session import run_through as session_of
from gen_toolkit.jobs.supervise import Progress
from gen_toolkit.releases.check import checked
from gen_toolkit.releases.finding import Subject
from gen_toolkit.releases.freeze import Frozen, freeze, write_release
from gen_toolkit.releases.start import frozen_for_a_try, try_job


def rehearse(subject: Subject, frozen: Frozen, operator: Mapping[str, Any], progress: Progress) -> Finished:
    """Execute what would be released, with the parameters' defaults and the limits of pipeline.toml."""
    with frozen_for_a_try(subject, frozen) as folder:
        job = replace(try_job(subject.path.stem, folder, {}), limits=Limits.of(operator), is_shared=True)
        return execute(job, progress)


def run_through(path: Path, progress: Progress) -> Session:
    """Run a notebook from top to bottom as a person would, with what it ran kept beside it: so that it can speak for
    a promotion. Raises CheckFailed where it could not become a release."""
    subject = checked(path)
    frozen = freeze(subject)
    session = session_of(path, {}, progress)
    folder = session.folder / RELEASE
    folder.mkdir(mode=0o700)
    write_release(frozen, folder, subject, {"name": path.stem, "release": None})
    return session
