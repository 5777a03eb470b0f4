"""What the gateway shares between processes: holds, findings, budgets, limits; costs become whole numbers."""

import json
from decimal import Decimal

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0002"
down_revision = "0001"


def upgrade(op: Operations) -> None:
    with op.batch_alter_table("calls") as calls:
        calls.add_column(sa.Column("cassette_key", sa.String(64), nullable=False, server_default=""))
        calls.add_column(sa.Column("unanswered", sa.Integer, nullable=False, server_default="0"))
        calls.add_column(sa.Column("process", sa.Text, nullable=False, server_default=""))
        calls.add_column(sa.Column("instead_of", sa.String(36)))
        calls.add_column(sa.Column("owner", sa.String(36)))
        calls.add_column(sa.Column("pruned_at", sa.Float))
        calls.add_column(sa.Column("pico", sa.BigInteger))
    table = sa.table("calls", sa.column("id"), sa.column("cost"), sa.column("pico"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(table.c.id, table.c.cost).where(table.c.cost.is_not(None))).all():
        pico = int(Decimal(row.cost) * 10**12)
        connection.execute(sa.update(table).where(table.c.id == row.id).values(pico=pico))
    with op.batch_alter_table("calls") as calls:
        calls.drop_column("cost")
        calls.alter_column("pico", new_column_name="cost")
        for name in ("cassette_key", "unanswered", "process"):
            calls.alter_column(name, server_default=None)
        calls.create_index("calls_by_owner", ["owner"])
        calls.create_index("calls_by_instead_of", ["instead_of"])
    summed = ["run", "alias", "prompt", "state", "unanswered", "input_tokens", "output_tokens", "cost"]
    op.create_index("calls_by_time", "calls", ["asked_at", *summed])
    _name_parents(op)
    op.create_table(
        "holds",
        sa.Column("holder", sa.String(200), primary_key=True),
        sa.Column("run", sa.String(36), primary_key=True),
        sa.Column("since", sa.Float, nullable=False),
    )
    op.create_table(
        "findings",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run", sa.String(36), nullable=False),
        sa.Column("alias", sa.String(100), nullable=False),
        sa.Column("prompt", sa.String(200)),
        sa.Column("direction", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(100), nullable=False),
        sa.Column("action", sa.String(10), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("found_at", sa.Float, nullable=False),
    )
    op.create_index("findings_by_run", "findings", ["run"])
    op.create_table(
        "budgets",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("spent_money", sa.BigInteger, nullable=False),
        sa.Column("spent_tokens", sa.BigInteger, nullable=False),
        sa.Column("reserved_money", sa.BigInteger, nullable=False),
        sa.Column("reserved_tokens", sa.BigInteger, nullable=False),
        sa.Column("unknown_money", sa.Integer, nullable=False),
        sa.Column("unknown_tokens", sa.Integer, nullable=False),
    )
    op.create_table(
        "limits",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.Column("pace", sa.Float, nullable=False),
        sa.Column("paused_until", sa.Float, nullable=False),
    )
    op.create_table(
        "resumable",
        sa.Column("root", sa.String(36), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("run", sa.String(36), nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("finished", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
    )
    op.create_index("resumable_by_name", "resumable", ["name", "finished"])
    op.create_table(
        "marks", sa.Column("name", sa.String(100), primary_key=True), sa.Column("at", sa.Float, nullable=False)
    )


def _name_parents(op: Operations) -> None:
    """The run that a run was opened in gets a column of its own: not every database looks into our JSON."""
    with op.batch_alter_table("spool") as spool:
        spool.add_column(sa.Column("parent", sa.String(36)))
        spool.create_index("spool_by_parent", ["parent"])
    connection = op.get_bind()
    table = sa.table("spool", *(sa.column(name) for name in ("id", "kind", "event", "parent")))
    starts = sa.select(table.c.id, table.c.event).where(table.c.kind == "run-started")
    for row in connection.execute(starts).all():
        parent = json.loads(row.event).get("parent")
        connection.execute(sa.update(table).where(table.c.id == row.id).values(parent=parent))
