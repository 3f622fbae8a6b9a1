"""The instrument's fingerprint changes with whatever changes the measurement, and with nothing else (evidence 6)."""

import re

import msgspec
import pytest

from whatnext_service.core.default_judge import default_dimensions
from whatnext_service.core.eval_rows import read_eval_row
from whatnext_service.core.suite_fingerprint import EvalSampling, suite_fingerprint

ITEMS = (read_eval_row(b'{"input": "a", "ideal": "b", "tags": ["x"]}'), read_eval_row(b'{"input": "c", "ideal": "d"}'))
DIMENSIONS = default_dimensions("judge-1")
SAMPLING = EvalSampling(temperature=0.0, max_completion_tokens=512, seed=None)


def fingerprint(items=ITEMS, dimensions=DIMENSIONS, sampling=SAMPLING, scale=(1.0, 10.0), judge=None) -> str:
    return suite_fingerprint(items, dimensions, sampling, scale_min=scale[0], scale_max=scale[1], judge=judge)


def test_the_same_suite_has_the_same_fingerprint_on_every_machine() -> None:
    assert re.fullmatch("[0-9a-f]{64}", fingerprint())
    assert fingerprint() == fingerprint(items=iter(ITEMS), scale=(1, 10))


@pytest.mark.parametrize(
    "change",
    [
        {"items": ITEMS[::-1]},
        {"items": ITEMS[:1]},
        {"items": (ITEMS[0], read_eval_row(b'{"input": "c", "ideal": "e"}'))},
        {"dimensions": DIMENSIONS[:1]},
        {"dimensions": default_dimensions("judge-2")},
        {"dimensions": (msgspec.structs.replace(DIMENSIONS[0], weight=0.6), DIMENSIONS[1])},
        {"sampling": msgspec.structs.replace(SAMPLING, temperature=0.7)},
        {"scale": (0.0, 10.0)},
        {"judge": "judge-1-snapshot"},
    ],
)
def test_another_instrument_has_another(change: dict[str, object]) -> None:
    assert fingerprint(**change) != fingerprint()


def test_tags_are_no_part_of_the_measurement() -> None:
    untagged = (read_eval_row(b'{"ideal": "b", "input": "a"}'), ITEMS[1])
    assert fingerprint(items=untagged) == fingerprint()
