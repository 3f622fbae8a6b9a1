"""The loop's scores at a glance: what was evaluated on the suite in force, what is under way, what was tried."""

import math

import msgspec

from whatnext_service.core.budget import Spending, spending
from whatnext_service.core.change_took import took
from whatnext_service.core.evaluations import Evaluation, Suite
from whatnext_service.core.noise_floor import Noise, TrainingNoise, n_trained, training_noise
from whatnext_service.core.replicates import replicate_groups
from whatnext_service.core.runs import Checkpoint, Run, RunConfig
from whatnext_service.core.state import DatasetVersion, LoopState

ACTIVE_EVALUATION = ("pending", "running")


class Arm(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A trained model with a held-out score: a run's final state, or one of its checkpoints."""

    run: Run
    checkpoint: Checkpoint | None
    """Null for the final state of a run without recorded checkpoints."""
    evaluation: Evaluation
    utility: float
    """The combined score, turned so that more is better whatever the metric's direction."""


class Trial(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A finished run and its arms."""

    run: Run
    arms: tuple[Arm, ...]
    """In order of step; empty while nothing of it was evaluated."""
    best: Arm | None = None
    """The arm that scores best, the earlier one of equals; null where there is none."""
    best_kept: Arm | None = None
    """The best of those that can still be deployed."""
    mean: float = 0.0
    """Mean utility of the arms."""


class Scoreboard(msgspec.Struct, kw_only=True, frozen=True):
    """One pass over a state, so that every rule after it reads and none searches."""

    state: LoopState
    suite: Suite | None
    """The newest selection suite."""
    final_suite: Suite | None
    """The newest sealed suite."""
    baseline: Evaluation | None
    """The named baseline, if it was taken with the selection suite in force."""
    baseline_candidate: Evaluation | None
    """A finished evaluation of an untuned model on the suite in force that could be named the baseline."""
    trials: tuple[Trial, ...]
    """Succeeded runs, in order of number."""
    failed_runs: tuple[Run, ...]
    active_runs: tuple[Run, ...]
    active_evaluations: tuple[Evaluation, ...]
    """Under way on either suite in force."""
    failed_evaluations: tuple[Evaluation, ...]
    """Failed on either suite in force."""
    final_evaluations: tuple[Evaluation, ...]
    """Finished on the sealed suite in force."""
    final_uses: int
    """Looks at the sealed suite so far, untuned models not counted."""
    selection_looks: int
    """Looks at the selection suite so far, untuned models not counted."""
    versions: tuple[DatasetVersion, ...]
    spent: Spending
    training_noise: TrainingNoise | None
    """What training again changes, from the runs that repeat one another; null while none does."""
    untaken: tuple[Run, ...]
    """Runs whose change did not take."""

    @property
    def sign(self) -> float:
        """+1 where more is better, -1 where less is."""
        return 1.0 if self.state.loop.metric.direction == "up" else -1.0


def read_scoreboard(state: LoopState) -> Scoreboard:
    """Index a state in one pass over its runs and one over its evaluations."""
    suite = next((each for each in reversed(state.suites) if each.role == "selection"), None)
    final_suite = next((each for each in reversed(state.suites) if each.role == "final_test"), None)
    suite_id, print_ = (suite.id, suite.fingerprint) if suite else (None, None)
    final_id, final_print = (final_suite.id, final_suite.fingerprint) if final_suite else (None, None)
    scored: dict[str, Evaluation] = {}
    active: list[Evaluation] = []
    failed: list[Evaluation] = []
    final: list[Evaluation] = []
    baseline: Evaluation | None = None
    candidate: Evaluation | None = None
    looks = final_uses = 0
    for each in state.evaluations:
        sealed = each.suite_id != suite_id or each.fingerprint != print_
        if sealed and (each.suite_id != final_id or each.fingerprint != final_print):
            continue
        status = each.status
        if status != "succeeded":
            if status == "failed":
                failed.append(each)
            elif status in ACTIVE_EVALUATION:
                active.append(each)
        elif (combined := each.combined) is not None and math.isfinite(combined):
            tuned = each.subject != "base_model"
            if sealed:
                final.append(each)
                final_uses += tuned
            elif tuned:
                scored[each.checkpoint_id or each.run_id or ""] = each
                looks += 1
            else:
                candidate = each
                if each.id == state.baseline_id:
                    baseline = each
    sign = 1.0 if state.loop.metric.direction == "up" else -1.0
    trials: list[Trial] = []
    failures: list[Run] = []
    running: list[Run] = []
    for run in state.runs:
        status_of_run = run.status
        if status_of_run == "succeeded":
            trials.append(_trial(run, scored, sign))
        elif status_of_run == "failed":
            failures.append(run)
        elif status_of_run != "cancelled":
            running.append(run)
    return Scoreboard(
        state=state,
        suite=suite,
        final_suite=final_suite,
        baseline=baseline,
        baseline_candidate=candidate,
        trials=tuple(trials),
        failed_runs=tuple(failures),
        active_runs=tuple(running),
        active_evaluations=tuple(active),
        failed_evaluations=tuple(failed),
        final_evaluations=tuple(final),
        final_uses=final_uses,
        selection_looks=looks,
        versions=state.versions,
        spent=spending(state),
        training_noise=_training_noise(trials),
        untaken=tuple([run for run in state.runs if not took(run)]),
    )


def noise_between(board: Scoreboard, candidate: Evaluation, reference: Evaluation) -> Noise:
    """What the loop knows of the noise in the difference of two evaluations of one suite, beside their items."""
    suites = (each for each in (board.suite, board.final_suite) if each is not None and each.id == candidate.suite_id)
    return Noise(
        training=board.training_noise,
        n_trained=n_trained(candidate.run_id, reference.run_id),
        regrade_sd=next((each.regrade_sd for each in suites), None),
        gradings=(candidate.n_gradings, reference.n_gradings),
    )


def _training_noise(trials: list[Trial]) -> TrainingNoise | None:
    best = [each.best for each in trials if each.best is not None and each.best.evaluation.scores]
    return training_noise(replicate_groups([(arm.run, arm.evaluation.scores) for arm in best]))


def configuration(config: RunConfig) -> RunConfig:
    """The configuration apart from the seed: two runs with the same one are replicates."""
    return config if config.seed is None else msgspec.structs.replace(config, seed=None)


def _trial(run: Run, scored: dict[str, Evaluation], sign: float) -> Trial:
    arms: list[Arm] = []
    best: Arm | None = None
    best_kept: Arm | None = None
    total, highest, highest_kept = 0.0, -math.inf, -math.inf
    whole = scored.get(run.id)
    states: tuple[Checkpoint | None, ...] = run.checkpoints if whole is None else (*run.checkpoints, None)
    final_seen = False
    for checkpoint in states:
        if checkpoint is None:
            evaluation = None if final_seen else whole
        elif (evaluation := scored.get(checkpoint.id)) is None and checkpoint.final:
            evaluation = whole
        if evaluation is None or evaluation.combined is None:
            continue
        final_seen = final_seen or (checkpoint is not None and checkpoint.final)
        utility = sign * evaluation.combined
        arm = Arm(run=run, checkpoint=checkpoint, evaluation=evaluation, utility=utility)
        arms.append(arm)
        total += utility
        if utility > highest:
            best, highest = arm, utility
        if utility > highest_kept and (checkpoint is None or checkpoint.deployable):
            best_kept, highest_kept = arm, utility
    mean = total / len(arms) if arms else 0.0
    return Trial(run=run, arms=tuple(arms), best=best, best_kept=best_kept, mean=mean)
