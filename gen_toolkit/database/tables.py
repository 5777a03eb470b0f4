"""The tables, as the newest migration leaves them (a test compares the two)."""

from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

calls = Table(
    "calls",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("run", String(36), nullable=False),
    Column("row", String(64)),
    Column("alias", String(100), nullable=False),
    Column("model", String(200), nullable=False),
    Column("prompt", String(200)),
    Column("request", Text),
    Column("state", String(10), nullable=False),  # asked, answered, failed
    Column("reply", Text),
    Column("error", Text),
    Column("attempts", Integer, nullable=False),
    Column("input_tokens", Integer),
    Column("output_tokens", Integer),
    Column("cost", String(40)),
    Column("asked_at", Float, nullable=False),
    Column("answered_at", Float),
    Index("calls_by_key", "key", "state"),
    Index("calls_by_run", "run"),
)

spool = Table(
    "spool",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run", String(36), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("event", Text, nullable=False),
    Column("tracking_uri", Text, nullable=False),
    Column("experiment", Text, nullable=False),
    Column("delivered_at", Float),
    Column("problem", Text),
    Index("spool_waiting", "delivered_at", "id"),
    Index("spool_by_run", "run", "kind"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("root", String(36), nullable=False),
    Column("kind", String(10), nullable=False),  # job, try
    Column("name", String(200), nullable=False),
    Column("release", Integer),
    Column("digest", String(64)),
    Column("notebook", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("state", String(12), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("process", Text, nullable=False),
    Column("reason", Text),
    Column("outcome", Text),
    Index("runs_by_state", "state"),
    Index("runs_by_name", "name", "created_at"),
)
