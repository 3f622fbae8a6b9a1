"""Score what was predicted when its result arrives, and show the record of every rule."""

from whatnext_service.contract.advice import TrackRecord
from whatnext_service.core.incumbent import standings
from whatnext_service.core.predict import observed_effect
from whatnext_service.core.runs import Run
from whatnext_service.core.scoreboard import read_scoreboard
from whatnext_service.core.state import LoopState
from whatnext_service.core.track_record import Prediction, demoted, score_predictions
from whatnext_service.flows.context import Tx
from whatnext_service.store import recommendations, state


async def score_advice(tx: Tx, near: LoopState, run: Run) -> None:
    """Score the recommendation that led to this run, once the run and its parent have scores on one suite.

    Whether they have shows `near`, the state around the run; which of their states is best depends on the whole loop.
    """
    advice = await recommendations.advice_behind(tx.conn, tx.workspace_id, run.id)
    expects = advice.answer.change.expects if advice is not None and advice.answer.change is not None else None
    if advice is None or expects is None or expects.effect is None:
        return
    if expects.effect_low is None or expects.effect_high is None:
        return
    if _observed(near, run) is None:
        return
    observed = _observed(await state.load_state(tx.conn, near.loop.id, tx.services.catalogue), run)
    if observed is None:
        return
    outcome = Prediction(
        rule=expects.rule,
        direction=expects.direction,
        effect=expects.effect,
        effect_low=expects.effect_low,
        effect_high=expects.effect_high,
        observed=observed,
    )
    await recommendations.set_outcome(tx.conn, advice.id, outcome)


def _observed(known: LoopState, run: Run) -> float | None:
    return observed_effect(standings(read_scoreboard(known)), run)


async def track_record(tx: Tx) -> TrackRecord:
    """How each rule's predictions turned out in this workspace, and which rules have lost their place."""
    rules = score_predictions(await recommendations.outcomes(tx.conn, tx.workspace_id))
    return TrackRecord(rules=rules, demoted=tuple(each.rule for each in rules if demoted(each)))
