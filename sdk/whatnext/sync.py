# Generated from openapi.json; do not edit.
# ruff: noqa
"""The synchronous client: one class a resource, one method an operation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from msgspec import UNSET, UnsetType

from whatnext import models as m
from whatnext._config import Timeout
from whatnext._operation import Operation, Ref, version_tag
from whatnext._sync.base_client import BaseClient
from whatnext._sync.downloads import Download
from whatnext._sync.loop import Loop
from whatnext._sync.loops_by_hand import LoopsByHand
from whatnext._sync.pages import Pager
from whatnext._sync.runs_by_hand import EvaluationsByHand, RunsByHand
from whatnext._sync.streams import EventStream
from whatnext._sync.waiting import changed
from whatnext._upload import File, OnProgress, Upload

if TYPE_CHECKING:
    from whatnext import params as p

_BASE_MODELS_LIST: Operation[m.BaseModel] = Operation(
    "base_models.list", "GET", "/v1/base-models", m.BaseModel, paged=True
)
_DATASET_VERSIONS_CANCEL_JUDGING: Operation[m.RowJudging] = Operation(
    "dataset_versions.cancel_judging", "POST", "/v1/dataset-versions/{version_id}/judging/cancel", m.RowJudging
)
_DATASET_VERSIONS_CHECK_QUALITY: Operation[m.QualityReport] = Operation(
    "dataset_versions.check_quality", "POST", "/v1/dataset-versions/{version_id}/quality", m.QualityReport
)
_DATASET_VERSIONS_CONTENT: Operation[bytes] = Operation(
    "dataset_versions.content", "GET", "/v1/dataset-versions/{version_id}/content", media="application/jsonl"
)
_DATASET_VERSIONS_DERIVE: Operation[m.Derivation] = Operation(
    "dataset_versions.derive", "POST", "/v1/dataset-versions/{version_id}/derive", m.Derivation
)
_DATASET_VERSIONS_GET: Operation[m.DatasetVersion] = Operation(
    "dataset_versions.get", "GET", "/v1/dataset-versions/{version_id}", m.DatasetVersion
)
_DATASET_VERSIONS_JUDGE: Operation[m.RowJudging] = Operation(
    "dataset_versions.judge", "POST", "/v1/dataset-versions/{version_id}/judging", m.RowJudging
)
_DATASET_VERSIONS_JUDGING: Operation[m.RowJudging] = Operation(
    "dataset_versions.judging", "GET", "/v1/dataset-versions/{version_id}/judging", m.RowJudging
)
_DATASET_VERSIONS_LIST_QUALITY_ROWS: Operation[m.ScoredRow] = Operation(
    "dataset_versions.list_quality_rows",
    "GET",
    "/v1/dataset-versions/{version_id}/quality/rows",
    m.ScoredRow,
    paged=True,
)
_DATASET_VERSIONS_QUALITY: Operation[m.QualityReport] = Operation(
    "dataset_versions.quality", "GET", "/v1/dataset-versions/{version_id}/quality", m.QualityReport
)
_DATASETS_CREATE: Operation[m.Dataset] = Operation("datasets.create", "POST", "/v1/datasets", m.Dataset)
_DATASETS_GET: Operation[m.Dataset] = Operation("datasets.get", "GET", "/v1/datasets/{dataset_id}", m.Dataset)
_DATASETS_LIST_VERSIONS: Operation[m.DatasetVersion] = Operation(
    "datasets.list_versions", "GET", "/v1/datasets/{dataset_id}/versions", m.DatasetVersion, paged=True
)
_DATASETS_UPLOAD_VERSION: Operation[m.DatasetVersion] = Operation(
    "datasets.upload_version", "POST", "/v1/datasets/{dataset_id}/versions", m.DatasetVersion
)
_DATASETS_LIST: Operation[m.Dataset] = Operation("datasets.list", "GET", "/v1/datasets", m.Dataset, paged=True)
_DEPLOYMENTS_CLEANUP: Operation[m.Cleanup] = Operation(
    "deployments.cleanup", "POST", "/v1/deployments/cleanup", m.Cleanup
)
_DEPLOYMENTS_CREATE: Operation[m.Deployment] = Operation("deployments.create", "POST", "/v1/deployments", m.Deployment)
_DEPLOYMENTS_DELETE: Operation[m.Deployment] = Operation(
    "deployments.delete", "DELETE", "/v1/deployments/{deployment_id}", m.Deployment
)
_DEPLOYMENTS_GET: Operation[m.Deployment] = Operation(
    "deployments.get", "GET", "/v1/deployments/{deployment_id}", m.Deployment
)
_DEPLOYMENTS_LIST: Operation[m.Deployment] = Operation(
    "deployments.list", "GET", "/v1/deployments", m.Deployment, paged=True
)
_DIAGNOSES_CREATE: Operation[m.Diagnosis] = Operation("diagnoses.create", "POST", "/v1/diagnoses", m.Diagnosis)
_DIAGNOSES_GET: Operation[m.Diagnosis] = Operation("diagnoses.get", "GET", "/v1/diagnoses/{diagnosis_id}", m.Diagnosis)
_DIAGNOSES_LIST: Operation[m.Diagnosis] = Operation("diagnoses.list", "GET", "/v1/diagnoses", m.Diagnosis, paged=True)
_EVAL_SUITES_CALIBRATE: Operation[m.JudgeCalibration] = Operation(
    "eval_suites.calibrate", "POST", "/v1/eval-suites/{suite_id}/calibrations", m.JudgeCalibration
)
_EVAL_SUITES_CREATE: Operation[m.EvalSuite] = Operation("eval_suites.create", "POST", "/v1/eval-suites", m.EvalSuite)
_EVAL_SUITES_GET: Operation[m.EvalSuite] = Operation(
    "eval_suites.get", "GET", "/v1/eval-suites/{suite_id}", m.EvalSuite
)
_EVAL_SUITES_LIST_CALIBRATIONS: Operation[m.JudgeCalibration] = Operation(
    "eval_suites.list_calibrations", "GET", "/v1/eval-suites/{suite_id}/calibrations", m.JudgeCalibration, paged=True
)
_EVAL_SUITES_LIST: Operation[m.EvalSuite] = Operation(
    "eval_suites.list", "GET", "/v1/eval-suites", m.EvalSuite, paged=True
)
_EVALUATIONS_CANCEL: Operation[m.Evaluation] = Operation(
    "evaluations.cancel", "POST", "/v1/evaluations/{evaluation_id}/cancel", m.Evaluation
)
_EVALUATIONS_COMPARE: Operation[m.EvaluationComparison] = Operation(
    "evaluations.compare", "GET", "/v1/evaluations/{evaluation_id}/comparison", m.EvaluationComparison
)
_EVALUATIONS_CREATE: Operation[m.Evaluation] = Operation("evaluations.create", "POST", "/v1/evaluations", m.Evaluation)
_EVALUATIONS_FAILURES: Operation[m.Failures] = Operation(
    "evaluations.failures", "GET", "/v1/evaluations/{evaluation_id}/failures", m.Failures
)
_EVALUATIONS_GET: Operation[m.Evaluation] = Operation(
    "evaluations.get", "GET", "/v1/evaluations/{evaluation_id}", m.Evaluation
)
_EVALUATIONS_IMPORT_LOG: Operation[m.Evaluation] = Operation(
    "evaluations.import_log", "POST", "/v1/evaluations/import", m.Evaluation
)
_EVALUATIONS_JUDGE_DRIFT: Operation[m.DriftReading] = Operation(
    "evaluations.judge_drift", "GET", "/v1/evaluations/{evaluation_id}/judge-drift", m.DriftReading
)
_EVALUATIONS_LIST_ITEMS: Operation[m.EvaluationItem] = Operation(
    "evaluations.list_items", "GET", "/v1/evaluations/{evaluation_id}/items", m.EvaluationItem, paged=True
)
_EVALUATIONS_PASS_THRESHOLD: Operation[m.PassReading] = Operation(
    "evaluations.pass_threshold", "GET", "/v1/evaluations/{evaluation_id}/pass-threshold", m.PassReading
)
_EVALUATIONS_RANK_AGREEMENT: Operation[m.RankAgreement] = Operation(
    "evaluations.rank_agreement", "GET", "/v1/evaluations/{evaluation_id}/rank-agreement", m.RankAgreement
)
_EVALUATIONS_LIST: Operation[m.Evaluation] = Operation(
    "evaluations.list", "GET", "/v1/evaluations", m.Evaluation, paged=True
)
_EVENTS_STREAM: Operation[m.Event] = Operation("events.stream", "GET", "/v1/events", m.Event, media="text/event-stream")
_EVENTS_LIST: Operation[m.Event] = Operation("events.list", "GET", "/v1/events", m.Event, paged=True)
_KEYS_CREATE: Operation[m.CreatedKey] = Operation("keys.create", "POST", "/v1/keys", m.CreatedKey)
_KEYS_GET: Operation[m.Key] = Operation("keys.get", "GET", "/v1/keys/{key_id}", m.Key)
_KEYS_REVOKE: Operation[m.Key] = Operation("keys.revoke", "DELETE", "/v1/keys/{key_id}", m.Key)
_KEYS_LIST: Operation[m.Key] = Operation("keys.list", "GET", "/v1/keys", m.Key, paged=True)
_LOOPS_CREATE: Operation[Loop] = Operation("loops.create", "POST", "/v1/loops", Loop)
_LOOPS_GET: Operation[Loop] = Operation("loops.get", "GET", "/v1/loops/{loop}", Loop)
_LOOPS_HISTORY: Operation[m.History] = Operation("loops.history", "GET", "/v1/loops/{loop}/history", m.History)
_LOOPS_HISTORY_CSV: Operation[str] = Operation("loops.history_csv", "GET", "/v1/loops/{loop}/history", media="text/csv")
_LOOPS_HISTORY_MARKDOWN: Operation[str] = Operation(
    "loops.history_markdown", "GET", "/v1/loops/{loop}/history", media="text/markdown"
)
_LOOPS_MULTI_MODEL: Operation[m.MultiModelRuns] = Operation(
    "loops.multi_model", "POST", "/v1/loops/{loop}/multi-model", m.MultiModelRuns
)
_LOOPS_NEXT: Operation[m.Answer] = Operation("loops.next", "GET", "/v1/loops/{loop}/next", m.Answer)
_LOOPS_NEXT_MARKDOWN: Operation[str] = Operation(
    "loops.next_markdown", "GET", "/v1/loops/{loop}/next", media="text/markdown"
)
_LOOPS_SET_BASELINE: Operation[Loop] = Operation("loops.set_baseline", "PUT", "/v1/loops/{loop}/baseline", Loop)
_LOOPS_UPDATE: Operation[Loop] = Operation("loops.update", "PATCH", "/v1/loops/{loop}", Loop)
_LOOPS_LIST: Operation[Loop] = Operation("loops.list", "GET", "/v1/loops", Loop, paged=True)
_RECOMMENDATIONS_DECIDE: Operation[m.Recommendation] = Operation(
    "recommendations.decide", "PUT", "/v1/recommendations/{recommendation_id}/decision", m.Recommendation
)
_RECOMMENDATIONS_GET: Operation[m.Recommendation] = Operation(
    "recommendations.get", "GET", "/v1/recommendations/{recommendation_id}", m.Recommendation
)
_RECOMMENDATIONS_TRACK_RECORD: Operation[m.TrackRecord] = Operation(
    "recommendations.track_record", "GET", "/v1/recommendations/track-record", m.TrackRecord
)
_RECOMMENDATIONS_LIST: Operation[m.Recommendation] = Operation(
    "recommendations.list", "GET", "/v1/recommendations", m.Recommendation, paged=True
)
_RUNS_ADD_CHECKPOINT: Operation[m.Checkpoint] = Operation(
    "runs.add_checkpoint", "POST", "/v1/runs/{run_id}/checkpoints", m.Checkpoint
)
_RUNS_CANCEL: Operation[m.Run] = Operation("runs.cancel", "POST", "/v1/runs/{run_id}/cancel", m.Run)
_RUNS_CREATE: Operation[m.Run] = Operation("runs.create", "POST", "/v1/runs", m.Run)
_RUNS_GET: Operation[m.Run] = Operation("runs.get", "GET", "/v1/runs/{run_id}", m.Run)
_RUNS_LIST_CHECKPOINTS: Operation[m.Checkpoint] = Operation(
    "runs.list_checkpoints", "GET", "/v1/runs/{run_id}/checkpoints", m.Checkpoint, paged=True
)
_RUNS_LOG_METRICS: Operation[m.MetricsReceipt] = Operation(
    "runs.log_metrics", "POST", "/v1/runs/{run_id}/metrics", m.MetricsReceipt
)
_RUNS_METRICS: Operation[m.Curves] = Operation("runs.metrics", "GET", "/v1/runs/{run_id}/metrics", m.Curves)
_RUNS_METRICS_PNG: Operation[bytes] = Operation(
    "runs.metrics_png", "GET", "/v1/runs/{run_id}/metrics", media="image/png"
)
_RUNS_METRICS_SVG: Operation[bytes] = Operation(
    "runs.metrics_svg", "GET", "/v1/runs/{run_id}/metrics", media="image/svg+xml"
)
_RUNS_PUT_METRICS: Operation[m.MetricsReceipt] = Operation(
    "runs.put_metrics", "PUT", "/v1/runs/{run_id}/metrics", m.MetricsReceipt
)
_RUNS_UPDATE: Operation[m.Run] = Operation("runs.update", "PATCH", "/v1/runs/{run_id}", m.Run)
_RUNS_LIST: Operation[m.Run] = Operation("runs.list", "GET", "/v1/runs", m.Run, paged=True)
_SERVICE_LIVE: Operation[str] = Operation("service.live", "GET", "/livez", media="text/plain")
_SERVICE_METRICS: Operation[str] = Operation("service.metrics", "GET", "/metrics", media="text/plain")
_SERVICE_PROBLEM: Operation[str] = Operation("service.problem", "GET", "/problems/{code}", media="text/markdown")
_SERVICE_READY: Operation[str] = Operation("service.ready", "GET", "/readyz", media="text/plain")
_WEBHOOK_ENDPOINTS_CREATE: Operation[m.CreatedWebhookEndpoint] = Operation(
    "webhook_endpoints.create", "POST", "/v1/webhook-endpoints", m.CreatedWebhookEndpoint
)
_WEBHOOK_ENDPOINTS_DELETE: Operation[m.WebhookEndpoint] = Operation(
    "webhook_endpoints.delete", "DELETE", "/v1/webhook-endpoints/{endpoint_id}", m.WebhookEndpoint
)
_WEBHOOK_ENDPOINTS_GET: Operation[m.WebhookEndpoint] = Operation(
    "webhook_endpoints.get", "GET", "/v1/webhook-endpoints/{endpoint_id}", m.WebhookEndpoint
)
_WEBHOOK_ENDPOINTS_LIST_DELIVERIES: Operation[m.WebhookDelivery] = Operation(
    "webhook_endpoints.list_deliveries",
    "GET",
    "/v1/webhook-endpoints/{endpoint_id}/deliveries",
    m.WebhookDelivery,
    paged=True,
)
_WEBHOOK_ENDPOINTS_TEST: Operation[m.WebhookDelivery] = Operation(
    "webhook_endpoints.test", "POST", "/v1/webhook-endpoints/{endpoint_id}/test", m.WebhookDelivery
)
_WEBHOOK_ENDPOINTS_UPDATE: Operation[m.WebhookEndpoint] = Operation(
    "webhook_endpoints.update", "PATCH", "/v1/webhook-endpoints/{endpoint_id}", m.WebhookEndpoint
)
_WEBHOOK_ENDPOINTS_LIST: Operation[m.WebhookEndpoint] = Operation(
    "webhook_endpoints.list", "GET", "/v1/webhook-endpoints", m.WebhookEndpoint, paged=True
)


class BaseModels:
    """The model catalogue."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport = client.transport

    def list(
        self,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.BaseModel]:
        """The model catalogue: start values, methods, prices and end dates.

        >>> items = [each for each in client.base_models.list()]
        """
        return self._transport.pages(
            _BASE_MODELS_LIST,
            timeout=timeout,
        )


class DatasetVersions:
    """Immutable versions of datasets."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport = client.transport

    def cancel_judging(
        self,
        version_id: Ref,
        *,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.RowJudging:
        """Ask for a judging to be cancelled; the scores so far stay, and one that has ended stays as it is.

        >>> found = client.dataset_versions.cancel_judging("version_1")
        """
        return self._transport.call(
            _DATASET_VERSIONS_CANCEL_JUDGING,
            path=(version_id,),
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def check_quality(
        self,
        version_id: Ref,
        *,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.QualityReport:
        """Have a quality report made again that failed, or that an earlier release made by other rules. One that is
        under way, or up to date, is answered as it is.

        >>> found = client.dataset_versions.check_quality("version_1")
        """
        return self._transport.call(
            _DATASET_VERSIONS_CHECK_QUALITY,
            path=(version_id,),
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def content(
        self,
        version_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Download:
        """Download a version's bytes as they were uploaded.

        >>> content = client.dataset_versions.content("version_1").read()
        """
        return self._transport.download(
            _DATASET_VERSIONS_CONTENT,
            path=(version_id,),
            timeout=timeout,
        )

    def derive(
        self,
        version_id: Ref,
        *,
        operations: Sequence[m.DatasetOperation | p.DatasetOperation],
        dry_run: bool | UnsetType = UNSET,
        recommendation_id: str | None | UnsetType = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Derivation:
        """Make a new version by operations on this one: drop duplicates, drop or resolve contradictions, drop rows,
        keep rows by score, add examples, split, convert. With `dry_run` only show what they would do.

        Args:
            operations: Carried out one after the other; after `split` only `convert` may follow.

        >>> found = client.dataset_versions.derive("version_1", operations=[{"kind": "add_examples"}])
        """
        return self._transport.call(
            _DATASET_VERSIONS_DERIVE,
            path=(version_id,),
            body={"operations": operations, "dry_run": dry_run, "recommendation_id": recommendation_id},
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def get(
        self,
        version_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.DatasetVersion:
        """Get a version: its counts, and what is wrong with single rows.

        >>> found = client.dataset_versions.get("version_1")
        """
        return self._transport.call(
            _DATASET_VERSIONS_GET,
            path=(version_id,),
            timeout=timeout,
        )

    def judge(
        self,
        version_id: Ref,
        *,
        dimensions: Sequence[Literal["correctness", "quality", "relevance"]] | UnsetType = UNSET,
        max_cost: str | None | UnsetType = UNSET,
        max_tokens: int | None | UnsetType = UNSET,
        model: str | None | UnsetType = UNSET,
        n_rows: int | UnsetType = UNSET,
        prices: m.JudgePrices | p.JudgePrices | None | UnsetType = UNSET,
        threshold: float | UnsetType = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.RowJudging:
        """Have a judge score a sample of a version's rows: correctness, relevance, quality. It costs, and so is never
        done unasked. The scores go into the quality report's check `judge`, the report's rows, and `derive` with
        `min_judge_score`. Started again, with the same judge, it scores only rows that have no score of its.

        Args:
            max_cost: Ends it once it has cost so much by `prices`.
            max_tokens: Ends it once so many tokens were used; requests under way are still paid for.
            model: The judge, by the name under which the configured endpoint serves it; null: the configured judge.
            n_rows: How many rows, by lot. A larger number later adds to them: rows that this judge has scored, in this
                version or in another, are not paid for again.
            threshold: The quality report's check `judge` points at rows that score less.

        >>> found = client.dataset_versions.judge("version_1")
        """
        return self._transport.call(
            _DATASET_VERSIONS_JUDGE,
            path=(version_id,),
            body={
                "dimensions": dimensions,
                "max_cost": max_cost,
                "max_tokens": max_tokens,
                "model": model,
                "n_rows": n_rows,
                "prices": prices,
                "threshold": threshold,
            },
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def judging(
        self,
        version_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.RowJudging:
        """Get the judging of a version's rows: how far it is, and what it cost.

        >>> found = client.dataset_versions.judging("version_1")
        """
        return self._transport.call(
            _DATASET_VERSIONS_JUDGING,
            path=(version_id,),
            timeout=timeout,
        )

    def wait_judging(
        self,
        version_id: Ref,
        *,
        since: m.RowJudging | None = None,
        timeout_s: float | None = None,
    ) -> m.RowJudging:
        """The same as soon as it differs from `since`, an earlier answer; WaitTimeoutError at `timeout_s`.

        >>> found = client.dataset_versions.wait_judging("version_id", timeout_s=600)
        """
        return changed(self._transport, _DATASET_VERSIONS_JUDGING, version_id, since=since, timeout_s=timeout_s)

    def list_quality_rows(
        self,
        version_id: Ref,
        *,
        check: Literal[
            "size",
            "row_length",
            "exact_duplicates",
            "near_duplicates",
            "contradictions",
            "near_contradictions",
            "leakage",
            "near_leakage",
            "label_errors",
            "label_balance",
            "label_spelling",
            "answer_shape",
            "refusals",
            "length_mix",
            "system_prompt",
            "grader_fields",
            "personal_data",
            "secrets",
            "judge",
        ]
        | None = None,
        include: str | Sequence[str] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.ScoredRow]:
        """List a version's rows as its quality report sees them, worst first; for `label_errors` by label confidence.

        Args:
            check: Only rows that this check points at.
            include: `text`: also the beginning of each row's prompt and answer, and of the rows that it repeats or
                contradicts.

        >>> items = [each for each in client.dataset_versions.list_quality_rows("version_1")]
        """
        return self._transport.pages(
            _DATASET_VERSIONS_LIST_QUALITY_ROWS,
            path=(version_id,),
            query={"check": check, "include": include, "limit": limit, "cursor": cursor},
            timeout=timeout,
        )

    def quality(
        self,
        version_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.QualityReport:
        """Get a version's quality report: made in the background after each upload and derivation, and again when a
        loop that trains on the dataset gets another validation file or eval suite. With `wait` and If-None-Match, as
        soon as it is done.

        >>> found = client.dataset_versions.quality("version_1")
        """
        return self._transport.call(
            _DATASET_VERSIONS_QUALITY,
            path=(version_id,),
            timeout=timeout,
        )

    def wait_quality(
        self,
        version_id: Ref,
        *,
        since: m.QualityReport | None = None,
        timeout_s: float | None = None,
    ) -> m.QualityReport:
        """The same as soon as it differs from `since`, an earlier answer; WaitTimeoutError at `timeout_s`.

        >>> found = client.dataset_versions.wait_quality("version_id", timeout_s=600)
        """
        return changed(self._transport, _DATASET_VERSIONS_QUALITY, version_id, since=since, timeout_s=timeout_s)


class Datasets:
    """Training and held-out data."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport = client.transport

    def create(
        self,
        *,
        name: str,
        loop_id: str | None | UnsetType = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Dataset:
        """Create a dataset; versions are uploaded to it.

        Args:
            loop_id: The loop whose training dataset it becomes, when that loop has none yet.

        >>> found = client.datasets.create(name="name")
        """
        return self._transport.call(
            _DATASETS_CREATE,
            body={"name": name, "loop_id": loop_id},
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def get(
        self,
        dataset_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Dataset:
        """Get a dataset.

        >>> found = client.datasets.get("dataset_1")
        """
        return self._transport.call(
            _DATASETS_GET,
            path=(dataset_id,),
            timeout=timeout,
        )

    def wait_changed(
        self,
        dataset_id: Ref,
        *,
        since: m.Dataset | None = None,
        timeout_s: float | None = None,
    ) -> m.Dataset:
        """The same as soon as it differs from `since`, an earlier answer; WaitTimeoutError at `timeout_s`.

        >>> found = client.datasets.wait_changed("dataset_id", timeout_s=600)
        """
        return changed(self._transport, _DATASETS_GET, dataset_id, since=since, timeout_s=timeout_s)

    def list_versions(
        self,
        dataset_id: Ref,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.DatasetVersion]:
        """List a dataset's versions, newest first.

        >>> items = [each for each in client.datasets.list_versions("dataset_1")]
        """
        return self._transport.pages(
            _DATASETS_LIST_VERSIONS,
            path=(dataset_id,),
            query={"limit": limit, "cursor": cursor},
            timeout=timeout,
        )

    def upload_version(
        self,
        dataset_id: Ref,
        *,
        file: File,
        on_progress: OnProgress | None = None,
        parent_version_id: str | None = None,
        method: Literal["sft", "dpo", "rft"] | None = None,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.DatasetVersion:
        """Upload a version: the JSONL file as the body, or as the part `file` of a form.

        Every row is checked while it streams; a file with a faulty row is refused as a whole, with the line, fault
        and remedy of the first 100 faults and the count of all. The same bytes again give the version that has them.
        The quality report follows in the background.

        Args:
            parent_version_id: The version that this one was made from.
            method: The training method the rows are for. A file for another one is refused, and conversations that end
                with a question and carry nothing for a grader are accepted as `rft` only.
            file: A path, the bytes, a file opened for bytes, or an iterable of chunks.
            on_progress: Called with the bytes sent so far, and the size where it is known.

        >>> found = client.datasets.upload_version("dataset_1", file="rows.jsonl")
        """
        return self._transport.upload(
            _DATASETS_UPLOAD_VERSION,
            file=Upload(file, on_progress),
            media="application/jsonl",
            path=(dataset_id,),
            query={"parent_version_id": parent_version_id, "method": method},
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        loop_id: str | Sequence[str] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.Dataset]:
        """List the workspace's datasets, newest first.

        Args:
            loop_id: Only of these loops (id or slug); repeatable.

        >>> items = [each for each in client.datasets.list()]
        """
        return self._transport.pages(
            _DATASETS_LIST,
            query={"limit": limit, "cursor": cursor, "loop_id": loop_id},
            timeout=timeout,
        )


class Deployments:
    """Served models."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport = client.transport

    def cleanup(
        self,
        *,
        dry_run: bool | UnsetType = UNSET,
        loop_id: str | None | UnsetType = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Cleanup:
        """List fine-tuned models that nothing uses any more; with `dry_run: false`, delete them.

        >>> found = client.deployments.cleanup()
        """
        return self._transport.call(
            _DEPLOYMENTS_CLEANUP,
            body={"dry_run": dry_run, "loop_id": loop_id},
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def create(
        self,
        *,
        loop_id: str,
        run_id: str,
        checkpoint_id: str | None | UnsetType = UNSET,
        override_reason: str | None | UnsetType = UNSET,
        recommendation_id: str | None | UnsetType = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Deployment:
        """Ship a model. Refused unless it is better than the baseline, or a reason is given.

        Args:
            checkpoint_id: Null: the run's final model.

        >>> found = client.deployments.create(loop_id="support-bot", run_id="run_1")
        """
        return self._transport.call(
            _DEPLOYMENTS_CREATE,
            body={
                "loop_id": loop_id,
                "run_id": run_id,
                "checkpoint_id": checkpoint_id,
                "override_reason": override_reason,
                "recommendation_id": recommendation_id,
            },
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def delete(
        self,
        deployment_id: Ref,
        *,
        if_match: int | str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Deployment:
        """Take a model out of service; its run and checkpoints stay.

        Args:
            if_match: Change only this version of the resource.

        >>> found = client.deployments.delete("deployment_1")
        """
        return self._transport.call(
            _DEPLOYMENTS_DELETE,
            path=(deployment_id,),
            headers={**version_tag("If-Match", if_match)},
            timeout=timeout,
        )

    def get(
        self,
        deployment_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Deployment:
        """Get a deployment.

        >>> found = client.deployments.get("deployment_1")
        """
        return self._transport.call(
            _DEPLOYMENTS_GET,
            path=(deployment_id,),
            timeout=timeout,
        )

    def wait_changed(
        self,
        deployment_id: Ref,
        *,
        since: m.Deployment | None = None,
        timeout_s: float | None = None,
    ) -> m.Deployment:
        """The same as soon as it differs from `since`, an earlier answer; WaitTimeoutError at `timeout_s`.

        >>> found = client.deployments.wait_changed("deployment_id", timeout_s=600)
        """
        return changed(self._transport, _DEPLOYMENTS_GET, deployment_id, since=since, timeout_s=timeout_s)

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        loop_id: str | Sequence[str] | None = None,
        status: str | Sequence[str] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.Deployment]:
        """List deployments, newest first.

        Args:
            loop_id: Only of these loops (id or slug); repeatable.
            status: Only with these statuses; repeatable.

        >>> items = [each for each in client.deployments.list()]
        """
        return self._transport.pages(
            _DEPLOYMENTS_LIST,
            query={"limit": limit, "cursor": cursor, "loop_id": loop_id, "status": status},
            timeout=timeout,
        )


class Diagnoses:
    """What runs show."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport = client.transport

    def create(
        self,
        *,
        run_id: str,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Diagnosis:
        """Diagnose a run: the path through the tree and the findings. The same evidence gives the same diagnosis.

        >>> found = client.diagnoses.create(run_id="run_1")
        """
        return self._transport.call(
            _DIAGNOSES_CREATE,
            body={"run_id": run_id},
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def get(
        self,
        diagnosis_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Diagnosis:
        """Get a diagnosis.

        >>> found = client.diagnoses.get("diagnosis_1")
        """
        return self._transport.call(
            _DIAGNOSES_GET,
            path=(diagnosis_id,),
            timeout=timeout,
        )

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        loop_id: str | Sequence[str] | None = None,
        run_id: str | Sequence[str] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.Diagnosis]:
        """List diagnoses, newest first.

        Args:
            loop_id: Only of these loops (id or slug); repeatable.
            run_id: Only of these runs; repeatable.

        >>> items = [each for each in client.diagnoses.list()]
        """
        return self._transport.pages(
            _DIAGNOSES_LIST,
            query={"limit": limit, "cursor": cursor, "loop_id": loop_id, "run_id": run_id},
            timeout=timeout,
        )


class EvalSuites:
    """Immutable definitions of evaluations."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport = client.transport

    def calibrate(
        self,
        suite_id: Ref,
        *,
        grades: Sequence[m.HandGrade | p.HandGrade],
        dimension: str | None | UnsetType = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.JudgeCalibration:
        """Check a suite's graders against hand grades of stored answers: agreement, bias, correction.

        Args:
            dimension: One grader of the suite; null: the combined score.

        >>> found = client.eval_suites.calibrate("suite_1", grades=[{"evaluation_id": "evaluation_1", "index": 1, "score": 1}] * 10)
        """
        return self._transport.call(
            _EVAL_SUITES_CALIBRATE,
            path=(suite_id,),
            body={"grades": grades, "dimension": dimension},
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def create(
        self,
        *,
        dataset_version_id: str,
        loop_id: str,
        name: str,
        graders: Sequence[m.WeightedGrader | p.WeightedGrader] | None | UnsetType = UNSET,
        guardrails: Sequence[m.SuiteGuardrail | p.SuiteGuardrail] | UnsetType = UNSET,
        role: Literal["final_test", "selection"] | UnsetType = UNSET,
        sampling: m.Sampling | p.Sampling | UnsetType = UNSET,
        scale: m.Scale | p.Scale | UnsetType = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.EvalSuite:
        """Create a suite from a held-out dataset version; it never changes afterwards.

        Args:
            graders: Null: a judge scoring correctness (0.7) and conciseness (0.3) from 1 to 10.

        >>> found = client.eval_suites.create(dataset_version_id="dataset_version_1", loop_id="support-bot", name="name")
        """
        return self._transport.call(
            _EVAL_SUITES_CREATE,
            body={
                "dataset_version_id": dataset_version_id,
                "loop_id": loop_id,
                "name": name,
                "graders": graders,
                "guardrails": guardrails,
                "role": role,
                "sampling": sampling,
                "scale": scale,
            },
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def get(
        self,
        suite_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.EvalSuite:
        """Get an eval suite.

        >>> found = client.eval_suites.get("suite_1")
        """
        return self._transport.call(
            _EVAL_SUITES_GET,
            path=(suite_id,),
            timeout=timeout,
        )

    def list_calibrations(
        self,
        suite_id: Ref,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.JudgeCalibration]:
        """List a suite's calibrations, newest first.

        >>> items = [each for each in client.eval_suites.list_calibrations("suite_1")]
        """
        return self._transport.pages(
            _EVAL_SUITES_LIST_CALIBRATIONS,
            path=(suite_id,),
            query={"limit": limit, "cursor": cursor},
            timeout=timeout,
        )

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        loop_id: str | Sequence[str] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.EvalSuite]:
        """List eval suites, newest first.

        Args:
            loop_id: Only of these loops (id or slug); repeatable.

        >>> items = [each for each in client.eval_suites.list()]
        """
        return self._transport.pages(
            _EVAL_SUITES_LIST,
            query={"limit": limit, "cursor": cursor, "loop_id": loop_id},
            timeout=timeout,
        )


class Evaluations(EvaluationsByHand):
    """Results of suites on models."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport = client.transport

    def cancel(
        self,
        evaluation_id: Ref,
        *,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Evaluation:
        """Ask for an evaluation to be cancelled; what was measured stays, and one that has ended stays as it is.

        >>> found = client.evaluations.cancel("evaluation_1")
        """
        return self._transport.call(
            _EVALUATIONS_CANCEL,
            path=(evaluation_id,),
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def compare(
        self,
        evaluation_id: Ref,
        *,
        against: str,
        n_comparisons: int | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.EvaluationComparison:
        """Compare two evaluations item by item: the paired difference, its interval, and a verdict.

        Beside it: the same by tag, the suite's guardrails, completion tokens, and the items without a score.

        Args:
            against: The evaluation to compare with.
            n_comparisons: How many comparisons this is one of: the interval is widened.

        >>> found = client.evaluations.compare("evaluation_1", against="against")
        """
        return self._transport.call(
            _EVALUATIONS_COMPARE,
            path=(evaluation_id,),
            query={"against": against, "n_comparisons": n_comparisons},
            timeout=timeout,
        )

    def create(
        self,
        *,
        loop_id: str,
        suite_id: str,
        base_model: str | None | UnsetType = UNSET,
        checkpoint_id: str | None | UnsetType = UNSET,
        indexes: Sequence[int] | None | UnsetType = UNSET,
        items: Sequence[m.RegisteredItem | p.RegisteredItem] | None | UnsetType = UNSET,
        max_cost: str | None | UnsetType = UNSET,
        max_tokens: int | None | UnsetType = UNSET,
        n_gradings: int | UnsetType = UNSET,
        prices: m.NewTokenPrices | p.NewTokenPrices | None | UnsetType = UNSET,
        provider: str | None | UnsetType = UNSET,
        recommendation_id: str | None | UnsetType = UNSET,
        regrade_of: str | None | UnsetType = UNSET,
        run_id: str | None | UnsetType = UNSET,
        stop_if_hopeless_against: str | None | UnsetType = UNSET,
        subject: Literal["base_model", "checkpoint", "run"] | None | UnsetType = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Evaluation:
        """Run a suite on a base model, a run or a checkpoint, grade stored answers again, or register a result measured
        elsewhere.

        Args:
            indexes: With `regrade_of`: only these items, such as the anchors by which a judge's drift is watched.
            max_cost: Ends the evaluation once it has cost so much by `prices`.
            max_tokens: Ends the evaluation once so many tokens were used, the judge's and those of vectors included.
            n_gradings: How often a judge grades each answer; the score is the mean, the spread is kept as `regrade_sd`
                of the suite.
            provider: Where a base model is served; null: the service's default provider.
            regrade_of: Grade the stored answers of this evaluation with the suite named, which must have the same
                items; no model under test is asked. With the same suite it measures the judge's own noise and drift.
            stop_if_hopeless_against: Ends the evaluation as soon as it is clear that the subject is worse than in this
                one.
            subject: Needed, but with `regrade_of`: then it is that evaluation's.

        >>> found = client.evaluations.create(loop_id="support-bot", suite_id="suite_1")
        """
        return self._transport.call(
            _EVALUATIONS_CREATE,
            body={
                "loop_id": loop_id,
                "suite_id": suite_id,
                "base_model": base_model,
                "checkpoint_id": checkpoint_id,
                "indexes": indexes,
                "items": items,
                "max_cost": max_cost,
                "max_tokens": max_tokens,
                "n_gradings": n_gradings,
                "prices": prices,
                "provider": provider,
                "recommendation_id": recommendation_id,
                "regrade_of": regrade_of,
                "run_id": run_id,
                "stop_if_hopeless_against": stop_if_hopeless_against,
                "subject": subject,
            },
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def failures(
        self,
        evaluation_id: Ref,
        *,
        below: float | None = None,
        dataset_version_id: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Failures:
        """Get the items that the model fails on, grouped by tag or by likeness of text, with the count of training
        examples of each type: where there are few, examples are missing. Grouped in the background once the
        evaluation has ended; with `wait` and If-None-Match, as soon as it is done.

        Args:
            below: Items that scored less count as failed; without it, the middle of the scale.
            dataset_version_id: Count examples in this version; without it, in the one the evaluated run was trained on,
                else in the newest one of the loop's dataset.

        >>> found = client.evaluations.failures("evaluation_1")
        """
        return self._transport.call(
            _EVALUATIONS_FAILURES,
            path=(evaluation_id,),
            query={"below": below, "dataset_version_id": dataset_version_id},
            timeout=timeout,
        )

    def get(
        self,
        evaluation_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Evaluation:
        """Get an evaluation; with `wait` and If-None-Match, as soon as it moves.

        >>> found = client.evaluations.get("evaluation_1")
        """
        return self._transport.call(
            _EVALUATIONS_GET,
            path=(evaluation_id,),
            timeout=timeout,
        )

    def import_log(
        self,
        *,
        file: File,
        on_progress: OnProgress | None = None,
        loop_id: str,
        suite_id: str,
        subject: Literal["base_model", "run", "checkpoint"],
        base_model: str | None = None,
        run_id: str | None = None,
        checkpoint_id: str | None = None,
        recommendation_id: str | None = None,
        score: str | None = None,
        variant: str | None = None,
        match: Literal["auto", "prompt", "index"] | None = None,
        score_min: float | None = None,
        score_max: float | None = None,
        same_instrument: bool | None = None,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Evaluation:
        """Register an evaluation from a log as it came: inspect_ai, promptfoo, lm-eval samples, or a CSV of item
        scores.

        Items are matched to the suite's; scores are mapped onto its scale. An entry that fits nowhere refuses the
        file as a whole.

        Args:
            loop_id: The loop, by id or slug.
            suite_id: The suite whose items the file has results of.
            subject: What was evaluated; named by the parameter of that name.
            base_model: The base model, by its platform's name.
            run_id: The run, by id or as `{loop slug}/R3`.
            checkpoint_id: The checkpoint.
            recommendation_id: The advice that this carries out.
            score: The scorer, metric or column, where the file has several.
            variant: The provider or prompt of a promptfoo matrix.
            match: By what items are matched; `auto`: by what was asked where the file tells it.
            score_min: Lower end of the file's scores.
            score_max: Upper end of the file's scores.
            same_instrument: Whether the tool graded as the suite does. If not, the evaluation compares only with others
                of the same tool and scorer.
            file: A path, the bytes, a file opened for bytes, or an iterable of chunks.
            on_progress: Called with the bytes sent so far, and the size where it is known.

        >>> found = client.evaluations.import_log(file="rows.jsonl", loop_id="support-bot", suite_id="suite_1", subject="subject")
        """
        return self._transport.upload(
            _EVALUATIONS_IMPORT_LOG,
            file=Upload(file, on_progress),
            media="application/octet-stream",
            query={
                "loop_id": loop_id,
                "suite_id": suite_id,
                "subject": subject,
                "base_model": base_model,
                "run_id": run_id,
                "checkpoint_id": checkpoint_id,
                "recommendation_id": recommendation_id,
                "score": score,
                "variant": variant,
                "match": match,
                "score_min": score_min,
                "score_max": score_max,
                "same_instrument": same_instrument,
            },
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def judge_drift(
        self,
        evaluation_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.DriftReading:
        """Tell whether the judge still grades as it did, from an evaluation that graded another's answers again.

        >>> found = client.evaluations.judge_drift("evaluation_1")
        """
        return self._transport.call(
            _EVALUATIONS_JUDGE_DRIFT,
            path=(evaluation_id,),
            timeout=timeout,
        )

    def list_items(
        self,
        evaluation_id: Ref,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.EvaluationItem]:
        """List an evaluation's items in the suite's order, each with its answer, scores, or why it has none.

        >>> items = [each for each in client.evaluations.list_items("evaluation_1")]
        """
        return self._transport.pages(
            _EVALUATIONS_LIST_ITEMS,
            path=(evaluation_id,),
            query={"limit": limit, "cursor": cursor},
            timeout=timeout,
        )

    def pass_threshold(
        self,
        evaluation_id: Ref,
        *,
        threshold: float,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.PassReading:
        """Tell what share of an evaluation's answers a pass threshold fails; 25 to 50 % of the base model's should.

        Args:
            threshold: The threshold to try, on the suite's scale.

        >>> found = client.evaluations.pass_threshold("evaluation_1", threshold="threshold")
        """
        return self._transport.call(
            _EVALUATIONS_PASS_THRESHOLD,
            path=(evaluation_id,),
            query={"threshold": threshold},
            timeout=timeout,
        )

    def rank_agreement(
        self,
        evaluation_id: Ref,
        *,
        against: str,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.RankAgreement:
        """Tell whether two graders rank the same answers alike, such as an RFT grader and the suite's.

        Args:
            against: Another grading of the same answers.

        >>> found = client.evaluations.rank_agreement("evaluation_1", against="against")
        """
        return self._transport.call(
            _EVALUATIONS_RANK_AGREEMENT,
            path=(evaluation_id,),
            query={"against": against},
            timeout=timeout,
        )

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        loop_id: str | Sequence[str] | None = None,
        status: str | Sequence[str] | None = None,
        run_id: str | Sequence[str] | None = None,
        suite_id: str | Sequence[str] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.Evaluation]:
        """List evaluations, newest first.

        Args:
            loop_id: Only of these loops (id or slug); repeatable.
            status: Only with these statuses; repeatable.
            run_id: Only of these runs; repeatable.
            suite_id: Only of these suites; repeatable.

        >>> items = [each for each in client.evaluations.list()]
        """
        return self._transport.pages(
            _EVALUATIONS_LIST,
            query={
                "limit": limit,
                "cursor": cursor,
                "loop_id": loop_id,
                "status": status,
                "run_id": run_id,
                "suite_id": suite_id,
            },
            timeout=timeout,
        )


class Events:
    """What happened, in order."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport = client.transport

    def stream(
        self,
        *,
        after: str | None = None,
        loop_id: str | Sequence[str] | None = None,
        type: str | Sequence[str] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> EventStream[m.Event]:
        """List what happened, oldest first: the ordered log.

        `Accept: text/event-stream` gives the same log as server-sent events that go on as things happen: `id` is the
        event's id, `event` its type, `data` the event as JSON, and a comment comes when nothing else does. After a
        cut the reader sends the last `id` it saw as Last-Event-ID and misses nothing.

        Args:
            after: Only what came after this event.
            loop_id: Only of these loops (id or slug); repeatable.
            type: Only of these types; repeatable.

        >>> events = client.events.stream()
        """
        return self._transport.stream(
            _EVENTS_STREAM,
            query={"after": after, "loop_id": loop_id, "type": type},
            timeout=timeout,
        )

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        after: str | None = None,
        loop_id: str | Sequence[str] | None = None,
        type: str | Sequence[str] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.Event]:
        """List what happened, oldest first: the ordered log.

        `Accept: text/event-stream` gives the same log as server-sent events that go on as things happen: `id` is the
        event's id, `event` its type, `data` the event as JSON, and a comment comes when nothing else does. After a
        cut the reader sends the last `id` it saw as Last-Event-ID and misses nothing.

        Args:
            after: Only what came after this event.
            loop_id: Only of these loops (id or slug); repeatable.
            type: Only of these types; repeatable.

        >>> items = [each for each in client.events.list()]
        """
        return self._transport.pages(
            _EVENTS_LIST,
            query={"limit": limit, "cursor": cursor, "after": after, "loop_id": loop_id, "type": type},
            timeout=timeout,
        )


class Keys:
    """API keys of the workspace."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport = client.transport

    def create(
        self,
        *,
        name: str,
        scopes: Sequence[Literal["admin", "read", "write"]] | UnsetType = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.CreatedKey:
        """Make an API key for this workspace; its secret is shown this once.

        >>> found = client.keys.create(name="name")
        """
        return self._transport.call(
            _KEYS_CREATE,
            body={"name": name, "scopes": scopes},
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def get(
        self,
        key_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Key:
        """Get a key, without its secret.

        >>> found = client.keys.get("key_1")
        """
        return self._transport.call(
            _KEYS_GET,
            path=(key_id,),
            timeout=timeout,
        )

    def revoke(
        self,
        key_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Key:
        """Revoke a key, from the next request on.

        >>> found = client.keys.revoke("key_1")
        """
        return self._transport.call(
            _KEYS_REVOKE,
            path=(key_id,),
            timeout=timeout,
        )

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.Key]:
        """List the workspace's keys, newest first.

        >>> items = [each for each in client.keys.list()]
        """
        return self._transport.pages(
            _KEYS_LIST,
            query={"limit": limit, "cursor": cursor},
            timeout=timeout,
        )


class Loops(LoopsByHand):
    """Fine-tuning goals that are iterated on, and what is next for them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport = client.transport

    def create(
        self,
        *,
        slug: str,
        task: str,
        autopilot: Literal["auto", "off", "propose"] | UnsetType = UNSET,
        budget: m.NewBudget | p.NewBudget | UnsetType = UNSET,
        choices: m.Choices | p.Choices | UnsetType = UNSET,
        dataset_id: str | None | UnsetType = UNSET,
        metric: m.Metric | p.Metric | UnsetType = UNSET,
        rules: m.Rules | p.Rules | UnsetType = UNSET,
        thresholds: m.CurveThresholds | p.CurveThresholds | UnsetType = UNSET,
        validation_version_id: str | None | UnsetType = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Loop:
        """Create a loop: one fine-tuning goal to iterate on.

        Args:
            slug: A short name, unique in the workspace; usable wherever the loop's id is.
            task: What the model is being tuned for, in a sentence.
            dataset_id: The training dataset; may be attached later.
            validation_version_id: The dataset version used as validation file by every run.

        >>> found = client.loops.create(slug="support-bot", task="Answer support tickets.")
        """
        return self._transport.call(
            _LOOPS_CREATE,
            body={
                "slug": slug,
                "task": task,
                "autopilot": autopilot,
                "budget": budget,
                "choices": choices,
                "dataset_id": dataset_id,
                "metric": metric,
                "rules": rules,
                "thresholds": thresholds,
                "validation_version_id": validation_version_id,
            },
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def get(
        self,
        loop: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Loop:
        """Get a loop by id or slug.

        >>> found = client.loops.get("support-bot")
        """
        return self._transport.call(
            _LOOPS_GET,
            path=(loop,),
            timeout=timeout,
        )

    def history(
        self,
        loop: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.History:
        """The experiment table: one row a run. `Accept: text/markdown` or `text/csv` for the table as text.

        >>> found = client.loops.history("support-bot")
        """
        return self._transport.call(
            _LOOPS_HISTORY,
            path=(loop,),
            timeout=timeout,
        )

    def history_csv(
        self,
        loop: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> str:
        """The experiment table: one row a run. `Accept: text/markdown` or `text/csv` for the table as text.

        >>> text = client.loops.history_csv("support-bot")
        """
        return self._transport.text(
            _LOOPS_HISTORY_CSV,
            path=(loop,),
            timeout=timeout,
        )

    def history_markdown(
        self,
        loop: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> str:
        """The experiment table: one row a run. `Accept: text/markdown` or `text/csv` for the table as text.

        >>> text = client.loops.history_markdown("support-bot")
        """
        return self._transport.text(
            _LOOPS_HISTORY_MARKDOWN,
            path=(loop,),
            timeout=timeout,
        )

    def multi_model(
        self,
        loop: Ref,
        *,
        dataset_version_id: str,
        base_models: Sequence[str] | None | UnsetType = UNSET,
        batch_size: int | None | UnsetType = UNSET,
        learning_rate_multiplier: float | None | UnsetType = UNSET,
        method: Literal["dpo", "rft", "sft"] | UnsetType = UNSET,
        n_epochs: int | None | UnsetType = UNSET,
        provider: Literal["external", "openai", "sandbox"] | None | UnsetType = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.MultiModelRuns:
        """Start the same training through two or three base models: one run each, all else equal.

        Args:
            base_models: Null: chosen from the catalogue by the method's rule.

        >>> found = client.loops.multi_model("support-bot", dataset_version_id="dataset_version_1")
        """
        return self._transport.call(
            _LOOPS_MULTI_MODEL,
            path=(loop,),
            body={
                "dataset_version_id": dataset_version_id,
                "base_models": base_models,
                "batch_size": batch_size,
                "learning_rate_multiplier": learning_rate_multiplier,
                "method": method,
                "n_epochs": n_epochs,
                "provider": provider,
            },
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def next(
        self,
        loop: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Answer:
        """What next? Exactly one change (or: evaluate, fix the data, wait, ship, stop), with the evidence for it.

        `action.request` is the literal call that carries it out. With `wait` and If-None-Match the answer comes as
        soon as it changes. `Accept: text/markdown` gives the same in words.

        >>> found = client.loops.next("support-bot")
        """
        return self._transport.call(
            _LOOPS_NEXT,
            path=(loop,),
            timeout=timeout,
        )

    def next_markdown(
        self,
        loop: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> str:
        """What next? Exactly one change (or: evaluate, fix the data, wait, ship, stop), with the evidence for it.

        `action.request` is the literal call that carries it out. With `wait` and If-None-Match the answer comes as
        soon as it changes. `Accept: text/markdown` gives the same in words.

        >>> text = client.loops.next_markdown("support-bot")
        """
        return self._transport.text(
            _LOOPS_NEXT_MARKDOWN,
            path=(loop,),
            timeout=timeout,
        )

    def set_baseline(
        self,
        loop: Ref,
        *,
        evaluation_id: str,
        if_match: int | str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Loop:
        """Name the evaluation of the untuned model that everything is compared with.

        Args:
            if_match: Change only this version of the resource.

        >>> found = client.loops.set_baseline("support-bot", evaluation_id="evaluation_1")
        """
        return self._transport.call(
            _LOOPS_SET_BASELINE,
            path=(loop,),
            body={"evaluation_id": evaluation_id},
            headers={**version_tag("If-Match", if_match)},
            timeout=timeout,
        )

    def update(
        self,
        loop: Ref,
        *,
        autopilot: Literal["auto", "off", "propose"] | UnsetType = UNSET,
        budget: p.BudgetPatch | UnsetType = UNSET,
        choices: p.ChoicesPatch | UnsetType = UNSET,
        dataset_id: str | None | UnsetType = UNSET,
        rules: p.RulesPatch | UnsetType = UNSET,
        task: str | UnsetType = UNSET,
        thresholds: p.ThresholdsPatch | None | UnsetType = UNSET,
        validation_version_id: str | None | UnsetType = UNSET,
        if_match: int | str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Loop:
        """Change a loop. What is absent stays as it is; nested objects are merged.

        Args:
            thresholds: Null resets all of them. Every curve of the loop is read anew when they change.
            if_match: Change only this version of the resource.

        >>> found = client.loops.update("support-bot")
        """
        return self._transport.call(
            _LOOPS_UPDATE,
            path=(loop,),
            body={
                "autopilot": autopilot,
                "budget": budget,
                "choices": choices,
                "dataset_id": dataset_id,
                "rules": rules,
                "task": task,
                "thresholds": thresholds,
                "validation_version_id": validation_version_id,
            },
            headers={**version_tag("If-Match", if_match)},
            timeout=timeout,
        )

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[Loop]:
        """List the workspace's loops, newest first.

        >>> items = [each for each in client.loops.list()]
        """
        return self._transport.pages(
            _LOOPS_LIST,
            query={"limit": limit, "cursor": cursor},
            timeout=timeout,
        )


class Recommendations:
    """What was advised, and what was decided."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport = client.transport

    def decide(
        self,
        recommendation_id: Ref,
        *,
        verdict: Literal["accepted", "declined"],
        actor: str | None | UnsetType = UNSET,
        reason: str | None | UnsetType = UNSET,
        if_match: int | str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Recommendation:
        """Accept or decline the open recommendation. Accepting carries it out where the service can.

        Args:
            if_match: Change only this version of the resource.

        >>> found = client.recommendations.decide("recommendation_1", verdict="accepted")
        """
        return self._transport.call(
            _RECOMMENDATIONS_DECIDE,
            path=(recommendation_id,),
            body={"verdict": verdict, "actor": actor, "reason": reason},
            headers={**version_tag("If-Match", if_match)},
            timeout=timeout,
        )

    def get(
        self,
        recommendation_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Recommendation:
        """Get a recommendation with the whole answer it was given in.

        >>> found = client.recommendations.get("recommendation_1")
        """
        return self._transport.call(
            _RECOMMENDATIONS_GET,
            path=(recommendation_id,),
            timeout=timeout,
        )

    def wait_changed(
        self,
        recommendation_id: Ref,
        *,
        since: m.Recommendation | None = None,
        timeout_s: float | None = None,
    ) -> m.Recommendation:
        """The same as soon as it differs from `since`, an earlier answer; WaitTimeoutError at `timeout_s`.

        >>> found = client.recommendations.wait_changed("recommendation_id", timeout_s=600)
        """
        return changed(self._transport, _RECOMMENDATIONS_GET, recommendation_id, since=since, timeout_s=timeout_s)

    def track_record(
        self,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.TrackRecord:
        """How the advice has done: for each rule its predictions, hits, and how often the interval held the result.

        >>> found = client.recommendations.track_record()
        """
        return self._transport.call(
            _RECOMMENDATIONS_TRACK_RECORD,
            timeout=timeout,
        )

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        loop_id: str | Sequence[str] | None = None,
        status: str | Sequence[str] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.Recommendation]:
        """List recommendations, newest first.

        Args:
            loop_id: Only of these loops (id or slug); repeatable.
            status: Only with these statuses; repeatable.

        >>> items = [each for each in client.recommendations.list()]
        """
        return self._transport.pages(
            _RECOMMENDATIONS_LIST,
            query={"limit": limit, "cursor": cursor, "loop_id": loop_id, "status": status},
            timeout=timeout,
        )


class Runs(RunsByHand):
    """Training experiments, their curves and checkpoints."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport = client.transport

    def add_checkpoint(
        self,
        run_id: Ref,
        *,
        step: int,
        deployable: bool | UnsetType = UNSET,
        epoch: int | None | UnsetType = UNSET,
        final: bool | UnsetType = UNSET,
        full_valid_loss: float | None | UnsetType = UNSET,
        full_valid_mean_token_accuracy: float | None | UnsetType = UNSET,
        model: str | None | UnsetType = UNSET,
        train_loss: float | None | UnsetType = UNSET,
        valid_loss: float | None | UnsetType = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Checkpoint:
        """Add a checkpoint to an external run, or refresh the one at its step.

        >>> found = client.runs.add_checkpoint("run_1", step=1)
        """
        return self._transport.call(
            _RUNS_ADD_CHECKPOINT,
            path=(run_id,),
            body={
                "step": step,
                "deployable": deployable,
                "epoch": epoch,
                "final": final,
                "full_valid_loss": full_valid_loss,
                "full_valid_mean_token_accuracy": full_valid_mean_token_accuracy,
                "model": model,
                "train_loss": train_loss,
                "valid_loss": valid_loss,
            },
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def cancel(
        self,
        run_id: Ref,
        *,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Run:
        """Ask for a run to be cancelled; one that has ended stays as it is.

        >>> found = client.runs.cancel("run_1")
        """
        return self._transport.call(
            _RUNS_CANCEL,
            path=(run_id,),
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def create(
        self,
        *,
        loop_id: str,
        allow_confounded: bool | UnsetType = UNSET,
        config: m.RunConfig | p.RunConfig | None | UnsetType = UNSET,
        effective: p.EffectivePatch | None | UnsetType = UNSET,
        note: str | None | UnsetType = UNSET,
        overrides: m.Overrides | p.Overrides | None | UnsetType = UNSET,
        parent_run_id: str | None | UnsetType = UNSET,
        provider: Literal["external", "openai", "sandbox"] | None | UnsetType = UNSET,
        recommendation_id: str | None | UnsetType = UNSET,
        status: Literal["cancelled", "failed", "paused", "queued", "running", "succeeded"] | None | UnsetType = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Run:
        """Start a run at a provider, or register one that trains elsewhere.

        Args:
            allow_confounded: Accept more than one change; the run is then marked as confounded wherever it is shown.
            effective: External runs only: the values as they were resolved.
            provider: Null: the parent's, or the service's default.
            recommendation_id: The advice that this run carries out; it is carried out once, whoever asks.
            status: External runs only: where it stands; null means `running`.

        >>> found = client.runs.create(loop_id="support-bot")
        """
        return self._transport.call(
            _RUNS_CREATE,
            body={
                "loop_id": loop_id,
                "allow_confounded": allow_confounded,
                "config": config,
                "effective": effective,
                "note": note,
                "overrides": overrides,
                "parent_run_id": parent_run_id,
                "provider": provider,
                "recommendation_id": recommendation_id,
                "status": status,
            },
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def get(
        self,
        run_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Run:
        """Get a run by id or as `{loop slug}/R3`; with `wait` and If-None-Match, as soon as it moves.

        >>> found = client.runs.get("run_1")
        """
        return self._transport.call(
            _RUNS_GET,
            path=(run_id,),
            timeout=timeout,
        )

    def list_checkpoints(
        self,
        run_id: Ref,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.Checkpoint]:
        """List a run's checkpoints, newest first.

        >>> items = [each for each in client.runs.list_checkpoints("run_1")]
        """
        return self._transport.pages(
            _RUNS_LIST_CHECKPOINTS,
            path=(run_id,),
            query={"limit": limit, "cursor": cursor},
            timeout=timeout,
        )

    def log_metrics(
        self,
        run_id: Ref,
        *,
        points: Sequence[m.NewPoint | p.NewPoint],
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.MetricsReceipt:
        """Append points to an external run's curve; the same name and step again replaces the value.

        >>> found = client.runs.log_metrics("run_1", points=[{"step": 1, "values": {"train_loss": 0.5}}])
        """
        return self._transport.call(
            _RUNS_LOG_METRICS,
            path=(run_id,),
            body={"points": points},
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def metrics(
        self,
        run_id: Ref,
        *,
        name: str | Sequence[str] | None = None,
        max_points: int | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Curves:
        """Get a run's curves; `Accept: image/svg+xml` or `image/png` for a picture of them.

        The picture shows losses, rewards and accuracies with checkpoints, the best step and what was shipped; a
        metric that is none of these when it is named. Its curves have at most 1,000 points.

        Args:
            name: Only these metrics; repeatable.
            max_points: Downsample each curve, keeping its shape.

        >>> found = client.runs.metrics("run_1")
        """
        return self._transport.call(
            _RUNS_METRICS,
            path=(run_id,),
            query={"name": name, "max_points": max_points},
            timeout=timeout,
        )

    def metrics_png(
        self,
        run_id: Ref,
        *,
        name: str | Sequence[str] | None = None,
        max_points: int | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> bytes:
        """Get a run's curves; `Accept: image/svg+xml` or `image/png` for a picture of them.

        The picture shows losses, rewards and accuracies with checkpoints, the best step and what was shipped; a
        metric that is none of these when it is named. Its curves have at most 1,000 points.

        Args:
            name: Only these metrics; repeatable.
            max_points: Downsample each curve, keeping its shape.

        >>> picture = client.runs.metrics_png("run_1")
        """
        return self._transport.content(
            _RUNS_METRICS_PNG,
            path=(run_id,),
            query={"name": name, "max_points": max_points},
            timeout=timeout,
        )

    def metrics_svg(
        self,
        run_id: Ref,
        *,
        name: str | Sequence[str] | None = None,
        max_points: int | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> bytes:
        """Get a run's curves; `Accept: image/svg+xml` or `image/png` for a picture of them.

        The picture shows losses, rewards and accuracies with checkpoints, the best step and what was shipped; a
        metric that is none of these when it is named. Its curves have at most 1,000 points.

        Args:
            name: Only these metrics; repeatable.
            max_points: Downsample each curve, keeping its shape.

        >>> picture = client.runs.metrics_svg("run_1")
        """
        return self._transport.content(
            _RUNS_METRICS_SVG,
            path=(run_id,),
            query={"name": name, "max_points": max_points},
            timeout=timeout,
        )

    def put_metrics(
        self,
        run_id: Ref,
        *,
        file: File,
        on_progress: OnProgress | None = None,
        if_match: int | str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.MetricsReceipt:
        """Replace an external run's curve by a whole result file as it came: CSV, base64 CSV, trainer_state.json,
        JSONL.

        The steps that the file plans become `effective.n_steps` of a run that is under way, where none are known.

        Args:
            if_match: Change only this version of the resource.
            file: A path, the bytes, a file opened for bytes, or an iterable of chunks.
            on_progress: Called with the bytes sent so far, and the size where it is known.

        >>> found = client.runs.put_metrics("run_1", file="rows.jsonl")
        """
        return self._transport.upload(
            _RUNS_PUT_METRICS,
            file=Upload(file, on_progress),
            media="application/octet-stream",
            path=(run_id,),
            headers={**version_tag("If-Match", if_match)},
            timeout=timeout,
        )

    def update(
        self,
        run_id: Ref,
        *,
        cost: str | None | UnsetType = UNSET,
        effective: p.EffectivePatch | None | UnsetType = UNSET,
        failure: str | None | UnsetType = UNSET,
        note: str | None | UnsetType = UNSET,
        status: Literal["cancelled", "failed", "paused", "queued", "running", "succeeded"] | UnsetType = UNSET,
        if_match: int | str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.Run:
        """Change a run's note, or report how an external run is doing.

        Args:
            if_match: Change only this version of the resource.

        >>> found = client.runs.update("run_1")
        """
        return self._transport.call(
            _RUNS_UPDATE,
            path=(run_id,),
            body={"cost": cost, "effective": effective, "failure": failure, "note": note, "status": status},
            headers={**version_tag("If-Match", if_match)},
            timeout=timeout,
        )

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        loop_id: str | Sequence[str] | None = None,
        status: str | Sequence[str] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.Run]:
        """List runs, newest first.

        Args:
            loop_id: Only of these loops (id or slug); repeatable.
            status: Only with these statuses; repeatable.

        >>> items = [each for each in client.runs.list()]
        """
        return self._transport.pages(
            _RUNS_LIST,
            query={"limit": limit, "cursor": cursor, "loop_id": loop_id, "status": status},
            timeout=timeout,
        )


class Service:
    """The service itself."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport = client.transport

    def live(
        self,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> str:
        """Whether the process lives.

        >>> text = client.service.live()
        """
        return self._transport.text(
            _SERVICE_LIVE,
            timeout=timeout,
        )

    def metrics(
        self,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> str:
        """Get what the process is doing, in Prometheus' text format.

        Requests by route and status, durations, waiting readers, database connections and background jobs. Like
        every other route it needs a key; give Prometheus one with the scope `read` as its bearer token.

        >>> text = client.service.metrics()
        """
        return self._transport.text(
            _SERVICE_METRICS,
            timeout=timeout,
        )

    def problem(
        self,
        code: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> str:
        """What a problem's code means and what to do.

        >>> text = client.service.problem("code")
        """
        return self._transport.text(
            _SERVICE_PROBLEM,
            path=(code,),
            timeout=timeout,
        )

    def ready(
        self,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> str:
        """Whether the process can answer: its database is reached and migrated.

        >>> text = client.service.ready()
        """
        return self._transport.text(
            _SERVICE_READY,
            timeout=timeout,
        )


class WebhookEndpoints:
    """Endpoints that are told of events, and what was sent to them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport = client.transport

    def create(
        self,
        *,
        url: str,
        description: str | None | UnsetType = UNSET,
        event_types: Sequence[str] | None | UnsetType = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.CreatedWebhookEndpoint:
        """Make an endpoint that is told of events; its signing secret is shown this once.

        Args:
            event_types: Only these types, such as `run.succeeded`; null: every type.

        >>> found = client.webhook_endpoints.create(url="https://example.com/hook")
        """
        return self._transport.call(
            _WEBHOOK_ENDPOINTS_CREATE,
            body={"url": url, "description": description, "event_types": event_types},
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def delete(
        self,
        endpoint_id: Ref,
        *,
        if_match: int | str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.WebhookEndpoint:
        """Delete a webhook endpoint; what was still on its way to it is dropped.

        Args:
            if_match: Change only this version of the resource.

        >>> found = client.webhook_endpoints.delete("endpoint_1")
        """
        return self._transport.call(
            _WEBHOOK_ENDPOINTS_DELETE,
            path=(endpoint_id,),
            headers={**version_tag("If-Match", if_match)},
            timeout=timeout,
        )

    def get(
        self,
        endpoint_id: Ref,
        *,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.WebhookEndpoint:
        """Get a webhook endpoint, without its secret.

        >>> found = client.webhook_endpoints.get("endpoint_1")
        """
        return self._transport.call(
            _WEBHOOK_ENDPOINTS_GET,
            path=(endpoint_id,),
            timeout=timeout,
        )

    def wait_changed(
        self,
        endpoint_id: Ref,
        *,
        since: m.WebhookEndpoint | None = None,
        timeout_s: float | None = None,
    ) -> m.WebhookEndpoint:
        """The same as soon as it differs from `since`, an earlier answer; WaitTimeoutError at `timeout_s`.

        >>> found = client.webhook_endpoints.wait_changed("endpoint_id", timeout_s=600)
        """
        return changed(self._transport, _WEBHOOK_ENDPOINTS_GET, endpoint_id, since=since, timeout_s=timeout_s)

    def list_deliveries(
        self,
        endpoint_id: Ref,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        status: str | Sequence[str] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.WebhookDelivery]:
        """List what was sent to an endpoint and how it went, newest first.

        Args:
            status: Only with these statuses; repeatable.

        >>> items = [each for each in client.webhook_endpoints.list_deliveries("endpoint_1")]
        """
        return self._transport.pages(
            _WEBHOOK_ENDPOINTS_LIST_DELIVERIES,
            path=(endpoint_id,),
            query={"limit": limit, "cursor": cursor, "status": status},
            timeout=timeout,
        )

    def test(
        self,
        endpoint_id: Ref,
        *,
        idempotency_key: str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.WebhookDelivery:
        """Send the endpoint a `webhook.test` event, signed like any other.

        >>> found = client.webhook_endpoints.test("endpoint_1")
        """
        return self._transport.call(
            _WEBHOOK_ENDPOINTS_TEST,
            path=(endpoint_id,),
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def update(
        self,
        endpoint_id: Ref,
        *,
        description: str | None | UnsetType = UNSET,
        event_types: Sequence[str] | None | UnsetType = UNSET,
        status: Literal["disabled", "enabled"] | UnsetType = UNSET,
        url: str | UnsetType = UNSET,
        if_match: int | str | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> m.WebhookEndpoint:
        """Change, disable or enable a webhook endpoint.

        Args:
            if_match: Change only this version of the resource.

        >>> found = client.webhook_endpoints.update("endpoint_1")
        """
        return self._transport.call(
            _WEBHOOK_ENDPOINTS_UPDATE,
            path=(endpoint_id,),
            body={"description": description, "event_types": event_types, "status": status, "url": url},
            headers={**version_tag("If-Match", if_match)},
            timeout=timeout,
        )

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        status: str | Sequence[str] | None = None,
        timeout: Timeout | UnsetType = UNSET,
    ) -> Pager[m.WebhookEndpoint]:
        """List the workspace's webhook endpoints, newest first.

        Args:
            status: Only with these statuses; repeatable.

        >>> items = [each for each in client.webhook_endpoints.list()]
        """
        return self._transport.pages(
            _WEBHOOK_ENDPOINTS_LIST,
            query={"limit": limit, "cursor": cursor, "status": status},
            timeout=timeout,
        )


class Client(BaseClient):
    """The synchronous client of a whatnext service; each resource is an attribute."""

    operations = (
        _BASE_MODELS_LIST,
        _DATASET_VERSIONS_CANCEL_JUDGING,
        _DATASET_VERSIONS_CHECK_QUALITY,
        _DATASET_VERSIONS_CONTENT,
        _DATASET_VERSIONS_DERIVE,
        _DATASET_VERSIONS_GET,
        _DATASET_VERSIONS_JUDGE,
        _DATASET_VERSIONS_JUDGING,
        _DATASET_VERSIONS_LIST_QUALITY_ROWS,
        _DATASET_VERSIONS_QUALITY,
        _DATASETS_CREATE,
        _DATASETS_GET,
        _DATASETS_LIST_VERSIONS,
        _DATASETS_UPLOAD_VERSION,
        _DATASETS_LIST,
        _DEPLOYMENTS_CLEANUP,
        _DEPLOYMENTS_CREATE,
        _DEPLOYMENTS_DELETE,
        _DEPLOYMENTS_GET,
        _DEPLOYMENTS_LIST,
        _DIAGNOSES_CREATE,
        _DIAGNOSES_GET,
        _DIAGNOSES_LIST,
        _EVAL_SUITES_CALIBRATE,
        _EVAL_SUITES_CREATE,
        _EVAL_SUITES_GET,
        _EVAL_SUITES_LIST_CALIBRATIONS,
        _EVAL_SUITES_LIST,
        _EVALUATIONS_CANCEL,
        _EVALUATIONS_COMPARE,
        _EVALUATIONS_CREATE,
        _EVALUATIONS_FAILURES,
        _EVALUATIONS_GET,
        _EVALUATIONS_IMPORT_LOG,
        _EVALUATIONS_JUDGE_DRIFT,
        _EVALUATIONS_LIST_ITEMS,
        _EVALUATIONS_PASS_THRESHOLD,
        _EVALUATIONS_RANK_AGREEMENT,
        _EVALUATIONS_LIST,
        _EVENTS_STREAM,
        _EVENTS_LIST,
        _KEYS_CREATE,
        _KEYS_GET,
        _KEYS_REVOKE,
        _KEYS_LIST,
        _LOOPS_CREATE,
        _LOOPS_GET,
        _LOOPS_HISTORY,
        _LOOPS_HISTORY_CSV,
        _LOOPS_HISTORY_MARKDOWN,
        _LOOPS_MULTI_MODEL,
        _LOOPS_NEXT,
        _LOOPS_NEXT_MARKDOWN,
        _LOOPS_SET_BASELINE,
        _LOOPS_UPDATE,
        _LOOPS_LIST,
        _RECOMMENDATIONS_DECIDE,
        _RECOMMENDATIONS_GET,
        _RECOMMENDATIONS_TRACK_RECORD,
        _RECOMMENDATIONS_LIST,
        _RUNS_ADD_CHECKPOINT,
        _RUNS_CANCEL,
        _RUNS_CREATE,
        _RUNS_GET,
        _RUNS_LIST_CHECKPOINTS,
        _RUNS_LOG_METRICS,
        _RUNS_METRICS,
        _RUNS_METRICS_PNG,
        _RUNS_METRICS_SVG,
        _RUNS_PUT_METRICS,
        _RUNS_UPDATE,
        _RUNS_LIST,
        _SERVICE_LIVE,
        _SERVICE_METRICS,
        _SERVICE_PROBLEM,
        _SERVICE_READY,
        _WEBHOOK_ENDPOINTS_CREATE,
        _WEBHOOK_ENDPOINTS_DELETE,
        _WEBHOOK_ENDPOINTS_GET,
        _WEBHOOK_ENDPOINTS_LIST_DELIVERIES,
        _WEBHOOK_ENDPOINTS_TEST,
        _WEBHOOK_ENDPOINTS_UPDATE,
        _WEBHOOK_ENDPOINTS_LIST,
    )

    @cached_property
    def base_models(self) -> BaseModels:
        """The model catalogue."""
        return BaseModels(self)

    @cached_property
    def dataset_versions(self) -> DatasetVersions:
        """Immutable versions of datasets."""
        return DatasetVersions(self)

    @cached_property
    def datasets(self) -> Datasets:
        """Training and held-out data."""
        return Datasets(self)

    @cached_property
    def deployments(self) -> Deployments:
        """Served models."""
        return Deployments(self)

    @cached_property
    def diagnoses(self) -> Diagnoses:
        """What runs show."""
        return Diagnoses(self)

    @cached_property
    def eval_suites(self) -> EvalSuites:
        """Immutable definitions of evaluations."""
        return EvalSuites(self)

    @cached_property
    def evaluations(self) -> Evaluations:
        """Results of suites on models."""
        return Evaluations(self)

    @cached_property
    def events(self) -> Events:
        """What happened, in order."""
        return Events(self)

    @cached_property
    def keys(self) -> Keys:
        """API keys of the workspace."""
        return Keys(self)

    @cached_property
    def loops(self) -> Loops:
        """Fine-tuning goals that are iterated on, and what is next for them."""
        return Loops(self)

    @cached_property
    def recommendations(self) -> Recommendations:
        """What was advised, and what was decided."""
        return Recommendations(self)

    @cached_property
    def runs(self) -> Runs:
        """Training experiments, their curves and checkpoints."""
        return Runs(self)

    @cached_property
    def service(self) -> Service:
        """The service itself."""
        return Service(self)

    @cached_property
    def webhook_endpoints(self) -> WebhookEndpoints:
        """Endpoints that are told of events, and what was sent to them."""
        return WebhookEndpoints(self)
