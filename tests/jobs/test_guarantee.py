"""What `gen doctor` promises about processes is what this machine can keep."""

from __future__ import annotations

import os
import sys

import pytest

from gen_toolkit.errors import SetupError
from gen_toolkit.jobs import guarantee as module
from gen_toolkit.jobs.guarantee import guarantee

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has a subreaper")


@linux_only
@pytest.mark.parametrize(
    ("may", "by"), [(True, "by control group, subreaper and mark"), (False, "by subreaper and mark")]
)
def test_it_names_what_holds(monkeypatch: pytest.MonkeyPatch, may: bool, by: str) -> None:
    monkeypatch.setattr(module, "may_group", lambda: may)
    assert guarantee().startswith(f"{by}: nothing")


@linux_only
def test_without_proc_nothing_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(SetupError, match="there is no /proc"):
        guarantee()


def test_another_system_promises_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SetupError, match="no subreaper"):
        guarantee()
