"""Real result files as they came: each is read, or refused as a whole with a reason."""

from pathlib import Path

import httpx
import pytest
from tests.api.counting import Counts
from tests.api.driving import Json, finish, first_run, make_loop, ok, refused, rows, upload

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
FILES = sorted((DATA / "openai_csv").glob("*")) + sorted((DATA / "trainer_state").glob("*.json"))[:20]
pytestmark = pytest.mark.skipif(not FILES, reason=f"the records in {DATA} are not here")


@pytest.fixture
async def run(api: httpx.AsyncClient) -> Json:
    await make_loop(api)
    return await first_run(api, "letters", await upload(api, "training", rows(60), loop="letters"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
async def test_a_real_file(api: httpx.AsyncClient, counts: Counts, run: Json, file: Path) -> None:
    body = file.read_bytes()  # noqa: ASYNC240
    path = f"/v1/runs/{run['id']}/metrics"
    before = await counts()
    response = await api.put(path, content=body)
    if response.status_code != 200:
        refused(response, response.status_code, "too_large" if len(body) > 2**20 else "malformed_result_file")
        assert await counts() == before
        return
    receipt = ok(response)
    assert receipt["n_values"] > 0
    curves = ok(await api.get(path))
    assert curves["n_points"] == receipt["n_values"]
    small = ok(await api.get(path, params={"max_points": 20}))
    assert all(len(series["steps"]) <= 20 for series in small["series"])
    assert ok(await api.put(path, content=body))["reading"] == receipt["reading"]
    await finish(api, run)
    diagnosis = ok(await api.post("/v1/diagnoses", json={"run_id": run["id"]}))
    assert diagnosis["headline"]
    assert diagnosis["path"]
    assert ok(await api.get("/v1/loops/letters/next"))["headline"]
    table = await api.get("/v1/loops/letters/history", headers={"Accept": "text/markdown"})
    assert table.text.splitlines()[2].startswith("| R1 | gpt-4.1-mini | v1 (60 ex) | 2 | 1.0 | ")


async def test_base64_is_the_same_record(api: httpx.AsyncClient, run: Json) -> None:
    """Method 3: the provider may return the file base64-encoded."""
    found, decoded = DATA / "openai_csv/pdm_genset_1_BASE64_as_found.csv", DATA / "openai_csv/pdm_genset_1_decoded.csv"
    path = f"/v1/runs/{run['id']}/metrics"
    first = ok(await api.put(path, content=found.read_bytes()))
    second = ok(await api.put(path, content=decoded.read_bytes()))
    assert (first["n_values"], first["last_step"], first["reading"]) == (
        second["n_values"],
        second["last_step"],
        second["reading"],
    )
    form = ok(await api.put(path, files={"file": ("result.csv", decoded.read_bytes())}))
    assert form["reading"] == second["reading"]
