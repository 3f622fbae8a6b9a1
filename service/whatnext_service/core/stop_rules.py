"""The four stop rules (method, section 7), read with the noise model of evidence, section 1."""

from math import inf
from typing import Literal

from whatnext_service.core.advice import StopRule
from whatnext_service.core.budget import Spending, exhausted_because
from whatnext_service.core.evaluations import Evaluation
from whatnext_service.core.gains import arm_name, best_arm, gain, gain_over_target
from whatnext_service.core.runs import Run
from whatnext_service.core.scoreboard import Arm, Scoreboard, Trial, read_scoreboard
from whatnext_service.core.state import LoopState

Rule = Literal["beaten_and_flat", "diminishing_returns", "good_enough", "budget"]


def stop_rules(state: LoopState, board: Scoreboard | None = None) -> tuple[StopRule, ...]:
    """Every rule with what it rests on; a scoreboard already read spares reading the state again.

    The rules on progress hold the last `patience` experiments against the best `before` them.
    """
    board = read_scoreboard(state) if board is None else board
    tried = board.experiments
    before = best_arm(*tried[: -state.loop.rules.patience])
    return (
        beaten_and_flat(board, tried, before),
        diminishing_returns(board, tried, before),
        good_enough(board, board.best),
        budget_exhausted(state, board.spent),
    )


def beaten_and_flat(board: Scoreboard, tried: tuple[Trial, ...], before: Arm | None) -> StopRule:
    """The baseline is beaten by more than `min_margin_pct` (5 %) and the last `patience` (3) experiments did not
    improve on the best before them (method 7.1); an improvement is one whose interval excludes zero (method 4).
    """
    rule: Rule = "beaten_and_flat"
    patience = board.state.loop.rules.patience
    if board.suite is None or board.baseline is None or board.best is None:
        return _unmet(rule, "There is no baseline, or no scored run, on the suite in force.")
    beaten, told = _beats_baseline(board, board.baseline, board.best)
    if not beaten:
        return _unmet(rule, told)
    if (waiting := _waiting(board)) is not None:
        return _unmet(rule, f"{told} {waiting}")
    if len(tried) <= patience:
        return _unmet(rule, f"{told} {len(tried)} experiments are scored; flat means {patience} after the first.")
    window = tried[-patience:]
    improved = before and next((trial for trial in window if _improved(board, trial, before)), None)
    if before is None or improved is not None:
        named = improved.run.name if improved else "A run"
        return _unmet(rule, f"{told} {named}, among the last {patience} experiments, improved on what preceded it.")
    return StopRule(
        rule=rule,
        met=True,
        detail=f"{told} None of the last {patience} experiments ({', '.join(one.run.name for one in window[-5:])}) "
        f"improved on {arm_name(before)} beyond the noise.",
    )


def diminishing_returns(board: Scoreboard, tried: tuple[Trial, ...], before: Arm | None) -> StopRule:
    """Each of the last `patience` (3) experiments gained less than `min_gain` (0.1 points) over the best before it
    (method 7.2); a window and not a single step, because two seeds of one configuration differ by more than 0.1 in
    half the cases (evidence 8). A gain of 0.1 or more keeps the loop going even where the suite cannot tell it from
    noise: what cannot be seen is not thereby absent.
    """
    rule: Rule = "diminishing_returns"
    patience, min_gain = board.state.loop.rules.patience, board.state.loop.rules.min_gain
    if board.suite is None:
        return _unmet(rule, "There is no selection suite.")
    if (waiting := _waiting(board)) is not None:
        return _unmet(rule, waiting)
    n_gains = len(tried) if board.baseline is not None else max(0, len(tried) - 1)
    if n_gains < patience:
        return _unmet(rule, f"{n_gains} experiments can be held against what preceded them; {patience} are needed.")
    leader = -inf if before is None else before.utility
    if board.baseline is not None:
        leader = max(leader, board.sign * (board.baseline.combined or 0.0))
    window: list[tuple[Run, float]] = []
    for arm in (trial.best for trial in tried[-patience:] if trial.best is not None):
        window.append((arm.run, arm.utility - leader))
        leader = max(leader, arm.utility)
    told = "Gains over the best before: " + ", ".join(f"{run.name} {points:+.2f}" for run, points in window[-5:])
    if any(points >= min_gain - 1e-9 for _, points in window):
        return _unmet(rule, f"{told}; one of the last {patience} reached {min_gain:g}.")
    return StopRule(rule=rule, met=True, detail=f"{told}; none reached {min_gain:g}.{_resolution(board, tried)}")


def good_enough(board: Scoreboard, best: Arm | None) -> StopRule:
    """The best score's 95 % interval is clear of the loop's target (method 7.3)."""
    rule: Rule = "good_enough"
    target, metric = board.state.loop.rules.target, board.state.loop.metric
    if target is None:
        return _unmet(rule, "The loop has no target.")
    if board.suite is None or best is None:
        return _unmet(rule, f"No run is scored against the target {target:g} yet.")
    over = gain_over_target(best.evaluation, target, metric, board.suite)
    told = f"{arm_name(best)} scores {best.evaluation.combined:.2f}, the target is {target:g}"
    if over.low is None or over.high is None:
        return _unmet(rule, f"{told}; without per-item scores there is no interval that could be clear of it.")
    ends = sorted((target + board.sign * over.low, target + board.sign * over.high))
    interval = f"the 95 % interval is {ends[0]:.2f} to {ends[1]:.2f}"
    if over.verdict == "improved":
        return StopRule(rule=rule, met=True, detail=f"{told}; {interval}, clear of it.")
    return _unmet(rule, f"{told}; {interval}, not clear of it{' with the missing items' if over.low > 0 else ''}.")


def budget_exhausted(state: LoopState, spent: Spending) -> StopRule:
    """Money, time or runs are exhausted, or even the cheapest run so far would exceed what is left (method 7.4)."""
    rule: Rule = "budget"
    budget = state.loop.budget
    if (exhausted := exhausted_because(state, spent)) is not None:
        return StopRule(rule=rule, met=True, detail=f"{exhausted[0].upper()}{exhausted[1:]}.")
    left = []
    if budget.max_runs is not None:
        left.append(f"{budget.max_runs - len(state.runs)} of {budget.max_runs} runs")
    if budget.max_cost is not None:
        remaining, cost = budget.max_cost - spent.used, spent.cheapest_run
        if cost is not None and cost > remaining:
            told = f"Even the cheapest run so far cost {cost} {budget.currency}, and {remaining} are left."
            return StopRule(rule=rule, met=True, detail=told)
        left.append(f"{remaining} of {budget.max_cost} {budget.currency}")
    if budget.deadline is not None:
        left.append(f"time until {budget.deadline.isoformat()}")
    return _unmet(rule, f"Left: {', '.join(left)}." if left else "The loop has no budget.")


def _beats_baseline(board: Scoreboard, baseline: Evaluation, best: Arm) -> tuple[bool, str]:
    rules, base = board.state.loop.rules, baseline.combined or 0.0
    over = gain(board, best.evaluation, baseline)
    margin = abs(base) * rules.min_margin_pct / 100.0
    told = f"{arm_name(best)} is {over.statement} over the baseline of {base:.2f}"
    if over.points <= margin:
        return False, f"{told}; the margin of {rules.min_margin_pct:g} % is {margin:.2f}."
    if over.low is not None and over.verdict != "improved":
        return False, f"{told}; the interval or the missing items leave no difference possible."
    return True, f"{told}, more than the margin of {margin:.2f}."


def _improved(board: Scoreboard, trial: Trial, before: Arm) -> bool:
    """Only a higher score can be an improvement, so only such a pair is compared item by item.

    Without per-item scores a gain counts from `min_gain` on.
    """
    arm = best_arm(trial)
    if board.suite is None or arm is None or arm.utility <= before.utility:
        return False
    over = gain(board, arm.evaluation, before.evaluation)
    return over.verdict == "improved" or (over.low is None and over.points >= board.state.loop.rules.min_gain)


def _resolution(board: Scoreboard, tried: tuple[Trial, ...]) -> str:
    """What the newest comparison could have seen, where that is more than the gain the rule asks for (evidence 1)."""
    last, before = (best_arm(tried[-1]), best_arm(tried[-2])) if len(tried) > 1 else (None, None)
    if last is None or before is None or board.suite is None:
        return ""
    visible = gain(board, last.evaluation, before.evaluation).visible
    if visible is None or visible <= board.state.loop.rules.min_gain:
        return ""
    return f" The suite itself shows differences from {visible:.2f} on only."


def _waiting(board: Scoreboard) -> str | None:
    """Never stop while results are pending (evidence 7)."""
    names = [run.name for run in board.active_runs]
    if not names:
        return None
    return f"Judged when {', '.join(names[:3])} {'ends' if len(names) == 1 else 'end'}."


def _unmet(rule: Rule, detail: str) -> StopRule:
    return StopRule(rule=rule, met=False, detail=detail)
