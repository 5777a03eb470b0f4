"""Two intervals on one axis: as a drawing, and as a line of text."""

from __future__ import annotations

from gen_toolkit.releases.review.document import Interval, Plot

_WIDTH, _LEFT = 200, 8
_CELLS = 24


def svg(plot: Plot) -> str:
    """Live above in grey, new below; drawn in the colours of the page's style."""
    sides = [("live", plot.live), ("new", plot.new)]
    drawn = [(kind, one) for kind, one in sides if one is not None]
    height = 16 * len(drawn) + 14
    low, high = plot.axis
    said = "; ".join(f"{kind} {one}" for kind, one in drawn)
    bars = "".join(_bar(one, kind, 10 + 16 * number, plot) for number, (kind, one) in enumerate(drawn))
    base = height - 13
    ticks = (
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{base}" y2="{base}"></line>'
        f'<text x="{_LEFT - 4}" y="{height - 2}">{low:g}</text>'
        f'<text class="end" x="{_WIDTH - _LEFT + 4}" y="{height - 2}">{high:g}</text>'
    )
    box = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    return f'<svg {box} role="img" aria-label="{said}">{ticks}{bars}</svg>'


def _bar(one: Interval, kind: str, y: int, plot: Plot) -> str:
    dot = f'<circle class="{kind}" cx="{_x(one.mean, plot):.1f}" cy="{y}" r="4"></circle>'
    if one.low is None or one.high is None:
        return dot
    left, right = _x(one.low, plot), _x(one.high, plot)
    ends = "".join(
        f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 4}" y2="{y + 4}"></line>' for x in (left, right)
    )
    return f'<line class="{kind}" x1="{left:.1f}" x2="{right:.1f}" y1="{y}" y2="{y}"></line>{ends}{dot}'


def _x(value: float, plot: Plot) -> float:
    low, high = plot.axis
    return _LEFT + (value - low) / (high - low) * (_WIDTH - 2 * _LEFT)


def characters(plot: Plot) -> str:
    """`·····├──●──┤·········`, the new one."""
    low, high = plot.axis

    def place(value: float) -> int:
        return min(_CELLS - 1, round((value - low) / (high - low) * (_CELLS - 1)))

    cells = ["·"] * _CELLS
    new = plot.new
    if new.low is not None and new.high is not None:
        first, last = place(new.low), place(new.high)
        cells[first : last + 1] = "─" * (last - first + 1)
        cells[first], cells[last] = "├", "┤"
    cells[place(new.mean)] = "●"
    if plot.live is not None and cells[place(plot.live.mean)] in "·─":
        cells[place(plot.live.mean)] = "○"
    return "".join(cells)
