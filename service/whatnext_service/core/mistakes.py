"""The mistakes the service watches for (method, section 8), and what else weakens a loop (evidence 1 and 5)."""

from datetime import date, timedelta
from statistics import NormalDist

from whatnext_service.core.advice import Severity, Warning
from whatnext_service.core.catalogue import find_model
from whatnext_service.core.gains import arm_name, earlier_arm, final_arm
from whatnext_service.core.runs import Run
from whatnext_service.core.scoreboard import Scoreboard, read_scoreboard
from whatnext_service.core.state import BaseModel, DatasetVersion, LoopState
from whatnext_service.core.versions import CLEANING

MANY_LOOKS = 20
"""Looks at a selection suite from which it counts as overused: the best of 20 equal candidates already looks
1.9 standard errors better than it is (evidence 1: every look is metered)."""
FEW_ITEMS = 30
"""Fewest items of a suite for a first reading (method 4)."""
NOTICE_DAYS = 180
"""How long before a model's end it is worth a word."""
NAMED = 5
"""Runs named in one message; the rest are counted."""


def mistakes(state: LoopState, board: Scoreboard | None = None) -> tuple[Warning, ...]:
    """Every mistake the loop shows, the gravest first; linear in runs and evaluations."""
    board = read_scoreboard(state) if board is None else board
    found = (
        *_no_baseline(board),
        *_confounded(state),
        *_not_taken(board),
        *_final_test(board),
        *_overused_suite(board),
        *_changed_suite(board),
        *_small_suite(board),
        *_curves_ignored(board),
        *_final_state_taken(board),
        *_unchecked_data(state),
        *_left_behind(board),
        *_no_validation(state),
        *_retiring(state),
    )
    order: tuple[Severity, ...] = ("critical", "caution", "info")
    return tuple(sorted(found, key=lambda one: order.index(one.severity)))


def _no_baseline(board: Scoreboard) -> list[Warning]:
    """Method 4: the untuned model on the same held-out set, first."""
    if board.baseline is not None or not board.state.runs:
        return []
    stale = board.state.baseline_id is not None and board.suite is not None
    told = "The named baseline was measured with another suite." if stale else "Runs were started without a baseline."
    return [_warn("no_baseline", "critical", f"{told} Evaluate the untuned model on the suite in force.")]


def _confounded(state: LoopState) -> list[Warning]:
    """Method 1: several variables changed at once."""
    runs = [run for run in state.runs if len(run.confounded_by) > 1]
    if not runs:
        return []
    told = f"{_names(runs)} changed several variables at once: nothing may be attributed to any of them."
    return [_warn("confounded_runs", "caution", told)]


def _not_taken(board: Scoreboard) -> list[Warning]:
    """Hazards f: a run that trained as its parent did, whatever was asked for."""
    if not board.untaken:
        return []
    told = f"{_names(list(board.untaken))} trained as if nothing had been changed and counts as a repeat: "
    return [_warn("change_did_not_take", "caution", f"{told}ask the trainer which values it used.")]


def _final_test(board: Scoreboard) -> list[Warning]:
    """Method 4: a separate final set, used once per shipping candidate, never for choosing."""
    if board.final_suite is None:
        if board.suite is None:
            return []
        told = "There is no final test set: the shipped model's score will be the one it was chosen by, too high."
        return [_warn("no_final_test_set", "caution", told)]
    subjects = {one.checkpoint_id or one.run_id for one in board.final_evaluations if one.subject != "base_model"}
    if len(subjects) > 1:
        told = f"The final test set has scored {len(subjects)} candidates; choosing among them by it makes it one more "
        return [_warn("chosen_on_final_test", "critical", f"{told}selection suite. Make a fresh one.")]
    if board.final_uses > 1:
        told = f"The final test set was used {board.final_uses} times; each extra look weakens it."
        return [_warn("final_test_reused", "caution", told)]
    return []


def _overused_suite(board: Scoreboard) -> list[Warning]:
    """Evidence 1: the best of k equal candidates looks better than it is; by the mean of the largest of k normals."""
    looks = board.selection_looks
    if looks < MANY_LOOKS:
        return []
    optimism = NormalDist().inv_cdf((looks - 0.375) / (looks + 0.25))
    told = (
        f"The selection suite was looked at {looks} times: the best of so many equal candidates looks {optimism:.1f} "
    )
    return [
        _warn(
            "eval_suite_overused",
            "caution",
            f"{told}standard errors better than it is. Trust the final test, or add fresh items.",
        )
    ]


def _changed_suite(board: Scoreboard) -> list[Warning]:
    """Method 4: a change of eval set starts a new comparison series."""
    if board.suite is None:
        return []
    earlier = {suite.fingerprint for suite in board.state.suites if suite.role == "selection"} - {
        board.suite.fingerprint
    }
    if not earlier:
        return []
    other = {one.run_id for one in board.state.evaluations if one.fingerprint in earlier and one.status == "succeeded"}
    scored = {trial.run.id for trial in board.trials if trial.arms}
    behind = [run for run in board.state.runs if run.id in other and run.id not in scored]
    if not behind:
        return []
    told = f"The selection suite changed: {_names(behind)} {'has' if len(behind) == 1 else 'have'} no score on the one "
    return [_warn("eval_suite_changed", "caution", f"{told}in force, and scores across suites do not compare.")]


def _small_suite(board: Scoreboard) -> list[Warning]:
    """Method 4: 30 to 100 examples suffice for a first reading; fewer do not."""
    return [
        _warn(
            "small_eval_suite",
            "caution",
            f"The {'final test' if suite.role == 'final_test' else 'selection'} suite has {suite.n_items} items; "
            f"under {FEW_ITEMS} most differences are noise.",
        )
        for suite in (board.suite, board.final_suite)
        if suite is not None and suite.n_items < FEW_ITEMS
    ]


def _curves_ignored(board: Scoreboard) -> list[Warning]:
    """Method 8: a run evaluated although no curve was analysed."""
    runs = [trial.run for trial in board.trials if trial.run.reading is None and trial.arms]
    if not runs:
        return []
    told = f"{_names(runs)} {'was' if len(runs) == 1 else 'were'} evaluated without a training curve."
    return [_warn("curves_ignored", "caution", f"{told} Attach the result file.")]


def _final_state_taken(board: Scoreboard) -> list[Warning]:
    """Method 8: the final checkpoint taken though an earlier one scored better."""
    taken = {
        one.run_id for one in board.state.deployments if one.status in ("pending", "live") and not one.checkpoint_id
    }
    taken |= {one.run_id for one in board.final_evaluations if one.run_id and not one.checkpoint_id}
    found = []
    for trial in board.trials if taken else ():
        if trial.run.id not in taken:
            continue
        earlier, final = earlier_arm(trial), final_arm(trial)
        if earlier is not None and final is not None and earlier.utility > final.utility:
            told = f"The final state of {trial.run.name} was taken, though {arm_name(earlier)} scored higher: "
            scores = f"{earlier.evaluation.combined:.2f} against {final.evaluation.combined:.2f}."
            found.append(_warn("final_checkpoint_taken", "caution", f"{told}{scores}"))
    return found


def _unchecked_data(state: LoopState) -> list[Warning]:
    """Method 8: data added without a quality check: a grown version with suspects unread or contradictions left."""
    by_id = {version.id: version for version in state.versions}
    found = []
    for before, version in zip((None, *state.versions), state.versions, strict=False):
        parent = by_id.get(version.parent_id or "", before)
        if parent is None or not _grew_unchecked(parent, version):
            continue
        if not any(run.config.dataset_version_id == version.id for run in state.runs):
            continue
        added = version.n_examples - parent.n_examples
        told = f"{version.name} adds {added} examples to {parent.name} without a quality check"
        found.append(
            _warn(
                "data_added_unchecked",
                "caution",
                f"{told} ({version.n_contradictions} contradicting rows): more data without one often hurts.",
            )
        )
    return found


def _grew_unchecked(parent: DatasetVersion, version: DatasetVersion) -> bool:
    if version.n_examples <= parent.n_examples or any(step in CLEANING for step in version.derived_by):
        return False
    unchecked = version.n_label_suspects is None and not version.checked
    return unchecked or version.n_contradictions > parent.n_contradictions


def _left_behind(board: Scoreboard) -> list[Warning]:
    """Method 8: deployments left behind cost quota and money."""
    live = [one for one in board.state.deployments if one.status == "live"]
    if len(live) < 2:
        return []
    best = board.best
    kept = best.run.id if best is not None and any(one.run_id == best.run.id for one in live) else live[-1].run_id
    names = {run.id: run for run in board.state.runs}
    runs = [
        names[run_id] for run_id in dict.fromkeys(one.run_id for one in live if one.run_id != kept) if run_id in names
    ]
    surplus = f" ({_names(runs)})" if runs else ""
    told = f"{len(live)} deployments are live; all but one{surplus} cost quota and money for nothing."
    return [_warn("deployments_left_behind", "caution", told)]


def _no_validation(state: LoopState) -> list[Warning]:
    """Method 3: without a validation series overfitting cannot be judged."""
    if state.loop.validation_version_id is not None or not state.versions:
        return []
    if any(run.reading is not None and run.reading.valid_source != "none" for run in state.runs[-1:]):
        return []
    told = "The loop has no validation file: overfitting cannot be judged, and RFT cannot start."
    return [_warn("no_validation_file", "caution", told)]


def _retiring(state: LoopState) -> list[Warning]:
    """Evidence 5 and 6.9: base models have end dates, and the loop knows them; of those trained, else allowed."""
    today = state.as_of.date()
    names = dict.fromkeys([run.config.base_model for run in state.runs] or state.loop.choices.base_models or ())
    models = dict.fromkeys(model for name in names if (model := find_model(state.catalogue, name)) is not None)
    found = []
    for model in models:
        for day, told in _ends(model):
            if day > today + timedelta(days=NOTICE_DAYS):
                continue
            past = day < today
            message = f"{model.name} {told[0] if past else told[1]} {day.isoformat()}."
            found.append(_warn("base_model_retiring", "critical" if past else "caution", message))
    return found


def _ends(model: BaseModel) -> list[tuple[date, tuple[str, str]]]:
    ends = (
        (model.training_ends, ("accepted its last training job on", "accepts its last training job on")),
        (model.retires, ("was served until", "is served until")),
    )
    return [(day, told) for day, told in ends if day is not None]


def _names(runs: list[Run]) -> str:
    named = ", ".join(run.name for run in runs[:NAMED])
    return named if len(runs) <= NAMED else f"{named} and {len(runs) - NAMED} more"


def _warn(code: str, severity: Severity, message: str) -> Warning:
    return Warning(code=code, severity=severity, message=message)
