"""What statsmodels said of random tables; made by record_statsmodels.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TABLES: dict[str, Any] = json.loads(Path(__file__).with_name("statsmodels.json").read_text(encoding="utf-8"))
