"""An IPython kernel as a fork: `main()` does what `python -m ipykernel_launcher` does."""

from __future__ import annotations

import os

MODULE = "ipykernel_launcher"


def main() -> None:
    from ipykernel.kernelapp import IPKernelApp

    from gen_toolkit.jobs.kernel_end import end_in_order

    # ipykernel reads it when it is imported, which was the template's
    app = IPKernelApp.instance(parent_handle=int(os.environ.get("JPY_PARENT_PID") or 0))
    app.initialize()
    end_in_order(app.kernel)
    app.start()
