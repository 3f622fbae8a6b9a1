"""Points under other tools' names are the same evidence as a result file's columns."""

from collections.abc import Sequence

import httpx
import pytest
from tests.api.driving import PACE, Json, first_run, make_loop, ok, put_curve, rows, upload

TRAIN = [0.1 + 1.9 * (1 - x) ** 3 for x in PACE]
VALID = [0.5 + 1.5 * (x - 0.4) ** 2 * 2.5 for x in PACE]


@pytest.fixture
async def version(api: httpx.AsyncClient) -> Json:
    await make_loop(api)
    return await upload(api, "training", rows(60), loop="letters")


def points(train: str, valid: str) -> list[Json]:
    pairs = zip(TRAIN, VALID, strict=True)
    return [{"step": 10 * n, "values": {train: loss, valid: held}} for n, (loss, held) in enumerate(pairs, start=1)]


async def log(api: httpx.AsyncClient, run: Json, sent: Sequence[Json]) -> Json:
    return ok(await api.post(f"/v1/runs/{run['id']}/metrics", json={"points": list(sent)}))


@pytest.mark.parametrize(
    ("train", "valid"),
    [
        ("loss", "eval_loss"),
        ("train/loss", "eval/loss"),
        ("training_loss", "validation_loss"),
        ("train_loss", "full_valid_loss"),
    ],
)
async def test_points_read_as_the_file_does(api: httpx.AsyncClient, version: Json, train: str, valid: str) -> None:
    logged, put = await first_run(api, "letters", version), await first_run(api, "letters", version)
    lines = [f"{10 * n},{loss},{held}" for n, (loss, held) in enumerate(zip(TRAIN, VALID, strict=True), start=1)]
    file = await put_curve(api, put, "\n".join(["step,train_loss,full_valid_loss", *lines]))
    receipt = await log(api, logged, points(train, valid))
    assert receipt["reading"] == file["reading"]
    assert receipt["reading"]["verdict"] == "severe"
    known = (train, valid) == ("train_loss", "full_valid_loss")
    assert receipt["notes"] == ([] if known else [f"metrics read: {train} as train_loss, {valid} as full_valid_loss"])


async def test_a_curve_is_found_by_the_name_it_was_sent_under(api: httpx.AsyncClient, version: Json) -> None:
    run = await first_run(api, "letters", version)
    sent = [{"step": 1, "values": {"loss": 2.0, "perplexity": 7.0}}]
    assert (await log(api, run, sent))["n_new"] == 2
    assert (await log(api, run, [{"step": 1, "values": {"train_loss": 1.0}}]))["n_new"] == 0
    path = f"/v1/runs/{run['id']}/metrics"
    for name in ("loss", "train_loss"):
        assert ok(await api.get(path, params={"name": name}))["series"] == [
            {"name": "train_loss", "steps": [1], "values": [1.0]}
        ]
    assert [each["name"] for each in ok(await api.get(path))["series"]] == ["perplexity", "train_loss"]


async def test_the_average_in_a_trainers_summary_is_no_point(api: httpx.AsyncClient, version: Json) -> None:
    run = await first_run(api, "letters", version)
    await log(api, run, [{"step": step, "values": {"loss": 2.0 / step}} for step in range(1, 11)])
    receipt = await log(api, run, [{"step": 10, "values": {"train_runtime": 60.0, "train_loss": 0.6}}])
    assert (receipt["n_values"], receipt["n_new"]) == (1, 1)
    assert receipt["notes"] == ["the run's average training loss, sent with the summary, left out"]
    (series,) = ok(await api.get(f"/v1/runs/{run['id']}/metrics", params={"name": "loss"}))["series"]
    assert series["values"][-1] == 0.2
