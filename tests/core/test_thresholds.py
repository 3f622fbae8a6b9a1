"""Thresholds: overridable, and named by version."""

import msgspec
import pytest

from whatnext_service.core.thresholds import THRESHOLDS_VERSION, CurveThresholds


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


def test_the_method_s_figures_are_the_defaults() -> None:
    thresholds = CurveThresholds()
    assert (thresholds.ratio_mild, thresholds.ratio_moderate, thresholds.ratio_severe) == (1.2, 1.5, 2.0)
    assert (thresholds.rise_strong, thresholds.gap_watch, thresholds.gap_hacking) == (1.2, 0.05, 0.10)
    assert (thresholds.tokens_normal, thresholds.tokens_verbose, thresholds.early_share) == (2.0, 3.0, 0.3)
