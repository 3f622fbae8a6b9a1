"""Grade one answer: computed where it can be, asked of the judge where it must be."""

import hashlib

import msgspec

from whatnext_service.contract.evaluations import EvalSuite
from whatnext_service.core.grader_json import parse_grader
from whatnext_service.core.grader_types import Judged, JudgePart, NeedsJudge, Sample, Score, ScoreError
from whatnext_service.core.graders import grade_locally
from whatnext_service.core.json_values import JsonObject
from whatnext_service.core.judge_prompt import judge_request, read_judge_answer
from whatnext_service.core.scores import GradedDimension
from whatnext_service.errors import ProviderError
from whatnext_service.flows.ask import ask
from whatnext_service.flows.context import Judge, Services
from whatnext_service.providers.port import CompletionRequest, Message


def dimensions_of(suite: EvalSuite) -> tuple[GradedDimension, ...]:
    """The suite's graders, ready to grade with."""
    return tuple(
        GradedDimension(name=each.name, weight=each.weight, grader=parse_grader(msgspec.json.encode(each.grader)))
        for each in suite.graders
    )


async def grade(
    services: Services, dimension: GradedDimension, item: JsonObject, sample: Sample, key: str
) -> Score | ScoreError:
    """Score one dimension of one answer; `key` makes a judge's repeated request recognisable."""
    outcome = grade_locally(dimension.grader, item, sample)
    if not isinstance(outcome, NeedsJudge):
        return outcome
    if services.judge is None:
        return ScoreError(fault="model_grader_server_error", detail="no judge is configured")
    judged = tuple(
        [
            Judged(
                key=part.key, outcome=await _judge(services, services.judge, part, item, sample, f"{key}-{part.key}")
            )
            for part in outcome.parts
        ]
    )
    graded = grade_locally(dimension.grader, item, sample, judged)
    if isinstance(graded, NeedsJudge):
        raise AssertionError("a judged part is never asked for again")
    return graded


async def _judge(
    services: Services, judge: Judge, part: JudgePart, item: JsonObject, sample: Sample, key: str
) -> Score | ScoreError:
    nonce = hashlib.sha256(services.randomness(16)).hexdigest()[:24]
    request = judge_request(part.grader, item, sample, nonce)
    if isinstance(request, ScoreError):
        return request
    try:
        answer = await ask(
            judge.models,
            CompletionRequest(
                model=request.model,
                messages=tuple(Message(role=turn.role, content=turn.content) for turn in request.messages),
                idempotency_key=key,
                temperature=request.sampling.temperature,
                max_completion_tokens=request.sampling.max_completions_tokens,
                seed=request.sampling.seed,
                response_schema=msgspec.json.encode(request.response_schema),
            ),
        )
    except ProviderError as error:
        return ScoreError(fault="model_grader_server_error", detail=f"{error.fault}: {error.detail}")
    return read_judge_answer(part.grader, answer.text)
