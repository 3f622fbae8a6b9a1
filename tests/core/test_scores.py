"""The combined score (method 4): weighted mean on the suite's scale; a missing score is never a zero (evidence 4)."""

import pytest

from whatnext_service.core.default_judge import default_dimensions
from whatnext_service.core.grader_types import Score, ScoreError, StringCheck
from whatnext_service.core.scores import GradedDimension, combine, on_scale

JUDGED = default_dimensions("judge-1")
EXACT = GradedDimension(
    name="exact",
    weight=1.0,
    grader=StringCheck(name="exact", input="{{sample.output_text}}", reference="{{item.answer}}", operation="eq"),
)
ERROR = ScoreError(fault="model_grader_parse_error", detail="not in the schema")


def given(value: float, low: float = 1.0, high: float = 10.0) -> Score:
    return Score(value=value, low=low, high=high)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (given(1.0, 0.0, 1.0), 10.0),
        (given(0.0, 0.0, 1.0), 1.0),
        (given(0.5, 0.0, 1.0), 5.5),
        (given(7.0), 7.0),
        (given(3.0, 1.0, 5.0), 5.5),
    ],
)
def test_a_graders_range_is_mapped_onto_one_to_ten(score: Score, expected: float) -> None:
    assert on_scale(score, 1.0, 10.0) == pytest.approx(expected)


def test_correctness_and_conciseness_weigh_seven_to_three() -> None:
    assert combine(JUDGED, (given(9.0), given(6.0)), 1.0, 10.0) == pytest.approx(8.1)


@pytest.mark.parametrize("outcomes", [(given(9.0), ERROR), (ERROR, given(9.0)), (given(9.0), None), (None, None)])
def test_an_item_without_all_its_dimensions_has_no_combined_score(
    outcomes: tuple[Score | ScoreError | None, ...],
) -> None:
    assert combine(JUDGED, outcomes, 1.0, 10.0) is None
