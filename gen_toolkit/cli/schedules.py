"""gen schedule set, pause, preview, backfill."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer

from gen_toolkit.cli.show import given, json_option, parameters_option
from gen_toolkit.cli.since import duration
from gen_toolkit.errors import GenToolkitError, InputError, NotFound

if TYPE_CHECKING:
    from gen_toolkit.releases.moves import Live
    from gen_toolkit.releases.pipeline import Pipeline
    from gen_toolkit.schedules.due import Noted
    from gen_toolkit.schedules.preview import FireTime
    from gen_toolkit.timing.schedule import Schedule

group = typer.Typer(help="Say when pipelines run, and see it.", no_args_is_help=True, rich_markup_mode=None)
_NAME = typer.Argument(..., metavar="NAME", help="The pipeline.")


@group.command("set")
def set_(
    name: str = _NAME,
    cron: list[str] = typer.Option([], "--cron", metavar="LINE", help="Five fields; more than one: due at any."),
    every: str | None = typer.Option(None, "--every", metavar="TIME", help="Instead of cron: 90s, 15m, 12h."),
    zone: str | None = typer.Option(None, "--zone", metavar="ZONE", help="Of the cron lines, like Europe/Berlin."),
    due: str | None = typer.Option(None, "--due", metavar="PARAMETER", help="The parameter that gets the due time."),
    parameters: list[str] = parameters_option(),
    overlap: str | None = typer.Option(None, "--overlap", metavar="skip|queue", help="While a run is not finished."),
    catch_up: str | None = typer.Option(None, "--catch-up", metavar="none|latest|all", help="Of what was missed."),
    window: str | None = typer.Option(None, "--window", metavar="TIME", help="How far back it is caught up: 12h, 7d."),
    as_json: bool = json_option(),
) -> None:
    """Say when a pipeline is due: writes what is given into its pipeline.toml, and leaves the rest.

    A parameter or key that is not to hold any more is deleted there.
    """
    from gen_toolkit.jobs.values import as_json as plain
    from gen_toolkit.jobs.values import as_text
    from gen_toolkit.schedules.declared import declared_parameters, write_schedule
    from gen_toolkit.text import one_line

    pipeline = _pipeline(name)
    changes: dict[str, Any] = {}
    if cron and every is not None:
        raise InputError("--cron and --every are two ways to say when", fix="Give one of them.")
    if cron:
        changes |= {"cron": cron[0] if len(cron) == 1 else cron, "every_s": None}
    if every is not None:
        changes |= {"every_s": _whole_seconds(every), "cron": None}
    if window is not None:
        changes["window_s"] = _whole_seconds(window)
    wanted = {"zone": zone, "due": due, "overlap": overlap, "catch_up": catch_up}
    changes |= {key: value for key, value in wanted.items() if value is not None}
    if parameters:
        texts = given(parameters)
        checked = declared_parameters(pipeline).values(texts, from_text=True)
        changes["parameters"] = {key: plain(checked[key]) for key in texts}
    schedule = write_schedule(pipeline, changes)
    if not as_json:
        for key, value in schedule.parameters.items():
            print(f"  -p {key}={one_line(as_text(value))}")
    _show(name, schedule, 3, as_json)


@group.command("pause")
def pause(
    name: str = _NAME,
    off: bool = typer.Option(False, "--off", help="Go on again."),
    as_json: bool = json_option(),
) -> None:
    """Run nothing of it, until `--off`; what is due meanwhile is not missed."""
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.jobs.ledger import Ledger
    from gen_toolkit.schedules.declared import write_schedule
    from gen_toolkit.schedules.due import write_mark

    pipeline, schedule = _scheduled(name)
    if off and schedule.paused:  # before the file says so: who serves would take what was due meanwhile as missed
        database = open_database()
        write_mark(database, pipeline, schedule, int(Ledger(database).now()))
    write_schedule(pipeline, {"paused": None if off else True})
    if as_json:
        print(json.dumps({"pipeline": name, "paused": not off}))
        return
    print(f"{name} {'goes on' if off else f'is paused; go on with: gen schedule pause {name} --off'}")


@group.command("preview")
def preview(
    name: str | None = typer.Argument(None, metavar="[NAME]", help="The pipeline; without it, the next of each."),
    count: int = typer.Option(10, "-n", "--count", min=1, max=10_000, help="How many fire times."),
    begin: str | None = typer.Option(None, "--from", metavar="MOMENT", help="Begin there, not now: 2026-10-25."),
    as_json: bool = json_option(),
) -> None:
    """The next fire times on the zone's clock and in UTC, with what clock changes do to them."""
    if name is None:
        _show_all(as_json)
        return
    _, schedule = _scheduled(name)
    _show(name, schedule, count, as_json, None if begin is None else _moment(begin, schedule) - 1)


@group.command("backfill")
def backfill(
    name: str = _NAME,
    begin: str = typer.Option(..., "--from", metavar="MOMENT", help="2026-11-01, 2026-11-01T09:30 or 7d."),
    end: str | None = typer.Option(None, "--to", metavar="MOMENT", help="Not later than this; by default now."),
    as_json: bool = json_option(),
) -> None:
    """Queue every instant of a past window that has not run: `gen serve` runs each once."""
    from gen_toolkit.database.engine import open_database
    from gen_toolkit.schedules.backfill import backfill as fill

    pipeline, schedule = _scheduled(name)
    until = min(int(time.time()), int(time.time()) if end is None else _moment(end, schedule))
    noted = fill(open_database(), pipeline, schedule, _moment(begin, schedule), until)
    if as_json:
        print(json.dumps([vars(one) for one in noted]))
        return
    _show_backfill(noted, schedule)


def _show_backfill(noted: list[Noted], schedule: Schedule) -> None:
    queued = [one for one in noted if one.what == "queued"]
    for one in queued[:20]:
        print(f"queued {schedule.local(one.instant):%Y-%m-%d %H:%M:%S}  run {one.run[:13]}")
    if len(queued) > 20:
        print(f"… and {len(queued) - 20} more")
    rest = f"; {len(noted) - len(queued)} had run or wait already" if len(noted) > len(queued) else ""
    print(f"{len(queued)} queued{rest}")


def _show(name: str, schedule: Schedule, count: int, as_json: bool, after: int | None = None) -> None:
    from gen_toolkit import display
    from gen_toolkit.jobs.values import as_json as plain
    from gen_toolkit.schedules.preview import preview as fire_times
    from gen_toolkit.text import one_line

    found = fire_times(schedule, int(time.time()) if after is None else after, count)
    pipeline = _pipeline(name)
    standing, problem = pipeline.standing, _problem(pipeline, schedule)
    if as_json:
        facts = {"pipeline": name, "zone": schedule.zone, "paused": schedule.paused, **standing.to_json()}
        facts["problem"] = problem or None
        facts |= {"parameters": plain(schedule.parameters), "fires": [one.to_json() for one in found]}
        print(json.dumps(facts, default=str))  # a time of day, which TOML has, is no parameter's value
        return
    if problem:
        print(one_line(f"{name} cannot run: {problem}", 300))
    if standing.override:
        print(f"live: {standing}")
    if schedule.paused:
        print(f"{name} is paused; go on with: gen schedule pause {name} --off")
    rows = [_row(one) for one in found]
    print(display.text_table([f"due ({schedule.zone})", "UTC", "note"], rows, width=80))


def _row(one: FireTime) -> list[str]:
    return [one.local.strftime("%a %Y-%m-%d %H:%M:%S %z"), one.utc.strftime("%Y-%m-%d %H:%M:%S"), one.note]


def _show_all(as_json: bool) -> None:
    from gen_toolkit import display
    from gen_toolkit.schedules.declared import scheduled
    from gen_toolkit.settings import load_settings

    now = int(time.time())
    rows: list[dict[str, Any]] = []
    for name, (pipeline, schedule) in scheduled(load_settings().workspace).items():
        if isinstance(schedule, GenToolkitError):
            rows.append({"pipeline": name, "due": None, "zone": None, "says": str(schedule)})
            continue
        local = schedule.local(next(schedule.after(now)))
        problem = _problem(pipeline, schedule)
        says = _says(schedule, pipeline.standing) + (f"  cannot run: {problem}" if problem else "")
        rows.append({"pipeline": name, "due": local.isoformat(), "zone": schedule.zone, "says": says})
    if as_json:
        print(json.dumps(rows))
        return
    if not rows:
        print("no pipeline has a schedule; make one with: gen schedule set NAME --cron LINE")
        return
    print(display.text_table(["pipeline", "next due", "zone", ""], [list(row.values()) for row in rows], width=100))


def _problem(pipeline: Pipeline, schedule: Schedule) -> str:
    """Why a run that is due now could not be; empty: it could."""
    from gen_toolkit.schedules.asked import Asked

    [(_, problem)] = Asked.of(pipeline).runs(schedule, [int(time.time())])
    return problem


def _says(schedule: Schedule, standing: Live) -> str:
    what = f"every {schedule.every_s} s" if schedule.every_s else ", ".join(schedule.cron)
    overridden = f"  live: {standing}" if standing.override else ""
    return f"{what}{'  (paused)' if schedule.paused else ''}{overridden}"


def _pipeline(name: str) -> Pipeline:
    from gen_toolkit.releases.pipeline import pipeline_of
    from gen_toolkit.settings import load_settings

    return pipeline_of(load_settings().workspace, name)


def _scheduled(name: str) -> tuple[Pipeline, Schedule]:
    from gen_toolkit.schedules.declared import schedule_of

    pipeline = _pipeline(name)
    schedule = schedule_of(pipeline)
    if schedule is None:
        raise NotFound(f"pipeline {name!r} has no schedule", fix=f"Make one: gen schedule set {name} --cron LINE")
    return pipeline, schedule


def _whole_seconds(written: str) -> int:
    seconds = round(duration(written), 6)  # 2.3h is 8279.999999999999
    if not seconds.is_integer():
        raise InputError(f"{written!r} is no whole number of seconds", fix="Write 90s, 15m or 12h.")
    return int(seconds)


def _moment(written: str, schedule: Schedule) -> int:
    """Seconds since 1970 of `7d` (so long ago) or of a moment on the clock of the schedule's zone."""
    if written[:1].isdigit() and written[-1:] in "smhdw":
        return int(time.time() - duration(written))
    try:
        moment = datetime.fromisoformat(written)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(schedule.zone))).timestamp())
    except (ValueError, OverflowError, OSError):
        raise InputError(f"{written!r} is no moment", fix="Write 7d, 2026-11-24 or 2026-11-24T09:30.") from None
