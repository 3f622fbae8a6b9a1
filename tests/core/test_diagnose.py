"""The tree of method 5, leaf by leaf, and what stands beside it."""

from pathlib import Path

import msgspec
import pytest
from tests.core.loop_states import (
    a_checkpoint,
    a_config,
    a_loop,
    a_reading,
    a_run,
    a_state,
    a_version,
    an_effective,
    an_evaluation,
    scores,
)

from whatnext_service.core.curves import Finding
from whatnext_service.core.diagnose import SUGGESTIONS, Diagnosis, diagnose
from whatnext_service.core.loops import Choices, Range
from whatnext_service.core.read_curve import read_curve
from whatnext_service.core.result_files import parse_result_file
from whatnext_service.errors import DomainError

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

MODERATE = a_reading(verdict="moderate", trend="risen", overfit_ratio=1.7, rise=1.3, best_is_last=False, best_step=60)
SEVERE = a_reading(verdict="severe", trend="risen", overfit_ratio=2.6, rise=1.6, best_is_last=False, best_step=40)
MILD = a_reading(verdict="mild", overfit_ratio=1.3, rise=1.04, best_is_last=False)
UNJUDGED = a_reading(verdict="cannot_judge", valid_source="none", overfit_ratio=None, rise=None, best_valid_loss=None)
DIVERGED = a_reading(verdict="cannot_judge", trend="collapsed", overfit_ratio=None, rise=None)
POINTS = (a_checkpoint(1, 60), a_checkpoint(1, 120, final=True))


def diagnosed(
    reading,
    *,
    n_examples=335,
    score=8.0,
    checkpoint_score=None,
    checkpoints=(),
    baseline=6.0,
    wobble=0.2,
    status="succeeded",
    **changes,
):
    run = a_run(1, reading=reading, checkpoints=checkpoints, status=status)
    evaluations = []
    if score is not None:
        evaluations.append(an_evaluation(score, run=1, items=scores(score, wobble=wobble, shift=1)))
    if checkpoint_score is not None:
        items = scores(checkpoint_score, wobble=wobble, shift=2)
        evaluations.append(an_evaluation(checkpoint_score, run=1, step=60, items=items))
    state = a_state(
        runs=(run,),
        evaluations=tuple(evaluations),
        baseline=baseline,
        versions=(a_version(n_examples=n_examples),),
        **changes,
    )
    return diagnose(state, run)


def path(diagnosis):
    return [(step.question, step.answer) for step in diagnosis.path]


LEAVES = [
    pytest.param(
        {"reading": a_reading()},
        "refine_further",
        [("curves_healthy", "yes"), ("eval_improved", "yes")],
        id="healthy, improved",
    ),
    pytest.param(
        {"reading": a_reading(), "score": 5.0},
        "improve_data",
        [("curves_healthy", "yes"), ("eval_improved", "no")],
        id="healthy, not improved",
    ),
    pytest.param(
        {"reading": a_reading(), "score": 6.2, "wobble": 4.0},
        "improve_data",
        [("curves_healthy", "yes"), ("eval_improved", "no")],
        id="healthy, within the noise (method 4)",
    ),
    pytest.param(
        {"reading": MODERATE, "checkpoints": POINTS, "checkpoint_score": 8.6},
        "deploy_checkpoint",
        [("curves_healthy", "no"), ("earlier_checkpoint_better", "yes")],
        id="overfit, earlier checkpoint better",
    ),
    pytest.param(
        {"reading": MODERATE, "checkpoints": POINTS, "checkpoint_score": 7.5},
        "train_less",
        [("curves_healthy", "no"), ("earlier_checkpoint_better", "no"), ("severe", "no")],
        id="moderate, earlier checkpoint worse",
    ),
    pytest.param(
        {"reading": MODERATE},
        "train_less",
        [("curves_healthy", "no"), ("earlier_checkpoint_better", "no"), ("severe", "no")],
        id="moderate, no earlier checkpoint",
    ),
    pytest.param(
        {"reading": MODERATE, "checkpoints": POINTS},
        "train_less",
        [("curves_healthy", "no"), ("earlier_checkpoint_better", "unknown"), ("severe", "no")],
        id="moderate, earlier checkpoint not scored",
    ),
    pytest.param(
        {"reading": SEVERE, "n_examples": 499},
        "add_data",
        [
            ("curves_healthy", "no"),
            ("earlier_checkpoint_better", "no"),
            ("severe", "yes"),
            ("dataset_small", "yes"),
        ],
        id="severe, small",
    ),
    pytest.param(
        {"reading": SEVERE, "n_examples": 500},
        "lower_rate_drastically",
        [
            ("curves_healthy", "no"),
            ("earlier_checkpoint_better", "no"),
            ("severe", "yes"),
            ("dataset_small", "no"),
        ],
        id="severe, large",
    ),
    pytest.param(
        {"reading": DIVERGED, "n_examples": 100},
        "lower_rate_drastically",
        [("curves_healthy", "no"), ("earlier_checkpoint_better", "no"), ("severe", "yes")],
        id="diverged: more data would not help (method 3)",
    ),
    pytest.param(
        {"reading": MILD, "n_examples": 335},
        "refine_further",
        [("curves_healthy", "yes"), ("eval_improved", "yes")],
        id="mild is acceptable on a small dataset (method 3)",
    ),
    pytest.param(
        {"reading": MILD, "n_examples": 800},
        "train_less",
        [("curves_healthy", "no"), ("earlier_checkpoint_better", "no"), ("severe", "no")],
        id="mild is not acceptable on a large one",
    ),
    pytest.param(
        {"reading": UNJUDGED},
        "refine_further",
        [("curves_healthy", "unknown"), ("eval_improved", "yes")],
        id="no validation, improved",
    ),
    pytest.param(
        {"reading": UNJUDGED, "score": 5.0},
        "cannot_judge",
        [("curves_healthy", "unknown"), ("eval_improved", "no")],
        id="no validation, not improved",
    ),
    pytest.param(
        {"reading": None},
        "refine_further",
        [("curves_healthy", "unknown"), ("eval_improved", "yes")],
        id="no curve",
    ),
    pytest.param(
        {"reading": a_reading(), "score": None},
        "evaluate_run",
        [("curves_healthy", "yes"), ("eval_improved", "unknown")],
        id="not evaluated",
    ),
    pytest.param(
        {"reading": a_reading(), "baseline": None},
        "establish_baseline",
        [("curves_healthy", "yes"), ("eval_improved", "unknown")],
        id="no baseline (method 4)",
    ),
    pytest.param(
        {"reading": MODERATE, "score": None, "status": "running"},
        "still_training",
        [("curves_healthy", "no")],
        id="still training",
    ),
    pytest.param(
        {"reading": None, "score": None, "status": "failed"},
        "run_failed",
        [("curves_healthy", "unknown")],
        id="failed without a curve",
    ),
    pytest.param(
        {"reading": DIVERGED, "score": None, "status": "failed"},
        "lower_rate_drastically",
        [("curves_healthy", "no"), ("earlier_checkpoint_better", "no"), ("severe", "yes")],
        id="failed because it diverged",
    ),
]


@pytest.mark.parametrize(("facts", "leaf", "expected"), LEAVES)
def test_every_leaf_of_the_tree(facts, leaf, expected):
    diagnosis = diagnosed(**facts)
    assert (diagnosis.leaf, path(diagnosis)) == (leaf, expected)
    assert diagnosis.suggestion == dict(SUGGESTIONS)[leaf]
    assert diagnosis.headline.startswith("R1: ")


def test_the_table_of_leaves_is_complete():
    assert {parameters.values[1] for parameters in LEAVES} == {leaf for leaf, _ in SUGGESTIONS}


@pytest.mark.parametrize(("facts", "leaf", "expected"), LEAVES)
def test_each_answer_names_evidence_that_is_there(facts, leaf, expected):
    diagnosis = diagnosed(**facts)
    known = {one.code for one in diagnosis.evidence}
    for step in diagnosis.path:
        assert set(step.evidence) <= known
        assert step.evidence or step.answer == "unknown"


def test_the_numbers_that_answered_are_shown():
    diagnosis = diagnosed(SEVERE, n_examples=120)
    shown = {one.code: (one.value, one.threshold) for one in diagnosis.evidence}
    assert shown["overfit_ratio"] == (2.6, 2.0)
    assert shown["validation_rise"] == (1.6, 1.2)
    assert shown["dataset_size"] == (120, 500)
    assert next(one for one in diagnosis.evidence if one.code == "overfit_ratio").href == "/v1/runs/run_1/metrics"


@pytest.mark.parametrize(
    ("facts", "tweaks"),
    [
        ({"reading": MODERATE}, [("learning_rate_multiplier", 0.5), ("n_epochs", 1)]),
        (
            {"reading": SEVERE, "n_examples": 900},
            [("learning_rate_multiplier", 0.3), ("learning_rate_multiplier", 0.1)],
        ),
        ({"reading": a_reading()}, [("batch_size", 16), ("batch_size", 32)]),
        ({"reading": SEVERE, "n_examples": 90}, []),
    ],
)
def test_the_leaf_brings_the_methods_values(facts, tweaks):
    """Method 5 and 6.2."""
    assert [(one.variable, one.to_value) for one in diagnosed(**facts).tweaks] == tweaks


def test_values_outside_the_choices_are_not_suggested():
    loop = a_loop(choices=Choices(n_epochs=Range(min=2, max=5)))
    assert [one.variable for one in diagnosed(MODERATE, loop=loop).tweaks] == ["learning_rate_multiplier"]


def test_the_checkpoint_to_deploy_is_named():
    diagnosis = diagnosed(MODERATE, checkpoints=POINTS, checkpoint_score=8.6)
    assert diagnosis.checkpoint_id == "ckpt_1_60"


def test_a_tie_between_checkpoints_is_not_better():
    """Evidence 8: differences below one paired standard error are ties."""
    diagnosis = diagnosed(MODERATE, checkpoints=POINTS, checkpoint_score=8.05, wobble=2.0)
    assert diagnosis.leaf == "train_less"


def test_a_child_is_held_against_its_parent():
    parent, child = a_run(1), a_run(2, a_config(n_epochs=3))
    state = a_state(runs=(parent, child), evaluations=(an_evaluation(8.0, run=1), an_evaluation(7.0, run=2)))
    assert diagnose(state, parent).leaf == "refine_further"
    assert diagnose(state, child).leaf == "improve_data"


def test_a_change_of_suite_leaves_nothing_to_compare_with():
    """Method 4: a new comparison series."""
    run = a_run(1)
    other = msgspec.structs.replace(an_evaluation(9.0, run=1), fingerprint="other")
    assert diagnose(a_state(runs=(run,), evaluations=(other,)), run).leaf == "evaluate_run"


def test_same_evidence_same_fingerprint_and_other_evidence_another():
    one, again, other = diagnosed(SEVERE), diagnosed(SEVERE), diagnosed(SEVERE, n_examples=336)
    assert one == again
    assert len(one.evidence_fingerprint) == 64
    assert one.evidence_fingerprint != other.evidence_fingerprint


def test_the_curves_own_findings_come_along():
    finding = Finding(
        code="leak",
        severity="critical",
        statement="validation rows are in training",
        value=1.0,
        threshold=0.0,
        would_change="a disjoint file",
        source="hazards e",
    )
    found = {one.code: one for one in diagnosed(a_reading(findings=(finding,))).findings}
    assert found["leak"].kind == "curve"
    assert found["leak"].severity == "critical"


@pytest.mark.parametrize(
    ("version", "code"),
    [
        (a_version(n_contradictions=10), "contradictory_examples"),
        (a_version(n_duplicates=4), "duplicate_examples"),
        (a_version(n_label_suspects=3), "suspect_labels"),
        (a_version(n_examples=49), "too_few_examples"),
        (a_version(n_examples=5001), "more_than_needed"),
        (a_version(n_examples=499, method="dpo"), "too_few_examples"),
        (a_version(n_examples=199, method="rft"), "too_few_examples"),
    ],
)
def test_data_findings(version, code):
    """Method 6.1 and 6.4."""
    run = a_run(1)
    found = [one for one in diagnose(a_state(runs=(run,), versions=(version,)), run).findings if one.kind == "data"]
    assert [one.code for one in found] == [code]
    assert found[0].suggestion


def test_clean_data_of_the_right_size_has_no_finding():
    run = a_run(1)
    assert not [one for one in diagnose(a_state(runs=(run,)), run).findings if one.kind == "data"]


@pytest.mark.parametrize(
    ("child", "code"),
    [
        (a_run(2, a_config(n_epochs=3), confounded_by=("n_epochs", "batch_size")), "confounded_run"),
        (
            a_run(
                2,
                a_config(dataset_version_id="dsv_2"),
                effective=an_effective(dataset_sha256="sha-2", n_examples=900, n_steps=1800),
            ),
            "hidden_change",
        ),
        (a_run(2, a_config(learning_rate_multiplier=0.5), effective=an_effective()), "change_not_taken"),
        (
            a_run(2, a_config(n_epochs=3), effective=an_effective(n_epochs=3, n_steps=1005, seed=8)),
            "seed_differs",
        ),
    ],
)
def test_process_findings(child, code):
    """Method 1, evidence 3, hazards f."""
    state = a_state(runs=(a_run(1, effective=an_effective()), child))
    assert [one.code for one in diagnose(state, child).findings if one.kind == "process"] == [code]


@pytest.mark.skipif(not DATA.is_dir(), reason="the real training records are not at hand")
def test_every_real_curve_can_be_diagnosed():
    n_read = 0
    for path in sorted(file for kind in ("openai_csv", "trainer_state") for file in (DATA / kind).rglob("*.*")):
        try:
            parsed = parse_result_file(path.read_bytes())
        except DomainError:
            continue
        run = a_run(1, reading=read_curve(parsed.curve))
        diagnosis = diagnose(a_state(runs=(run,), evaluations=(an_evaluation(8.0, run=1),)), run)
        assert msgspec.json.decode(msgspec.json.encode(diagnosis), type=Diagnosis) == diagnosis, path.name
        n_read += 1
    assert n_read > 80
