"""The instrument's fingerprint: two evaluations compare only when it is equal (evidence 6)."""

import hashlib
from collections.abc import Iterable

import msgspec

from whatnext_service.core.eval_rows import EvalItem
from whatnext_service.core.json_values import canonical_json
from whatnext_service.core.scores import GradedDimension


class EvalSampling(msgspec.Struct, kw_only=True, frozen=True):
    """How the model under test is sampled."""

    temperature: float
    max_completion_tokens: int | None
    seed: int | None


def suite_fingerprint(
    items: Iterable[EvalItem],
    dimensions: tuple[GradedDimension, ...],
    sampling: EvalSampling,
    *,
    scale_min: float,
    scale_max: float,
    judge: str | None = None,
) -> str:
    """SHA-256, in hexadecimal, over canonical JSON of items in their order, weighted graders, judge, sampling, scale.

    `judge` names what really judges, where it differs from the graders' own `model` (an endpoint, a snapshot). Tags and
    sources group items; they are no part of the measurement.
    """
    digest = hashlib.sha256(b"suite/1\n")
    for item in items:
        digest.update(canonical_json((item.messages, item.tools, item.reference, item.fields)) + b"\n")
    instrument = {
        "dimensions": dimensions,
        "judge": judge,
        "sampling": sampling,
        "scale": (float(scale_min), float(scale_max)),
    }
    digest.update(canonical_json(instrument))
    return digest.hexdigest()
