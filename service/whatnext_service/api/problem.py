"""Errors as RFC 9457 problem documents: one table maps each code to its status, title and explanation."""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.openapi.datastructures import ResponseSpec

from whatnext_service.errors import DomainError, FieldError

MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, kw_only=True, frozen=True):
    """Why a request was not carried out; nothing was changed."""

    type: str
    """`/problems/<code>`: a page that explains it."""
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: tuple[FieldError, ...]
    """Where in the body the fault is."""


class Kind(msgspec.Struct, kw_only=True, frozen=True):
    """What a code means."""

    status: int
    title: str
    explanation: str
    retry_after_s: int | None = None


KINDS: dict[str, Kind] = {
    "invalid_body": Kind(
        status=400, title="Invalid request body", explanation="A field is missing, unknown, or of the wrong kind."
    ),
    "invalid_text": Kind(
        status=400, title="Text cannot be stored", explanation="A text holds a NUL character or broken Unicode."
    ),
    "invalid_parameter": Kind(
        status=400, title="Invalid parameter", explanation="A path, query or header parameter has a wrong value."
    ),
    "invalid_cursor": Kind(
        status=400, title="Invalid cursor", explanation="The cursor was not given out by this list."
    ),
    "unknown_reference": Kind(
        status=400,
        title="Unknown reference",
        explanation="The body names a resource that does not exist in this workspace.",
    ),
    "invalid_loop": Kind(status=400, title="Invalid loop", explanation="The loop's numbers contradict each other."),
    "invalid_run": Kind(
        status=400, title="Invalid run", explanation="The configuration does not fit the model, data or provider."
    ),
    "invalid_dataset": Kind(
        status=400,
        title="Invalid dataset",
        explanation="The file has rows that no platform would accept; each error names its line and a remedy.",
    ),
    "dataset_row_invalid": Kind(
        status=400, title="Invalid row", explanation="A row is none that a platform would accept."
    ),
    "conversion_impossible": Kind(
        status=400, title="Conversion impossible", explanation="The rows lack what the other format needs."
    ),
    "invalid_eval_row": Kind(
        status=400,
        title="Invalid eval row",
        explanation="A row of the held-out data asks nothing, or its text cannot be kept.",
    ),
    "invalid_clusters": Kind(
        status=400, title="Invalid sources", explanation="Each item of a suite has one source, or none has."
    ),
    "quality_missing": Kind(
        status=409, title="No quality report yet", explanation="The operation needs the version's quality report."
    ),
    "invalid_derivation": Kind(
        status=400, title="Invalid derivation", explanation="The operations cannot be carried out on this version."
    ),
    "invalid_judging": Kind(
        status=400, title="Invalid judging", explanation="The rows cannot be judged as it was asked."
    ),
    "judging_open": Kind(
        status=409, title="Judging under way", explanation="One judging of a version's rows goes on at a time."
    ),
    "invalid_grader": Kind(
        status=400, title="Invalid grader", explanation="The grader is not one of OpenAI's grader schema."
    ),
    "invalid_suite": Kind(
        status=400, title="Invalid eval suite", explanation="The suite cannot be run as it is defined."
    ),
    "invalid_evaluation": Kind(
        status=400, title="Invalid evaluation", explanation="The subject or the registered items cannot be right."
    ),
    "invalid_calibration": Kind(
        status=400, title="Invalid calibration", explanation="The hand grades do not fit the suite's stored answers."
    ),
    "invalid_evaluation_log": Kind(
        status=400,
        title="Invalid evaluation log",
        explanation="The file cannot be read, or its entries do not fit the suite; nothing was stored.",
    ),
    "invalid_baseline": Kind(
        status=400, title="Invalid baseline", explanation="A baseline is a finished evaluation of an untuned model."
    ),
    "invalid_multi_model_plan": Kind(
        status=400, title="Invalid multi-model plan", explanation="A plan compares two or three base models."
    ),
    "malformed_result_file": Kind(
        status=400, title="Malformed result file", explanation="The file is no training record that can be read."
    ),
    "unauthorized": Kind(
        status=401,
        title="No valid API key",
        explanation="Send `Authorization: Bearer wn_...` with a key that was not revoked.",
    ),
    "forbidden": Kind(status=403, title="Key lacks the scope", explanation="The key may not do this."),
    "not_found": Kind(
        status=404, title="Not found", explanation="There is nothing of this name in the key's workspace."
    ),
    "method_not_allowed": Kind(
        status=405, title="Method not allowed", explanation="The path exists, but not with this method."
    ),
    "not_acceptable": Kind(
        status=406, title="Not acceptable", explanation="The answer cannot be given in the media type asked for."
    ),
    "slug_taken": Kind(status=409, title="Slug is taken", explanation="Another loop has this slug."),
    "name_taken": Kind(status=409, title="Name is taken", explanation="Another dataset has this name."),
    "confounded_change": Kind(
        status=409,
        title="More than one variable changed",
        explanation="One experiment changes one variable against its parent, or nothing can be attributed to it.",
    ),
    "outside_choices": Kind(
        status=400, title="Outside the choices", explanation="The loop's choices do not allow this value."
    ),
    "data_overlap": Kind(
        status=409,
        title="Training and eval data overlap",
        explanation="Held-out items must not occur in training or validation data.",
    ),
    "budget_exhausted": Kind(
        status=409, title="Budget exhausted", explanation="The run would exceed the loop's budget."
    ),
    "run_ended": Kind(status=409, title="Run has ended", explanation="An ended run stays as it is."),
    "not_external": Kind(
        status=409, title="Not an external run", explanation="The provider reports this, not the caller."
    ),
    "nothing_to_diagnose": Kind(
        status=409, title="Nothing to diagnose", explanation="The run has no metrics yet and has not ended."
    ),
    "provider_not_configured": Kind(
        status=409, title="Provider not configured", explanation="The service has no access to this provider."
    ),
    "judge_not_configured": Kind(
        status=409, title="No judge configured", explanation="The suite needs a judge model, and none is set up."
    ),
    "not_served": Kind(
        status=409, title="No served model", explanation="The subject has no model that could be asked."
    ),
    "evaluation_open": Kind(
        status=409, title="Evaluation is open", explanation="The evaluation has not ended yet.", retry_after_s=5
    ),
    "not_a_regrading": Kind(
        status=409, title="Not the same answers", explanation="This is read from two gradings of the same answers."
    ),
    "nothing_to_grade": Kind(
        status=409, title="Nothing to grade", explanation="No answer of that evaluation is stored."
    ),
    "not_better_than_baseline": Kind(
        status=409,
        title="Not better than the baseline",
        explanation="A model ships when its score is better than the baseline's with the interval clear of zero.",
    ),
    "recommendation_superseded": Kind(
        status=409, title="Recommendation superseded", explanation="The loop has moved on; ask what is next now."
    ),
    "carried_out_already": Kind(
        status=409,
        title="Carried out already",
        explanation="Something else came of the recommendation, which is carried out once; leave `recommendation_id` "
        "out to do more than was advised.",
    ),
    "decision_conflict": Kind(
        status=409, title="Decided already", explanation="The recommendation was decided the other way."
    ),
    "busy": Kind(
        status=409,
        title="Busy",
        explanation="Another request is changing the same thing. Try again.",
        retry_after_s=1,
    ),
    "version_mismatch": Kind(
        status=412, title="Version mismatch", explanation="The resource has changed since it was read."
    ),
    "too_large": Kind(status=413, title="Too large", explanation="The body is larger than the service accepts."),
    "unsupported_media_type": Kind(
        status=415, title="Unsupported media type", explanation="Send JSON as `application/json`, or a file as it is."
    ),
    "idempotency_mismatch": Kind(
        status=422,
        title="Idempotency key reused",
        explanation="The key was used with another request within the last 24 hours.",
    ),
    "too_many_requests": Kind(
        status=429, title="Too many requests", explanation="Slow down and try again.", retry_after_s=1
    ),
    "internal_error": Kind(
        status=500, title="Internal error", explanation="A fault of the service; it was logged under the request id."
    ),
    "unavailable": Kind(
        status=503, title="Unavailable", explanation="The database cannot be reached. Try again.", retry_after_s=2
    ),
}


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """What an operation may answer beside its success: these statuses, and those every operation has."""
    return {
        status: ResponseSpec(
            data_container=Problem, description=_DESCRIPTIONS[status], media_type=MEDIA_TYPE, generate_examples=False
        )
        for status in sorted({*statuses, 400, 401, 403, 429, 500, 503})
    }


_DESCRIPTIONS = {
    400: "The request cannot be right.",
    401: "No valid API key.",
    403: "The key lacks the scope.",
    404: "Not found in this workspace.",
    406: "The media type asked for is not offered.",
    409: "The state does not allow it.",
    412: "The resource has changed since it was read.",
    413: "Too large.",
    415: "Unsupported media type.",
    422: "The idempotency key was used with another request.",
    429: "Too many requests.",
    500: "A fault of the service.",
    503: "The service cannot reach its database.",
}


def problem_response(
    request: Request[Any, Any, Any],
    code: str,
    detail: str,
    errors: tuple[FieldError, ...],
    retry_after_s: int | None = None,
) -> Response[Any]:
    """The response for a code."""
    kind = KINDS.get(code, KINDS["internal_error"])
    problem = Problem(
        type=f"/problems/{code}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        code=code,
        request_id=request.scope.get("state", {}).get("request_id", ""),
        errors=errors,
    )
    wait_s = retry_after_s if retry_after_s is not None else kind.retry_after_s
    headers = {"Retry-After": str(wait_s)} if wait_s is not None else {}
    if kind.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        content=msgspec.json.encode(problem), media_type=MEDIA_TYPE, status_code=kind.status, headers=headers
    )


def on_domain_error(request: Request[Any, Any, Any], error: DomainError) -> Response[Any]:
    """A rule of the domain refused it."""
    return problem_response(request, error.code, error.detail, error.errors, error.retry_after_s)


def on_any_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A fault of ours: logged in full, told without details."""
    request.app.state.log.error(
        "unhandled error",
        request_id=request.scope.get("state", {}).get("request_id", ""),
        method=request.method,
        route=request.scope.get("path_template", ""),
        exc_info=error,
    )
    return problem_response(request, "internal_error", "Something went wrong on our side.", ())
