"""What a picture of a run shows."""

import math

import pytest
from tests.core.chart_sources import a_saved, a_series, a_source, collapsed, noisy, read
from tests.core.loop_states import a_config, a_reading, an_effective

from whatnext_service.core.chart import MAX_POINTS, Chart, chart_of
from whatnext_service.core.chart_lines import MAX_CROSSES
from whatnext_service.core.curves import Finding


def labels(chart: Chart) -> list[tuple[str, list[str]]]:
    return [(panel.label, [line.label for line in panel.lines]) for panel in chart.panels]


def test_losses_rewards_and_accuracies_have_an_axis_each_and_what_else_was_logged_has_none() -> None:
    chart = chart_of(
        a_source(
            a_series("train_mean_token_accuracy", [0.5, 0.8]),
            a_series("full_valid_loss", [1.1], [2]),
            a_series("grad_norm", [3.0, 4.0]),
            a_series("train_loss", [2.0, 1.0]),
            a_series("train_mean_reward", [0.1, 0.4]),
        )
    )
    assert labels(chart) == [
        ("loss", ["training", "validation, full pass"]),
        ("mean reward", ["training"]),
        ("token accuracy (share)", ["training"]),
    ]


def test_another_metric_is_shown_when_it_is_asked_for_or_there_is_nothing_else() -> None:
    loss, norm = a_series("train_loss", [2.0, 1.0]), a_series("grad_norm", [3.0, 4.0])
    assert labels(chart_of(a_source(loss, norm, chosen=True))) == [("loss", ["training"]), ("grad_norm", ["grad_norm"])]
    assert labels(chart_of(a_source(norm))) == [("grad_norm", ["grad_norm"])]


def test_a_picture_has_four_axes_at_most() -> None:
    many = [a_series(f"m{number}", [1.0, 2.0]) for number in range(9)]
    assert [label for label, _ in labels(chart_of(a_source(*many)))] == ["m0", "m1", "m2", "m3"]


def test_no_points_make_an_empty_picture_with_a_title() -> None:
    chart = chart_of(a_source(status="queued", saved=(a_saved(5),)))
    assert (chart.title, chart.panels, chart.marks, chart.verdict) == ("support-bot R3", (), (), None)
    assert chart.about == "gpt-4.1-mini, SFT, 2 epochs, learning rate x 1, queued"


def test_few_values_are_dots_and_many_are_a_mean_before_them() -> None:
    few = chart_of(a_source(a_series("train_loss", [2.0, 1.5, 1.2]))).panels[0].lines
    assert [(line.behind, line.dots) for line in few] == [(False, ((1, 2.0), (2, 1.5), (3, 1.2)))]
    behind, before = chart_of(a_source(a_series("train_loss", noisy(400)))).panels[0].lines
    assert (behind.behind, behind.label, before.behind, before.label) == (
        True,
        "training, as logged",
        False,
        "training",
    )
    assert behind.values == pytest.approx(noisy(400))
    assert before.values[200] == pytest.approx(sum(noisy(400)[195:206]) / 11)
    assert before.dots == behind.dots == ()


def test_a_million_points_are_a_thousand_and_no_spike_is_lost() -> None:
    values = noisy(1_000_000)
    values[123_456] = 50.0
    (panel,) = chart_of(a_source(a_series("train_loss", values))).panels
    assert [len(line.steps) <= MAX_POINTS for line in panel.lines] == [True, True]
    assert 50.0 in panel.lines[0].values
    assert panel.lowest is None, "noise near zero asks for no logarithm: the mean falls from 2.3 to 0.3"
    fewer = chart_of(a_source(a_series("train_loss", values)), 50).panels[0]
    assert max(len(line.steps) for line in fewer.lines) <= 50


@pytest.mark.parametrize(
    ("values", "logarithmic"),
    [
        ([2.0, 1.0, 0.5, 0.3], False),
        ([2.0, 0.5, 0.05, 0.005], True),
        ([2.0, 1.0, 500.0, 1e6], True),
        ([2.0, 0.05, 0.0, 0.0], False),
        ([math.nan, math.nan], False),
    ],
)
def test_a_loss_over_more_than_a_decade_is_shown_logarithmically(values: list[float], logarithmic: bool) -> None:
    (panel,) = chart_of(a_source(a_series("train_loss", values))).panels
    assert (panel.lowest is not None) is logarithmic
    assert panel.lowest is None or 0 < panel.lowest <= 1.0


def test_an_accuracy_is_never_shown_logarithmically() -> None:
    (panel,) = chart_of(a_source(a_series("train_mean_token_accuracy", [0.01, 0.9]))).panels
    assert panel.lowest is None


def test_what_is_no_number_is_a_gap_with_its_steps_marked() -> None:
    chart = chart_of(read(a_source(a_series("train_loss", collapsed()), a_series("full_valid_loss", [1.0], [60]))))
    (panel,) = chart.panels
    assert panel.broken[0] == 125
    assert panel.broken[-1] == 200
    assert len(panel.broken) <= MAX_CROSSES
    assert all(math.isnan(line.values[-1]) for line in panel.lines[:2])
    assert chart.verdict is not None
    assert chart.verdict.startswith("diverged: The training loss is nan at the end")


def test_a_value_beyond_reckoning_is_no_number() -> None:
    (panel,) = chart_of(a_source(a_series("train_loss", [2.0, 1e13, 1.0]))).panels
    assert panel.broken == (2,)


def test_a_value_between_two_gaps_is_a_dot() -> None:
    values = [math.nan if step % 2 else 1.0 + step / 1000 for step in range(150)]
    (line,) = chart_of(a_source(a_series("train_loss", values))).panels[0].lines
    assert len(line.dots) == 75


def test_checkpoints_are_marked_by_what_became_of_them() -> None:
    source = a_source(
        a_series("train_loss", [2.0, 1.0], [1, 40]),
        saved=(a_saved(40), a_saved(30, shipped=True), a_saved(20), a_saved(10, deployable=False)),
        reading=a_reading(nominated_steps=(30, 20), best_step=20),
    )
    assert [(mark.step, mark.kind) for mark in chart_of(source).marks] == [
        (10, "gone"),
        (20, "nominated"),
        (30, "shipped"),
        (40, "checkpoint"),
    ]


def test_a_final_model_in_service_is_marked_at_the_last_step() -> None:
    source = a_source(a_series("train_loss", [2.0, 1.0], [1, 40]), saved=(a_saved(40),), ships_final=True)
    assert [(mark.step, mark.kind) for mark in chart_of(source).marks] == [(40, "shipped")]


def test_the_best_step_is_told_with_its_value() -> None:
    loss = a_series("full_valid_loss", [1.0, 0.69812, 0.9], [100, 1200, 1300])
    chart = chart_of(a_source(loss, reading=a_reading(best_step=1200)))
    assert (chart.best_step, chart.best) == (1200, "best: step 1,200 (0.6981)")
    unseen = chart_of(a_source(a_series("train_loss", [1.0]), reading=a_reading(best_step=7)))
    assert unseen.best == "best: step 7"


@pytest.mark.parametrize(
    ("changes", "epochs"),
    [
        ({"saved": (a_saved(50, epoch=2),)}, ((25.0, 1), (50.0, 2), (75.0, 3), (100.0, 4))),
        ({"effective": an_effective(n_steps=100, n_epochs=2)}, ((50.0, 1), (100.0, 2))),
        ({"effective": an_effective(n_steps=None, n_examples=None, batch_size=8)}, ((42.0, 1), (84.0, 2))),
        ({"effective": an_effective(n_steps=None, batch_size=None)}, ()),
        ({}, ()),
        ({"effective": an_effective(n_steps=1000, n_epochs=2)}, ()),
    ],
)
def test_epochs_end_where_the_checkpoints_or_the_resolved_values_say(
    changes: dict[str, object], epochs: tuple[tuple[float, int], ...]
) -> None:
    assert chart_of(a_source(a_series("train_loss", [2.0, 1.0], [1, 100]), **changes)).epochs == epochs


def test_of_many_epochs_some_are_named() -> None:
    effective = an_effective(n_steps=889, n_epochs=889)
    epochs = chart_of(a_source(a_series("train_loss", [2.0, 1.0], [1, 889]), effective=effective)).epochs
    assert [number for _, number in epochs] == [75, 150, 225, 300, 375, 450, 525, 600, 675, 750, 825]


def test_what_was_resolved_goes_before_what_was_asked_for() -> None:
    effective = an_effective(n_epochs=1, learning_rate_multiplier=0.25, batch_size=16)
    config = a_config(base_model="x" * 100 + "\n$损", batch_size=8)
    about = chart_of(a_source(effective=effective, config=config)).about
    assert about == f"{'x' * 57}..., SFT, 1 epoch, learning rate x 0.25, batch 16, succeeded"


def test_the_verdict_names_the_first_critical_finding() -> None:
    finding = Finding(
        code="x", severity="critical", statement="It rose.", value=None, threshold=None, would_change="", source=""
    )
    minor = Finding(
        code="y", severity="caution", statement="No.", value=None, threshold=None, would_change="", source=""
    )
    loss = a_series("train_loss", [2.0, 1.0])
    reading = a_reading(shape="severe_overfitting", findings=(minor, finding), best_step=None)
    assert chart_of(a_source(loss, reading=reading)).verdict == "severe overfitting: It rose."
    assert chart_of(a_source(loss, reading=a_reading(shape="no_validation"))).verdict == "no validation to judge by"
