"""Judging the rows of training data, on the wire."""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from whatnext_service.contract.common import Body, Resource, UtcTime
from whatnext_service.contract.evaluations import ErrorCount, Money, Pause
from whatnext_service.core.early_end import EndedEarly
from whatnext_service.core.judge_canaries import CanaryReading
from whatnext_service.core.row_judge import HIGHEST, LOWEST, JudgingStatus, RowDimension

Dimensions = Annotated[tuple[RowDimension, ...], Meta(min_length=1, max_length=3)]


class JudgePrices(Body, kw_only=True, frozen=True):
    """Prices of a million of the judge's tokens, in a currency of your own."""

    prompt: Money
    completion: Money


class NewRowJudging(Body, kw_only=True, frozen=True):
    """A judge to be asked about the rows of a version. It costs one request for each row and dimension."""

    model: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    """The judge, by the name under which the configured endpoint serves it; null: the configured judge."""
    dimensions: Dimensions = ("correctness", "relevance", "quality")
    n_rows: Annotated[int, Meta(ge=1, le=100_000)] = 100
    """How many rows, by lot. A larger number later adds to them: rows that this judge has scored, in this version or in
    another, are not paid for again."""
    threshold: Annotated[float, Meta(ge=LOWEST, le=HIGHEST)] = 6.0
    """The quality report's check `judge` points at rows that score less."""
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000_000_000)] | None = None
    """Ends it once so many tokens were used; requests under way are still paid for."""
    max_cost: Money | None = None
    """Ends it once it has cost so much by `prices`."""
    prices: JudgePrices | None = None


class RowJudging(Resource, kw_only=True, frozen=True):
    """The judging of a version's rows. The scores are in its quality report's check `judge`, and in the report's rows.

    Tokens and cost are those since it was last started.
    """

    dataset_version_id: str
    status: JudgingStatus | str
    model: str
    dimensions: Dimensions
    n_rows: int
    """Rows to be judged: as many as were asked for, or as many different ones as there are."""
    n_done: int
    n_scored: int
    mean_score: float | None
    """Over the scored rows, 1 to 10."""
    threshold: float
    canaries: CanaryReading | None
    """How the judge treated attacks in the place of an answer; null until it has been tried."""
    max_tokens: int | None
    max_cost: Decimal | None
    prices: JudgePrices | None
    judge_prompt_tokens: int
    judge_completion_tokens: int
    cost: Decimal | None
    """By `prices`; null without them."""
    ended_early: EndedEarly | str | None
    """Why it ended before its last row; null when it did not."""
    errors: tuple[ErrorCount, ...]
    """Why rows have no score, with counts."""
    pause: Pause | None
    """While the judge is to be left alone; null otherwise."""
    failure: str | None
    version: int
    created_at: UtcTime
    started_at: UtcTime | None
    finished_at: UtcTime | None
    updated_at: UtcTime
