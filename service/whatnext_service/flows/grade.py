"""Grade one answer: computed where it can be, asked of the judge where it must be."""

import hashlib

import msgspec

from whatnext_service.contract.evaluations import EvalSuite, ItemError, Judgement
from whatnext_service.core.early_end import Spent
from whatnext_service.core.grader_json import parse_grader
from whatnext_service.core.grader_types import (
    Judged,
    JudgePart,
    LabelModel,
    ModelGrader,
    Multi,
    NeedsJudge,
    Sample,
    Score,
    ScoreError,
    ScoreModel,
)
from whatnext_service.core.graders import grade_locally
from whatnext_service.core.json_values import JsonObject
from whatnext_service.core.judge_prompt import judge_request, read_judge_answer
from whatnext_service.core.scores import GradedDimension, combine, on_scale
from whatnext_service.flows.ask import Line, Refused
from whatnext_service.providers.port import CompletionRequest, Message


class Grading(msgspec.Struct, kw_only=True, frozen=True):
    """What one grading of an answer gave."""

    scores: dict[str, float | None]
    """By dimension, from `low` to `high`."""
    combined: float | None
    judgements: tuple[Judgement, ...]
    error: ItemError | None
    spent: Spent


class Graders:
    """Graders whose scores go from `low` to `high`, and the judge behind them."""

    def __init__(
        self, dimensions: tuple[GradedDimension, ...], low: float, high: float, judge: Line | None, secret: bytes
    ) -> None:
        self.dimensions = dimensions
        self._low, self._high = low, high
        self._judge = judge
        self._secret = secret

    async def grade(self, item: JsonObject, sample: Sample, key: str) -> Grading:
        """Score every dimension; `key` makes a judge's repeated request the same, byte for byte."""
        low, high = self._low, self._high
        outcomes: list[Score | ScoreError] = []
        spent = Spent()
        for dimension in self.dimensions:
            outcome, used = await self._one(dimension, item, sample, f"{key}-{dimension.name}")
            outcomes.append(outcome)
            spent = spent.plus(used)
        known = [on_scale(one, low, high) if isinstance(one, Score) else None for one in outcomes]
        missing = next((one for one in outcomes if isinstance(one, ScoreError)), None)
        return Grading(
            scores={each.name: score for each, score in zip(self.dimensions, known, strict=True)},
            combined=combine(self.dimensions, tuple(outcomes), low, high),
            judgements=tuple(
                Judgement(
                    dimension=each.name, score=score, reasoning=one.reasoning, instructs_judge=one.instructs_judge
                )
                for each, one, score in zip(self.dimensions, outcomes, known, strict=True)
                if isinstance(one, Score) and judged_parts(each)
            ),
            error=ItemError(code=missing.fault, message=missing.detail) if missing else None,
            spent=spent,
        )

    async def ask_judge(
        self, grader: ModelGrader, item: JsonObject, sample: Sample, key: str
    ) -> tuple[Score | ScoreError, Spent]:
        """One judge's verdict on one answer."""
        if self._judge is None:
            return ScoreError(fault="model_grader_server_error", detail="no judge is configured"), Spent()
        nonce = hashlib.blake2b(key.encode(), key=self._secret, digest_size=12).hexdigest()
        request = judge_request(grader, item, sample, nonce)
        if isinstance(request, ScoreError):
            return request, Spent()
        try:
            asked = await self._judge.ask(
                CompletionRequest(
                    model=request.model,
                    messages=tuple(Message(role=turn.role, content=turn.content) for turn in request.messages),
                    idempotency_key=key,
                    temperature=request.sampling.temperature,
                    max_completion_tokens=request.sampling.max_completions_tokens,
                    seed=request.sampling.seed,
                    response_schema=msgspec.json.encode(request.response_schema),
                )
            )
        except Refused as refused:
            detail = f"{refused.error.fault}: {refused.error.detail}"
            return ScoreError(fault="model_grader_server_error", detail=detail), Spent()
        spent = Spent(
            judge_prompt_tokens=asked.answer.prompt_tokens or 0,
            judge_completion_tokens=asked.answer.completion_tokens or 0,
        )
        return read_judge_answer(grader, asked.answer.text), spent

    async def _one(
        self, dimension: GradedDimension, item: JsonObject, sample: Sample, key: str
    ) -> tuple[Score | ScoreError, Spent]:
        outcome = grade_locally(dimension.grader, item, sample)
        if not isinstance(outcome, NeedsJudge):
            return outcome, Spent()
        spent = Spent()
        judged: list[Judged] = []
        for part in outcome.parts:
            verdict, used = await self.ask_judge(part.grader, item, sample, f"{key}-{part.key}")
            judged.append(Judged(key=part.key, outcome=verdict))
            spent = spent.plus(used)
        graded = grade_locally(dimension.grader, item, sample, tuple(judged))
        if isinstance(graded, NeedsJudge):
            raise AssertionError("a judged part is never asked for again")
        return graded, spent


def dimensions_of(suite: EvalSuite) -> tuple[GradedDimension, ...]:
    """The suite's graders, ready to grade with."""
    return tuple(
        GradedDimension(name=each.name, weight=each.weight, grader=parse_grader(msgspec.json.encode(each.grader)))
        for each in suite.graders
    )


def judged_parts(dimension: GradedDimension) -> tuple[JudgePart, ...]:
    """The judges of a dimension."""
    grader = dimension.grader
    parts = grader.graders.items() if isinstance(grader, Multi) else ((grader.name, grader),)
    return tuple(JudgePart(key=key, grader=part) for key, part in parts if isinstance(part, ScoreModel | LabelModel))
