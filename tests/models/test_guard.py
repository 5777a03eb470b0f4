"""The guard: what is found, what is done, and that no way of cutting a stream lets anything slip through."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai_server import OpenAIServer, completion

import gen_toolkit as gt
from gen_toolkit import scope
from gen_toolkit.alias import GuardRules
from gen_toolkit.database.engine import open_database
from gen_toolkit.database.sql import select
from gen_toolkit.database.tables import calls, findings
from gen_toolkit.errors import GuardRefused, SettingError
from gen_toolkit.models.guard import Finding, Rules, is_card
from gen_toolkit.models.held import Held
from gen_toolkit.secret import Secret

CARD = "4111 1111 1111 1111"
KEY = "sk-" + "a1B2" * 6
ALL = GuardRules(secrets="redact", email="redact", card="redact", deny=["Eulenspiegel"], deny_policy="redact")

FOUND = {
    "write to jo.doe+x@mail.example.com.": ("write to [email].", "email"),
    f"pay with {CARD}, please": ("pay with [card], please", "card"),
    "4111-1111-1111-1111": ("[card]", "card"),
    f"my key is {KEY}": ("my key is [secret]", "secret"),
    "x -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- y": ("x [secret] y", "secret"),
    "said eulenspiegel.": ("said [deny].", "deny"),
}
LEFT = [
    "4111 1111 1111 1112",  # a wrong checksum
    "1234 5678 9012 3452",  # no card scheme begins with 1
    "0000 0000 0000 0000",
    "2026-11-24 10:15:00",
    "+49 30 1234567",
    "me@localhost",
    "task-force-of-sixteen-people",
    "Eulenspiegels",
    "@handle and a@b",
]


@pytest.mark.parametrize(("text", "expected", "reason"), [(t, *e) for t, e in FOUND.items()], ids=list(FOUND))
def test_what_is_found_is_masked_and_named(text: str, expected: str, reason: str) -> None:
    assert Rules(ALL).applied(text) == (expected, [Finding(reason, "redacted")])


@pytest.mark.parametrize("text", LEFT)
def test_what_only_looks_alike_is_left(text: str) -> None:
    assert Rules(ALL).applied(text) == (text, [])


@pytest.mark.parametrize("number", ["4111111111111111", "5500005555555559", "378282246310005", "6011111111111117"])
def test_published_test_numbers_of_card_schemes_have_the_checksum(number: str) -> None:
    assert is_card(number)
    assert not is_card(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_nothing_is_looked_for_unless_asked_but_secrets_that_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_PASSWORD", "open sesame, please")
    rules = Rules(GuardRules())
    assert rules.applied(f"{CARD} {KEY} open sesame, please")[0].endswith("please")
    assert Secret("env:THE_PASSWORD").value
    assert rules.applied(f"{CARD} {KEY} open sesame, please")[0] == f"{CARD} {KEY} [secret]"


def shout(text: str) -> str | None:
    if "forbidden" in text:
        raise ValueError("never")
    return text.upper() if "loud" in text else None


def number(text: str) -> int:
    return 1


def test_own_functions_change_refuse_or_let_pass() -> None:
    rules = Rules(GuardRules(checks=[f"{__name__}:shout"]))
    assert rules.applied("quiet") == ("quiet", [])
    assert rules.applied("loud") == ("LOUD", [Finding("check:shout", "redacted")])
    assert rules.applied("forbidden") == ("forbidden", [Finding("check:shout", "refused")])


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (GuardRules(deny=["re:("]), "no regular expression"),
        (GuardRules(checks=["nowhere:f"]), "cannot be loaded"),
        (GuardRules(checks=["json"]), "cannot be loaded"),
        (GuardRules(checks=[f"{__name__}:number"]), "gave int"),
    ],
)
def test_a_rule_that_cannot_be_is_a_setting_that_is_wrong(rules: GuardRules, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        Rules(rules).applied("x")


def test_hostile_texts_take_linear_time() -> None:
    """Ten times the text takes about ten times as long; a quadratic pattern would take a hundred."""
    rules = Rules(ALL)

    def took(size: int) -> float:
        texts = [
            "a" * size,
            "a.b-" * (size // 4),
            "1 " * (size // 2),
            "@a." * (size // 3),
            "-----BEGIN " * (size // 11),
        ]
        start = time.process_time()
        for hostile in texts:
            rules.applied(hostile)
        return time.process_time() - start

    took(1000)
    assert took(300_000) < 60 * max(took(30_000), 0.002)


# streams

PARTS = [
    *FOUND,
    *LEFT,
    " ",
    "\n",
    "4111",
    "1111 ",
    "@",
    "sk-",
    "plain words, nothing else",
    "日本語のテキスト",
    "é",
    "-----BEGIN ",
]


@given(st.lists(st.sampled_from(PARTS), max_size=8), st.lists(st.integers(1, 25), min_size=1, max_size=40))
def test_however_a_stream_is_cut_what_comes_out_is_what_the_rules_make_of_the_whole(
    parts: list[str], cuts: list[int]
) -> None:
    whole = "".join(parts)
    held, out, start = Held(Rules(ALL)), [], 0
    for length in [*cuts, *[7] * len(whole)]:
        out.append(held.fed(whole[start : start + length])[0])
        start += length
    out.append(held.rest()[0])
    assert "".join(out) == Rules(ALL).applied(whole)[0]


def test_text_flows_word_by_word_and_at_once_where_nothing_is_looked_for() -> None:
    held = Held(Rules(ALL))
    assert [held.fed(piece)[0] for piece in ("one ", "two", " thr", "ee ")] == ["one ", "", "two ", "three "]
    free = Held(Rules(GuardRules()))
    assert [free.fed(piece)[0] for piece in ("on", "e t", "wo")] == ["on", "e t", "wo"]


def test_a_secret_that_was_read_does_not_slip_through_in_two_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_PASSWORD", "open sesame, please")
    assert Secret("env:THE_PASSWORD").value
    held = Held(Rules(GuardRules()))
    out = "".join(held.fed(piece)[0] for piece in ("say open", " sesame, pl", "ease", " now")) + held.rest()[0]
    assert out == "say [secret] now"


# through the chain


@pytest.fixture
def server() -> Any:
    server = OpenAIServer()
    yield server
    server.close()


@pytest.fixture
def guarded(workspace: Path, server: OpenAIServer) -> Any:
    def write(guard: str) -> None:
        (workspace / "gen_toolkit.toml").write_text(
            f'model = "m"\n[models.m]\nmodel = "m"\nbase_url = "{server.url}"\n'
            f"price = {{input = 1, output = 1}}\nguard = {guard}\n"
        )

    return write


def rows(table: Any) -> list[Any]:
    with open_database().read() as connection:
        return list(connection.execute(select(table)))


def written(workspace: Path) -> bytes:
    return b"".join(path.read_bytes() for path in (workspace / "mlruns").rglob("*") if path.is_file())


def test_server_and_journal_see_only_what_the_guard_let_through(
    workspace: Path, server: OpenAIServer, guarded: Any
) -> None:
    guarded('{input = {email = "redact"}, output = {card = "redact"}}')
    server.say(completion(f"card {CARD}"))
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "from jo@example.com"}]},
        {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": '{"to": "al@example.com"}'}}]},
        {"role": "tool", "tool_call_id": "1", "content": "sent to al@example.com"},
    ]
    reply = gt.chat(messages)
    assert reply.text == reply.value == "card [card]"
    sent = json.dumps(server.seen[0])
    assert "example.com" not in sent
    assert sent.count("[email]") == 3
    assert [(f.direction, f.reason, f.action, f.count) for f in rows(findings)] == [
        ("input", "email", "redacted", 1),
        ("input", "email", "redacted", 1),
        ("input", "email", "redacted", 1),
        ("output", "card", "redacted", 1),
    ]
    assert b"example.com" not in written(workspace)
    assert CARD.encode() not in written(workspace)


def test_a_refused_request_is_not_sent_and_not_recorded_but_the_refusal_is(
    workspace: Path, server: OpenAIServer, guarded: Any
) -> None:
    guarded('{input = {card = "refuse"}}')
    with pytest.raises(GuardRefused, match="the request holds card") as caught:
        gt.chat(f"pay {CARD}")
    assert (caught.value.reason, caught.value.direction, caught.value.exit_code) == ("card", "input", 1)
    assert (server.seen, rows(calls)) == ([], [])
    assert [(f.alias, f.reason, f.action) for f in rows(findings)] == [("m", "card", "refused")]
    assert CARD not in f"{caught.value} {caught.value.data}"
    assert CARD.encode() not in written(workspace)


def test_a_refused_reply_is_on_the_bill_and_its_text_is_nowhere(
    workspace: Path, server: OpenAIServer, guarded: Any
) -> None:
    guarded('{output = {deny = ["secretly"]}}')
    server.say(completion("it was secretly sold"))
    with pytest.raises(GuardRefused, match="the reply holds deny"):
        gt.chat("hi")
    (call,) = rows(calls)
    assert (call.state, call.input_tokens, call.output_tokens, call.cost, call.reply) == (
        "failed",
        12,
        3,
        15_000_000,
        None,
    )
    assert len(server.seen) == 1
    assert b"secretly sold" not in written(workspace)


def test_a_stream_is_stopped_before_the_refused_text_is_given_away(server: OpenAIServer, guarded: Any) -> None:
    guarded('{output = {card = "refuse"}}')
    server.say(completion(f"here it is: {CARD} and more"))
    given: list[str] = []
    with pytest.raises(GuardRefused):
        given.extend(piece.text for piece in gt.stream("hi"))
    assert "4111" not in "".join(given)


def test_too_much_is_refused(server: OpenAIServer, guarded: Any) -> None:
    guarded("{input = {max_chars = 10}}")
    with pytest.raises(GuardRefused, match="too-long"):
        gt.chat("hello, is anybody there?")
    assert gt.chat("hello").text == "hello"


def test_what_was_redacted_is_found_again(server: OpenAIServer, guarded: Any) -> None:
    guarded('{input = {email = "redact"}}')
    for mode in ("reuse", "reuse", "replay"):
        with scope.inside(mode=mode, row=scope.Row("1")):
            gt.chat("from jo@example.com")
    assert len(server.seen) == 1


def test_an_evaluation_shows_a_refused_row_as_failed_and_mlflow_gets_no_card(
    workspace: Path, server: OpenAIServer, guarded: Any
) -> None:
    guarded('{input = {card = "refuse", email = "redact"}}')
    prompt = gt.Prompt("echo", user="{{ text }}")
    texts = ["fine", f"pay {CARD}", "from jo@example.com"]
    result = gt.evaluate(
        prompt,
        [{"text": text} for text in texts],
        scorer=lambda value, row: 1.0,
    )
    assert [row.error is None for row in result.rows] == [True, False, True]
    assert "card" in str(result.rows[1].error)
    assert CARD.encode() not in written(workspace)
    assert b"jo@example.com" not in written(workspace)
