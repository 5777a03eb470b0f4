"""gen models: the workspace's model aliases: list, check."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from gen_toolkit.cli.show import json_option

if TYPE_CHECKING:
    from gen_toolkit.models.check import Facts

group = typer.Typer(help="Look at model aliases, and try them.", no_args_is_help=True, rich_markup_mode=None)


@group.command("list")
def list_(as_json: bool = json_option()) -> None:
    """The model aliases: what each means, and what it lacks. Calls nothing."""
    from gen_toolkit import display
    from gen_toolkit.models.check import look_at
    from gen_toolkit.settings import load_settings

    found = [look_at(name) for name in sorted({"local", *load_settings().settings.models})]
    if as_json:
        print(json.dumps([asdict(facts) for facts in found], ensure_ascii=False))
        return
    rows = [
        [
            facts.alias,
            facts.provider,
            facts.model or "",
            facts.base_url or "",
            _key(facts),
            ", ".join(f"{number:g} {limit.replace('_per_', '/')}" for limit, number in facts.limits.items()),
            "known" if facts.price_known else "unknown",
            ", ".join(facts.fallbacks),
            facts.data,
        ]
        for facts in found
    ]
    columns = ["alias", "provider", "model", "address", "key", "limits", "price", "fallbacks", "data"]
    print(display.text_table(columns, rows, width=50))
    for facts in found:
        for problem in (facts.problem, facts.key_problem):
            if problem:
                print(f"{facts.alias}: {problem}")


@group.command("check")
def check(
    alias: str = typer.Argument(..., metavar="ALIAS", help="The model alias to try."),
    as_json: bool = json_option(),
) -> None:
    """Make one small call, and say in a line what is wrong if it is not answered."""
    from gen_toolkit import display
    from gen_toolkit.models.check import check as check_alias
    from gen_toolkit.text import one_line

    checked = check_alias(alias)
    reply = checked.reply
    if as_json:
        cost = None if reply.cost is None else f"{reply.cost:f}"
        facts = {"alias": checked.alias, "model": checked.model, "text": reply.text, "seconds": round(reply.seconds, 3)}
        more = {"usage": reply.usage.to_json(), "cost": cost, "attempts": reply.attempts, "call": reply.id}
        print(json.dumps({**facts, **more}, ensure_ascii=False))
        return
    known = ("?" if tokens is None else str(tokens) for tokens in (reply.usage.input_tokens, reply.usage.output_tokens))
    attempts = f", {reply.attempts} attempts" if reply.attempts > 1 else ""
    took = f"{display.seconds(reply.seconds)}, {'+'.join(known)} tokens, cost {display.money(reply.cost, 6)}{attempts}"
    print(f"{checked.alias} ({checked.model}) answers {one_line(reply.text, 60)!r}: {took}")


def _key(facts: Facts) -> str:
    if facts.key is None:
        return "none"
    return f"{facts.key} (cannot be read)" if facts.key_problem else facts.key
