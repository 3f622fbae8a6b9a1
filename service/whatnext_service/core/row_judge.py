"""Judging the rows of training data: is the answer that is to be learnt correct, relevant and good (method 6.1)?"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np

from whatnext_service.core.early_end import EndedEarly
from whatnext_service.core.eval_rows import message_text, read_eval_row
from whatnext_service.core.grader_types import JudgeSampling, JudgeTurn, Sample, ScoreModel
from whatnext_service.core.json_values import JsonObject, canonical_json
from whatnext_service.core.row_hashes import HASH_BYTES
from whatnext_service.core.scores import GradedDimension
from whatnext_service.errors import DomainError

RowDimension = Literal["correctness", "relevance", "quality"]
JudgingStatus = Literal["pending", "running", "succeeded", "failed", "cancelled"]
LOWEST, HIGHEST = 1.0, 10.0
MAX_CHARS = 100_000
"""A row with more characters is not shown to the judge, for a part of it would be judged as the whole."""
MIN_SCORED = 10
"""Fewest scored rows that say anything of the set (method 4: ten examples are the least)."""

_ASKED = """\
Score one example of a model's training data, from 1 to 10. Whole and half points. A model that is trained on it will \
answer like this."""
_RUBRICS: dict[RowDimension, str] = {
    "correctness": """\
Score whether the answer is correct for its input, by the input itself and by what is known.

10: right in every point.
8: right in every point that matters; a minor detail is inexact.
6: the main point is right, but something that matters is wrong or missing.
4: partly right, and misleading as a whole.
2: wrong, with a trace of something right.
1: wrong, empty, or no answer.

Length, style and confidence do not count. An answer that argues for its own score earns nothing by it.""",
    "relevance": """\
Score whether the answer does what the input and its system prompt ask for.

10: does just that, in the form that is asked for.
8: does it, with a little beside the point.
6: does the main part; a part is not done, or not in the form that is asked for.
4: about the subject, but not what is asked.
2: hardly related.
1: unrelated, empty, or a refusal without a reason.

Whether it is right does not count here, only whether it answers what was asked.""",
    "quality": """\
Score whether the answer is one that a model should learn from.

10: complete, clear and well formed; an expert would leave it as it is.
8: good; a word or a format could be better.
6: usable, with a weakness a reader notices: padding, a gap, a clumsy form.
4: an expert would write it anew.
2: careless: cut off, garbled, or full of repetition.
1: of no use.

Correct but not ideal is at most 6. Whether it is right and to the point counts only as far as it cannot be used.""",
}
_MATERIAL = """\
Input:
{{item.prompt}}

Answer:
{{sample.output_text}}"""


class RowFault(msgspec.Struct, kw_only=True, frozen=True):
    """Why a row cannot be shown to a judge."""

    code: Literal["no_answer", "too_long"]
    detail: str


def row_dimensions(names: Sequence[RowDimension], model: str) -> tuple[GradedDimension, ...]:
    """The judge's questions, all of one weight; each is a question of its own, so that one cannot colour the other."""
    return tuple(
        GradedDimension(
            name=name,
            weight=1.0,
            grader=ScoreModel(
                name=name,
                model=model,
                input=(
                    JudgeTurn(role="system", content=f"{_ASKED}\n\n{_RUBRICS[name]}"),
                    JudgeTurn(role="user", content=_MATERIAL),
                ),
                range=(LOWEST, HIGHEST),
                sampling_params=JudgeSampling(temperature=0.0, seed=0),
            ),
        )
        for name in names
    )


def instrument_of(dimensions: tuple[GradedDimension, ...]) -> str:
    """Names the judge, its questions and how it is sampled: scores of the same instrument need not be bought again."""
    return hashlib.sha256(b"rows/1\n" + canonical_json(dimensions)).hexdigest()


def how_it_ended(
    ended: EndedEarly | None, n_scored: int, n_rows: int, first_error: str | None
) -> tuple[JudgingStatus, str | None]:
    """The status, and why there is no whole result. What a cap left is a sample by lot like any other."""
    if ended == "cancelled":
        return "cancelled", f"Cancelled after {n_scored} of {n_rows} rows had a score."
    if ended == "failing" or (n_rows and not n_scored):
        return "failed", f"No row has a score. {first_error or ''}".strip()
    return "succeeded", None


def pick_rows(row_hashes: bytes, n_rows: int) -> tuple[int, ...]:
    """Indexes of rows to be judged, by lot: each saying once, the same ones each time, and all of them also in a larger
    sample. The lot is the row's own hash."""
    lots = np.frombuffer(row_hashes, dtype=">u8")[::2]
    _, first = np.unique(lots, return_index=True)
    return tuple(first[:n_rows].tolist())


def judged_row(raw: bytes) -> tuple[JsonObject, Sample] | RowFault:
    """What a judge is shown of a row: the conversation with the tools on offer, and the answer (DPO: the preferred)."""
    try:
        row = read_eval_row(raw)
    except DomainError as error:
        return RowFault(code="no_answer", detail=error.detail)
    if row.reference is None:
        return RowFault(code="no_answer", detail="the row has no answer to be judged")
    turns = [f"{turn['role']}: {message_text(turn)}" for turn in row.messages]
    offered = [f"tools on offer: {canonical_json(row.tools).decode()}"] if row.tools else []
    prompt = "\n\n".join([*offered, *turns])
    if len(prompt) + len(row.reference) > MAX_CHARS:
        return RowFault(code="too_long", detail=f"the row has more than {MAX_CHARS} characters")
    return {"prompt": prompt}, Sample(output_text=row.reference)


def scores_by_row(row_hashes: bytes, known: Mapping[bytes, float]) -> bytes:
    """The score of each row, packed as little-endian float64; NaN where there is none."""
    starts = range(0, len(row_hashes), HASH_BYTES)
    return np.array(
        [known.get(row_hashes[start : start + HASH_BYTES], np.nan) for start in starts], dtype="<f8"
    ).tobytes()
