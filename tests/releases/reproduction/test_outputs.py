"""What cells showed, in the form that two executions have in common."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from notebook_cells import code, notebook

from gen_toolkit import display
from gen_toolkit.display import PROGRESS, html_table, text_table
from gen_toolkit.errors import ReleaseError
from gen_toolkit.messages.reply import Reply
from gen_toolkit.releases.reproduction.outputs import normalised, shown, with_normal_outputs
from gen_toolkit.releases.reproduction.sanitize import rules_for

Output = dict[str, Any]


def printed(text: str, name: str = "stdout") -> Output:
    return {"output_type": "stream", "name": name, "text": text}


def result(**data: Any) -> Output:
    mimes = {"plain": "text/plain", "html": "text/html", "png": "image/png", "json": "application/json"}
    data = {mimes[name]: value for name, value in data.items()}
    return {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 3}


def same(*outputs: Output) -> dict[str, list[str]]:
    """Normalised once; a second time changes nothing."""
    rules = rules_for()
    once = normalised(outputs, rules)
    assert normalised(once, rules) == once
    return shown({"outputs": once})


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("<object at 0x7f1cb89a7120>", "<object at [address]>"),
        ("run 01a22b21-27cd-76e0-a2d2-a1ec7b78d6eb ended", "run [id] ended"),
        ("run 01a22b21-27cd", "run [id]"),
        ("see /#/experiments/1/runs/0123456789abcdef0123456789abcdef", "see /#/experiments/1/runs/[id]"),
        ("at 2026-11-30 04:52:02.010654 and 2026-11-30T04:52:02Z, 04:52:02", "at [moment] and [moment], [moment]"),
        ("took 24 ms, 1.2 s, 0.3 seconds, 2.5 min", "took [duration], [duration], [duration], [duration]"),
        ("cost $0.0123", "cost [cost]"),
        ("http://localhost:41237/v1", "http://localhost:[port]/v1"),
        ("/tmp/ipykernel_12345/9876543.py:3: UserWarning", "[cell]:3: UserWarning"),
        ("\n50%|█████     | 1/2 [00:01<00:01]\ndone", "\ndone"),
        ("0%\r 50%\r100%\ndone\n", "100%\ndone\n"),
    ],
)
def test_what_is_another_each_time_is_masked(text: str, is_: str) -> None:
    assert same(printed(text)) == {"stdout": [is_]}


@pytest.mark.parametrize(
    "text",
    [
        "accuracy 0.693 [0.614, 0.761], 150 rows",
        "on 2026-11-24 we had 12 reviews of 1980s films, 3 of them 90 min long",
        "hash 695ecd69478311d67d997c67d1adb4cc912f2830c0959f04ab15a926f89, digest 0123456789abcdef0123456789abcdef",
        "$12.50 for 3 h",
        "no  table: 1   2\n  3",
    ],
)
def test_what_is_a_result_stays(text: str) -> None:
    assert same(printed(text)) == {"stdout": [text]}


def test_folders_of_this_machine_have_names(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    text = f"{workspace}/data.csv {workspace}-other {Path.home()}/x {Path.home()}x"
    shown_text = same(printed(text))["stdout"][0]
    assert shown_text.startswith("[workspace]/data.csv [temporary]/")
    assert f" ~/x {Path.home()}x" in shown_text


def test_streams_are_put_together_and_standard_error_is_left_out() -> None:
    assert same(printed("a"), printed("warning", "stderr"), result(plain="1"), printed("b")) == {
        "stdout": ["ab"],
        "text/plain": ["1"],
    }


def test_progress_in_a_notebook_is_no_output(monkeypatch: pytest.MonkeyPatch) -> None:
    data, metadata = display._Shown("label 3/3", "<div>label 3/3</div>")._repr_mimebundle_()
    assert metadata == {PROGRESS: True}
    output = {"output_type": "display_data", "data": data, "metadata": metadata}
    assert same(output, printed("done")) == {"stdout": ["done"]}


def test_of_a_picture_it_counts_that_it_is_there() -> None:
    assert same(result(png="iVBORw0", plain="<Figure>")) == same(result(png="other", plain="<Figure>"))
    assert same(result(png="iVBORw0", plain="<Figure>")) != same(result(plain="<Figure>"))


def test_of_an_error_its_name_and_message_count() -> None:
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no 0x7f1cb89a7120", "traceback": ["/home/x"]}
    assert same(error) == {"error": ["ValueError: no [address]"]}


def test_texts_in_json_are_masked_and_its_numbers_stay() -> None:
    assert same(result(json={"took": "3 ms", "n": [1.5, None]})) == {
        "application/json": [json.dumps({"n": [1.5, None], "took": "[duration]"})]
    }


@pytest.mark.parametrize("table", [text_table, html_table])
def test_measured_columns_are_masked_and_the_others_stay(table: Any) -> None:
    def of(cost: str, seconds: str, accuracy: str = "0.7") -> dict[str, list[str]]:
        told = table(["accuracy", "cost", "seconds"], [[accuracy, cost, seconds], ["0.5", cost, seconds]])
        return same(result(plain=f"title\n{told}\na line that stands below it"))

    assert of("$0.0000", "0.1") == of("unknown", "11.4")
    assert of("$0.0000", "0.1") != of("$0.0000", "0.1", accuracy="0.71")


def test_a_reply_is_the_same_live_and_from_a_cassette() -> None:
    def card(**facts: Any) -> dict[str, list[str]]:
        data = Reply(model="dry", **facts)._repr_mimebundle_()
        return same(result(plain=data["text/plain"], html=data["text/html"]))

    one, other = {"value": "positive", "seconds": 1.5}, {"value": "positive", "seconds": 0.25, "source": "replay"}
    assert card(**one, attempts=2) == card(**other, attempts=0)
    assert card(**one) != card(**{**other, "value": "negative"})


def test_a_notebook_keeps_its_numbers_and_loses_what_a_run_added() -> None:
    ran = notebook(
        code("limit = 5", "injected-parameters"),
        {**code("limit"), "outputs": [result(plain="5")], "execution_count": 3},
    )
    ran["metadata"]["papermill"] = {"start_time": "2026-11-30T04:51:57.599924+00:00"}
    ran["cells"][2]["metadata"]["papermill"] = {"duration": 0.05}
    kept = with_normal_outputs(ran, rules_for())
    assert [cell["source"] for cell in kept["cells"]] == [["limit: int = 3"], ["limit"]]
    assert kept["cells"][1]["outputs"] == [result(plain="5")]
    assert "papermill" not in json.dumps(kept)


def test_a_pipeline_has_rules_of_its_own_in_nbvals_form(workspace: Path) -> None:
    from nbval.plugin import get_sanitize_patterns

    written = "[numbers of tickets]\nregex: T-(\\d+)\nreplace: T-[\\g<1>]\n\nregex: x+\nreplace: \n"
    (workspace / "sanitize.cfg").write_text(written)
    rules = rules_for(workspace)
    assert rules.applied("T-17 xx") == "T-[17] "
    assert [(a.pattern, b) for a, b in rules.rules[-2:]] == get_sanitize_patterns(written)


def test_the_toolkits_own_rules_are_read_alike_by_nbval() -> None:
    from nbval.plugin import get_sanitize_patterns

    from gen_toolkit.releases.reproduction import sanitize

    told = get_sanitize_patterns(sanitize._OWN.read_text())
    assert len(told) > 10
    assert [(pattern.pattern, replacement) for pattern, replacement in rules_for().rules] == told


@pytest.mark.parametrize("line", ["regex: (\nreplace: x", "regex: a\nreplace: \\g<1>", "regex: a\nreplace: \\1"])
def test_a_rule_that_is_none_is_refused_with_its_file(workspace: Path, line: str) -> None:
    (workspace / "sanitize.cfg").write_text(line)
    with pytest.raises(ReleaseError, match=r"sanitize\.cfg: .* is no rule"):
        rules_for(workspace)
