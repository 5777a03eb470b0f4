"""gen eval: what a file may say, what is refused and how, and how the command ends."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow_store import Store, store

import gen_toolkit as gt
from gen_toolkit.cli.app import main

__all__ = ["store"]

ROOT = Path(__file__).parents[2]
PROMPT = """---
name: label-review
description: Is it positive?
owner: reviews
variables: {text: str}
output: [good, bad]
---
# user
{{ text }}!
"""
ALIAS = 'provider = "scripted"\nreplies = "replies.json"\noptions = { max_tokens = 5 }\n'
Told = tuple[int, str, str]


@pytest.fixture
def gen_eval(store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """The command on a file of this content: (exit code, standard output, standard error)."""
    (store.root / "gen_toolkit.toml").write_text(f'model = "fast"\n[models.fast]\n{ALIAS}[models.slow]\n{ALIAS}')
    (store.root / "replies.json").write_text(json.dumps({"*!": "good", "*": "good"}))
    (store.root / "notebooks" / "label-review.prompt.md").write_text(PROMPT)
    (store.root / "data").mkdir()
    (store.root / "tests" / "cassettes").mkdir(parents=True)
    rows = "".join(f"film {n},{'good' if n % 10 else 'bad'}\n" for n in range(30))
    (store.root / "data" / "reviews.csv").write_text(f"text,label\n{rows}")

    def run(content: str, *arguments: str) -> Told:
        (store.root / "reviews.toml").write_text(content)
        monkeypatch.setattr(sys, "argv", ["gen", "eval", "reviews.toml", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return int(left.value.code or 0), told.out, told.err

    return run


def example() -> str:
    found = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / "eval-files.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


LIVE = example().replace('calls = "replay"\n', "").replace('cassette = "tests/cassettes/reviews.jsonl"\n', "")


def save(user: str) -> None:
    from typing import Literal

    gt.Prompt("label-review", user=user, output=Literal["good", "bad"]).save("as it is", alias="staging")


def test_the_example_of_the_docs_replays_what_was_recorded(
    gen_eval: Callable[..., Told], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("{{ text }}?")
    assert gen_eval(example(), "--calls", "live")[0] == 0
    (store.root / "replies.json").write_text("{}")  # nobody answers any more
    code, said, _ = gen_eval(example())
    assert code == 0
    assert "0.900" in said
    assert "accuracy: no difference shown to label-review@1" in said
    run = store.runs("evaluation")[-1]
    assert (run.info.run_name, run.data.params["baseline"]) == ("reviews", "label-review@staging (label-review@1)")


def test_worse_and_too_few_rows_end_with_1_and_better_with_0(gen_eval: Callable[..., Told], store: Store) -> None:
    save("{{ text }}?")
    (store.root / "replies.json").write_text(json.dumps({"!": "bad", "*": "good"}))
    code, said, _ = gen_eval(LIVE)
    assert (code, "exit 1: reviews: accuracy is worse" in said) == (1, True)
    few = LIVE.replace('dataset = "data/reviews.csv"', 'dataset = {source = "data/reviews.csv", first = 4}')
    code, said, _ = gen_eval(few)
    assert (code, "accuracy has too few rows" in said) == (1, True)
    save("{{ text }}!")
    (store.root / "notebooks" / "label-review.prompt.md").write_text(PROMPT.replace("!", "?"))
    code, said, _ = gen_eval(LIVE)
    assert (code, "better" in said) == (0, True)


def test_json_says_the_same_as_data_for_a_result_and_a_grid(gen_eval: Callable[..., Told]) -> None:
    code, said, _ = gen_eval(LIVE, "--json")
    told = json.loads(said)
    assert (code, told["passed"], told["verdicts"]) == (0, True, [])
    assert told["note"] == "no baseline yet: label-review@staging does not exist"
    assert len(told["result"]["rows"]) == 30
    save("{{ text }}?")
    code, said, _ = gen_eval(LIVE.replace('["fast"]', '["fast", "slow"]'), "--json")
    told = json.loads(said)
    assert (code, len(told["result"]["cells"]), len(told["verdicts"])) == (0, 2, 2)


def test_more_rows_that_fail_than_of_the_baseline_end_with_1(gen_eval: Callable[..., Told], store: Store) -> None:
    save("{{ text }}?")
    (store.root / "replies.json").write_text(json.dumps({"?": "good", "1": "neither", "*": "good"}))
    code, said, _ = gen_eval(LIVE)
    assert (code, "no difference shown" in said) == (1, True)
    assert "exit 1: reviews: accuracy: more rows fail than of label-review@1, 12 only here, 0 only there" in said


def test_a_cell_that_could_not_be_compared_ends_with_1(gen_eval: Callable[..., Told], store: Store) -> None:
    save("{{ text }}?")
    (store.root / "half.json").write_text(json.dumps({"!": "good"}))
    settings = store.root / "gen_toolkit.toml"
    settings.write_text(settings.read_text() + f"[models.half]\n{ALIAS.replace('replies.json', 'half.json')}")
    code, said, _ = gen_eval(LIVE.replace('["fast"]', '["fast", "half"]'))
    assert (code, "no difference shown" in said) == (1, True)
    assert re.search("exit 1: .* half: not compared with label-review@1: the script has no reply", said)


WRONG: list[tuple[tuple[str, str], str, str]] = [
    (("prompts", "promts"), "key 'promts' is not known", "Did you mean 'prompts'?"),
    (('baseline = "label-review@staging"', "repeats = 0"), "key 'repeats' holds 0", "docs/eval-files.md"),
    (('dataset = "data/reviews.csv"', 'dataset = {sorce = "x"}'), "key 'dataset.sorce' is not known", "'source'"),
    (('dataset = "data/reviews.csv"\n', ""), "key 'dataset' is missing", "docs/eval-files.md"),
    (('kind = "exact"', 'kind = "exakt"'), "is of kind 'exakt'", "Did you mean 'exact'?"),
    (('kind = "exact"\n', ""), "scorers[0] has no kind", "There are: exact"),
    (("column =", "colum ="), "key 'colum' is not known to 'exact'", "Did you mean 'column'?"),
    (('column = "label"\n', ""), "'exact' needs 'column'", "Write column ="),
    (('column = "label"', 'column = "lable"'), "compares with column 'lable'", "Did you mean 'label'?"),
    (('["fast"]', '"fast"'), "key 'models' holds 'fast'", "docs/eval-files.md"),
    (('["fast"]', '["fats"]'), "fats", "fast"),
    (("notebooks/label-review.prompt.md", "label-review"), "prompts holds 'label-review', which names", "NAME@staging"),
    (("label-review@staging", "gp"), "baseline holds 'gp', which names no version and no file", "NAME@staging"),
    (('models = ["fast"]', 'method = "chose"'), "key 'method' holds 'chose'", "docs/eval-files.md"),
    (("name = ", "name "), "is no TOML", "docs/eval-files.md"),
    (("data/reviews.csv", "data/none.csv"), "there is no file", "path"),
]


def test_a_file_that_is_not_as_it_must_be_ends_with_2_and_says_where(gen_eval: Callable[..., Told]) -> None:
    for change, problem, fix in WRONG:
        assert change[0] in LIVE
        code, _, said = gen_eval(LIVE.replace(*change, 1))
        assert (code, said.count("\n")) == (2, 1), said
        assert problem in said
        assert fix in said


def test_a_missing_answer_ends_with_3_and_a_budget_that_is_too_small_with_4(
    gen_eval: Callable[..., Told], store: Store
) -> None:
    code, said, _ = gen_eval(example(), "--json")
    assert (code, json.loads(said)["error"]["code"]) == (3, "replay-miss")
    assert gen_eval(example(), "--calls", "sometimes")[0] == 2
    code, said, _ = gen_eval(LIVE.replace("models", 'budget = "5 tokens"\nmodels'), "--json")
    error: dict[str, Any] = json.loads(said)["error"]
    assert (code, error["code"], error["limit"]) == (4, "budget-too-small", "5 tokens")


def test_a_file_that_is_not_there_ends_with_2(
    gen_eval: Callable[..., Told], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gen", "eval", "none.toml"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert "none.toml cannot be read" in capsys.readouterr().err
