"""Everything a provider can do wrong, and what its user gets: one table for the tests and for the docs.

`python -m faults.table` (in tests/) prints the table of docs/reliability.md.
"""

from __future__ import annotations

from faults import connections, refusals, replies, streams
from faults.row import Row
from faults.server import Fault

PARTS: dict[str, tuple[Row, ...]] = {
    "It says no": refusals.ROWS,
    "It says not now": refusals.NOT_NOW,
    "It cannot be reached": connections.ROWS,
    "It says yes": replies.ROWS,
    "It streams": streams.ROWS,
}
ROWS = [row for rows in PARTS.values() for row in rows]
FAULTS: dict[str, Fault] = {fault.name: fault for row in ROWS for fault in row.faults}


def table() -> str:
    """The table as Markdown."""
    lines = ["| the provider… | you get | tried again | on the bill |", "|---|---|---|---|"]
    for title, rows in PARTS.items():
        lines += [f"| **{title}** | | | |", *(row.line for row in rows)]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
