"""Runs by a text in them: SQLite reads this index instead of whole rows, with their outcomes."""

from alembic.operations import Operations

revision = "0006"
down_revision = "0005"


def upgrade(op: Operations) -> None:
    if op.get_bind().dialect.name == "sqlite":  # PostgreSQL keeps long texts apart by itself, and indexes none
        op.create_index("runs_by_text", "runs", ["id", "name", "parameters", "reason"])
