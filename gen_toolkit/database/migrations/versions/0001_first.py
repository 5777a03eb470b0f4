"""calls, spool and runs: the first schema."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0001"
down_revision = None


def upgrade(op: Operations) -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("run", sa.String(36), nullable=False),
        sa.Column("row", sa.String(64)),
        sa.Column("alias", sa.String(100), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("prompt", sa.String(200)),
        sa.Column("request", sa.Text),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reply", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("input_tokens", sa.Integer),
        sa.Column("output_tokens", sa.Integer),
        sa.Column("cost", sa.String(40)),
        sa.Column("asked_at", sa.Float, nullable=False),
        sa.Column("answered_at", sa.Float),
    )
    op.create_index("calls_by_key", "calls", ["key", "state"])
    op.create_index("calls_by_run", "calls", ["run"])
    op.create_table(
        "spool",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("tracking_uri", sa.Text, nullable=False),
        sa.Column("experiment", sa.Text, nullable=False),
        sa.Column("delivered_at", sa.Float),
        sa.Column("problem", sa.Text),
    )
    op.create_index("spool_waiting", "spool", ["delivered_at", "id"])
    op.create_index("spool_by_run", "spool", ["run", "kind"])
    op.create_table(
        "runs",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("root", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("release", sa.Integer),
        sa.Column("digest", sa.String(64)),
        sa.Column("notebook", sa.Text, nullable=False),
        sa.Column("parameters", sa.Text, nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("outcome", sa.Text),
    )
    op.create_index("runs_by_state", "runs", ["state"])
    op.create_index("runs_by_name", "runs", ["name", "created_at"])
