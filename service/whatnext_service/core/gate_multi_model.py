"""The method's multi-model strategy, beside the advice to begin with one model (method 6.3, evidence 8)."""

from whatnext_service.core.advice import RequestBody
from whatnext_service.core.budget import would_exceed
from whatnext_service.core.draft import Draft, call, draft
from whatnext_service.core.first_run import first_config
from whatnext_service.core.multi_model import plan_multi_model
from whatnext_service.core.ranges import provider_of
from whatnext_service.core.scoreboard import Scoreboard
from whatnext_service.core.versions import find_version
from whatnext_service.errors import DomainError


def multi_model_gate(board: Scoreboard) -> tuple[Draft, ...]:
    """Before the first run: the same data through two or three base models at once, where the budget covers them all.

    It is an alternative and not the advice: with one model at a time each result says whether another is worth a run,
    and another paid only where the first was poor (evidence 8).
    """
    state = board.state
    if any(run.status != "cancelled" for run in state.runs):
        return ()
    config = first_config(board)
    version = None if config is None else find_version(board.versions, config.dataset_version_id)
    if config is None or version is None:
        return ()
    provider = provider_of(state, config.base_model)
    try:
        plan = plan_multi_model(
            config, version, state.catalogue, state.loop.choices, today=state.as_of.date(), provider=provider
        )
    except DomainError:
        return ()
    most = state.loop.budget.max_runs
    too_many = most is not None and len(state.runs) + len(plan.runs) > most
    if too_many or any(would_exceed(state, each.config, board.spent) is not None for each in plan.runs):
        return ()
    names = tuple(each.config.base_model for each in plan.runs)
    return (
        draft(
            kind="start_run",
            phase="train",
            headline=f"Train {plan.statement}",
            rationale=(
                "The same data through several base models, all else equal, tells which of them to go on with "
                "(method 6.3).",
                *(f"{each.config.base_model}: {each.reason}." for each in plan.runs),
            ),
            subject_id=version.id,
            request=call(
                "POST",
                f"/v1/loops/{state.loop.id}/multi-model",
                RequestBody(
                    provider=provider,
                    dataset_version_id=version.id,
                    base_models=names,
                    n_epochs=config.n_epochs,
                    learning_rate_multiplier=config.learning_rate_multiplier,
                ),
            ),
            why_not=(
                "One base model at a time tells as much with fewer runs: another one pays only where the first is "
                "poor (evidence 8)."
            ),
        ),
    )
