"""An IPython kernel as a fork: `main()` does what `python -m ipykernel_launcher` does."""

from __future__ import annotations

import contextlib
import os
import sys

MODULE = "ipykernel_launcher"


def look_at_modules() -> None:
    """For a fork that waits to become a kernel: ipykernel looks at all modules that are loaded when it starts.

    That takes 25 ms the first time: see `practise`.
    """
    for module in list(sys.modules.values()):
        with contextlib.suppress(Exception):  # whatever a module makes of being looked at
            getattr(module, "__file__", None)


def main() -> None:
    from ipykernel.kernelapp import IPKernelApp

    from gen_toolkit.jobs.kernel_end import end_in_order

    # ipykernel reads it when it is imported, which was the template's
    app = IPKernelApp.instance(parent_handle=int(os.environ.get("JPY_PARENT_PID") or 0))
    app.initialize()
    end_in_order(app.kernel)
    app.start()
