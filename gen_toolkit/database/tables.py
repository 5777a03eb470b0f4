"""The tables, as the newest migration leaves them (a test compares the two)."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table

from gen_toolkit.database.columns import Name, Text

metadata = MetaData()

calls = Table(
    "calls",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("cassette_key", String(64), nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("run", String(36), nullable=False),
    Column("owner", String(36)),  # the first run of the resume chain it belongs to, however deep inside; null: none
    Column("row", Name(64)),
    Column("alias", Name(100), nullable=False),
    Column("model", Name(200), nullable=False),
    Column("prompt", Name(200)),
    Column("request", Text),  # null: not kept, or no longer
    Column("state", String(10), nullable=False),  # asked, answered, failed
    Column("reply", Text),
    Column("error", Text),
    Column("attempts", Integer, nullable=False),
    Column("unanswered", Integer, nullable=False),  # attempts without an answer that may be on the bill
    Column("input_tokens", Integer),
    Column("output_tokens", Integer),
    Column("cost", BigInteger),  # in 10^-12 USD; null: unknown
    Column("process", Text, nullable=False),  # who asked: so that others know whether an answer can still come
    Column("pruned_at", Float),  # when request and reply were removed
    Column("instead_of", String(36)),  # the failed call of another alias that this one stands in for
    Column("asked_at", Float, nullable=False),
    Column("answered_at", Float),
    Index("calls_by_key", "key", "state"),
    Index("calls_by_run", "run"),
    Index("calls_by_owner", "owner"),
    # holds all that sums over calls need, so that they need not read requests and replies
    Index(
        "calls_by_time",
        "asked_at",
        "run",
        "alias",
        "prompt",
        "state",
        "unanswered",
        "input_tokens",
        "output_tokens",
        "cost",
    ),
    Index("calls_by_instead_of", "instead_of"),
)

# Calls of a run under a hold keep their bodies, however old they are.
holds = Table(
    "holds",
    metadata,
    Column("holder", Name(200), primary_key=True),  # a release, a run that is not finished
    Column("run", String(36), primary_key=True),
    Column("since", Float, nullable=False),
)

# What a guard found: never the text itself.
findings = Table(
    "findings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run", String(36), nullable=False),
    Column("alias", Name(100), nullable=False),
    Column("prompt", Name(200)),
    Column("direction", String(10), nullable=False),  # input, output
    Column("reason", Name(100), nullable=False),
    Column("action", String(10), nullable=False),  # redacted, refused
    Column("count", Integer, nullable=False),
    Column("found_at", Float, nullable=False),
    Index("findings_by_run", "run"),
)

# What was spent under a budget and what calls on their way may still take; shared by processes.
budgets = Table(
    "budgets",
    metadata,
    Column("key", Name(200), primary_key=True),
    Column("spent_money", BigInteger, nullable=False),  # in 10^-12 USD
    Column("spent_tokens", BigInteger, nullable=False),
    Column("reserved_money", BigInteger, nullable=False),
    Column("reserved_tokens", BigInteger, nullable=False),
    # calls of which nobody knows what they took: not in what was spent
    Column("unknown_money", Integer, nullable=False),
    Column("unknown_tokens", Integer, nullable=False),
)

# The next free instant of a rate limit; shared by processes. Instants are seconds since 1970 by the database's clock.
limits = Table(
    "limits",
    metadata,
    Column("key", Name(200), primary_key=True),
    Column("next_at", Float, nullable=False),
    Column("pace", Float, nullable=False),  # seconds a unit took when a 429 last came; 0: none has
    Column("paused_until", Float, nullable=False),  # by the server's word; also the epoch: see models/limits
)

# Runs of `gt.run(name, resume=True)`, so that the unfinished one can be taken up.
resumable = Table(
    "resumable",
    metadata,
    Column("root", String(36), primary_key=True),
    Column("name", Name(200), nullable=False),
    Column("run", String(36), nullable=False),  # the last that took it up
    Column("process", Text, nullable=False),
    Column("finished", Integer, nullable=False),
    Column("changed_at", Float, nullable=False),
    Index("resumable_by_name", "name", "finished"),
)

# When something was last done that is done now and then.
marks = Table("marks", metadata, Column("name", Name(100), primary_key=True), Column("at", Float, nullable=False))

spool = Table(
    "spool",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run", String(36), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("parent", String(36)),  # of the start of a run: the run that it was opened in
    Column("event", Text, nullable=False),
    Column("tracking_uri", Text, nullable=False),
    Column("experiment", Text, nullable=False),
    Column("delivered_at", Float),
    Column("problem", Text),
    Index("spool_waiting", "delivered_at", "id"),
    Index("spool_by_run", "run", "kind"),
    Index("spool_by_parent", "parent"),
)

# One row for each piece of work that was asked for. Instants are seconds since 1970 by the database's clock.
runs = Table(
    "runs",
    metadata,
    Column("id", String(36), primary_key=True),  # sorts by the time it was asked for
    Column("kind", String(10), nullable=False),  # job, try
    Column("name", Name(200), nullable=False),
    Column("release", Integer),
    Column("digest", String(64)),
    Column("notebook", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("due", Float),  # the instant that a schedule meant; null: none did
    Column("parent", String(36)),  # the run that it is a part of
    Column("retries", Text),  # when to try again; null: never
    Column("state", String(12), nullable=False),
    Column("worker", Text),  # who has it, or had it last
    Column("token", Integer, nullable=False),  # one more with each claim: whoever has an old one has lost it
    Column("lease_until", Float),  # null: nobody has it
    Column("not_before", Float),
    Column("cancel_asked", Float),
    Column("attempts", Integer, nullable=False),
    Column("attempt", String(36)),  # the newest
    Column("folder", Text),  # of the newest attempt
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("reason", Text),
    Column("outcome", Text),
    Index("runs_by_state", "state", "id"),
    Index("runs_by_name", "name", "id"),
    Index("runs_by_parent", "parent", "id"),
    Index("runs_by_due", "name", "due", unique=True),  # what is due runs once, whatever is started twice
    # holds all that a search for a text reads, so that it need not read outcomes
    Index("runs_by_text", "id", "name", "parameters", "reason").ddl_if(dialect="sqlite"),
)

# One row for each execution of a run. How one ended is never overwritten.
attempts = Table(
    "attempts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("run", String(36), nullable=False),
    Column("number", Integer, nullable=False),
    Column("token", Integer, nullable=False),
    Column("process", Text, nullable=False),  # that supervises it
    Column("folder", Text),
    Column("state", String(12), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("reason", Text),
    Column("outcome", Text),
    Column("told", Integer, nullable=False),  # 1: its end is in the spool, for MLflow
    Column("teller", Text),  # the process that puts it there
    Index("attempts_by_run", "run", "number", unique=True),
    Index("attempts_by_told", "told", "state"),
)

# Answers that were taken from the journal by a job, or by a run that is taken up again.
reuses = Table(
    "reuses",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("owner", String(36), nullable=False),  # the owner of the call, else the execution it belongs to
    Column("run", String(36), nullable=False),
    Column("call", String(36), nullable=False),
    Index("reuses_by_owner", "owner", "run"),
)

# What was done in the world, once a run: see jobs/once.py.
effects = Table(
    "effects",
    metadata,
    Column("owner", String(36), primary_key=True),
    Column("key", Name(200), primary_key=True),
    Column("run", String(36), nullable=False),  # that began it last
    Column("process", Text, nullable=False),
    Column("state", String(10), nullable=False),  # begun, done
    Column("result", Text),
    Column("begun_at", Float, nullable=False),
    Column("done_at", Float),
)

# Alerts on their way to people, and those that were delivered or given up.
alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run", String(36), nullable=False),
    Column("occasion", String(20), nullable=False),
    Column("channel", Name(100), nullable=False),
    Column("pipeline", Name(200), nullable=False),
    Column("workspace", Text, nullable=False),  # its folder: where the channel is declared, and its secrets are
    Column("payload", Text, nullable=False),
    Column("made_at", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", Float, nullable=False),  # of the next try, by the database's clock; a sender at work moves it on
    Column("done_at", Float),
    Column("problem", Text),  # why it was given up, or why the last try failed
    Index("alerts_once", "run", "occasion", "channel", unique=True),
    Index("alerts_waiting", "done_at", "next_at"),
)

# Which release of a pipeline was live, since when, by whose hand. An override holds in the place of its file.
live_moves = Table(
    "live_moves",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("pipeline", String(63), nullable=False),
    Column("kind", String(10), nullable=False),  # promote, rollback: the file was changed; override: it was not
    Column("was", Integer),  # the release that was live; null: none
    Column("live", Integer, nullable=False),
    Column("said", Integer),  # what the file said before
    Column("by", Name(100), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),  # by the database's clock
    Index("live_moves_by_pipeline", "pipeline", "id"),
)
