"""A worker that executes nothing: says what it was told, and waits for a file to go away."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    print(json.dumps({"event": "ready"}), flush=True)
    line = sys.stdin.readline()
    if not line:
        return
    print(json.dumps({"event": "claimed", "run": json.loads(line)["run"], "pid": os.getpid()}), flush=True)
    print("just a print", flush=True)
    hold = Path(json.loads(line).get("hold", "/nowhere"))
    while hold.exists():
        time.sleep(0.02)
    print(json.dumps({"event": "succeeded", "run": json.loads(line)["run"]}), flush=True)


if __name__ == "__main__":
    main()
