"""Record the document's examples from the service itself: `python openapi/record.py`.

One small loop is played against the application on an embedded database. Clock and randomness are fixed, so the same
service gives the same examples.
"""

import asyncio
import dataclasses
import json
import random
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from whatnext_service.app import create_app
from whatnext_service.config import Settings
from whatnext_service.contract.workspace import NewKey
from whatnext_service.flows.context import Services
from whatnext_service.flows.evaluate import evaluate
from whatnext_service.flows.failure_groups import group_failures
from whatnext_service.flows.keys import create_key, open_workspace
from whatnext_service.flows.report_quality import report_quality
from whatnext_service.store.embedded import EmbeddedPostgres
from whatnext_service.store.migrate import migrate
from whatnext_service.store.postgres_cluster import EmbeddedSettings

TARGET = Path(__file__).resolve().parents[1] / "service" / "whatnext_service" / "api" / "openapi_examples.json"
START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LOOP = "/v1/loops/support-bot"
N_SHOWN = 2
SCORES_BEFORE, SCORES_AFTER = (5.8, 6.6), (6.1, 7.9)
JUDGED = {
    "name": "exact",
    "grader": {
        "type": "string_check",
        "name": "exact",
        "input": "{{sample.output_text}}",
        "reference": "{{item.reference_answer}}",
        "operation": "eq",
    },
}
RESULTS = (
    "step,train_loss,full_valid_loss\n10,2.0,1.9\n20,1.2,1.15\n30,0.8,0.82\n40,0.55,0.7\n50,0.4,0.78\n60,0.3,0.9\n"
)
Json = dict[str, Any]


class Recorder:
    """Sends requests and keeps what was sent and answered under the names of their schemas."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.examples: dict[str, Any] = {}

    async def send(
        self, method: str, path: str, *, body: Json | None = None, sent: str | None = None, got: str | None = None
    ) -> Any:
        """One request that must succeed; the first of a name is kept."""
        response = await self._client.request(method, path, json=body)
        if response.status_code >= 300:
            raise RuntimeError(f"{method} {path}: {response.status_code} {response.text}")
        answer = response.json()
        if sent:
            self.examples.setdefault(sent, body)
        if got:
            self.examples.setdefault(got, shortened(answer))
        return answer

    async def text(self, path: str, media: str, name: str) -> None:
        self.examples[name] = (await self._client.get(path, headers={"Accept": media})).text

    async def upload(self, dataset: str, rows: list[Json], **kept: str) -> Any:
        content = "".join(json.dumps(row) + "\n" for row in rows)
        response = await self._client.post(f"/v1/datasets/{dataset}/versions", content=content)
        if response.status_code != 201:
            raise RuntimeError(response.text)
        if kept:
            self.examples[kept["got"]] = shortened(response.json())
        return response.json()


def shortened(value: Any) -> Any:
    """An answer with only the first items of its lists."""
    if isinstance(value, list):
        return [shortened(each) for each in value[:N_SHOWN]]
    if isinstance(value, dict):
        return {name: shortened(each) for name, each in value.items()}
    return value


def tickets(first: int, n: int) -> list[Json]:
    return [
        {
            "messages": [
                {"role": "user", "content": f"Where is order {number}?"},
                {"role": "assistant", "content": f"Order {number} left our store on Monday."},
            ]
        }
        for number in range(first, first + n)
    ]


async def set_up(to: Recorder) -> tuple[Json, Json, Json]:
    """A loop with data, a suite and a baseline; returns the data's version, the suite and the baseline."""
    new = {"slug": "support-bot", "task": "Answer support tickets in our tone.", "rules": {"target": 8.5}}
    await to.send("POST", "/v1/loops", body=new | {"budget": {"max_runs": 10}}, sent="NewLoop")
    data = await to.send(
        "POST", "/v1/datasets", body={"name": "tickets", "loop_id": "support-bot"}, sent="NewDataset", got="Dataset"
    )
    version = await to.upload(data["id"], tickets(1_000, 80), got="DatasetVersion")
    held_out = await to.send("POST", "/v1/datasets", body={"name": "held-out tickets"})
    items = await to.upload(held_out["id"], tickets(5_000, 30))
    suite = {"loop_id": "support-bot", "name": "selection", "dataset_version_id": items["id"], "graders": [JUDGED]}
    made = await to.send("POST", "/v1/eval-suites", body=suite, sent="NewEvalSuite", got="EvalSuite")
    baseline = await register(to, made, {"subject": "base_model", "base_model": "gpt-4.1-mini"}, SCORES_BEFORE)
    body = {"evaluation_id": baseline["id"]}
    await to.send("PUT", f"{LOOP}/baseline", body=body, sent="NewBaseline")
    return version, made, baseline


async def register(to: Recorder, suite: Json, subject: Json, scores: tuple[float, float]) -> Json:
    body = {"loop_id": "support-bot", "suite_id": suite["id"], **subject}
    items = [{"index": place, "score": scores[place % 2]} for place in range(30)]
    to.examples["NewEvaluation"] = body
    made: Json = await to.send("POST", "/v1/evaluations", body=body | {"items": items})
    return made


async def experiment(to: Recorder, version: Json, suite: Json, baseline: Json) -> Json:
    """One run, its curve, its evaluation and its diagnosis."""
    config = {"base_model": "gpt-4.1-mini", "dataset_version_id": version["id"], "n_epochs": 2}
    body = {"loop_id": "support-bot", "provider": "external", "config": config | {"learning_rate_multiplier": 1.0}}
    run = await to.send("POST", "/v1/runs", body=body, sent="NewRun")
    at = f"/v1/runs/{run['id']}"
    points = [{"step": 10, "values": {"train_loss": 2.0, "full_valid_loss": 1.9}}]
    await to.send("POST", f"{at}/metrics", body={"points": points}, sent="NewMetrics", got="MetricsReceipt")
    to.examples["ResultFile"] = RESULTS
    await to._client.put(f"{at}/metrics", content=RESULTS)
    await to.send("GET", f"{at}/metrics", got="Curves")
    saved = {"step": 40, "model": "ft:gpt-4.1-mini:acme::step-40", "full_valid_loss": 0.7}
    await to.send("POST", f"{at}/checkpoints", body=saved, sent="NewCheckpoint", got="Checkpoint")
    body = {"status": "succeeded", "cost": "1.20", "note": "The first run."}
    run = await to.send("PATCH", at, body=body, sent="RunPatch", got="Run")
    result = await register(to, suite, {"subject": "run", "run_id": run["id"]}, SCORES_AFTER)
    at = f"/v1/evaluations/{result['id']}"
    await to.send("GET", at, got="Evaluation")
    to.examples["EvaluationItem"] = shortened((await to.send("GET", f"{at}/items"))["data"][0])
    await to.send("GET", f"{at}/comparison?against={baseline['id']}", got="EvaluationComparison")
    await to.send("GET", f"{at}/pass-threshold?threshold=7", got="PassReading")
    grades = [{"evaluation_id": result["id"], "index": index, "score": 6.0 + index % 2} for index in range(10)]
    at = f"/v1/eval-suites/{suite['id']}/calibrations"
    await to.send("POST", at, body={"grades": grades}, sent="NewCalibration", got="JudgeCalibration")
    await to.send("POST", "/v1/diagnoses", body={"run_id": "support-bot/R1"}, sent="NewDiagnosis", got="Diagnosis")
    found: Json = run
    return found


async def ask(to: Recorder, version: Json, run: Json) -> None:
    """What is next, why, and what was decided."""
    answer = await to.send("GET", f"{LOOP}/next", got="Answer")
    to.examples["Answer.markdown"] = answer["markdown"]
    to.examples["TrackRecord"] = await to.send("GET", "/v1/recommendations/track-record")
    at = f"/v1/dataset-versions/{version['id']}/quality"
    await to.send("GET", at, got="QualityReport")
    to.examples["ScoredRow"] = shortened((await to.send("GET", f"{at}/rows?include=text"))["data"][0])
    await to.send("GET", f"{LOOP}/history", got="History")
    await to.text(f"{LOOP}/history", "text/markdown", "History.markdown")
    await to.text(f"{LOOP}/history", "text/csv", "History.csv")
    body = {"verdict": "declined", "reason": "Our platform fixes this value.", "actor": "mira"}
    at = f"/v1/recommendations/{answer['action']['recommendation_id']}/decision"
    await to.send("PUT", at, body=body, sent="NewDecision", got="Recommendation")
    changes = {"rules": {"patience": 4}, "thresholds": {"noise_factor": 3.0}}
    await to.send("PATCH", LOOP, body=changes, sent="LoopPatch", got="Loop")
    rows = tickets(1_000, 80)
    doubled = (await to.upload(version["dataset_id"], [*rows, rows[0]]))["id"]
    drop = {"operations": [{"kind": "drop_duplicates"}]}
    await to.send("POST", f"/v1/dataset-versions/{doubled}/derive", body=drop, sent="NewDerivation", got="Derivation")
    models = {"dataset_version_id": version["id"], "base_models": ["gpt-4.1-mini", "gpt-4.1-nano"]}
    plan = models | {"provider": "external"}
    to.examples["NewMultiModel"] = models
    await to.send("POST", f"{LOOP}/multi-model", body=plan, got="MultiModelRuns")
    body = {"loop_id": "support-bot", "run_id": run["id"], "override_reason": "It is cheaper and no worse."}
    to.examples["NewDeployment"] = body
    at = (await to.send("GET", f"/v1/runs/{run['id']}/checkpoints"))["data"][0]["id"]
    await to.send("POST", "/v1/deployments", body=body | {"checkpoint_id": at}, got="Deployment")
    await to.send("POST", "/v1/deployments/cleanup", body={"loop_id": "support-bot"}, sent="NewCleanup", got="Cleanup")
    prices = {"prompt": "0.40", "completion": "1.60"}
    body = {"n_rows": 50, "max_cost": "2", "prices": prices}
    at = f"/v1/dataset-versions/{version['id']}/judging"
    await to.send("POST", at, body=body, sent="NewRowJudging", got="RowJudging")


async def grade_again(to: Recorder, services: Services, suite: Json, run: Json) -> None:
    """A result graded elsewhere, its answers graded once more by the suite, and how the two gradings agree."""
    body = {"loop_id": "support-bot", "suite_id": suite["id"], "subject": "run", "run_id": run["id"]}
    right = {place: f"Order {5_000 + place} left our store on Monday." for place in range(30) if place % 3}
    score = {place: 9.0 if place in right or place < 4 else 3.0 for place in range(30)}
    items = [{"index": at, "output": right.get(at, "I will ask."), "score": score[at]} for at in range(30)]
    first = await to.send("POST", "/v1/evaluations", body=body | {"items": items})
    again = {"loop_id": "support-bot", "suite_id": suite["id"], "regrade_of": first["id"]}
    at = f"/v1/evaluations/{(second := await to.send('POST', '/v1/evaluations', body=again))['id']}"
    await evaluate(services, second["id"])
    await to.send("GET", f"{at}/judge-drift", got="DriftReading")
    await to.send("GET", f"{at}/rank-agreement?against={first['id']}", got="RankAgreement")


async def administer(to: Recorder) -> None:
    """Webhook endpoints, keys, events and the catalogue."""
    body = {"url": "https://hooks.example.com/whatnext", "event_types": ["run.succeeded", "loop.moved"]}
    made = await to.send(
        "POST", "/v1/webhook-endpoints", body=body, sent="NewWebhookEndpoint", got="CreatedWebhookEndpoint"
    )
    at = f"/v1/webhook-endpoints/{made['endpoint']['id']}"
    await to.send("POST", f"{at}/test", got="WebhookDelivery")
    await to.send("PATCH", at, body={"status": "disabled"}, sent="WebhookEndpointPatch", got="WebhookEndpoint")
    made = await to.send(
        "POST", "/v1/keys", body={"name": "training job", "scopes": ["write"]}, sent="NewKey", got="CreatedKey"
    )
    await to.send("GET", f"/v1/keys/{made['key']['id']}", got="Key")
    to.examples["Event"] = (await to.send("GET", "/v1/events"))["data"][0]
    to.examples["BaseModel"] = shortened((await to.send("GET", "/v1/base-models"))["data"][0])


def ticking() -> Callable[[], datetime]:
    """A clock that goes on by one second whenever it is read."""
    seconds = iter(range(1_000_000))
    return lambda: START + timedelta(seconds=next(seconds))


async def record() -> dict[str, Any]:
    """Play the loop and return every example by name."""
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedPostgres(EmbeddedSettings(root=Path(folder), fast=True)) as dsn:
            await migrate(dsn)
            app = create_app(
                Settings(data_dir=Path(folder), log_level="error", judge_model="gpt-4.1"), dsn, with_worker=False
            )
            async with app.lifespan():
                fixed = {"clock": ticking(), "randomness": random.Random(2026).randbytes}
                services = dataclasses.replace(app.state["services"], **fixed)
                app.state["services"] = services
                workspace = await open_workspace(services, "examples")
                async with services.begin(workspace) as tx:
                    secret = (await create_key(tx, NewKey(name="recorder", scopes=("admin",)))).secret
                transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
                headers = {"Authorization": f"Bearer {secret}"}
                async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as client:
                    recorder = Recorder(client)
                    version, suite, baseline = await set_up(recorder)
                    await report_quality(services, version["id"], asyncio.Lock())
                    run = await experiment(recorder, version, suite, baseline)
                    await group_failures(services, baseline["id"])
                    await recorder.send("GET", f"/v1/evaluations/{baseline['id']}/failures", got="Failures")
                    await ask(recorder, version, run)
                    await administer(recorder)
                    await grade_again(recorder, services, suite, run)
                    return recorder.examples


if __name__ == "__main__":
    examples = asyncio.run(record())
    TARGET.write_bytes(msgspec.json.format(msgspec.json.encode(examples, order="deterministic"), indent=1) + b"\n")
