"""The reading of an external run's curve follows all that it rests on: status, resolved values, checkpoints."""

import json

import httpx
import pytest
from tests.api.driving import OVERFITTING, Json, finish, first_run, make_loop, ok, put_curve, rows, upload

RISING = [1.5, 1.2, 1.0, 1.2, 1.5]


def snapshot(max_steps: object) -> str:
    """A trainer's own record of its first 50 steps: the validation loss rises from the thirtieth on."""
    history: list[Json] = []
    for place, valid in enumerate(RISING, start=1):
        history += [{"step": 10 * place, "loss": 1.6 - 0.2 * place}, {"step": 10 * place, "eval_loss": valid}]
    return json.dumps({"max_steps": max_steps, "log_history": history})


async def reading_of(api: httpx.AsyncClient, run: Json) -> Json:
    reading: Json = ok(await api.get(f"/v1/runs/{run['id']}"))["reading"]
    return reading


def codes(reading: Json) -> set[str]:
    return {finding["code"] for finding in reading["findings"]}


@pytest.fixture
async def run(api: httpx.AsyncClient) -> Json:
    await make_loop(api)
    version = await upload(api, "training", rows(60), loop="letters")
    return await first_run(api, "letters", version, status="running")


async def test_a_curve_is_judged_when_its_run_has_ended(api: httpx.AsyncClient, run: Json) -> None:
    """Evidence 2: no alarm in the first 30 % of the planned steps; stopped there, it is the whole curve."""
    ok(await api.patch(f"/v1/runs/{run['id']}", json={"effective": {"n_steps": 500}}))
    early = (await put_curve(api, run, snapshot(50)))["reading"]
    assert (early["verdict"], "too_early" in codes(early)) == ("cannot_judge", True)
    done = await finish(api, run)
    assert done["reading"] == await reading_of(api, run)
    assert (done["reading"]["verdict"], "too_early" in codes(done["reading"])) == ("moderate", False)


async def test_a_curve_is_read_again_with_the_values_that_were_resolved(api: httpx.AsyncClient, run: Json) -> None:
    await put_curve(api, run, snapshot(50))
    assert "too_early" not in codes(await reading_of(api, run))
    ok(await api.patch(f"/v1/runs/{run['id']}", json={"effective": {"n_steps": 500}}))
    assert "too_early" in codes(await reading_of(api, run))


async def test_a_note_does_not_read_the_curve_again(api: httpx.AsyncClient, run: Json) -> None:
    await put_curve(api, run, OVERFITTING)
    before = ok(await api.get(f"/v1/runs/{run['id']}"))
    after = ok(await api.patch(f"/v1/runs/{run['id']}", json={"note": "odd"}))
    assert after["version"] == before["version"] + 1


async def test_what_can_be_deployed_is_nominated(api: httpx.AsyncClient, run: Json) -> None:
    await put_curve(api, run, OVERFITTING)
    assert 60 not in (await reading_of(api, run))["nominated_steps"]
    ok(await api.post(f"/v1/runs/{run['id']}/checkpoints", json={"step": 60}), 201)
    assert (await reading_of(api, run))["nominated_steps"] == [60]
    ok(await api.post(f"/v1/runs/{run['id']}/checkpoints", json={"step": 60, "deployable": False}), 201)
    assert (await reading_of(api, run))["nominated_steps"] == []


async def test_the_steps_that_a_trainer_planned_are_known_of_its_run(api: httpx.AsyncClient, run: Json) -> None:
    early = (await put_curve(api, run, snapshot(500)))["reading"]
    assert "too_early" in codes(early)
    assert ok(await api.get(f"/v1/runs/{run['id']}"))["effective"]["n_steps"] == 500
    ok(await api.patch("/v1/loops/letters", json={"thresholds": {"ratio_mild": 1.25}}))
    assert "too_early" in codes(await reading_of(api, run))


async def test_what_was_reported_of_a_run_counts_more_than_a_file(api: httpx.AsyncClient, run: Json) -> None:
    ok(await api.patch(f"/v1/runs/{run['id']}", json={"effective": {"n_steps": 60}}))
    assert "too_early" not in codes((await put_curve(api, run, snapshot(500)))["reading"])
    assert ok(await api.get(f"/v1/runs/{run['id']}"))["effective"]["n_steps"] == 60


@pytest.mark.parametrize("max_steps", [0, -1, None, "many", 2**80, 1e300, True])
async def test_no_plan_is_taken_from_a_number_that_is_none(
    api: httpx.AsyncClient, run: Json, max_steps: object
) -> None:
    assert "too_early" not in codes((await put_curve(api, run, snapshot(max_steps)))["reading"])
    assert ok(await api.get(f"/v1/runs/{run['id']}"))["effective"] is None
