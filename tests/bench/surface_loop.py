"""A loop over a surface, driven by nothing but the planner's answers: history in, `what_next` out."""

import random
from datetime import UTC, datetime, timedelta

import msgspec
from tests.bench.surfaces import Config, Observation, Surface, nearest, start_model

from whatnext_service.core.advice import Answer, RequestBody
from whatnext_service.core.attribution import Resolved, effective_config
from whatnext_service.core.curves import Curve, CurveReading, Series
from whatnext_service.core.evaluations import Evaluation, SubjectKind, Suite, pack_scores
from whatnext_service.core.incumbent import leader
from whatnext_service.core.lineage import apply_overrides
from whatnext_service.core.loops import Budget, Choices, Loop, Metric, Range, Rules
from whatnext_service.core.plan import what_next
from whatnext_service.core.read_curve import read_curve
from whatnext_service.core.runs import Checkpoint, Run
from whatnext_service.core.scoreboard import read_scoreboard
from whatnext_service.core.state import BaseModel, DatasetVersion, Decline, DerivationKind, LoopState

START = datetime(2026, 1, 1, tzinfo=UTC)
SUITE = Suite(
    id="suite_dev",
    role="selection",
    fingerprint="dev",
    n_items=0,
    dataset_version_id=None,
    clusters=None,
    binary=False,
    regrade_sd=None,
    created_at=START,
)
SEALED = "suite_test"
ENDS = ("stop", "ship", "repeat_run")
"""What ends the experiments of a surface: most of its cells have one seed and cannot be repeated."""
LINEAGE: tuple[tuple[str, str | None, DerivationKind], ...] = (
    ("v1", None, "upload"),
    ("v2", "v1", "fix_contradictions"),
    ("v3", "v1", "add_examples"),
    ("v4", "v3", "fix_contradictions"),
)
"""v2 is v1 cleaned, v3 is v1 enlarged, v4 is v3 cleaned."""


class SurfaceLoop:
    """One replayed loop: its state, and the test score of what it holds best."""

    def __init__(
        self, surface: Surface, space: list[Config], seed: int, *, sealed: bool = False, declines_ends: bool = False
    ) -> None:
        self.declines_ends = declines_ends
        self.surface = surface
        self.cells = set(space)
        self.rng = random.Random(seed)
        self.model = start_model(space)
        self.models = tuple(dict.fromkeys(config.model for config in space))
        self.models = (self.model, *(name for name in self.models if name != self.model))
        self.n_items: int = surface.data["n_dev"]
        self.observations: dict[str, Observation] = {}
        self.answers: list[Answer] = []
        first_version = min(config.version for config in space)
        self.state = LoopState(
            loop=self._loop(space),
            version=1,
            as_of=START,
            catalogue=tuple(_base_model(name) for name in self.models),
            versions=self._versions({first_version}),
            runs=(),
            suites=self._suites(sealed),
            evaluations=(),
            baseline_id=None,
            deployments=(),
            declines=(),
            open_recommendation=None,
        )
        self.all_versions = {config.version for config in space}

    def _loop(self, space: list[Config]) -> Loop:
        rates = [config.rate for config in space]
        epochs = [config.epochs for config in space]
        batches = [config.batch for config in space if isinstance(config.batch, int)]
        return Loop(
            id="loop_replay",
            slug="replay",
            task=self.surface.name,
            metric=Metric(scale_min=0.0, scale_max=10.0),
            rules=Rules(),
            budget=Budget(),
            choices=Choices(
                base_models=self.models,
                methods=("sft",),
                learning_rate_multiplier=Range(min=min(rates), max=max(rates)),
                n_epochs=Range(min=min(epochs), max=max(epochs)),
                batch_size=Range(min=min(batches), max=max(batches)),
            ),
            autopilot="off",
            dataset_id="ds_replay",
            validation_version_id=None,
            created_at=START,
        )

    def _suites(self, sealed: bool) -> tuple[Suite, ...]:
        binary = not self.surface.sequence
        dev = msgspec.structs.replace(SUITE, n_items=self.n_items, binary=binary)
        if not sealed:
            return (dev,)
        n_test: int = self.surface.data["n_test"]
        test = msgspec.structs.replace(
            SUITE, id=SEALED, fingerprint=SEALED, role="final_test", n_items=n_test, binary=binary
        )
        return dev, test

    def _versions(self, names: set[str]) -> tuple[DatasetVersion, ...]:
        return tuple(
            DatasetVersion(
                id=name,
                number=int(name[1:]),
                sha256=name,
                n_examples=self.surface.data["datasets"][name]["n"],
                method="sft",
                parent_id=parent if parent in names else None,
                derived_by=(derived_by,),
                n_duplicates=0,
                n_contradictions=0,
                n_label_suspects=None,
                n_tokens=None,
                created_at=START,
            )
            for name, parent, derived_by in LINEAGE
            if name in names
        )

    def experiment(self) -> bool:
        """Follow the advice up to and including the next training run and its evaluations; false when it ends."""
        while True:
            answer = what_next(self.state)
            self.answers.append(answer)
            action = answer.action
            if action.kind == "start_run" and len(self.state.runs) > len(self.observations):
                raise AssertionError("a run was started before the last one finished")
            if action.kind == "start_run":
                assert action.request is not None
                assert action.request.body is not None
                self._train(action.request.body)
                self._settle()
                return True
            if not self._carry_out(answer):
                return False

    def run_to_end(self, max_answers: int) -> Answer:
        """Follow every answer until it says ship or stop."""
        for _ in range(max_answers):
            answer = what_next(self.state)
            self.answers.append(answer)
            action = answer.action
            if action.kind in ("ship", "stop", "review"):
                return answer
            if action.kind in ("start_run", "repeat_run"):
                assert action.request is not None
                assert action.request.body is not None
                self._train(action.request.body)
            elif not self._carry_out(answer):
                raise AssertionError(f"nothing here carries out {action.kind}")
        raise AssertionError(f"no end after {max_answers} answers")

    def _settle(self) -> None:
        """Carry out what needs no training, until the next run or the end is advised."""
        while True:
            answer = what_next(self.state)
            if answer.action.kind == "start_run" or not self._carry_out(answer):
                return
            self.answers.append(answer)

    def _carry_out(self, answer: Answer) -> bool:
        action = answer.action
        if action.kind == "do_not_fine_tune" or (self.declines_ends and action.kind in ENDS):
            self._decline(answer)
            return True
        if action.kind not in ("evaluate", "record_baseline", "final_test"):
            return False
        assert action.request is not None
        assert action.request.body is not None
        body = action.request.body
        if action.request.method == "PUT":
            self._advance(baseline_id=body.evaluation_id)
        else:
            self._evaluate(body)
        return True

    def _decline(self, answer: Answer) -> None:
        """A surface is there to be experimented on, however good its untuned model is, or what is held already."""
        action = answer.action
        refused = Decline(recommendation_id=action.recommendation_id, fingerprint=action.fingerprint, reason=None)
        self._advance(declines=(*self.state.declines, refused))

    def held_test_score(self) -> tuple[float, Config | None]:
        """Test score of what the planner holds best; the untuned model while nothing is held better."""
        best = leader(read_scoreboard(self.state))
        if best is None:
            return float(self.surface.baseline[self.model]["test"]), None
        observation = self.observations[best.arm.run.id]
        assert best.arm.checkpoint is not None
        epoch = best.arm.checkpoint.epoch
        return next(each["test"] for each in observation.checkpoints if each["epoch"] == epoch), observation.config

    def _train(self, body: RequestBody) -> None:
        config = body.config
        if config is None:
            parent = next(run for run in self.state.runs if run.id == body.parent_run_id)
            assert body.overrides is not None
            config = apply_overrides(parent.config, body.overrides)
        assert config.learning_rate_multiplier is not None
        assert config.n_epochs is not None
        asked = Config(
            config.base_model,
            config.dataset_version_id,
            config.learning_rate_multiplier,
            config.batch_size or "default",
            config.n_epochs,
        )
        cell = asked if asked in self.cells else nearest(self.cells, asked)
        seen = self.surface.observe(cell, self.rng)
        number = len(self.state.runs) + 1
        accuracy = validation_accuracy(self.surface, seen)
        run = Run(
            id=f"run_{number}",
            number=number,
            parent_id=body.parent_run_id,
            provider="sandbox",
            status="succeeded",
            config=config,
            effective=effective_config(
                config,
                Resolved(batch_size=seen.run["B"]),
                dataset_sha256=cell.version,
                validation_sha256=self.surface.data["datasets"][cell.version]["file_valid"],
                n_examples=seen.run["n"],
            ),
            confounded_by=(),
            recommendation_id=body.recommendation_id,
            reading=read(self.surface, seen),
            checkpoints=tuple(
                Checkpoint(
                    id=f"ckpt_{number}_{each['epoch']}",
                    step=each["step"],
                    epoch=each["epoch"],
                    model=None,
                    deployable=True,
                    final=each["epoch"] == cell.epochs,
                    train_loss=each["tr_mean"],
                    valid_loss=None,
                    full_valid_loss=each["fvl"],
                    full_valid_mean_token_accuracy=accuracy.get(each["step"]),
                )
                for each in seen.checkpoints
            ),
            failure=None,
            cost=None,
            created_at=self.state.as_of,
            finished_at=self.state.as_of,
        )
        self.observations[run.id] = seen
        self._advance(runs=(*self.state.runs, run), versions=self._versions(self.all_versions))

    def _evaluate(self, body: RequestBody) -> None:
        assert body.subject is not None
        subject: SubjectKind = body.subject
        if subject == "base_model":
            assert body.base_model is not None
            row = self.surface.baseline[body.base_model]
            run_id = None
        else:
            assert body.checkpoint_id is not None
            _, number, epoch = body.checkpoint_id.split("_")
            run_id = f"run_{number}"
            row = next(each for each in self.observations[run_id].checkpoints if each["epoch"] == int(epoch))
        sealed = body.suite_id == SEALED
        n_items: int = self.surface.data["n_test"] if sealed else self.n_items
        scores = self.surface.item_scores(row["test_x" if sealed else "dev_x"], n_items)
        evaluation = Evaluation(
            id=f"eval_{len(self.state.evaluations) + 1}",
            suite_id=SEALED if sealed else SUITE.id,
            fingerprint=SEALED if sealed else SUITE.fingerprint,
            subject=subject,
            base_model=body.base_model,
            run_id=run_id,
            checkpoint_id=body.checkpoint_id,
            status="succeeded",
            origin="service",
            combined=float(scores.mean()),
            n_items=n_items,
            n_scored=n_items,
            scores=pack_scores(scores.tolist()),
            dimensions=(),
            completion_tokens_mean=None,
            failure=None,
            created_at=self.state.as_of,
            finished_at=self.state.as_of,
        )
        self._advance(evaluations=(*self.state.evaluations, evaluation))

    def _advance(self, **changes: object) -> None:
        self.state = msgspec.structs.replace(
            self.state,
            version=self.state.version + 1,
            as_of=self.state.as_of + timedelta(minutes=1),
            **changes,
        )


def validation_accuracy(surface: Surface, seen: Observation) -> dict[int, float]:
    """Accuracy over the whole validation set by step; empty where the surface has none."""
    columns: list[str] = surface.data["curve_columns"]
    if "full_valid_mean_token_accuracy" not in columns:
        return {}
    place = columns.index("full_valid_mean_token_accuracy")
    return {int(row[0] or 0): float(row[place] or 0.0) for row in seen.curve if row[place] is not None}


def read(surface: Surface, seen: Observation) -> CurveReading:
    """The reading of the run's curve, by the same function that reads a provider's result file."""
    columns = surface.data["curve_columns"]
    series = []
    for index, name in enumerate(columns[1:], start=1):
        points = [(int(row[0] or 0), float(row[index])) for row in seen.curve if row[index] is not None]
        series.append(
            Series(name=name, steps=tuple(step for step, _ in points), values=tuple(value for _, value in points))
        )
    return read_curve(
        Curve(series=tuple(series)),
        method="sft",
        n_examples=seen.run["n"],
        n_validation=surface.data["n_valid"],
        batch_size=seen.run["B"],
        n_epochs=seen.config.epochs,
    )


def _base_model(name: str) -> BaseModel:
    return BaseModel(
        name=name,
        provider="sandbox",
        family=name,
        best_for="replay",
        methods=("sft",),
        start_epochs=2,
        start_learning_rate=1.0,
        learning_rate_min=0.1,
        learning_rate_max=2.0,
        epochs_max=5,
        min_examples=None,
        notes="",
        training_price_per_mtok=None,
        training_ends=None,
        retires=None,
        source="surface",
    )
