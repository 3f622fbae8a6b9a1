"""Which problems each operation may answer with, beyond those that its statuses bring with them."""

from typing import Any

from whatnext_service.api.problem import KINDS

Json = dict[str, Any]

_ADVISED = ("carried_out_already", "decision_conflict")
_START = (
    "budget_exhausted",
    "confounded_change",
    "data_overlap",
    "invalid_run",
    "outside_choices",
    "provider_not_configured",
    "unknown_reference",
)
_EVALUATE = (
    "evaluation_open",
    "invalid_evaluation",
    "judge_not_configured",
    "not_served",
    "nothing_to_grade",
    "provider_not_configured",
    "unknown_reference",
)
_DERIVE = (
    "conversion_impossible",
    "dataset_row_invalid",
    "invalid_dataset",
    "invalid_derivation",
    "quality_missing",
    "unknown_reference",
)
_SHIP = ("not_better_than_baseline", "not_served", "unknown_reference")
_BASELINE = ("invalid_baseline", "unknown_reference")

CODES: dict[str, tuple[str, ...]] = {
    "loops.create": ("invalid_loop", "slug_taken", "unknown_reference"),
    "loops.update": ("invalid_loop", "unknown_reference"),
    "loops.set_baseline": _BASELINE,
    "loops.multi_model": ("invalid_multi_model_plan", *_START),
    "datasets.create": ("name_taken", "unknown_reference"),
    "datasets.upload_version": ("invalid_body", "invalid_dataset", "unknown_reference"),
    "dataset_versions.derive": _DERIVE,
    "dataset_versions.list_quality_rows": ("quality_missing",),
    "dataset_versions.judge": ("invalid_judging", "judge_not_configured", "judging_open"),
    "runs.create": (*_ADVISED, *_START),
    "runs.update": ("not_external", "run_ended"),
    "runs.cancel": ("run_ended",),
    "runs.log_metrics": ("not_external",),
    "runs.put_metrics": ("invalid_body", "malformed_result_file", "not_external"),
    "runs.add_checkpoint": ("not_external",),
    "eval_suites.create": (
        "data_overlap",
        "invalid_eval_row",
        "invalid_grader",
        "invalid_suite",
        "judge_not_configured",
        "unknown_reference",
    ),
    "eval_suites.calibrate": ("invalid_calibration", "unknown_reference"),
    "evaluations.create": (*_ADVISED, *_EVALUATE),
    "evaluations.import_log": ("invalid_body", "invalid_evaluation_log", *_ADVISED, *_EVALUATE),
    "evaluations.judge_drift": ("not_a_regrading",),
    "evaluations.rank_agreement": ("not_a_regrading",),
    "diagnoses.create": ("nothing_to_diagnose", "unknown_reference"),
    "recommendations.decide": (
        *_ADVISED,
        "recommendation_superseded",
        *_START,
        *_EVALUATE,
        *_DERIVE,
        *_SHIP,
        *_BASELINE,
    ),
    "deployments.create": (*_ADVISED, *_SHIP),
    "deployments.cleanup": ("provider_not_configured", "unknown_reference"),
}
"""By operation. Accepting a recommendation carries it out, and may fail as that call may."""

_ALWAYS = {
    401: ("unauthorized",),
    403: ("forbidden",),
    404: ("not_found",),
    406: ("not_acceptable",),
    412: ("version_mismatch",),
    413: ("too_large",),
    415: ("unsupported_media_type",),
    422: ("idempotency_mismatch",),
    429: ("too_many_requests",),
    500: ("internal_error",),
    503: ("unavailable",),
}

SHARED = frozenset(code for codes in _ALWAYS.values() for code in codes) - {"forbidden"} | {"busy"}
"""Codes that mean the same wherever they stand alone."""


def codes_of(method: str, operation: Json, status: int) -> list[str]:
    """The codes that an operation may answer with at a status."""
    own = [code for code in CODES.get(operation["operationId"], ()) if KINDS[code].status == status]
    if status == 400:
        parameters = {parameter["name"] for parameter in operation.get("parameters", ())}
        own += ["invalid_parameter", "invalid_text"] if parameters else ["invalid_parameter"]
        own += ["invalid_cursor"] if parameters & {"cursor", "Last-Event-ID"} else []
        own += ["invalid_body", "invalid_text"] if "application/json" in _media(operation) else []
    if status == 409 and method != "get":
        own.append("busy")
    return sorted({*own, *_ALWAYS.get(status, ())})


def statuses_of(method: str, operation: Json) -> set[int]:
    """The statuses that come with what an operation is: a change, a body, a key that makes it safe to repeat."""
    found = {409, 413} if method in ("post", "put", "patch") else {409} if method == "delete" else set()
    found |= {415} if "requestBody" in operation else set()
    return found | ({422} if any(each["name"] == "Idempotency-Key" for each in operation["parameters"]) else set())


def _media(operation: Json) -> Json:
    media: Json = operation.get("requestBody", {}).get("content", {})
    return media


def problem_examples() -> Json:
    """One example of each problem."""
    return {
        f"problem.{code}": {
            "summary": kind.title,
            "value": {
                "type": f"/problems/{code}",
                "title": kind.title,
                "status": kind.status,
                "detail": kind.explanation,
                "code": code,
                "request_id": "req_5f0a3c1e9b7d42c68a10",
                "errors": [],
            },
        }
        for code, kind in sorted(KINDS.items())
    }
