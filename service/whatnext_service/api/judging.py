"""Checks of a suite's judge."""

from typing import Annotated

from litestar import Response, get, post
from litestar.params import JSONBody, QueryParameter

from whatnext_service.api.call import Call
from whatnext_service.api.params import Cursor, Id, IdempotencyKey, Limit
from whatnext_service.api.problem import problems
from whatnext_service.contract.common import Page
from whatnext_service.contract.judging import JudgeCalibration, NewCalibration
from whatnext_service.core.judge_calibration import DriftReading, PassReading
from whatnext_service.core.rank_agreement import RankAgreement
from whatnext_service.flows import calibrate_judge

SUITES = ["eval_suites"]
TAGS = ["evaluations"]


@post(
    "/v1/eval-suites/{suite_id:str}/calibrations",
    operation_id="eval_suites.calibrate",
    tags=SUITES,
    responses=problems(404, 413, 415, 422),
)
async def create_calibration(
    call: Call, suite_id: Id, data: JSONBody[NewCalibration], idempotency_key: IdempotencyKey = None
) -> Response[JudgeCalibration]:
    """Check a suite's graders against hand grades of stored answers: agreement, bias, correction."""
    return await call.write(lambda tx: calibrate_judge.calibrate_judge(tx, suite_id, data), status=201)


@get(
    "/v1/eval-suites/{suite_id:str}/calibrations",
    operation_id="eval_suites.list_calibrations",
    tags=SUITES,
    responses=problems(404),
)
async def list_calibrations(
    call: Call, suite_id: Id, limit: Limit = 20, cursor: Cursor = None
) -> Page[JudgeCalibration]:
    """List a suite's calibrations, newest first."""
    return await call.read(lambda tx: calibrate_judge.list_calibrations(tx, suite_id, cursor, limit))


@get(
    "/v1/evaluations/{evaluation_id:str}/judge-drift",
    operation_id="evaluations.judge_drift",
    tags=TAGS,
    responses=problems(404, 409),
)
async def judge_drift(call: Call, evaluation_id: Id) -> DriftReading:
    """Tell whether the judge still grades as it did, from an evaluation that graded another's answers again."""
    return await call.read(lambda tx: calibrate_judge.judge_drift(tx, evaluation_id))


@get(
    "/v1/evaluations/{evaluation_id:str}/pass-threshold",
    operation_id="evaluations.pass_threshold",
    tags=TAGS,
    responses=problems(404),
)
async def pass_threshold(
    call: Call,
    evaluation_id: Id,
    threshold: Annotated[float, QueryParameter(description="The threshold to try, on the suite's scale.")],
) -> PassReading:
    """Tell what share of an evaluation's answers a pass threshold fails; 25 to 50 % of the base model's should."""
    return await call.read(lambda tx: calibrate_judge.pass_threshold(tx, evaluation_id, threshold))


@get(
    "/v1/evaluations/{evaluation_id:str}/rank-agreement",
    operation_id="evaluations.rank_agreement",
    tags=TAGS,
    responses=problems(404, 409),
)
async def graders_agree(
    call: Call,
    evaluation_id: Id,
    against: Annotated[str, QueryParameter(max_length=128, description="Another grading of the same answers.")],
) -> RankAgreement:
    """Tell whether two graders rank the same answers alike, such as an RFT grader and the suite's."""
    return await call.read(lambda tx: calibrate_judge.graders_agree(tx, evaluation_id, against))


HANDLERS = (create_calibration, list_calibrations, judge_drift, pass_threshold, graders_agree)
