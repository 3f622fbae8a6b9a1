"""A loop's own thresholds of curve reading: taken, refused, used, and named wherever they were used."""

from typing import Any

import httpx
import pytest
from tests.api.driving import (
    OVERFITTING,
    Json,
    finish,
    first_run,
    make_loop,
    make_suite,
    name_baseline,
    next_run,
    ok,
    put_curve,
    refused,
    register,
    rows,
    spread,
    upload,
)

DEFAULT = "2026.11"
LENIENT = {"rise_mild": 100.0, "rise_usable": 100.0, "rise_strong": 100.0}
LOOP = "/v1/loops/letters"


async def test_a_loop_starts_with_the_methods_thresholds(api: httpx.AsyncClient) -> None:
    """Method 3: ratio 1.2, 1.5, 2.0; 20 % over the best."""
    thresholds = (await make_loop(api))["thresholds"]
    assert [thresholds[name] for name in ("ratio_mild", "ratio_moderate", "ratio_severe")] == [1.2, 1.5, 2.0]
    assert thresholds["rise_strong"] == 1.2
    assert ok(await api.get(LOOP))["thresholds"] == thresholds


async def test_a_patch_merges_and_null_resets(api: httpx.AsyncClient) -> None:
    loop = await make_loop(api, thresholds={"ratio_severe": 3.0})
    assert loop["thresholds"]["ratio_severe"] == 3.0

    async def patched(**changes: Any) -> Json:
        return ok(await api.patch(LOOP, json={"thresholds": changes}), 200)["thresholds"]

    assert await patched(noise_factor=3.0, min_points=7) == loop["thresholds"] | {"noise_factor": 3.0, "min_points": 7}
    assert await patched(ratio_severe=None) == loop["thresholds"] | {
        "noise_factor": 3.0,
        "min_points": 7,
        "ratio_severe": 2.0,
    }
    before = ok(await api.get(LOOP))
    assert ok(await api.patch(LOOP, json={"thresholds": before["thresholds"]}), 200) == before
    reset = ok(await api.patch(LOOP, json={"thresholds": None}), 200)
    assert reset["thresholds"] == loop["thresholds"] | {"ratio_severe": 2.0}
    assert reset["version"] == before["version"] + 1


@pytest.mark.parametrize(
    ("thresholds", "code", "pointer"),
    [
        ({"ratio_sevre": 2.0}, "invalid_body", "/thresholds/ratio_sevre"),
        ({"ratio_severe": 0.5}, "invalid_body", "/thresholds/ratio_severe"),
        ({"early_share": 1.5}, "invalid_body", "/thresholds/early_share"),
        ({"noise_factor": 0}, "invalid_body", "/thresholds/noise_factor"),
        ({"noise_factor": 1e9}, "invalid_body", "/thresholds/noise_factor"),
        ({"noise_points": 3}, "invalid_body", "/thresholds/noise_points"),
        ({"min_points": 2.5}, "invalid_body", "/thresholds/min_points"),
        ({"ratio_mild": "high"}, "invalid_body", "/thresholds/ratio_mild"),
        ({"ratio_mild": True}, "invalid_body", "/thresholds/ratio_mild"),
        ([1.2], "invalid_body", "/thresholds"),
        ({"ratio_mild": 1.6}, "invalid_loop", "/thresholds/ratio_moderate"),
        ({"gap_hacking": 0.01}, "invalid_loop", "/thresholds/gap_hacking"),
    ],
)
async def test_thresholds_that_make_no_sense_are_refused(
    api: httpx.AsyncClient, thresholds: Any, code: str, pointer: str
) -> None:
    body = {"slug": "other", "task": "x", "thresholds": thresholds}
    refused(await api.post("/v1/loops", json=body), 400, code, pointer)
    loop = await make_loop(api)
    refused(await api.patch(LOOP, json={"thresholds": thresholds}), 400, code, pointer)
    assert ok(await api.get(LOOP)) == loop


async def diagnosed(api: httpx.AsyncClient, run: Json) -> Json:
    return ok(await api.post("/v1/diagnoses", json={"run_id": run["id"]}))


async def test_changed_thresholds_are_used_at_once_and_named_wherever_they_were(api: httpx.AsyncClient) -> None:
    await make_loop(api)
    version = await upload(api, "training", rows(60), loop="letters")
    suite = await make_suite(api, "letters")
    await name_baseline(api, "letters", await register(api, "letters", suite, spread(5.0, 30)))
    run = await first_run(api, "letters", version)
    await put_curve(api, run, OVERFITTING)
    await finish(api, run)
    await register(api, "letters", suite, spread(6.0, 30), subject="run", run_id=run["id"])
    strict = await diagnosed(api, run)
    assert (strict["thresholds_version"], strict["leaf"]) == (DEFAULT, "add_data")
    assert ok(await api.get(f"{LOOP}/next"))["thresholds_version"] == DEFAULT

    ok(await api.patch(LOOP, json={"thresholds": LENIENT}), 200)
    reading = ok(await api.get(f"/v1/runs/{run['id']}"))["reading"]
    named = reading["thresholds_version"]
    assert named.startswith(f"{DEFAULT}+")
    assert (reading["verdict"], reading["shape"]) == ("healthy", "healthy")
    assert ok(await api.get(f"{LOOP}/history"))["rows"][0]["overfitting"] == "healthy"
    assert ok(await api.get(f"{LOOP}/next"))["thresholds_version"] == named
    lenient = await diagnosed(api, run)
    assert (lenient["thresholds_version"], lenient["leaf"]) == (named, "refine_further")
    assert {each["code"] for each in lenient["findings"]}.isdisjoint({"overfit_severe", "best_early"})
    rise = next(each for each in lenient["evidence"] if each["code"] == "validation_rise")
    assert rise["threshold"] == 100.0

    assert ok(await api.get(f"/v1/diagnoses/{strict['id']}")) == strict
    ok(await api.patch(LOOP, json={"thresholds": None}), 200)
    assert (await diagnosed(api, run))["id"] == strict["id"]


async def test_a_curve_that_comes_later_is_read_with_the_loops_thresholds(api: httpx.AsyncClient) -> None:
    await make_loop(api, thresholds=LENIENT)
    version = await upload(api, "training", rows(60), loop="letters")
    run = await first_run(api, "letters", version)
    receipt = await put_curve(api, run, OVERFITTING)
    assert receipt["reading"]["verdict"] == "healthy"
    assert receipt["reading"]["thresholds_version"].startswith(f"{DEFAULT}+")


async def test_a_change_that_did_not_take_is_found_and_counts_as_a_repeat(api: httpx.AsyncClient) -> None:
    """Hazards f: other rates were asked for, the curves are the same."""
    await make_loop(api)
    version = await upload(api, "training", rows(60), loop="letters")
    suite = await make_suite(api, "letters")
    await name_baseline(api, "letters", await register(api, "letters", suite, spread(5.0, 30)))
    parent = await first_run(api, "letters", version)
    slower = await next_run(api, "letters", parent, learning_rate_multiplier=0.5)
    longer = await next_run(api, "letters", parent, n_epochs=3)
    for run in (slower, parent, longer):
        await put_curve(api, run, OVERFITTING)
        await finish(api, run)
        await register(api, "letters", suite, spread(6.0, 30), subject="run", run_id=run["id"])
    found = next(each for each in (await diagnosed(api, slower))["findings"] if each["code"] == "change_did_not_take")
    assert (found["kind"], found["severity"], found["value"], found["threshold"]) == ("curve", "critical", 0.0, 0.005)
    assert "count the run as a repeat" in found["suggestion"]
    assert "change_did_not_take" not in {each["code"] for each in (await diagnosed(api, longer))["findings"]}
    table = ok(await api.get(f"{LOOP}/history"))["rows"]
    assert {row["run"]: row["repeat"] for row in table} == {"R1": False, "R2": True, "R3": False}
    warned = {each["code"]: each["message"] for each in ok(await api.get(f"{LOOP}/next"))["warnings"]}
    assert warned["change_did_not_take"].startswith("R2 trained as if nothing had been changed")

    other = [line.replace(",0.", ",0.1") for line in OVERFITTING.splitlines()]
    await put_curve(api, slower, "\n".join(other))
    assert "change_did_not_take" not in {each["code"] for each in (await diagnosed(api, slower))["findings"]}
