"""What a notebook refers to, read without running it."""

from __future__ import annotations

import pytest

from gen_toolkit.releases.cells import read_code
from gen_toolkit.releases.references import References, find_references


def found(code: str) -> References:
    cell = {"cell_type": "code", "source": code, "metadata": {}, "outputs": [], "execution_count": None}
    return find_references(read_code({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), {"model"})


@pytest.mark.parametrize("scorer", ["judge('r', ", "pairwise('r', 'old', ", "similarity('text', "])
def test_the_model_of_a_scorer_is_pinned_like_that_of_a_call(scorer: str) -> None:
    named = found(f"import gen_toolkit as gt\ngt.scorers.{scorer}model='strict')")
    assert (named.models, named.default_model) == ({"strict"}, False)
    given = found(f"import gen_toolkit as gt\ngt.scorers.{scorer}model=model)")
    assert (given.model_parameters, given.default_model) == ({"model"}, False)
    left = found(f"import gen_toolkit as gt\ngt.scorers.{scorer})")
    assert (left.models, left.default_model) == (set(), True)
    assert found(f"from gen_toolkit import scorers\nscorers.{scorer}model='strict')").models == {"strict"}


def test_a_function_of_the_notebooks_own_that_is_called_judge_needs_no_model() -> None:
    assert not found("import gen_toolkit as gt\njudge('guilty')\ncourt.judge('guilty')").default_model
