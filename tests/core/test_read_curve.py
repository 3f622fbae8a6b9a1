"""What a curve shows, rule by rule; each row names the rule's source."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.curve_tables import curve_from_columns

from whatnext_service.core.curves import Curve, CurveReading, Finding
from whatnext_service.core.loops import Method
from whatnext_service.core.read_curve import read_curve
from whatnext_service.core.thresholds import CurveThresholds

EPOCHS = 5
STEPS = 50
FALLING = [2.0 - 0.03 * step for step in range(1, STEPS + 1)]


def curve(
    train: list[float], full: list[float] | None = None, batch: list[float] | None = None, **more: list[float | None]
) -> Curve:
    """Training losses at every step, full passes at even distances up to the last."""
    columns: dict[str, list[float | None]] = {"train_loss": list(train), **more}
    if full is not None:
        every = len(train) // len(full)
        columns["full_valid_loss"] = [
            full[step // every - 1] if step % every == 0 else None for step in range(1, len(train) + 1)
        ]
    if batch is not None:
        columns["valid_loss"] = list(batch)
    return curve_from_columns(list(range(1, len(train) + 1)), columns)


def found(reading: CurveReading, code: str) -> Finding:
    return next(finding for finding in reading.findings if finding.code == code)


def codes(reading: CurveReading) -> set[str]:
    return {finding.code for finding in reading.findings}


def train_to(last: float, first: float = 2.0) -> list[float]:
    return [first + (last - first) * min(1.0, step / (0.8 * STEPS)) for step in range(STEPS)]


@pytest.mark.parametrize(
    ("train", "full", "verdict", "trend", "shape", "source"),
    [
        (train_to(0.9), [1.5, 1.2, 1.1, 1.05, 1.0], "healthy", "falling", "healthy", "method 3: ratio 1.1"),
        (train_to(0.5), [1.5, 1.2, 1.1, 1.05, 1.0], "healthy", "falling", "healthy", "hazards i: ratio 2, falling"),
        (train_to(0.01), [1.5, 0.9, 0.4, 0.1, 0.02], "healthy", "falling", "healthy", "method 3: an easy task"),
        (train_to(0.8), [1.5, 1.2, 1.0, 1.005, 1.01], "healthy", "flat", "healthy", "measured: +1 % is healthy"),
        (train_to(0.8), [1.5, 1.2, 1.0, 1.01, 1.03], "mild", "flat", "mild_overfitting", "measured: +3 % is mild"),
        (train_to(0.3), [1.5, 1.2, 1.0, 1.01, 1.03], "mild", "flat", "mild_overfitting", "evidence 8: below 1.05"),
        (train_to(0.9), [1.5, 1.2, 1.0, 1.05, 1.1], "mild", "risen", "mild_overfitting", "method 3: ratio below 1.5"),
        (train_to(0.62), [1.5, 1.2, 1.0, 1.05, 1.1], "moderate", "risen", "moderate_overfitting", "method 3: 1.5"),
        (train_to(0.5), [1.5, 1.2, 1.0, 1.05, 1.1], "severe", "risen", "severe_overfitting", "method 3: 2.0"),
        (train_to(1.1), [1.5, 1.2, 1.0, 1.1, 1.25], "moderate", "risen", "moderate_overfitting", "method 3: +20 %"),
        (train_to(0.5), [1.0, 1.1, 1.2, 1.3, 1.4], "severe", "above_first", "severe_overfitting", "evidence 8"),
        (train_to(0.5), [1.0, 1.003, 1.001, 0.998, 1.002], "healthy", "flat", "plateau", "method 3: flat at once"),
        (train_to(1.9), [2.0, 1.97, 1.95, 1.93, 1.9], "healthy", "falling", "underfitting", "evidence 8: raise LR"),
        (train_to(0.0004), [0.002, 0.001, 0.0012, 0.0015, 0.002], "mild", "risen", "mild_overfitting", "method 3"),
    ],
)  # fmt: skip
def test_verdict_needs_ratio_and_shape(
    train: list[float], full: list[float], verdict: str, trend: str, shape: str, source: str
) -> None:
    reading = read_curve(curve(train, full))
    assert (reading.verdict, reading.trend, reading.shape) == (verdict, trend, shape), reading
    assert reading.valid_source == "full"


ZEROS = [2.0 - 0.05 * step for step in range(20)] + [0.0] * 30
RISING_TRAIN = train_to(2.4)


@pytest.mark.parametrize(
    ("code", "severity", "shown", "options", "source"),
    [
        ("above_first", "critical", curve(train_to(0.5), [1.0, 1.1, 1.2, 1.3, 1.4]), {}, "evidence 8"),
        ("overfit_severe", "critical", curve(train_to(0.5), [1.5, 1.2, 1.0, 1.05, 1.1]), {}, "method 3"),
        ("overfit_moderate", "caution", curve(train_to(0.62), [1.5, 1.2, 1.0, 1.05, 1.1]), {}, "method 3"),
        ("overfit_mild", "info", curve(train_to(0.9), [1.5, 1.2, 1.0, 1.05, 1.1]), {}, "method 3"),
        ("underfit", "caution", curve(train_to(1.9), [2.0, 1.97, 1.95, 1.93, 1.9]), {}, "evidence 8"),
        ("rate_too_high", "critical", curve(train_to(1.9), [2.0, 2.1, 2.2, 2.3, 2.4]), {}, "evidence 8"),
        ("diverged", "critical", curve(RISING_TRAIN, [2.0, 2.1, 2.2, 2.3, 2.4]), {}, "evidence 8"),
        ("diverged", "critical", curve([1.6, 11.8, 11.6, 10.4] + [10.37] * 6), {}, "hazards h: polu_LR5"),
        ("not_finite", "critical", curve([2.0] * 45 + [math.nan] * 5), {}, "method 3: NaN"),
        ("not_finite", "critical", curve([2.0] * 45 + [math.inf] * 5), {}, "method 3: explodes"),
        ("nan_collapse", "critical", curve(ZEROS, train_mean_token_accuracy=[0.1] * 50), {}, "hazards g"),
        ("nan_collapse", "critical", curve(ZEROS, grad_norm=[1.0] * 20 + [math.nan] * 30), {}, "hazards 6"),
        ("nan_collapse", "critical", curve([2.0] * 40 + [0.0] * 10), {}, "hazards 6: at once"),
        ("memorised", "info", curve(ZEROS, train_mean_token_accuracy=[1.0] * 50), {}, "hazards g, 5"),
        ("memorised", "info", curve([0.03] + [0.0] * 99), {}, "hazards h: 889 epochs"),
        ("validation_not_finite", "caution", curve(FALLING, [1.5, math.nan, 1.2, 1.1, 1.0]), {}, "hazards 6"),
        ("validation_collapsed", "critical", curve(FALLING, [1.5, math.nan, math.nan, math.nan, 1.0]), {}, "hazards 6"),
        ("plateau", "info", curve(train_to(0.5), [1.0, 1.003, 1.001, 0.998, 1.002]), {}, "method 3"),
        ("still_improving", "info", curve(train_to(0.9), [1.5, 1.2, 1.1, 1.05, 1.0]), {}, "evidence 8"),
        ("ratio_without_rise", "info", curve(train_to(0.5), [1.5, 1.2, 1.1, 1.05, 1.0]), {}, "evidence 8"),
        ("scale_mismatch", "info", curve(train_to(2.0, 4.0), [0.42, 0.41, 0.4, 0.39, 0.38]), {}, "hazards c"),
        ("initial_gap", "caution", curve(train_to(0.9), [4.0] + [3.0 - 0.02 * k for k in range(49)]), {}, "method 3"),
        ("best_early", "caution", curve(train_to(0.2), [1.0] + [1.2 + 0.01 * k for k in range(24)]), {}, "evidence 3"),
        ("too_short", "caution", curve([2.0, 1.5, 1.2]), {}, "measured: fewer than five points"),
        ("no_validation", "caution", curve(FALLING), {}, "method 3"),
        ("too_early", "info", curve(FALLING, [1.5, 1.2, 1.1, 1.2, 1.5]), {"planned_steps": 500}, "evidence 2"),
        ("too_early", "info", curve(FALLING), {"n_examples": 9999, "batch_size": 4, "n_epochs": 2, "running": True},
         "evidence 3: planned steps"),
        ("chance_level", "critical", curve([0.7] * 50, [0.693, 0.694, 0.692, 0.693, 0.693]), {}, "hazards h"),
        ("learning_rate_extreme", "critical", curve(FALLING, learning_rate=[5.0] * 50), {}, "hazards h: 5"),
        ("learning_rate_extreme", "critical", curve(FALLING), {"requested_learning_rate": 5.0}, "hazards h: 5"),
        ("change_did_not_take", "critical", curve(FALLING, learning_rate=[5e-5] * 50),
         {"requested_learning_rate": 2e-4}, "hazards f"),
        ("epochs_extreme", "caution", curve(FALLING), {"n_epochs": 889}, "hazards h: 889"),
        ("leak_suspected", "caution", curve(train_to(0.05), [2.0, 0.8, 0.3, 0.1, 0.05]), {}, "hazards e"),
        ("zero_loss_contradicted", "caution", curve(FALLING, batch=[0.5] * 49 + [0.0],
         valid_mean_token_accuracy=[0.4] * 50), {}, "hazards 6"),
        ("metric_disagrees", "info", curve(train_to(0.2), [1.0, 1.1, 1.2, 1.3, 1.4],
         full_valid_mean_token_accuracy=[0.5 + 0.004 * k for k in range(50)]), {}, "hazards d"),
        ("best_step_gone", "caution", curve(train_to(0.5), [1.0, 1.1, 1.2, 1.3, 1.4]), {"deployable_steps": (30, 50)},
         "hazards j"),
    ],
)  # fmt: skip
def test_finding(code: str, severity: str, shown: Curve, options: dict[str, float], source: str) -> None:
    finding = found(read_curve(shown, method="sft", **options), code)
    assert finding.severity == severity
    assert finding.statement
    assert finding.would_change
    assert finding.source


@pytest.mark.parametrize(
    ("code", "shown", "options", "source"),
    [
        ("above_first", curve(train_to(0.5), [1.0, 1.003, 1.001, 0.998, 1.005]), {}, "evidence 8: within 1 %"),
        ("diverged", curve([0.3, 2.0, 0.2, 1.8] * 12), {}, "evidence 2: within the noise"),
        ("diverged", curve([0.001] * 25 + [0.004] * 25, [0.1, 0.2, 0.3]), {}, "measured: near zero nothing diverges"),
        ("nan_collapse", curve([4e-6, 0.228, 0.0] * 15, train_mean_token_accuracy=[1.0] * 45), {}, "evidence 2"),
        ("plateau", curve(train_to(0.9), [1.5, 1.2, 1.1, 1.05, 1.0]), {}, "method 3"),
        ("overfit_severe", curve(FALLING, [1.5, 1.2, 1.0, 1.2, 1.5]), {"planned_steps": 500}, "evidence 2: first 30 %"),
        ("above_first", curve(FALLING, [1.0, 1.2, 1.3, 1.4, 1.5]), {"planned_steps": 500}, "evidence 2: first 30 %"),
        ("too_early", curve(FALLING), {"n_examples": 100, "batch_size": 4, "n_epochs": 2, "running": True}, "whole"),
        ("too_early", curve(FALLING), {"n_examples": 9999, "batch_size": 4, "n_epochs": 2}, "it has ended"),
        ("learning_rate_extreme", curve(FALLING), {"requested_learning_rate": 2.0}, "method 6: the widest multiplier"),
        ("change_did_not_take", curve(FALLING, learning_rate=[5e-5] * 50), {"requested_learning_rate": 1.0},
         "evidence 3: a multiplier is no rate"),
        ("initial_gap", curve(train_to(0.3), [3.0, 2.0]), {}, "method 3: the first evaluation comes late"),
        ("change_did_not_take", curve(FALLING, learning_rate=[5e-5] * 50), {"requested_learning_rate": 5e-5},
         "hazards f"),
        ("ratio_without_rise", curve(train_to(0.9), [1.5, 1.2, 1.1, 1.05, 1.0]), {}, "method 3: ratio below 1.2"),
        ("leak_suspected", curve(train_to(0.05), [2.0, 1.2, 0.9, 0.7, 0.6]), {}, "hazards e"),
        ("metric_disagrees", curve(train_to(0.2), [1.0, 1.1, 1.2, 1.3, 1.4]), {}, "evidence 2: no such column"),
    ],
)  # fmt: skip
def test_no_finding(code: str, shown: Curve, options: dict[str, float], source: str) -> None:
    assert code not in codes(read_curve(shown, method="sft", **options))


def test_full_passes_are_preferred_to_batches() -> None:
    rng = np.random.default_rng(3)
    noisy = (1.0 + rng.normal(0.0, 0.5, STEPS)).clip(0.1).tolist()
    reading = read_curve(curve(train_to(0.9), [1.5, 1.2, 1.1, 1.05, 1.0], noisy))
    assert (reading.valid_source, reading.best_valid_loss, reading.n_valid_points) == ("full", 1.0, 5)


def test_evaluation_at_step_0_is_the_untuned_model_and_not_the_first_value() -> None:
    columns = {"train_loss": [2.0, 1.5, 1.2, 1.0, 0.9, 0.8], "full_valid_loss": [1.0, 1.3, 1.2, 1.15, 1.12, 1.1]}
    reading = read_curve(curve_from_columns([0, 10, 20, 30, 40, 50], columns))
    assert reading.first_valid_loss == 1.3
    assert reading.trend == "falling"
    assert found(reading, "worse_than_untuned").value == pytest.approx(1.1)


def test_a_single_evaluation_is_healthy_only_by_its_ratio() -> None:
    assert read_curve(curve(train_to(0.9), [1.0])).verdict == "healthy"
    assert read_curve(curve(train_to(0.5), [1.0])).verdict == "cannot_judge"
    assert read_curve(curve(train_to(1.99), [1.0])).verdict == "cannot_judge"


def test_a_broken_run_has_no_overfitting_verdict() -> None:
    reading = read_curve(curve([2.0] * 45 + [math.nan] * 5, [1.5, 1.2, 1.1, 1.2, 1.5]))
    assert (reading.verdict, reading.trend, reading.shape) == ("cannot_judge", "collapsed", "diverged")


def test_an_empty_curve_is_too_short() -> None:
    reading = read_curve(Curve(series=()))
    assert (reading.shape, reading.verdict, reading.nominated_steps) == ("too_short", "cannot_judge", ())


def test_one_bad_row_of_the_validation_file_is_named() -> None:
    rows = [1.0, 1.1, 0.9, 1.0, 1.2, 0.8, 1.0, 1.1, 0.9, 1.0, 10.7]
    reading = read_curve(curve([1.0] * 88, batch=rows * 8), n_validation=11)
    assert found(reading, "periodic_validation").value == 11.0
    assert found(reading, "suspect_validation_row").value == 11.0
    assert reading.verdict == "healthy"


def test_the_period_is_found_without_the_number_of_rows() -> None:
    rng = np.random.default_rng(5)
    rows = rng.lognormal(0.0, 0.5, 7)
    losses = [float(rows[step % 7] * rng.lognormal(0.0, 0.05)) for step in range(84)]
    reading = read_curve(curve([1.0] * 84, batch=losses))
    assert found(reading, "periodic_validation").value == 7.0
    assert "overfit_severe" not in codes(reading)


def test_a_full_pass_loss_that_jumps_about_oscillates() -> None:
    rng = np.random.default_rng(2)
    full = (0.9 + rng.normal(0.0, 0.12, 40)).tolist()
    reading = read_curve(curve([1.0 + 0.001 * step for step in range(80)], full))
    assert (reading.trend, reading.shape) == ("oscillating", "oscillating")
    assert found(reading, "oscillating").value == pytest.approx(0.12 / 0.85, rel=0.5)


@pytest.mark.parametrize("n", [4, 5, 6, 7, 8, 10, 13, 20, 41])
@pytest.mark.parametrize("pair", [(1.0, 1.3), (1.3, 1.0), (0.5, 0.7), (2.0, 2.14)])
def test_a_full_pass_loss_that_alternates_oscillates_and_is_no_overfitting(n: int, pair: tuple[float, float]) -> None:
    reading = read_curve(curve(train_to(0.5)[:40] * n, [pair[place % 2] for place in range(n)]))
    assert (reading.verdict, reading.trend, reading.shape) == ("cannot_judge", "oscillating", "oscillating")
    assert "oscillating" in codes(reading)
    assert codes(reading).isdisjoint({"above_first", "plateau", "overfit_mild", "overfit_moderate", "overfit_severe"})


@pytest.mark.parametrize(
    ("full", "shape", "why"),
    [
        ([1.0, 1.3, 1.0], "unknown", "one peak is no oscillation, and hides any rise"),
        ([2.0, 1.0, 1.3, 1.05, 1.25], "unknown", "a rise no higher than the peak before it"),
        ([3.0, 1.0, 1.2, 1.1, 1.15], "healthy", "it fell by far more than it jumps"),
        ([1.0, 0.9, 1.3, 0.8, 1.1], "oscillating", "three swings without a trend"),
        ([1.5, 1.2, 1.0, 1.1, 1.06, 1.4], "severe_overfitting", "it rises by more than its peaks"),
        ([1.6, 1.3, 1.31, 1.1, 1.0], "healthy", "a small peak on the way down"),
    ],
)
def test_with_few_full_passes_a_peak_stands_for_the_noise(full: list[float], shape: str, why: str) -> None:
    assert read_curve(curve(train_to(0.5), full)).shape == shape, why


@pytest.mark.parametrize("n", [8, 10, 12, 16, 24])
def test_a_few_noisy_batches_are_not_called_healthy(n: int) -> None:
    rng = np.random.default_rng(13)
    runs = [curve(train_to(0.5)[:n], batch=rng.lognormal(0.0, 0.4, n).tolist()) for _ in range(60)]
    readings = [read_curve(run) for run in runs]
    assert sum(reading.verdict == "cannot_judge" and "too_noisy" in codes(reading) for reading in readings) >= 54
    assert all(reading.shape == "unknown" for reading in readings if "too_noisy" in codes(reading))


def healthy_run(rng: np.random.Generator, n: int, spread: float) -> Curve:
    """A run that learns and then stays, its validation loss a single batch of this relative spread."""
    level = 1.0 + 2.0 * np.exp(-12.0 * np.arange(1, n + 1) / n)
    batch = level * rng.lognormal(-spread * spread / 2.0, spread, n)
    return curve((level * rng.lognormal(0.0, 0.2, n)).tolist(), batch=batch.tolist())


@pytest.mark.parametrize(("n", "spread"), [(20, 0.3), (60, 0.1), (60, 0.6), (200, 0.3), (200, 1.0)])
def test_simulated_healthy_runs_rarely_raise_an_alarm(n: int, spread: float) -> None:
    rng = np.random.default_rng(11)
    runs = [healthy_run(rng, n, spread) for _ in range(60)]
    alarms = sum(read_curve(run).verdict in ("mild", "moderate", "severe") for run in runs)
    assert alarms <= 3


def test_the_plain_rule_would_raise_alarms_on_most_healthy_runs() -> None:
    """Last over best single batch above 1.2, as the published method has it, against the reading (evidence 2)."""
    rng = np.random.default_rng(11)
    runs = [healthy_run(rng, 200, 0.3) for _ in range(60)]
    losses = [next(series.values for series in run.series if series.name == "valid_loss") for run in runs]
    assert sum(values[-1] > 1.2 * min(values) for values in losses) > 40
    assert sum(read_curve(run).verdict != "healthy" for run in runs) <= 3


@pytest.mark.parametrize(("n", "spread"), [(60, 0.1), (200, 0.3), (600, 0.6)])
def test_simulated_overfitting_is_seen_through_the_noise(n: int, spread: float) -> None:
    rng = np.random.default_rng(12)
    share = np.arange(1, n + 1) / n
    level = 1.0 + 2.0 * np.exp(-12.0 * share) + np.maximum(0.0, share - 0.4)
    seen = 0
    for _ in range(40):
        batch = level * rng.lognormal(-spread * spread / 2.0, spread, n)
        train = np.maximum(0.1, 2.0 - 2.5 * share)
        seen += read_curve(curve(train.tolist(), batch=batch.tolist())).verdict in ("moderate", "severe")
    assert seen >= 34


def test_thresholds_can_be_overridden_and_are_named_in_the_reading() -> None:
    shown = curve(train_to(0.62), [1.5, 1.2, 1.0, 1.05, 1.1])
    lenient = CurveThresholds(ratio_moderate=1.9)
    assert read_curve(shown, thresholds=lenient).verdict == "mild"
    assert read_curve(shown).thresholds_version == CurveThresholds().version
    assert read_curve(shown, thresholds=lenient).thresholds_version == lenient.version != CurveThresholds().version


def test_the_same_curve_gives_the_same_reading() -> None:
    shown = healthy_run(np.random.default_rng(1), 100, 0.4)
    assert read_curve(shown) == read_curve(shown)


values = st.floats(width=32) | st.sampled_from([0.0, -0.0, 1e-300, 1e300, math.nan, math.inf])


@settings(max_examples=60, derandomize=True)
@given(
    columns=st.dictionaries(
        st.sampled_from(
            ["train_loss", "valid_loss", "full_valid_loss", "train_mean_token_accuracy", "train_mean_reward",
             "full_valid_mean_reward", "completion_tokens_mean", "learning_rate", "rewards/chosen",
             "rewards/accuracies"]
        ),
        st.lists(values | st.none(), min_size=30, max_size=30),
    ),
    n=st.integers(0, 30),
    method=st.sampled_from(["sft", "dpo", "rft", None]),
    options=st.fixed_dictionaries(
        {}, optional={"n_validation": st.integers(1, 40), "planned_steps": st.integers(1, 100),
                      "n_epochs": st.integers(1, 9),
                      "deployable_steps": st.lists(st.integers(1, 40), max_size=3).map(tuple)}
    ),
)  # fmt: skip
def test_no_curve_crashes_the_reading_and_every_number_in_it_is_finite(
    columns: dict[str, list[float | None]], n: int, method: Method | None, options: dict[str, float]
) -> None:
    shown = curve_from_columns(list(range(n)), {name: column[:n] for name, column in columns.items()})
    reading = read_curve(shown, method=method, **options)
    numbers = [getattr(reading, name) for name in reading.__struct_fields__]
    numbers += [number for finding in reading.findings for number in (finding.value, finding.threshold)]
    assert all(math.isfinite(number) for number in numbers if isinstance(number, float))
    assert list(reading.nominated_steps) == list(dict.fromkeys(reading.nominated_steps))
