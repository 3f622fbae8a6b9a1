"""Comparisons through the API: what noise an interval counts in."""

import httpx
import pytest
from tests.api.driving import (
    Json,
    finish,
    first_run,
    make_loop,
    make_suite,
    name_baseline,
    next_run,
    ok,
    register,
    rows,
    spread,
    upload,
)

N = 40
LOOP = "/v1/loops/letters"


class Scored:
    """A loop with a suite, a baseline, and the means to add runs with scores."""

    def __init__(self, api: httpx.AsyncClient, suite: Json, version: Json, baseline: Json) -> None:
        self.api, self.suite, self.version, self.baseline = api, suite, version, baseline

    async def score(self, run: Json, mean: float) -> Json:
        await finish(self.api, run)
        return await register(self.api, "letters", self.suite, spread(mean, N), subject="run", run_id=run["id"])

    async def first(self, mean: float, **config: object) -> tuple[Json, Json]:
        run = await first_run(self.api, "letters", self.version, config=config)
        return run, await self.score(run, mean)

    async def child(self, parent: Json, mean: float, **overrides: object) -> tuple[Json, Json]:
        run = await next_run(self.api, "letters", parent, **overrides)
        return run, await self.score(run, mean)

    async def compare(self, one: Json, other: Json) -> Json:
        path = f"/v1/evaluations/{one['id']}/comparison"
        return ok(await self.api.get(path, params={"against": other["id"]}))


@pytest.fixture
async def loop(api: httpx.AsyncClient) -> Scored:
    await make_loop(api)
    version = await upload(api, "training", rows(60), loop="letters")
    suite = await make_suite(api, "letters", n_items=N)
    baseline = await register(api, "letters", suite, spread(5.0, N))
    await name_baseline(api, "letters", baseline)
    return Scored(api, suite, version, baseline)


async def test_what_training_again_changes_is_counted_in_once_a_run_was_repeated(loop: Scored) -> None:
    """Evidence 1: two noise floors. The repeat lies 0.8 from its twin, so a lead of 0.5 is none."""
    run, score = await loop.first(5.5, seed=1)
    before = await loop.compare(score, loop.baseline)
    assert (before["verdict"], before["noise_floor"], before["noise_floor_sd"]) == ("improved", "items", 0.0)
    _, again = await loop.child(run, 6.3, seed=2)
    after = await loop.compare(score, loop.baseline)
    assert (after["verdict"], after["noise_floor"]) == ("inconclusive", "repeated_runs")
    assert after["noise_floor_sd"] == pytest.approx(0.8 / 2**0.5, abs=1e-6)
    assert "with the noise of training again" in after["statement"]
    assert (await loop.compare(again, score))["noise_floor_sd"] == pytest.approx(0.8, abs=1e-6)

    rows = ok(await loop.api.get(f"{LOOP}/history"))["rows"]
    low, high = rows[0]["to_baseline"]["low"], rows[0]["to_baseline"]["high"]
    assert (low, high) == (after["low"], after["high"])


async def test_the_same_gain_on_every_item_is_an_improvement(loop: Scored) -> None:
    _, score = await loop.first(5.4)
    found = await loop.compare(score, loop.baseline)
    assert (found["verdict"], found["test"], found["difference"]) == ("improved", "exact_sign", 0.4)
    assert (found["low"], found["high"]) == (pytest.approx(0.330, abs=1e-3), pytest.approx(0.470, abs=1e-3))


async def test_a_difference_of_several_changes_is_credited_to_none_and_the_run_that_tells_them_apart_is_advised(
    loop: Scored,
) -> None:
    """Method 1: confounded, no credit; evidence 3: the cheapest run that separates them."""
    first, before = await loop.first(5.5)
    body = {
        "loop_id": "letters",
        "parent_run_id": first["id"],
        "overrides": {"learning_rate_multiplier": 0.5, "n_epochs": 4},
        "allow_confounded": True,
    }
    second = ok(await loop.api.post("/v1/runs", json=body), 201)
    after = await loop.score(second, 6.5)
    found = (await loop.compare(after, before))["attribution"]
    assert (found["changed"], found["confounded"]) == (["n_epochs", "learning_rate_multiplier"], True)
    assert found["separating"]["parent_run_id"] == first["id"]
    assert found["separating"]["overrides"] == {"learning_rate_multiplier": 0.5}
    assert "nothing may be credited to any one of them" in found["statement"]
    assert (await loop.compare(before, loop.baseline))["attribution"] is None
    diagnosis = ok(await loop.api.post("/v1/diagnoses", json={"run_id": second["id"]}))
    (told,) = (each["suggestion"] for each in diagnosis["findings"] if each["code"] == "confounded_run")
    assert told.endswith(found["separating"]["statement"])

    answer = ok(await loop.api.get(f"{LOOP}/next"))
    assert answer["change"]["expects"]["rule"] == "separate_changes"
    request = answer["action"]["request"]
    assert request["body"]["overrides"] == found["separating"]["overrides"]
    third = ok(await loop.api.post(request["path"], json=request["body"]), 201)
    assert (third["changed"], third["confounded_by"]) == (["learning_rate_multiplier"], [])
    await loop.score(third, 6.4)
    answer = ok(await loop.api.get(f"{LOOP}/next"))
    assert answer["change"] is None or answer["change"]["expects"]["rule"] != "separate_changes"


async def test_a_single_change_is_credited(loop: Scored) -> None:
    first, before = await loop.first(5.5)
    _, after = await loop.child(first, 6.5, n_epochs=3)
    found = (await loop.compare(after, before))["attribution"]
    assert (found["changed"], found["confounded"], found["separating"]) == (["n_epochs"], False, None)
    assert found["statement"] == "R2 differs from R1 in epochs alone, as far as is known: the difference is its effect."
