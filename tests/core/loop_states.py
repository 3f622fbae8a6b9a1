"""States for the tests of the core's rules: every part has a plain default, and a test names what matters to it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from whatnext_service.core.curves import CurveReading
from whatnext_service.core.evaluations import Dimension, Evaluation, Suite, SuiteRole, pack_scores
from whatnext_service.core.loops import Budget, Choices, Loop, Metric, Rules
from whatnext_service.core.runs import Checkpoint, EffectiveConfig, Run, RunConfig
from whatnext_service.core.state import BaseModel, DatasetVersion, DerivationKind, LoopState

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def a_loop(**changes: object) -> Loop:
    loop = Loop(
        id="loop_1",
        slug="support",
        task="answer support questions",
        metric=Metric(),
        rules=Rules(),
        budget=Budget(),
        choices=Choices(),
        autopilot="off",
        dataset_id="ds_1",
        validation_version_id="dsv_valid",
        created_at=START,
    )
    return msgspec.structs.replace(loop, **changes)


def a_version(number: int = 1, n_examples: int = 335, **changes: object) -> DatasetVersion:
    version = DatasetVersion(
        id=f"dsv_{number}",
        number=number,
        sha256=f"sha-{number}",
        n_examples=n_examples,
        method="sft",
        parent_id=None if number == 1 else f"dsv_{number - 1}",
        derived_by=("upload",),
        n_duplicates=0,
        n_contradictions=0,
        n_label_suspects=0,
        n_tokens=100_000,
        created_at=START,
    )
    return msgspec.structs.replace(version, **changes)


def a_model(name: str = "gpt-4.1-mini", **changes: object) -> BaseModel:
    model = BaseModel(
        name=name,
        provider="openai",
        family="gpt-4.1",
        best_for="most tasks",
        methods=("sft",),
        start_epochs=2,
        start_learning_rate=1.0,
        learning_rate_min=0.1,
        learning_rate_max=2.0,
        epochs_max=5,
        min_examples=None,
        notes="",
        training_price_per_mtok=Decimal(5),
        training_ends=None,
        retires=None,
        source="test",
    )
    return msgspec.structs.replace(model, **changes)


def a_reading(**changes: object) -> CurveReading:
    reading = CurveReading(
        thresholds_version="test",
        n_points=100,
        last_step=100,
        verdict="healthy",
        verdict_basis="ratio and shape",
        trend="falling",
        valid_source="full",
        first_train_loss=1.0,
        last_train_loss=0.3,
        first_valid_loss=1.0,
        best_valid_loss=0.32,
        best_step=100,
        last_valid_loss=0.32,
        overfit_ratio=1.07,
        rise=1.0,
        best_is_last=True,
        best_accuracy=0.8,
        n_valid_points=10,
        nominated_steps=(100,),
        findings=(),
        shape="healthy",
    )
    return msgspec.structs.replace(reading, **changes)


def a_config(**changes: object) -> RunConfig:
    config = RunConfig(base_model="gpt-4.1-mini", dataset_version_id="dsv_1", n_epochs=2, learning_rate_multiplier=1.0)
    return msgspec.structs.replace(config, **changes)


def an_effective(**changes: object) -> EffectiveConfig:
    effective = EffectiveConfig(
        base_model_snapshot="gpt-4.1-mini-2025-04-14",
        dataset_sha256="sha-1",
        validation_sha256="sha-valid",
        n_examples=335,
        n_epochs=2,
        learning_rate_multiplier=1.0,
        batch_size=1,
        n_steps=670,
        seed=7,
    )
    return msgspec.structs.replace(effective, **changes)


def a_run(number: int = 1, config: RunConfig | None = None, **changes: object) -> Run:
    run = Run(
        id=f"run_{number}",
        number=number,
        parent_id=None if number == 1 else "run_1",
        provider="openai",
        status="succeeded",
        config=config or a_config(),
        effective=None,
        confounded_by=(),
        recommendation_id=None,
        reading=a_reading(),
        checkpoints=(),
        failure=None,
        cost=Decimal("1.20"),
        created_at=START + timedelta(hours=number),
        finished_at=START + timedelta(hours=number, minutes=30),
    )
    return msgspec.structs.replace(run, **changes)


def a_checkpoint(run_number: int, step: int, *, final: bool = False, deployable: bool = True) -> Checkpoint:
    return Checkpoint(
        id=f"ckpt_{run_number}_{step}",
        step=step,
        epoch=None,
        model=f"ft:{run_number}:{step}",
        deployable=deployable,
        final=final,
        train_loss=None,
        valid_loss=None,
        full_valid_loss=None,
    )


def a_suite(n_items: int = 50, role: SuiteRole = "selection", **changes: object) -> Suite:
    suite = Suite(
        id=f"suite_{role}",
        role=role,
        fingerprint=f"print-{role}",
        n_items=n_items,
        dataset_version_id="dsv_eval",
        clusters=None,
        binary=False,
        regrade_sd=None,
        created_at=START,
    )
    return msgspec.structs.replace(suite, **changes)


def scores(mean: float, n: int = 50, wobble: float = 0.2, shift: int = 0) -> list[float | None]:
    """Items whose mean is exactly `mean`, up to `wobble` apart from it, otherwise scattered for every shift."""
    steps = [(index * (2 * shift + 3) + index // 11) % 7 - 3 for index in range(n)]
    middle = sum(steps) / n
    return [mean + wobble * (step - middle) / 3 for step in steps]


def an_evaluation(
    combined: float,
    *,
    run: int | None = None,
    step: int | None = None,
    items: Iterable[float | None] | None = (),
    role: SuiteRole = "selection",
    dimensions: tuple[Dimension, ...] = (),
    **changes: object,
) -> Evaluation:
    """Of a run, its checkpoint at a step, or of the untuned model; items follow from the score unless given or null."""
    kept: list[float | None] = [] if items is None else list(items) or scores(combined, shift=run or 0)
    subject = "base_model" if run is None else "run" if step is None else "checkpoint"
    evaluation = Evaluation(
        id=f"eval_{run or 'base'}_{step or 'final'}_{role}",
        suite_id=f"suite_{role}",
        fingerprint=f"print-{role}",
        subject=subject,
        base_model="gpt-4.1-mini" if run is None else None,
        run_id=None if run is None else f"run_{run}",
        checkpoint_id=None if step is None else f"ckpt_{run}_{step}",
        status="succeeded",
        origin="service",
        combined=combined,
        n_items=50,
        n_scored=50,
        scores=pack_scores(kept) if kept else b"",
        dimensions=dimensions,
        completion_tokens_mean=80.0,
        failure=None,
        created_at=START,
        finished_at=START,
    )
    return msgspec.structs.replace(evaluation, **changes)


def a_state(
    *,
    runs: tuple[Run, ...] = (),
    evaluations: tuple[Evaluation, ...] = (),
    baseline: float | None = 6.0,
    loop: Loop | None = None,
    **changes: object,
) -> LoopState:
    """A loop with a baseline of 6.0 on a selection suite of 50 items, and a final test suite."""
    base = () if baseline is None else (an_evaluation(baseline),)
    state = LoopState(
        loop=loop or a_loop(),
        version=1,
        as_of=START,
        catalogue=(a_model(),),
        versions=(a_version(),),
        runs=runs,
        suites=(a_suite(), a_suite(role="final_test")),
        evaluations=(*base, *evaluations),
        baseline_id=base[0].id if base else None,
        deployments=(),
        declines=(),
        open_recommendation=None,
    )
    return msgspec.structs.replace(state, **changes)


def cleaned_version(number: int, n_examples: int, by: DerivationKind = "drop_contradictions") -> DatasetVersion:
    return a_version(number, n_examples, derived_by=(by,))
