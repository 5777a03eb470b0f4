"""A run and its attempts are two things: leases, fencing tokens, retries; and what is done once a run."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0003"
down_revision = "0002"


def upgrade(op: Operations) -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("run", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("token", sa.Integer, nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("folder", sa.Text),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float),
        sa.Column("reason", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("told", sa.Integer, nullable=False),
        sa.Column("teller", sa.Text),
    )
    _runs_become_attempts(op)
    op.create_index("attempts_by_run", "attempts", ["run", "number"], unique=True)
    op.create_index("attempts_by_told", "attempts", ["told", "state"])
    _widen_runs(op)
    op.create_table(
        "reuses",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.String(36), nullable=False),
        sa.Column("run", sa.String(36), nullable=False),
        sa.Column("call", sa.String(36), nullable=False),
    )
    op.create_index("reuses_by_owner", "reuses", ["owner", "run"])
    op.create_table(
        "effects",
        sa.Column("owner", sa.String(36), primary_key=True),
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("run", sa.String(36), nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("begun_at", sa.Float, nullable=False),
        sa.Column("done_at", sa.Float),
    )


def _runs_become_attempts(op: Operations) -> None:
    """Each run was executed once, under its own id: its processes, calls and folder are named by it."""
    same = "id, process, folder, state, ended_at, reason, outcome"
    op.get_bind().exec_driver_sql(
        f"INSERT INTO attempts ({same}, run, number, token, told, started_at) "  # noqa: S608
        f"SELECT {same}, id, 1, 1, CASE state WHEN 'running' THEN 0 ELSE 1 END, created_at FROM runs"
    )


def _widen_runs(op: Operations) -> None:
    for name in ("runs_by_state", "runs_by_name"):
        op.drop_index(name, "runs")
    with op.batch_alter_table("runs") as runs:
        for name, kind in (("due", sa.Float), ("parent", sa.String(36)), ("retries", sa.Text), ("worker", sa.Text)):
            runs.add_column(sa.Column(name, kind))
        for name in ("token", "attempts"):
            runs.add_column(sa.Column(name, sa.Integer, nullable=False, server_default="1"))
        for name in ("lease_until", "not_before", "cancel_asked", "started_at"):
            runs.add_column(sa.Column(name, sa.Float))
        runs.add_column(sa.Column("attempt", sa.String(36)))
    op.get_bind().exec_driver_sql("UPDATE runs SET worker = process, attempt = id, started_at = created_at")
    with op.batch_alter_table("runs") as runs:
        for name in ("token", "attempts"):
            runs.alter_column(name, server_default=None)
        for name in ("root", "process"):
            runs.drop_column(name)
        runs.alter_column("folder", existing_type=sa.Text, nullable=True)
    op.create_index("runs_by_state", "runs", ["state", "id"])
    op.create_index("runs_by_name", "runs", ["name", "id"])
    op.create_index("runs_by_parent", "runs", ["parent", "id"])
    op.create_index("runs_by_due", "runs", ["name", "due"], unique=True)
