"""What a job is given of its workspace before it starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from notebook_cells import furnish, gen, written
from openai_server import OpenAIServer

KEY = "canary-of-the-gateway"
ASKS = """import os
import gen_toolkit as gt
gt.chat('x', model='gate')
gt.keep('key', os.environ['GATEWAY'])
print(os.environ['GATEWAY'])"""


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.close()


@pytest.mark.kernel
def test_a_job_can_read_what_the_headers_of_its_models_refer_to_and_shows_it_nowhere(
    tmp_path: Path, server: OpenAIServer
) -> None:
    headers = '{ X-Api-Key = "env:GATEWAY", X-Team = "reviews" }'
    root = furnish(
        tmp_path / "gateway", settings=f'[models.gate]\nmodel = "m"\nbase_url = "{server.url}"\nheaders = {headers}\n'
    )
    ended = gen("try", written(root / "notebooks/asks.ipynb", ASKS), cwd=root, GATEWAY=KEY)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (server.headers[0]["x-api-key"], server.headers[0]["x-team"]) == (KEY, "reviews")
    assert "[secret]" in ended.stdout
    assert [path for path in root.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()] == []
