"""Alerts on their way."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0004"
down_revision = "0003"


def upgrade(op: Operations) -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run", sa.String(36), nullable=False),
        sa.Column("occasion", sa.String(20), nullable=False),
        sa.Column("channel", sa.String(100), nullable=False),
        sa.Column("pipeline", sa.String(200), nullable=False),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.Column("done_at", sa.Float),
        sa.Column("problem", sa.Text),
    )
    op.create_index("alerts_once", "alerts", ["run", "occasion", "channel"], unique=True)
    op.create_index("alerts_waiting", "alerts", ["done_at", "next_at"])
