"""The loop's scores at a glance: what was evaluated on the suite in force, what is under way, what was tried."""

from math import inf, isfinite
from operator import attrgetter

import msgspec

from whatnext_service.core.budget import Spending, spending
from whatnext_service.core.change_took import took
from whatnext_service.core.evaluations import Evaluation, Suite
from whatnext_service.core.lineage import is_repeat
from whatnext_service.core.noise_floor import Noise, TrainingNoise, n_trained, training_noise
from whatnext_service.core.replicates import replicate_groups
from whatnext_service.core.runs import Checkpoint, Run, RunConfig
from whatnext_service.core.state import DatasetVersion, LoopState
from whatnext_service.core.tried import Tried

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
    """A state read once, so that every rule after it reads and none searches."""

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
    trial_of: dict[str | None, Trial]
    """The same by their runs' ids."""
    experiments: tuple[Trial, ...]
    """Those with a score, without repeats of their parents and changes that did not take: these try nothing new."""
    best: Arm | None
    """The best scored state of all runs; the earlier one wins a tie."""
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
    tried: Tried
    """All runs, to look configurations up in."""
    untaken: tuple[Run, ...]
    """Runs whose change did not take."""

    @property
    def sign(self) -> float:
        """+1 where more is better, -1 where less is."""
        return 1.0 if self.state.loop.metric.direction == "up" else -1.0


def read_scoreboard(state: LoopState) -> Scoreboard:
    """Index a state, in time linear in its runs and evaluations; a run's parent comes before it."""
    suite = next((each for each in reversed(state.suites) if each.role == "selection"), None)
    final_suite = next((each for each in reversed(state.suites) if each.role == "final_test"), None)
    suite_id, print_ = (suite.id, suite.fingerprint) if suite else (None, None)
    final_id, final_print = (final_suite.id, final_suite.fingerprint) if final_suite else (None, None)
    scored: dict[str, Evaluation] = {}
    looks = 0
    others: list[Evaluation] = []
    for each in state.evaluations:
        selects = each.suite_id == suite_id and each.fingerprint == print_
        if selects and each.status == "succeeded" and each.subject != "base_model":
            if (combined := each.combined) is not None and isfinite(combined):
                scored[each.checkpoint_id or each.run_id or ""] = each
                looks += 1
        elif selects or (each.suite_id == final_id and each.fingerprint == final_print):
            others.append(each)
    ended = [
        each
        for each in others
        if each.status == "succeeded" and (combined := each.combined) is not None and isfinite(combined)
    ]
    untuned = [each for each in ended if each.suite_id == suite_id]
    final = [each for each in ended if each.suite_id == final_id]
    sign = 1.0 if state.loop.metric.direction == "up" else -1.0
    trials: dict[str | None, Trial] = {}
    failures: list[Run] = []
    running: list[Run] = []
    untaken: list[Run] = []
    experiments: list[Trial] = []
    configs: dict[str | None, RunConfig] = {}
    for run in state.runs:
        config = configs[run.id] = run.config
        if not (taken := took(run)):
            untaken.append(run)
        status_of_run = run.status
        if status_of_run == "succeeded":
            trial = trials[run.id] = _trial(run, scored, sign)
            if trial.best is not None and taken:
                parent = configs.get(run.parent_id)
                if parent is None or not is_repeat(parent, config):
                    experiments.append(trial)
        elif status_of_run == "failed":
            failures.append(run)
        elif status_of_run != "cancelled":
            running.append(run)
    tried = Tried(state.runs)
    leaders = [arm for trial in trials.values() if (arm := trial.best) is not None]
    return Scoreboard(
        state=state,
        suite=suite,
        final_suite=final_suite,
        baseline=next((each for each in untuned if each.id == state.baseline_id), None),
        baseline_candidate=untuned[-1] if untuned else None,
        trials=tuple(trials.values()),
        trial_of=trials,
        experiments=tuple(experiments),
        best=max(leaders, key=attrgetter("utility"), default=None),
        failed_runs=tuple(failures),
        active_runs=tuple(running),
        active_evaluations=tuple([each for each in others if each.status in ACTIVE_EVALUATION]),
        failed_evaluations=tuple([each for each in others if each.status == "failed"]),
        final_evaluations=tuple(final),
        final_uses=sum(each.subject != "base_model" for each in final),
        selection_looks=looks,
        versions=state.versions,
        spent=spending(state),
        training_noise=_training_noise(leaders, tried),
        tried=tried,
        untaken=tuple(untaken),
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


def _training_noise(leaders: list[Arm], tried: Tried) -> TrainingNoise | None:
    newest_first = (
        (arm.run, scores)
        for arm in reversed(leaders)
        if tried.shares_rate(arm.run) and (scores := arm.evaluation.scores)
    )
    return training_noise(replicate_groups(newest_first))


def configuration(config: RunConfig) -> RunConfig:
    """The configuration apart from the seed: two runs with the same one are replicates."""
    return config if config.seed is None else msgspec.structs.replace(config, seed=None)


def _trial(run: Run, scored: dict[str, Evaluation], sign: float) -> Trial:
    """A score of the run as a whole is its final checkpoint's, or a state of its own where there is no such one."""
    whole = scored.get(run.id)
    arms: list[Arm] = []
    best: Arm | None = None
    best_kept: Arm | None = None
    total, highest, highest_kept = 0.0, -inf, -inf
    states: tuple[Checkpoint | None, ...] = run.checkpoints
    if whole is not None and not any(each.final for each in run.checkpoints):
        states = (*run.checkpoints, None)
    for checkpoint in states:
        evaluation = None if checkpoint is None else scored.get(checkpoint.id)
        if evaluation is None:
            if whole is None or not (checkpoint is None or checkpoint.final):
                continue
            evaluation = whole
        if (combined := evaluation.combined) is None:
            continue
        utility = sign * combined
        arm = Arm(run=run, checkpoint=checkpoint, evaluation=evaluation, utility=utility)
        arms.append(arm)
        total += utility
        if utility > highest:
            best, highest = arm, utility
        if utility > highest_kept and (checkpoint is None or checkpoint.deployable):
            best_kept, highest_kept = arm, utility
    if best is None:
        return Trial(run=run, arms=())
    return Trial(run=run, arms=tuple(arms), best=best, best_kept=best_kept, mean=total / len(arms))
