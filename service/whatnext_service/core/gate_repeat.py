"""The gate to a repeat: the same job again with another seed, when noise decides."""

from whatnext_service.core.advice import Overrides, RequestBody
from whatnext_service.core.budget import would_exceed
from whatnext_service.core.draft import Draft, call, measured
from whatnext_service.core.gate_finish import ship_confidence
from whatnext_service.core.identity import config_fingerprint
from whatnext_service.core.incumbent import Standing, against_baseline
from whatnext_service.core.lineage import apply_overrides
from whatnext_service.core.scoreboard import Scoreboard


def repeat_gate(board: Scoreboard, best: Standing | None) -> tuple[Draft, ...]:
    """Noise decides: the best model looks better than the baseline but not beyond the noise, and trained only once.

    Two seeds of one configuration differ by more than 0.1 in half the cases (evidence 8), so a repeat tells more
    than another variable would.
    """
    if best is None or best.n_repeats > 1 or board.baseline is None or board.baseline.combined is None:
        return ()
    state, run = board.state, best.trial.run
    gain = best.level - board.sign * board.baseline.combined
    comparison = against_baseline(board, best.arm, board.selection_looks)
    if comparison is None or comparison.verdict != "inconclusive" or gain < state.loop.rules.min_gain:
        return ()
    if would_exceed(state, run.config, board.spent) is not None:
        return ()
    seed = 1 + max((each.config.seed or 0 for each in state.runs), default=0)
    config = apply_overrides(run.config, Overrides(seed=seed))
    return (
        Draft(
            kind="repeat_run",
            phase="plan",
            headline=f"Repeat {run.name} with another seed: noise decides whether it is better than the baseline.",
            fingerprint=config_fingerprint("repeat_run", config),
            rationale=(
                comparison.statement,
                "No single change with more promise is left; two seeds of one configuration differ by more than 0.1 "
                "in half the cases (evidence 8).",
            ),
            confidence=ship_confidence(board),
            evidence=(
                measured(
                    "gain_over_baseline",
                    comparison.statement,
                    comparison.difference,
                    0.0,
                    "evaluation",
                    best.arm.evaluation.id,
                ),
            ),
            subject_id=run.id,
            config=config,
            request=call(
                "POST",
                "/v1/runs",
                RequestBody(loop_id=state.loop.id, parent_run_id=run.id, overrides=Overrides(seed=seed)),
            ),
        ),
    )
