"""Eval suites and evaluations: what was measured, with which instrument, item by item."""

import math
from array import array
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

SuiteRole = Literal["selection", "final_test"]
SubjectKind = Literal["base_model", "run", "checkpoint"]
EvaluationStatus = Literal["pending", "running", "succeeded", "failed", "cancelled"]
EvaluationOrigin = Literal["service", "registered", "regraded"]


class Suite(msgspec.Struct, kw_only=True, frozen=True):
    """An immutable definition of an evaluation: items, graders, weights, scale, role."""

    id: str
    role: SuiteRole
    fingerprint: str
    """SHA-256 over items, graders, judge and sampling parameters: two evaluations compare only when it is equal."""
    n_items: int
    dataset_version_id: str | None
    clusters: tuple[int, ...] | None
    """For each item the number of its source, when items share sources; null when all are independent."""
    binary: bool
    """Whether every item scores either the bottom or the top of the scale."""
    regrade_sd: float | None
    """Standard deviation of one item's score when the same answer is graded again; null when not measured."""
    created_at: datetime


class Dimension(msgspec.Struct, kw_only=True, frozen=True):
    """One graded dimension of an evaluation."""

    name: str
    weight: float
    mean: float | None
    n_scored: int


class Evaluation(msgspec.Struct, kw_only=True, frozen=True):
    """A suite's result on a base model, a run's final model or a checkpoint."""

    id: str
    suite_id: str
    fingerprint: str
    subject: SubjectKind
    base_model: str | None
    run_id: str | None
    checkpoint_id: str | None
    status: EvaluationStatus
    origin: EvaluationOrigin
    combined: float | None
    """Weighted mean over the scored items, on the suite's scale; null until there is one."""
    n_items: int
    n_scored: int
    scores: bytes
    """Combined score of each item in the suite's order, packed by `pack_scores`; empty until there are any."""
    dimensions: tuple[Dimension, ...]
    completion_tokens_mean: float | None
    failure: str | None
    created_at: datetime
    finished_at: datetime | None
    n_gradings: int = 1
    """How often each answer was graded."""


def pack_scores(scores: Iterable[float | None]) -> bytes:
    """Pack per-item scores as little-endian float64; a missing score is NaN, never a zero."""
    packed = array("d", (math.nan if score is None else score for score in scores))
    if packed.itemsize != 8:
        raise RuntimeError("this platform's double is not 64 bits wide")
    return packed.tobytes()


def unpack_scores(packed: bytes) -> tuple[float | None, ...]:
    """Undo `pack_scores`."""
    values = array("d")
    values.frombytes(packed)
    return tuple(None if math.isnan(value) else value for value in values)
