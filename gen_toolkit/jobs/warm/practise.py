"""For a fork that waits: memory that its work will write to is copied from the template before there is any work.

Whoever looks at a Python object counts a reference in it, and the system copies the page it is on when a fork does
so for the first time: some thousand pages for a run, each a microsecond or more of somebody's waiting.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable

OF_SUPERVISOR = ("gen_toolkit", "sqlalchemy")
OF_RUNNER = ("papermill", "nbclient", "nbformat", "traitlets", "zmq", "jupyter_client", "tornado", "asyncio")
OF_KERNEL = ("IPython", "ipykernel", "traitlets", "zmq", "jupyter_client", "tornado", "asyncio", "comm")
"""The packages that each of them works with. Of others nothing is copied: a fork that waits must cost little memory."""


def practise(packages: Iterable[str]) -> None:
    """Look at the functions and classes of these packages, and at what is in them. Nothing is called: a module may
    hold objects that load whole libraries when they are asked for anything.
    """
    wanted = frozenset(packages)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in wanted and type(module) is types.ModuleType:
            for value in list(vars(module).values()):
                _look(value)
                if issubclass(type(value), type):  # `isinstance` would ask the object itself for its class
                    for member in list(vars(value).values()):
                        _look(member)


def _look(value: object) -> None:
    if type(value) is staticmethod or type(value) is classmethod:
        value = value.__func__
    if type(value) is types.FunctionType:
        code = value.__code__
        for parts in (code.co_consts, code.co_names, code.co_varnames, value.__defaults__ or (), value.__dict__):
            for _ in parts:
                pass
