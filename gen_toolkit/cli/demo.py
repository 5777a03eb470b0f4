"""gen demo: the whole story on real film reviews with the embedded model, in the terminal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_toolkit.errors import NotFound, RunFailed
from gen_toolkit.text import terminal

if TYPE_CHECKING:
    from gen_toolkit.jobs.execute import Finished

NOTEBOOK = "notebooks/01_label_reviews.ipynb"
PIPELINE = "demo"
_JOB_ROWS = {"offset": "150", "limit": "40", "compare": "false"}


def demo() -> None:
    """Evaluate three ways of asking, promote the notebook, run it as a job on other rows."""
    from gen_toolkit.settings import load_settings
    from gen_toolkit.tracking.writer import drain

    start = time.monotonic()
    settings = load_settings()
    path = settings.workspace.root / NOTEBOOK
    if not path.is_file():
        raise NotFound(
            f"{path} is not there", fix="Run the demo in a clone of gen_toolkit; elsewhere begin with: gen init DIR"
        )
    kept = _evaluate(path)
    _promote(path)
    finished = _job(kept["threshold"])
    print("\n4  MLflow")
    waiting = drain(settings, seconds=60)
    said = "all runs are recorded" if not waiting else f"{waiting} events wait"
    print(terminal(f"   {said} in {settings.tracking_uri}"))
    _next(finished, settings.experiment)
    print(f"\ndone in {time.monotonic() - start:.0f} s")


def _evaluate(path: Path) -> dict[str, Any]:
    """Run the notebook from top to bottom and show what its evaluations found."""
    from gen_toolkit.cli.show import follow
    from gen_toolkit.releases.promotion.rehearse import run_through

    print(f"1  The notebook {NOTEBOOK}: three ways of asking the embedded model, on the same 150 reviews", flush=True)
    with follow("   notebook") as progress:
        session = run_through(path, progress)
    if session.ending.state != "succeeded":
        said = session.ending.reason.message if session.ending.reason else session.ending.state
        raise RunFailed(
            f"the notebook did not run through: {said}",
            fix=f"See {session.folder}",
            run=session.id,
            state=session.ending.state,
        )
    return _show_evaluations(session.id)


def _show_evaluations(session: str) -> dict[str, Any]:
    from gen_toolkit import display
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.events import Recorded, ValueKept
    from gen_toolkit.tracking import spool

    database = open_database()
    rows, verdicts = [], []
    for run in spool.children_of(database, [session]):
        metrics: dict[str, float] = {}
        for event in spool.events_of(database, run.run, Recorded):
            metrics |= event.metrics
            verdicts += [said for name, said in event.tags.items() if name.startswith("gen_toolkit.verdict.")]
        interval = f"{metrics['accuracy']:.3f} [{metrics['accuracy.low']:.3f}, {metrics['accuracy.high']:.3f}]"
        rows.append(
            [
                run.name,
                run.params["prompt"],
                interval,
                int(metrics["rows"]),
                int(metrics["calls"]),
                display.money(metrics.get("cost_usd")),
                display.seconds(metrics["seconds"]),
            ]
        )
    table = display.text_table(["evaluation", "prompt", "accuracy [95 %]", "rows", "calls made", "cost", "took"], rows)
    print("\n" + _indented(table))
    for said in verdicts:
        print(f"   {said}")
    return {event.name: event.value for event in spool.events_of(database, session, ValueKept)}


def _promote(path: Path) -> None:
    from gen_toolkit.releases.promotion.promote import promote

    print("\n2  Promotion: check, freeze, prove by the run above, make live", flush=True)
    made = promote(path, PIPELINE)
    word = "is live" if made.made else "is this notebook already"
    if made.case.evidence is not None:
        print(f"   proof: run {made.case.evidence.run[:13]}, {made.case.evidence.took['calls']:,} calls, all on record")
    print(f"   release {made.number} of {PIPELINE!r} {word}, digest {made.digest[:16]}")
    print(f"   {made.pipeline.releases / str(made.number)}")


def _job(threshold: float) -> Finished:
    """Run the release on rows that the notebook did not see, with the threshold it found."""
    from gen_toolkit.cli.show import follow, run_text
    from gen_toolkit.releases.start import run_release

    given = {**_JOB_ROWS, "threshold": repr(threshold)}
    shown = " ".join(f"-p {name}={value}" for name, value in given.items())
    print(f"\n3  The job on 40 other reviews: gen run {PIPELINE} {shown}", flush=True)
    with follow("   job") as progress:
        finished = run_release(PIPELINE, given, progress=progress)
    print(_indented(run_text(finished.run)))
    if finished.run.state != "succeeded":
        raise RunFailed(
            f"the job ended as {finished.run.state}",
            fix=f"See {finished.run.folder}/log.txt",
            run=finished.run.id,
            state=finished.run.state,
        )
    return finished


def _next(finished: Finished, experiment: str) -> None:
    print("\nGo on with:")
    print(f"   make ui      compare the runs side by side: experiment {experiment!r}")
    print("   make lab     open the notebook, change a prompt, run the cells again")
    print(f"   .venv/bin/gen runs show {finished.run.id[:13]} --html")
    print(f"   .venv/bin/gen release review {PIPELINE}      the page a reviewer reads to say yes")
    print(f"   .venv/bin/gen release test {PIPELINE}        the release once more, offline, on its recorded calls")


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.splitlines())
