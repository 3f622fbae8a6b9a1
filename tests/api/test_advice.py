"""What next, through the API: the method's rules on runs, curves and evaluations that were measured elsewhere."""

import asyncio
import csv
import io

import httpx
import pytest
from tests.api.driving import (
    HEALTHY,
    OVERFITTING,
    Json,
    curve,
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

MARKDOWN = {"Accept": "text/markdown"}
N = 60


class Loop:
    """A loop with data, a suite, and a baseline of 6."""

    def __init__(self, api: httpx.AsyncClient) -> None:
        self.api = api

    async def open(self, *, baseline: float = 6.0, n_examples: int = 335, **fields: object) -> "Loop":
        await make_loop(self.api, **fields)
        self.version = await upload(self.api, "training", rows(n_examples), loop="letters")
        self.suite = await make_suite(self.api, "letters", n_items=N)
        self.baseline = await register(self.api, "letters", self.suite, spread(baseline, N))
        await name_baseline(self.api, "letters", self.baseline)
        return self

    async def run(self, parent: Json | None, text: str, score: float, **overrides: object) -> Json:
        """A finished external run with its curve and its score."""
        made = await (
            next_run(self.api, "letters", parent, **overrides)
            if parent
            else first_run(self.api, "letters", self.version)
        )
        await put_curve(self.api, made, text)
        made = await finish(self.api, made)
        await register(self.api, "letters", self.suite, spread(score, N), subject="run", run_id=made["id"])
        return ok(await self.api.get(f"/v1/runs/{made['id']}"))

    async def next(self) -> Json:
        return ok(await self.api.get("/v1/loops/letters/next"))


@pytest.fixture
def loop(api: httpx.AsyncClient) -> Loop:
    return Loop(api)


async def test_the_reference_rows_come_out_exactly(api: httpx.AsyncClient, loop: Loop) -> None:
    """Method 2."""
    await loop.open()
    first = await loop.run(None, curve([1.0, 0.5, 0.4, 0.31], [1.1, 0.6, 0.4, 0.32]), 8.05)
    await loop.run(first, curve([1.0, 0.5, 0.4, 0.30], [1.1, 0.6, 0.4, 0.31]), 9.15, learning_rate_multiplier=0.5)
    table = await api.get("/v1/loops/letters/history", headers=MARKDOWN)
    assert table.headers["content-type"] == "text/markdown; charset=utf-8"
    lines = table.text.splitlines()
    assert lines[0].startswith("| Run | Base model | Dataset | Epochs | LR | Batch | Best val_loss | Combined eval | ")
    assert lines[2].startswith("| R1 | gpt-4.1-mini | v1 (335 ex) | 2 | 1.0 | default | 0.320 | 8.05 | ")
    assert lines[3].startswith("| R2 | gpt-4.1-mini | v1 (335 ex) | 2 | 0.5 | default | 0.310 | 9.15 | ")
    text = await api.get("/v1/loops/letters/history", headers={"Accept": "text/csv"})
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    head, one, two = csv.reader(io.StringIO(text.text, newline=""))
    assert head[:8] == ["Run", "Base model", "Dataset", "Epochs", "LR", "Batch", "Best val_loss", "Combined eval"]
    assert one[:8] == ["R1", "gpt-4.1-mini", "v1 (335 ex)", "2", "1.0", "default", "0.320", "8.05"]
    assert two[:8] == ["R2", "gpt-4.1-mini", "v1 (335 ex)", "2", "0.5", "default", "0.310", "9.15"]
    history = ok(await api.get("/v1/loops/letters/history"))
    assert [(row["run"], row["combined"]) for row in history["rows"]] == [("R1", 8.05), ("R2", 9.15)]
    assert table.headers["vary"] == "Accept"


async def test_next_leads_through_the_loop(api: httpx.AsyncClient, loop: Loop) -> None:
    """Method 1 and 4: data first, then something to measure with, then the baseline, then a first run."""
    await make_loop(api)
    kinds = [(await loop.next())["action"]["kind"]]
    version = await upload(api, "training", rows(335), loop="letters")
    kinds.append((await loop.next())["action"]["kind"])
    suite = await make_suite(api, "letters", n_items=N)
    answer = await loop.next()
    kinds.append(answer["action"]["kind"])
    baseline = await register(api, "letters", suite, spread(6.0, N))
    answer = await loop.next()
    if answer["action"]["kind"] == "record_baseline":
        assert answer["action"]["request"] == {
            "method": "PUT",
            "path": f"/v1/loops/{answer['loop_id']}/baseline",
            "body": answer["action"]["request"]["body"],
        }
        await name_baseline(api, "letters", baseline)
        answer = await loop.next()
    kinds.append(answer["action"]["kind"])
    assert kinds[0] == "attach_dataset"
    assert kinds[2] == "record_baseline"
    assert kinds[3] == "start_run"
    request = answer["action"]["request"]
    assert (request["method"], request["path"]) == ("POST", "/v1/runs")
    assert request["body"]["config"]["dataset_version_id"] == version["id"]
    assert answer["change"] is None


async def test_an_overfitting_run_is_answered_with_one_change(api: httpx.AsyncClient, loop: Loop) -> None:
    await loop.open()
    run = await loop.run(None, OVERFITTING, 7.0)
    assert run["reading"]["verdict"] in ("moderate", "severe")
    answer = await loop.next()
    assert answer["action"]["kind"] == "start_run"
    body = answer["action"]["request"]["body"]
    overrides = {name: value for name, value in body["overrides"].items() if value is not None}
    assert list(overrides) == [answer["change"]["variable"]]
    assert overrides[answer["change"]["variable"]] == answer["change"]["to_value"]
    assert body["parent_run_id"] == run["id"]
    assert answer["evidence"]
    assert answer["path"]
    assert len(answer["stop_rules"]) == 4
    assert len(answer["markdown"]) <= 3000
    diagnosis = ok(await api.post("/v1/diagnoses", json={"run_id": "letters/R1"}))
    assert diagnosis["path"][0] == {
        "question": "curves_healthy",
        "answer": "no",
        "evidence": diagnosis["path"][0]["evidence"],
    }
    again = ok(await api.post("/v1/diagnoses", json={"run_id": run["id"]}))
    assert again["id"] == diagnosis["id"]


async def test_the_same_state_gives_the_same_bytes(api: httpx.AsyncClient, loop: Loop) -> None:
    await loop.open()
    await loop.run(None, OVERFITTING, 7.0)
    first = await api.get("/v1/loops/letters/next")
    second = await api.get("/v1/loops/letters/next")
    assert second.content == first.content
    body = first.json()
    assert first.headers["etag"] == second.headers["etag"] == f'"{body["state_version"]}.{body["rules_version"]}"'
    unchanged = await api.get("/v1/loops/letters/next", headers={"If-None-Match": first.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    words = await api.get("/v1/loops/letters/next", headers=MARKDOWN)
    assert words.text == body["markdown"]
    assert words.headers["etag"] == first.headers["etag"]


async def test_after_a_decline_the_next_alternative_takes_its_place(api: httpx.AsyncClient, loop: Loop) -> None:
    await loop.open()
    await loop.run(None, OVERFITTING, 7.0)
    answer = await loop.next()
    seen = {answer["change"]["variable"], (answer["change"]["variable"], answer["change"]["to_value"])}
    rec = answer["action"]["recommendation_id"]
    path = f"/v1/recommendations/{rec}/decision"
    decided = ok(await api.put(path, json={"verdict": "declined", "reason": "no", "actor": "ada"}))
    assert (decided["status"], decided["decision"]["reason"], decided["decision"]["actor"]) == ("declined", "no", "ada")
    assert ok(await api.put(path, json={"verdict": "declined"})) == decided
    refused(await api.put(path, json={"verdict": "accepted"}), 409, "decision_conflict")
    other = await loop.next()
    assert other["action"]["recommendation_id"] != rec
    change = other["change"]
    assert change is None or (change["variable"], change["to_value"]) not in seen


async def test_a_loop_whose_advice_is_always_declined_ends_with_a_person(api: httpx.AsyncClient, loop: Loop) -> None:
    await loop.open()
    await loop.run(None, OVERFITTING, 7.0)
    told: list[str] = []
    for _ in range(80):
        answer = await loop.next()
        told.append(answer["action"]["recommendation_id"])
        if answer["action"]["kind"] == "review" and answer["action"]["request"] is None and len(told) > 1:
            break
        ok(await api.put(f"/v1/recommendations/{told[-1]}/decision", json={"verdict": "declined"}))
    assert answer["action"]["kind"] == "review"
    assert len(set(told)) == len(told), "what was declined is never advised again"


async def test_what_is_accepted_is_carried_out(api: httpx.AsyncClient, loop: Loop) -> None:
    await loop.open()
    await loop.run(None, OVERFITTING, 7.0)
    answer = await loop.next()
    rec = answer["action"]["recommendation_id"]
    decided = ok(await api.put(f"/v1/recommendations/{rec}/decision", json={"verdict": "accepted"}))
    assert decided["status"] == "accepted"
    run = ok(await api.get(f"/v1/runs/{decided['carried_out_by']}"))
    assert (run["recommendation_id"], run["changed"]) == (rec, [answer["change"]["variable"]])
    assert ok(await api.put(f"/v1/recommendations/{rec}/decision", json={"verdict": "accepted"})) == decided
    assert len(ok(await api.get("/v1/runs"))["data"]) == 2


async def test_sending_the_request_is_accepting(api: httpx.AsyncClient, loop: Loop) -> None:
    await loop.open()
    await loop.run(None, OVERFITTING, 7.0)
    answer = await loop.next()
    request = answer["action"]["request"]
    run = ok(await api.request(request["method"], request["path"], json=request["body"]), 201)
    rec = ok(await api.get(f"/v1/recommendations/{answer['action']['recommendation_id']}"))
    assert (rec["status"], rec["carried_out_by"]) == ("accepted", run["id"])
    assert (await loop.next())["action"]["kind"] == "wait"


async def test_advice_that_is_given_again_can_be_decided_again(api: httpx.AsyncClient, loop: Loop) -> None:
    """The run that came of it was cancelled, and the same is advised once more: as a new recommendation."""
    await loop.open()
    await loop.run(None, OVERFITTING, 7.0)
    first = await loop.next()
    rec = first["action"]["recommendation_id"]
    made = ok(await api.put(f"/v1/recommendations/{rec}/decision", json={"verdict": "accepted"}))["carried_out_by"]
    ok(await api.post(f"/v1/runs/{made}/cancel"))
    again = await loop.next()
    assert ok(await api.get(f"/v1/recommendations/{again['action']['recommendation_id']}"))["status"] == "open"


async def test_a_gain_within_noise_does_not_ship(api: httpx.AsyncClient, loop: Loop) -> None:
    """Method 4: never an improvement when the interval includes zero."""
    await loop.open()
    run = await loop.run(None, HEALTHY, 6.0)
    ok(await api.post(f"/v1/runs/{run['id']}/checkpoints", json={"step": 80, "model": "ft:x", "final": True}), 201)
    checkpoint = ok(await api.get(f"/v1/runs/{run['id']}/checkpoints"))["data"][0]
    body = {"loop_id": "letters", "run_id": run["id"], "checkpoint_id": checkpoint["id"]}
    refused(await api.post("/v1/deployments", json=body), 409, "not_better_than_baseline")
    shipped = ok(await api.post("/v1/deployments", json=body | {"override_reason": "the customer wants it"}), 201)
    assert (shipped["status"], shipped["model"]) == ("live", "ft:x")
    gone = ok(await api.delete(f"/v1/deployments/{shipped['id']}"), 200)
    assert (gone["status"], gone["deleted_at"] is not None) == ("deleted", True)
    assert ok(await api.delete(f"/v1/deployments/{shipped['id']}"), 200) == gone


async def test_a_comparison_is_paired_and_has_an_interval(api: httpx.AsyncClient, loop: Loop) -> None:
    await loop.open()
    run = await loop.run(None, HEALTHY, 8.0)
    evaluation = ok(await api.get(f"/v1/evaluations?run_id={run['id']}"))["data"][0]
    path = f"/v1/evaluations/{evaluation['id']}/comparison"
    better = ok(await api.get(path, params={"against": loop.baseline["id"]}))
    assert better["verdict"] == "improved"
    assert better["difference"] == pytest.approx(2.0)
    refused(await api.get(path, params={"against": "nothing"}), 404, "not_found")
    refused(await api.get(path), 400, "invalid_parameter")


async def test_a_base_model_that_is_good_enough_is_not_tuned(loop: Loop) -> None:
    """Method 6: do not fine-tune when the base model already scores above 9.0."""
    await loop.open(baseline=9.4)
    assert (await loop.next())["action"]["kind"] == "do_not_fine_tune"


async def test_an_exhausted_budget_stops_the_loop(loop: Loop) -> None:
    """Method 7.4."""
    await loop.open(budget={"max_runs": 1})
    await loop.run(None, OVERFITTING, 6.1)
    answer = await loop.next()
    assert answer["action"]["kind"] in ("stop", "ship", "final_test", "review")
    assert {rule["rule"]: rule["met"] for rule in answer["stop_rules"]}["budget"]


async def test_advice_keeps_within_the_choices(api: httpx.AsyncClient, loop: Loop) -> None:
    await loop.open(choices={"n_epochs": {"min": 2, "max": 2}, "base_models": ["gpt-4.1-mini"]})
    await loop.run(None, OVERFITTING, 7.0)
    for _ in range(40):
        answer = await loop.next()
        change = answer["change"]
        if change is None:
            break
        assert change["variable"] not in ("n_epochs", "base_model")
        rec = answer["action"]["recommendation_id"]
        ok(await api.put(f"/v1/recommendations/{rec}/decision", json={"verdict": "declined"}))


async def test_user_text_does_not_break_the_markdown(api: httpx.AsyncClient, loop: Loop) -> None:
    task = "Sort | letters\n# by <script>alert(1)</script> [x](javascript:y) `z`"
    await loop.open(task=task)
    await loop.run(None, OVERFITTING, 7.0)
    assert "<script>" not in (await loop.next())["markdown"]
    body = {"name": "a|b<c>"}
    ok(await api.post("/v1/datasets", json=body), 201)


async def test_a_wait_for_the_next_advice_ends_when_the_loop_moves(api: httpx.AsyncClient, loop: Loop) -> None:
    await loop.open()
    before = await api.get("/v1/loops/letters/next")
    watching = asyncio.create_task(
        api.get("/v1/loops/letters/next?wait=20", headers={"If-None-Match": before.headers["etag"]})
    )
    await asyncio.sleep(0)
    await first_run(api, "letters", loop.version)
    moved = ok(await watching, 200)
    assert moved["state_version"] > before.json()["state_version"]
    still = await api.get(
        "/v1/loops/letters/next?wait=1",
        headers={"If-None-Match": (await api.get("/v1/loops/letters/next")).headers["etag"]},
    )
    assert still.status_code == 304
