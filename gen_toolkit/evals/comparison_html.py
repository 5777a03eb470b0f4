"""Two replies side by side as HTML, with the words that differ marked; and a page of them that needs no kernel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from gen_toolkit import display, text
from gen_toolkit.evals.pairs import FILTERS, Pair, counts
from gen_toolkit.messages.request import digest
from gen_toolkit.prompts.diff import words

if TYPE_CHECKING:
    from gen_toolkit.evals.comparison import Comparison
    from gen_toolkit.evals.result import RowResult

_LONGEST = 20_000  # characters of a text that are shown; comparing takes time with their square
_PRE = 'style="white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0;font:inherit"'
_SIDE = 'style="flex:1 1 20em;min-width:0;border-left:3px solid #8884;padding-left:10px"'
_COLUMN = 'style="display:flex;gap:8px;align-items:baseline"'
_NAME = 'style="opacity:.7;flex:none;min-width:6em"'
_MARKS = {
    "-": ("del", "background:#e5534b33;text-decoration:line-through;text-decoration-color:#e5534b"),
    "+": ("ins", "background:#3fb95040;text-decoration:underline;text-decoration-color:#3fb950"),
}
_NEUTRAL = "background:#d2992240;border-bottom:2px solid #d29922"
Sign = Literal["-", "+"]
_SIGNS: tuple[Sign, Sign] = ("-", "+")


def pair_html(pair: Pair, titles: tuple[str, str], scorers: Iterable[str]) -> str:
    """A row: what went in, and both replies with what only one of them has marked. Everything is escaped."""
    old, new = (reply_text(side) for side in (pair.theirs, pair.mine))
    pieces = words(old, new)
    names = list(scorers)
    sides = "".join(
        f"<div {_SIDE}><div><b>{text.html(title)}</b> {_scores(side, names)}</div>"
        f"<div {_PRE}>{marked(pieces, sign)}</div>{_reasons(side)}</div>"
        for title, side, sign in zip(titles, (pair.theirs, pair.mine), _SIGNS, strict=True)
    )
    return f'{inputs_html(pair.mine)}<div style="display:flex;flex-wrap:wrap;gap:16px;margin-top:6px">{sides}</div>'


def reply_text(row: RowResult) -> str:
    """The value as people read it; of a row that failed, why."""
    value = row.plain_value
    shown = "" if value is None else value if isinstance(value, str) else str(value)
    said = f"failed: {row.error}" if row.error and not shown else shown
    return cut(text.terminal(said))  # before it is taken to pieces, of which none would be known for a secret


def inputs_html(row: RowResult) -> str:
    """The row's id and columns."""
    repeat = f" · repeat {row.repeat + 1}" if row.repeat else ""
    columns = "".join(
        f"<div {_COLUMN}><span {_NAME}>{text.html(name)}</span><div {_PRE}>{text.html(cut(str(value)))}</div></div>"
        for name, value in row.row.items()
    )
    return f'<div style="opacity:.7">row {text.html(row.row.id)}{repeat}</div>{columns}'


def marked(pieces: Iterable[tuple[str, str]], sign: Sign, *, is_blind: bool = False) -> str:
    """One side of a comparison: its words, those that only it has marked; blind, on both sides alike."""
    tag, style = ("span", _NEUTRAL) if is_blind else _MARKS[sign]
    return "".join(
        f'<{tag} style="{style}">{text.html(said)}</{tag}>' if found == sign else text.html(said)
        for found, said in pieces
        if found in ("=", sign)
    )


def cut(said: str) -> str:
    left = len(said) - _LONGEST
    return said if left <= 0 else f"{said[:_LONGEST]}… ({left:,} characters more)"


def _scores(row: RowResult, scorers: list[str]) -> str:
    said = [f"{name} {row.scores[name].value:g}" for name in scorers if name in row.scores]
    said += [f"cost {display.money(row.cost)}", display.seconds(row.seconds)]
    return f'<span style="opacity:.7">{text.html(" · ".join(said))}</span>'


def _reasons(row: RowResult) -> str:
    said = [f"{name}: {score.reason}" for name, score in row.scores.items() if score.reason]
    said += [f"failed: {row.error}"] if row.error else []
    return "".join(f'<div style="opacity:.8"><i>{text.html(cut(line))}</i></div>' for line in said)


def verdicts_html(comparison: Comparison) -> str:
    """On top: the scores of both, and what the tests say."""
    sides = (comparison.mine, comparison.theirs)
    columns = ["", *(verdict.scorer for verdict in comparison), "rows", "cost"]
    lines: list[list[Any]] = []
    for side in sides:
        counted = side.summary()
        lines.append([side.title, *(counted.get(name, "") for name in columns[1:])])
    said = "".join(display.html_text(verdict) for verdict in comparison)
    return display.html_table(columns, lines) + said


def page(comparison: Comparison, pairs: Sequence[Pair], most: int) -> str:
    """These rows; the filters are radio buttons and style sheets, so that arrow keys work and no script does."""
    own = f"c{digest([comparison.mine.to_json(), comparison.theirs.to_json()])[:10]}"
    shown = pairs[:most]
    numbers = counts(shown)
    buttons, rules = "", ""
    for show in FILTERS:
        checked = " checked" if show == "all" else ""
        buttons += f'<input type="radio" name="{own}" id="{own}-{show}"{checked}><label for="{own}-{show}">'
        buttons += f"{show} {numbers[show]}</label> "
        rules += f"#{own}-{show}:checked~article:not(.{show}){{display:none}}"
    titles = (comparison.theirs.title, comparison.mine.title)
    names = [verdict.scorer for verdict in comparison]
    style = 'style="border-top:1px solid #8885;padding:8px 0"'
    rows = "".join(
        f'<article class="{" ".join(show for show in FILTERS if pair.passes(show))}" {style}>'
        f"{pair_html(pair, titles, names)}</article>"
        for pair in shown
    )
    note = f"{len(pairs)} rows" if len(shown) == len(pairs) else f"the first {most} of {len(pairs)} rows"
    body = f"{verdicts_html(comparison)}<style>{rules}</style>{buttons}{rows}"
    return display.html_card(comparison.title, note, body)
