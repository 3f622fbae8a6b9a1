"""The quality of data: reports on dataset versions, and what models fail on for want of examples."""

from typing import Annotated, Literal

from litestar import Response, get, post
from litestar.params import JSONBody, QueryParameter

from whatnext_service.api.call import Call, asked
from whatnext_service.api.params import Cursor, Id, IdempotencyKey, IfNoneMatch, Limit, Wait
from whatnext_service.api.problem import problems
from whatnext_service.contract.common import Page
from whatnext_service.contract.datasets import Failures, QualityReport, ScoredRow
from whatnext_service.contract.row_judging import NewRowJudging, RowJudging
from whatnext_service.core.quality import CheckCode
from whatnext_service.flows.failure_groups import find_failures
from whatnext_service.flows.quality_of import find_quality, list_rows, make_again
from whatnext_service.flows.start_judging import cancel_judging, find_judging, start_judging


@get(
    "/v1/dataset-versions/{version_id:str}/quality",
    operation_id="dataset_versions.quality",
    tags=["dataset_versions"],
    responses=problems(404),
)
async def quality(
    call: Call, version_id: Id, wait: Wait = 0, if_none_match: IfNoneMatch = None
) -> Response[QualityReport]:
    """Get a version's quality report: made in the background after each upload and derivation, and again when a loop
    that trains on the dataset gets another validation file or eval suite. With `wait` and If-None-Match, as soon as
    it is done.
    """
    return await call.watch(version_id, lambda tx: find_quality(tx, version_id), wait)


@get(
    "/v1/dataset-versions/{version_id:str}/quality/rows",
    operation_id="dataset_versions.list_quality_rows",
    tags=["dataset_versions"],
    responses=problems(404, 409),
)
async def quality_rows(
    call: Call,
    version_id: Id,
    check: Annotated[CheckCode | None, QueryParameter(description="Only rows that this check points at.")] = None,
    include: Annotated[
        list[Literal["text"]] | None,
        QueryParameter(
            description="`text`: also the beginning of each row's prompt and answer, and of the rows that it repeats "
            "or contradicts."
        ),
    ] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Page[ScoredRow]:
    """List a version's rows as its quality report sees them, worst first; for `label_errors` by label confidence."""
    with_text = "text" in (include or ())
    return await call.read(lambda tx: list_rows(tx, version_id, asked(limit, cursor), check, with_text=with_text))


@post(
    "/v1/dataset-versions/{version_id:str}/quality",
    operation_id="dataset_versions.check_quality",
    tags=["dataset_versions"],
    status_code=200,
    responses=problems(404, 409, 422),
)
async def check_quality(call: Call, version_id: Id, idempotency_key: IdempotencyKey = None) -> Response[QualityReport]:
    """Have a quality report made again that failed, or that an earlier release made by other rules. One that is under
    way, or up to date, is answered as it is.
    """
    return await call.write(lambda tx: make_again(tx, version_id))


@post(
    "/v1/dataset-versions/{version_id:str}/judging",
    operation_id="dataset_versions.judge",
    tags=["dataset_versions"],
    responses=problems(404, 409, 413, 415, 422),
)
async def judge(
    call: Call, version_id: Id, data: JSONBody[NewRowJudging], idempotency_key: IdempotencyKey = None
) -> Response[RowJudging]:
    """Have a judge score a sample of a version's rows: correctness, relevance, quality. It costs, and so is never done
    unasked. The scores go into the quality report's check `judge`, the report's rows, and `derive` with
    `min_judge_score`. Started again, with the same judge, it scores only rows that have no score of its.
    """
    return await call.write(lambda tx: start_judging(tx, version_id, data), status=201)


@get(
    "/v1/dataset-versions/{version_id:str}/judging",
    operation_id="dataset_versions.judging",
    tags=["dataset_versions"],
    responses=problems(404),
)
async def judging(
    call: Call, version_id: Id, wait: Wait = 0, if_none_match: IfNoneMatch = None
) -> Response[RowJudging]:
    """Get the judging of a version's rows: how far it is, and what it cost."""
    return await call.watch(version_id, lambda tx: find_judging(tx, version_id), wait)


@post(
    "/v1/dataset-versions/{version_id:str}/judging/cancel",
    operation_id="dataset_versions.cancel_judging",
    tags=["dataset_versions"],
    status_code=200,
    responses=problems(404, 409, 422),
)
async def cancel(call: Call, version_id: Id, idempotency_key: IdempotencyKey = None) -> Response[RowJudging]:
    """Ask for a judging to be cancelled; the scores so far stay, and one that has ended stays as it is."""
    return await call.write(lambda tx: cancel_judging(tx, version_id))


@get(
    "/v1/evaluations/{evaluation_id:str}/failures",
    operation_id="evaluations.failures",
    tags=["evaluations"],
    responses=problems(404),
)
async def failures(
    call: Call,
    evaluation_id: Id,
    wait: Wait = 0,
    if_none_match: IfNoneMatch = None,
    below: Annotated[
        float | None,
        QueryParameter(description="Items that scored less count as failed; without it, the middle of the scale."),
    ] = None,
    dataset_version_id: Annotated[
        str | None,
        QueryParameter(
            max_length=128,
            description="Count examples in this version; without it, in the one the evaluated run was trained on, "
            "else in the newest one of the loop's dataset.",
        ),
    ] = None,
) -> Response[Failures]:
    """Get the items that the model fails on, grouped by tag or by likeness of text, with the count of training examples
    of each type: where there are few, examples are missing. Grouped in the background once the evaluation has ended;
    with `wait` and If-None-Match, as soon as it is done.
    """
    return await call.watch(evaluation_id, lambda tx: find_failures(tx, evaluation_id, below, dataset_version_id), wait)


HANDLERS = (quality, quality_rows, check_quality, judge, judging, cancel, failures)
