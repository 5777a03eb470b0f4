"""A kernel ends when it is told to: the thread that was told is done before those that it needs are ended."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.kernel

# what is registered first comes last: the note is taken when ours has been, and the control thread is slow
NOTES = """
import atexit, pathlib, time
kernel = get_ipython().kernel
told = kernel._publish_status_and_flush
def slowly(state, channel, *more):
    if (state, channel) == ("idle", "control") and kernel._shutdown_message is not None:
        time.sleep(0.5)
    return told(state, channel, *more)
kernel._publish_status_and_flush = slowly
alive = lambda thread: "alive" if thread.is_alive() else "done"
sending = kernel.parent.iopub_thread.thread
note = lambda: pathlib.Path(%r).write_text(f"control {alive(kernel.parent.control_thread)}, sending {alive(sending)}")
atexit.register(note)
"""
ORDERED = "from gen_toolkit.jobs.kernel_end import end_in_order\nend_in_order(kernel)"


def test_the_thread_that_sends_is_there_until_the_one_that_was_told_to_end_is_done(tmp_path: Path) -> None:
    manager, client = start_new_kernel()
    try:
        for code in (NOTES % str(tmp_path / "note"), ORDERED):
            assert client.execute_interactive(code, timeout=60)["content"]["status"] == "ok"
        client.shutdown()
        until = time.monotonic() + 60
        while manager.is_alive() and time.monotonic() < until:
            time.sleep(0.05)
        assert not manager.is_alive()
        assert (tmp_path / "note").read_text() == "control done, sending alive"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
