import pytest
from tests.core.loop_states import a_version

from whatnext_service.core.versions import cleaned, data_moves, revision

V1 = a_version(1, 270)
V2 = a_version(2, 250, parent_id="dsv_1", derived_by=("fix_contradictions",))
V3 = a_version(3, 810, parent_id="dsv_1", derived_by=("add_examples",))
V4 = a_version(4, 750, parent_id="dsv_3", derived_by=("drop_contradictions",))
V5 = a_version(5, 900, parent_id="dsv_2", derived_by=("add_examples",))
ALL = (V1, V2, V3, V4, V5)


@pytest.mark.parametrize(("version", "expected"), [(V1, False), (V2, True), (V3, False), (V4, True), (V5, False)])
def test_a_version_is_clean_when_nothing_unchecked_was_added_since_its_cleaning(version, expected) -> None:
    assert cleaned(version, ALL) is expected


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        (V1, [("dsv_4", "clean_and_enlarge"), ("dsv_2", "clean"), ("dsv_5", "enlarge"), ("dsv_3", "enlarge")]),
        (V2, [("dsv_4", "enlarge")]),
        (V3, [("dsv_4", "clean"), ("dsv_2", "clean")]),
        (V4, []),
    ],
)
def test_cleaned_versions_come_first_and_unchecked_growth_never_replaces_them(current, expected) -> None:
    """Method 6.1, evidence 8."""
    assert [(move.version.id, move.lever) for move in data_moves(current, ALL)] == expected


def test_versions_of_another_format_are_no_lever() -> None:
    assert data_moves(V1, (V1, a_version(2, 900, method="dpo"))) == ()


@pytest.mark.parametrize(
    ("newest", "is_one"),
    [
        (a_version(2, 265), True),
        (a_version(2, 265, n_contradictions=None), True),
        (a_version(2, 265, n_contradictions=3), False),
        (a_version(2, 30), False),
        (a_version(2, 400), False),
        (a_version(2, 265, method="dpo"), False),
        (a_version(2, 265, derived_by=("split",)), False),
    ],
    ids=["alike", "unchecked", "worse", "smaller", "larger", "other method", "a part"],
)
def test_what_was_uploaded_since_is_a_revision_where_nothing_says_that_it_is_worse(newest, is_one) -> None:
    assert (revision(V1, (V1, newest)) is not None) is is_one


def test_a_revision_never_replaces_a_cleaned_version_or_a_newer_one() -> None:
    assert revision(V2, (V1, V2, a_version(6, 250))) is None
    assert revision(a_version(6, 265), (V1, a_version(6, 265))) is None


def test_a_cycle_of_parents_ends() -> None:
    loop = a_version(2, parent_id="dsv_2")
    assert cleaned(loop, (loop,)) is False
