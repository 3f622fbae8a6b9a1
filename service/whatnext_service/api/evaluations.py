"""Eval suites and evaluations."""

from typing import Annotated

from litestar import Response, get, post
from litestar.params import JSONBody, QueryParameter

from whatnext_service.api.call import Call, asked
from whatnext_service.api.params import (
    Cursor,
    Id,
    IdempotencyKey,
    IfNoneMatch,
    Limit,
    LoopFilter,
    RunFilter,
    StatusFilter,
    Wait,
)
from whatnext_service.api.problem import problems
from whatnext_service.contract.common import Page
from whatnext_service.contract.evaluations import EvalSuite, Evaluation, EvaluationItem, NewEvalSuite, NewEvaluation
from whatnext_service.contract.judging import EvaluationComparison
from whatnext_service.flows import lists, look_up
from whatnext_service.flows.cancel_evaluation import cancel_evaluation
from whatnext_service.flows.compare import compare_evaluations
from whatnext_service.flows.create_suite import create_suite
from whatnext_service.flows.start_evaluation import start_evaluation

SUITES = ["eval_suites"]
TAGS = ["evaluations"]


@post("/v1/eval-suites", operation_id="eval_suites.create", tags=SUITES, responses=problems(409, 413, 415, 422))
async def create_eval_suite(
    call: Call, data: JSONBody[NewEvalSuite], idempotency_key: IdempotencyKey = None
) -> Response[EvalSuite]:
    """Create a suite from a held-out dataset version; it never changes afterwards."""
    return await call.write(lambda tx: create_suite(tx, data), status=201)


@get("/v1/eval-suites", operation_id="eval_suites.list", tags=SUITES, responses=problems(404))
async def list_eval_suites(
    call: Call, limit: Limit = 20, cursor: Cursor = None, loop_id: LoopFilter = None
) -> Page[EvalSuite]:
    """List eval suites, newest first."""
    return await call.read(lambda tx: lists.list_suites(tx, asked(limit, cursor), loop_id))


@get("/v1/eval-suites/{suite_id:str}", operation_id="eval_suites.get", tags=SUITES, responses=problems(404))
async def get_eval_suite(call: Call, suite_id: Id) -> EvalSuite:
    """Get an eval suite."""
    return await call.read(lambda tx: look_up.find_suite(tx, suite_id))


@post(
    "/v1/evaluations",
    operation_id="evaluations.create",
    tags=TAGS,
    responses=problems(409, 413, 415, 422),
    opt={"found": "The same evaluation, asked for already and not done yet, or for the same recommendation."},
)
async def create(
    call: Call, data: JSONBody[NewEvaluation], idempotency_key: IdempotencyKey = None
) -> Response[Evaluation]:
    """Run a suite on a base model, a run or a checkpoint, grade stored answers again, or register a result measured
    elsewhere."""
    return await call.write(lambda tx: start_evaluation(tx, data), status=201)


@get("/v1/evaluations", operation_id="evaluations.list", tags=TAGS, responses=problems(404))
async def list_(
    call: Call,
    limit: Limit = 20,
    cursor: Cursor = None,
    loop_id: LoopFilter = None,
    status: StatusFilter = None,
    run_id: RunFilter = None,
    suite_id: Annotated[list[str] | None, QueryParameter(description="Only of these suites; repeatable.")] = None,
) -> Page[Evaluation]:
    """List evaluations, newest first."""
    return await call.read(
        lambda tx: lists.list_evaluations(tx, asked(limit, cursor), loop_id, status, run_id, suite_id)
    )


@get("/v1/evaluations/{evaluation_id:str}", operation_id="evaluations.get", tags=TAGS, responses=problems(404))
async def get_one(
    call: Call, evaluation_id: Id, wait: Wait = 0, if_none_match: IfNoneMatch = None
) -> Response[Evaluation]:
    """Get an evaluation; with `wait` and If-None-Match, as soon as it moves."""
    return await call.watch(evaluation_id, lambda tx: look_up.find_evaluation(tx, evaluation_id), wait)


@get(
    "/v1/evaluations/{evaluation_id:str}/items",
    operation_id="evaluations.list_items",
    tags=TAGS,
    responses=problems(404),
)
async def list_items(call: Call, evaluation_id: Id, limit: Limit = 20, cursor: Cursor = None) -> Page[EvaluationItem]:
    """List an evaluation's items in the suite's order, each with its answer, scores, or why it has none."""
    return await call.read(lambda tx: lists.list_items(tx, asked(limit, cursor), evaluation_id))


@get(
    "/v1/evaluations/{evaluation_id:str}/comparison",
    operation_id="evaluations.compare",
    tags=TAGS,
    responses=problems(404),
)
async def comparison(
    call: Call,
    evaluation_id: Id,
    against: Annotated[str, QueryParameter(max_length=128, description="The evaluation to compare with.")],
    n_comparisons: Annotated[
        int, QueryParameter(ge=1, le=1000, description="How many comparisons this is one of: the interval is widened.")
    ] = 1,
) -> EvaluationComparison:
    """Compare two evaluations item by item: the paired difference, its interval, and a verdict.

    Beside it: the same by tag, the suite's guardrails, completion tokens, and the items without a score.
    """
    return await call.read(lambda tx: compare_evaluations(tx, evaluation_id, against, n_comparisons))


@post(
    "/v1/evaluations/{evaluation_id:str}/cancel",
    operation_id="evaluations.cancel",
    tags=TAGS,
    status_code=200,
    responses=problems(404, 409, 422),
)
async def cancel(call: Call, evaluation_id: Id, idempotency_key: IdempotencyKey = None) -> Response[Evaluation]:
    """Ask for an evaluation to be cancelled; what was measured stays, and one that has ended stays as it is."""
    return await call.write(lambda tx: cancel_evaluation(tx, evaluation_id))


HANDLERS = (
    create_eval_suite,
    list_eval_suites,
    get_eval_suite,
    create,
    list_,
    get_one,
    list_items,
    comparison,
    cancel,
)
