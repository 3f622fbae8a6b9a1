"""Whether two graders rank the same answers alike."""

from math import atanh, sqrt, tanh
from typing import Literal

import msgspec
import numpy as np
from scipy import special

from whatnext_service.core.bootstrap import FloatArray

ALIKE = 0.8
"""Rank correlation from which training and evaluation grader rank alike (method 4)."""
UNLIKE = 0.6
"""Below it the grader is fixed first (method 4)."""
MIN_ANSWERS = 10
"""Fewest answers from which anything is said (method 4: ten hand grades)."""

AgreementVerdict = Literal["alike", "doubtful", "unlike", "cannot_tell"]


class RankAgreement(msgspec.Struct, kw_only=True, frozen=True):
    """Spearman's rank correlation with its 95 % interval."""

    verdict: AgreementVerdict
    rho: float | None
    """Null with too few answers, or when one side gave all the same score."""
    low: float | None
    high: float | None
    n: int
    statement: str


def rank_agreement(left: bytes, right: bytes) -> RankAgreement:
    """Compare two packed score lists of the same answers: `alike` from rho 0.8, `unlike` below 0.6 (method 4)."""
    if len(left) != len(right):
        return _unknown(0, "The two graders did not score the same answers.")
    first, second = np.frombuffer(left, "<f8"), np.frombuffer(right, "<f8")
    shared = np.isfinite(first) & np.isfinite(second)
    n = int(np.count_nonzero(shared))
    if n < MIN_ANSWERS:
        return _unknown(n, f"{n} answers were scored by both; at least {MIN_ANSWERS} are needed.")
    rho = spearman(first[shared], second[shared])
    if rho is None:
        return _unknown(n, "One of the graders gave every answer the same score.")
    low, high = _interval(rho, n)
    verdict: AgreementVerdict = "alike" if rho >= ALIKE else "unlike" if rho < UNLIKE else "doubtful"
    return RankAgreement(
        verdict=verdict,
        rho=round(rho, 9),
        low=round(low, 9),
        high=round(high, 9),
        n=n,
        statement=f"Rank correlation {rho:.2f} on {n} answers (95 % interval {low:.2f} to {high:.2f}).",
    )


def spearman(left: FloatArray, right: FloatArray) -> float | None:
    """Rank correlation with tied values sharing their mean rank; null when a side is constant."""
    first, second = _ranks(left), _ranks(right)
    first, second = first - first.mean(), second - second.mean()
    scale = sqrt(float(first @ first) * float(second @ second))
    return None if scale == 0.0 else max(-1.0, min(1.0, float(first @ second) / scale))


def _ranks(values: FloatArray) -> FloatArray:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: FloatArray = (ends - (counts - 1) / 2.0)[places]
    return ranks


def _interval(rho: float, n: int) -> tuple[float, float]:
    """Fisher's transformation with the variance for ranks, 1.06 / (n - 3) (Fieller, Hartley and Pearson 1957)."""
    centre = atanh(max(-0.999999, min(0.999999, rho)))
    half_width = float(special.ndtri(0.975)) * sqrt(1.06 / (n - 3))
    return min(rho, tanh(centre - half_width)), max(rho, tanh(centre + half_width))


def _unknown(n: int, statement: str) -> RankAgreement:
    return RankAgreement(verdict="cannot_tell", rho=None, low=None, high=None, n=n, statement=statement)
