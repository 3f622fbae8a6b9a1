"""Grade one answer: computed where it can be, asked of a judge or an embedding model where it must be."""

import hashlib
from typing import TypeAlias, assert_never

import msgspec

from whatnext_service.contract.evaluations import EvalSuite, ItemError, Judgement
from whatnext_service.core.early_end import Spent
from whatnext_service.core.grader_json import parse_grader
from whatnext_service.core.grader_types import (
    EmbeddingPart,
    Judged,
    JudgePart,
    LabelModel,
    ModelGrader,
    Multi,
    NeedsModel,
    Sample,
    Score,
    ScoreError,
    ScoreModel,
)
from whatnext_service.core.graders import grade_locally
from whatnext_service.core.json_values import JsonObject
from whatnext_service.core.judge_prompt import judge_request, read_judge_answer
from whatnext_service.core.scores import GradedDimension, combine, on_scale
from whatnext_service.core.text_similarity import cosine_score
from whatnext_service.flows.ask import Line, Refused
from whatnext_service.providers.port import Completion, CompletionRequest, Embedding, EmbeddingRequest, Message

ModelLine: TypeAlias = Line[CompletionRequest, Completion]
EmbeddingLine: TypeAlias = Line[EmbeddingRequest, Embedding]


class Grading(msgspec.Struct, kw_only=True, frozen=True):
    """What one grading of an answer gave."""

    scores: dict[str, float | None]
    """By dimension, from `low` to `high`."""
    combined: float | None
    judgements: tuple[Judgement, ...]
    error: ItemError | None
    spent: Spent


class Graders:
    """Graders whose scores go from `low` to `high`, and the models behind them."""

    def __init__(
        self,
        dimensions: tuple[GradedDimension, ...],
        low: float,
        high: float,
        secret: bytes,
        *,
        judge: ModelLine | None,
        embeddings: EmbeddingLine | None,
    ) -> None:
        self.dimensions = dimensions
        self._low, self._high = low, high
        self._secret = secret
        self._judge = judge
        self._embeddings = embeddings

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
                    top_p=request.sampling.top_p,
                    reasoning_effort=request.sampling.reasoning_effort,
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

    async def compare(self, part: EmbeddingPart, key: str) -> tuple[Score | ScoreError, Spent]:
        """How alike two texts are by the vectors of a model."""
        if self._embeddings is None:
            return ScoreError(fault="embedding_model_missing", detail="no embedding model is configured"), Spent()
        request = EmbeddingRequest(model=part.model, texts=part.texts, idempotency_key=key)
        try:
            asked = await self._embeddings.ask(request)
        except Refused as refused:
            detail = f"{refused.error.fault}: {refused.error.detail}"
            return ScoreError(fault="embedding_error", detail=detail), Spent()
        spent = Spent(embedding_tokens=asked.answer.prompt_tokens or 0)
        return cosine_score(part.grader, asked.answer.vectors), spent

    async def _one(
        self, dimension: GradedDimension, item: JsonObject, sample: Sample, key: str
    ) -> tuple[Score | ScoreError, Spent]:
        outcome = grade_locally(dimension.grader, item, sample)
        if not isinstance(outcome, NeedsModel):
            return outcome, Spent()
        spent = Spent()
        judged: list[Judged] = []
        for part in outcome.parts:
            part_key = f"{key}-{part.key}"
            match part:
                case JudgePart():
                    verdict, used = await self.ask_judge(part.grader, item, sample, part_key)
                case EmbeddingPart():
                    verdict, used = await self.compare(part, part_key)
                case _:
                    assert_never(part)
            judged.append(Judged(key=part.key, outcome=verdict))
            spent = spent.plus(used)
            if isinstance(verdict, ScoreError):
                break
        graded = grade_locally(dimension.grader, item, sample, tuple(judged))
        if isinstance(graded, NeedsModel):
            raise AssertionError("a part that was asked for is never asked for again")
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
