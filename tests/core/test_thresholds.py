"""Thresholds: overridable, and named by version."""

import math
from types import NoneType
from typing import get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.curve_tables import curve_from_columns
from tests.core.loop_states import a_loop, a_reading, a_run, a_state

from whatnext_service.contract.thresholds import ThresholdsPatch
from whatnext_service.core.curves import Curve
from whatnext_service.core.diagnose import diagnose
from whatnext_service.core.loops import Choices, Metric, Rules, check_loop
from whatnext_service.core.plan import what_next
from whatnext_service.core.read_curve import read_curve
from whatnext_service.core.thresholds import THRESHOLDS_VERSION, CurveThresholds
from whatnext_service.errors import DomainError


def test_the_version_names_overrides() -> None:
    a, b = CurveThresholds(ratio_severe=2.5), CurveThresholds(ratio_severe=3.0)
    assert CurveThresholds().version == THRESHOLDS_VERSION
    assert a.version == CurveThresholds(ratio_severe=2.5).version
    assert len({a.version, b.version, THRESHOLDS_VERSION}) == 3


def test_an_override_at_its_default_changes_nothing() -> None:
    assert CurveThresholds(ratio_severe=2.0).version == THRESHOLDS_VERSION


@pytest.mark.parametrize("body", [b'{"ratio_sevre": 2}', b'{"ratio_severe": 0.5}', b'{"noise_factor": 0}'])
def test_unknown_and_impossible_thresholds_are_refused(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=CurveThresholds)


@pytest.mark.parametrize(
    ("thresholds", "pointers"),
    [
        (CurveThresholds(), ()),
        (CurveThresholds(ratio_mild=1.5, ratio_moderate=1.5), ()),
        (CurveThresholds(ratio_mild=1.6), ("/thresholds/ratio_moderate",)),
        (CurveThresholds(rise_usable=1.01, gap_watch=0.2), ("/thresholds/rise_usable", "/thresholds/gap_hacking")),
    ],
)
def test_a_higher_degree_must_not_start_below_a_lower_one(
    thresholds: CurveThresholds, pointers: tuple[str, ...]
) -> None:
    if not pointers:
        check_loop(Metric(), Rules(), Choices(), thresholds)
        return
    with pytest.raises(DomainError) as refused:
        check_loop(Metric(), Rules(), Choices(), thresholds)
    assert refused.value.code == "invalid_loop"
    assert tuple(each.pointer for each in refused.value.errors) == pointers


def test_only_what_differs_from_the_defaults_is_an_override() -> None:
    assert CurveThresholds().overrides == {}
    assert CurveThresholds(ratio_severe=3.0, noise_points=8).overrides == {"ratio_severe": 3.0}


def test_every_threshold_can_be_changed_within_its_bounds() -> None:
    """The patch names the same thresholds with the same bounds, each of which may be null or absent."""
    patch, own = (get_type_hints(kind, include_extras=True) for kind in (ThresholdsPatch, CurveThresholds))
    assert list(patch) == list(own)
    for name, kind in patch.items():
        assert set(get_args(kind)) == {own[name], NoneType, msgspec.UnsetType}, name


def test_a_diagnosis_and_an_answer_name_the_thresholds_they_rest_on() -> None:
    own = CurveThresholds(ratio_severe=3.0)
    unread, read = a_run(1, reading=None), a_run(2, reading=a_reading(thresholds_version="2025.1"))
    state = a_state(runs=(unread, read), loop=a_loop(thresholds=own))
    assert diagnose(state, unread).thresholds_version == own.version
    assert diagnose(state, read).thresholds_version == "2025.1"
    assert what_next(state).thresholds_version == own.version
    assert what_next(a_state()).thresholds_version == THRESHOLDS_VERSION


def test_a_diagnosis_compares_with_the_loops_own_thresholds() -> None:
    reading = a_reading(verdict="severe", overfit_ratio=2.4, rise=1.5, last_train_loss=0.02, best_accuracy=0.5)
    run, own = a_run(reading=reading), CurveThresholds(ratio_severe=2.2, rise_strong=1.4, crashed=0.05)
    plain = diagnose(a_state(runs=(run,)), run)
    other = diagnose(a_state(runs=(run,), loop=a_loop(thresholds=own)), run)
    bounds = [{each.code: each.threshold for each in found.evidence} for found in (plain, other)]
    assert (bounds[0]["overfit_ratio"], bounds[0]["validation_rise"]) == (2.0, 1.2)
    assert (bounds[1]["overfit_ratio"], bounds[1]["validation_rise"]) == (2.2, 1.4)
    crashed = [{each.code: each.threshold for each in found.findings} for found in (plain, other)]
    assert "train_loss_crashed" not in crashed[0]
    assert crashed[1]["train_loss_crashed"] == 0.05


def allowed_values(name: str) -> tuple[float, ...]:
    """Values at the ends and in the middle of what a threshold may be."""

    def fits(value: float) -> bool:
        try:
            msgspec.convert({name: value}, CurveThresholds)
        except msgspec.ValidationError:
            return False
        return True

    return tuple(value for value in (0, 1e-9, 0.5, 1, 2, 4, 1_000_000) if fits(value))


@settings(max_examples=100, derandomize=True)
@given(
    chosen=st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(allowed_values(name)) for name in CurveThresholds.__struct_fields__}
    )
)
def test_no_thresholds_crash_the_reading(chosen: dict[str, float]) -> None:
    own = msgspec.convert(chosen, CurveThresholds)
    train = [2.0 - 0.03 * step for step in range(50)]
    columns = {"train_loss": train, "valid_loss": train[::-1], "full_valid_loss": [1.5, None, None, None, 1.2] * 10}
    reading = read_curve(curve_from_columns(list(range(1, 51)), columns), thresholds=own, parent=Curve(series=()))
    assert reading.thresholds_version == own.version
    numbers = [number for finding in reading.findings for number in (finding.value, finding.threshold)]
    assert all(math.isfinite(number) for number in numbers if number is not None)


def test_the_method_s_figures_are_the_defaults() -> None:
    thresholds = CurveThresholds()
    assert (thresholds.ratio_mild, thresholds.ratio_moderate, thresholds.ratio_severe) == (1.2, 1.5, 2.0)
    assert (thresholds.rise_strong, thresholds.gap_watch, thresholds.gap_hacking) == (1.2, 0.05, 0.10)
    assert (thresholds.tokens_normal, thresholds.tokens_verbose, thresholds.early_share) == (2.0, 3.0, 0.3)
