"""What next: the gates in order; the first one with an answer that nobody declined gives it."""

from collections.abc import Iterator

import msgspec

from whatnext_service.core.advice import (
    RULES_VERSION,
    Action,
    Alternative,
    Answer,
    Confidence,
    Evidence,
    StopRule,
    Warning,
)
from whatnext_service.core.budget import budget_use
from whatnext_service.core.departure import compare_with_method
from whatnext_service.core.draft import Draft, draft
from whatnext_service.core.gate_change import change_gate, first_run_gate, promising
from whatnext_service.core.gate_data import data_quality_gate, missing_types_gate, running_data_gate
from whatnext_service.core.gate_failure import failure_gate
from whatnext_service.core.gate_finish import leave_loop, shipped_gate
from whatnext_service.core.gate_multi_model import multi_model_gate
from whatnext_service.core.gate_progress import evaluate_gate, evaluation_pending_gate, run_pending_gate
from whatnext_service.core.gate_repeat import repeat_gate
from whatnext_service.core.gate_separate import separate_gate
from whatnext_service.core.gate_setup import (
    baseline_gate,
    dataset_gate,
    unknown_data_gate,
    wrong_tool_gate,
)
from whatnext_service.core.identity import recommendation_id
from whatnext_service.core.incumbent import Standing, incumbent, standings
from whatnext_service.core.loop_warnings import loop_warnings
from whatnext_service.core.method_advice import MethodAdvice, method_advice
from whatnext_service.core.moves import moves, remaining_moves
from whatnext_service.core.scoreboard import Scoreboard, read_scoreboard
from whatnext_service.core.state import LoopState
from whatnext_service.core.stop_rules import stop_rules
from whatnext_service.core.wording import as_markdown

MAX_ALTERNATIVES = 3
_NAMES_ITS_ADVICE = ("/v1/runs", "/v1/evaluations", "/v1/deployments", "/v1/dataset-versions/")
"""Calls whose body may name the recommendation that they carry out."""


def what_next(state: LoopState) -> Answer:
    """Answer "what next?" for a state: always, completely, and the same for the same state."""
    board = read_scoreboard(state)
    found = standings(board)
    best = incumbent(found)
    rules = stop_rules(state, board)
    declined = {each.fingerprint for each in state.declines}
    chosen: Draft | None = None
    others: list[Draft] = []
    for drafts in _gates(board, found, best, rules, declined):
        open_ = [each for each in drafts if each.fingerprint not in declined]
        if chosen is None and open_:
            chosen, others = open_[0], open_[1:]
            break
    chosen = chosen or _review(board)
    return _answer(board, best, chosen, tuple(others), rules)


def _gates(
    board: Scoreboard,
    found: tuple[Standing, ...],
    best: Standing | None,
    rules: tuple[StopRule, ...],
    declined: set[str],
) -> Iterator[tuple[Draft, ...]]:
    """What each gate would do, in the order of the method; a gate with nothing to say yields nothing."""
    met = {rule.rule: rule for rule in rules if rule.met}
    yield shipped_gate(board, best)
    yield dataset_gate(board)
    if not board.versions:
        if board.state.runs:
            yield from _gates_of_reported_runs(board)
        return
    yield data_quality_gate(board)
    yield evaluation_pending_gate(board)
    yield baseline_gate(board)
    yield wrong_tool_gate(board)
    yield evaluate_gate(board)
    yield run_pending_gate(board)
    for name in ("good_enough", "budget"):
        if name in met:
            yield leave_loop(board, best, met[name].detail)
    yield failure_gate(board)
    yield (*first_run_gate(board), *multi_model_gate(board))
    if best is not None:
        yield running_data_gate(board, best)
    changes = () if best is None else change_gate(board, found, best, moves(board, found, best))
    flat = met.get("beaten_and_flat")
    if flat is not None and not any(promising(board, each) and each.fingerprint not in declined for each in changes):
        yield (*_leave(board, best, flat.detail), *changes)
    yield (*separate_gate(board, best), *changes)
    yield repeat_gate(board, best)
    yield _leave(board, best, "No promising change is left untried within the choices and the budget.")
    if best is not None:
        yield change_gate(board, found, best, remaining_moves(board, found, best))


def _gates_of_reported_runs(board: Scoreboard) -> Iterator[tuple[Draft, ...]]:
    """Runs that trained elsewhere, on data the loop does not have: they are waited for and scored, then the data is
    asked for, as no change can be advised without it."""
    yield evaluation_pending_gate(board)
    yield baseline_gate(board)
    yield evaluate_gate(board)
    yield run_pending_gate(board)
    yield unknown_data_gate(board)


def _leave(board: Scoreboard, best: Standing | None, reason: str) -> tuple[Draft, ...]:
    """The way out; before a loop stops without a gain, what its data lacks is said (method 6.1)."""
    leaving, lacking = leave_loop(board, best, reason), missing_types_gate(board, best)
    if any(each.kind == "stop" for each in leaving[:1]):
        return (*lacking, *leaving)
    return (*leaving, *lacking)


def _answer(
    board: Scoreboard, best: Standing | None, chosen: Draft, others: tuple[Draft, ...], rules: tuple[StopRule, ...]
) -> Answer:
    state = board.state
    name = recommendation_id(state, chosen.fingerprint)
    request = chosen.request
    if request is not None and request.body is not None and request.path.startswith(_NAMES_ITS_ADVICE):
        request = msgspec.structs.replace(request, body=msgspec.structs.replace(request.body, recommendation_id=name))
    literal = method_advice(state, board, rules)
    warnings: tuple[Warning, ...] = loop_warnings(board, best)
    answer = Answer(
        loop_id=state.loop.id,
        state_version=state.version,
        rules_version=RULES_VERSION,
        as_of=state.as_of,
        phase=chosen.phase,
        headline=chosen.headline,
        action=Action(
            kind=chosen.kind,
            recommendation_id=name,
            fingerprint=chosen.fingerprint,
            subject_id=chosen.subject_id,
            check_after_s=chosen.check_after_s,
            request=request,
        ),
        change=chosen.change,
        path=literal.path,
        method_reading=compare_with_method(chosen, literal),
        rationale=chosen.rationale,
        evidence=_with_path_evidence(chosen.evidence, literal),
        confidence=chosen.confidence,
        alternatives=tuple(
            Alternative(
                kind=other.kind, change=other.alternative_change, headline=other.headline, why_not=why_not(other)
            )
            for other in others[:MAX_ALTERNATIVES]
        ),
        stop_rules=rules,
        warnings=warnings,
        budget=budget_use(state, board.spent),
        markdown="",
        thresholds_version=state.loop.thresholds.version,
    )
    return msgspec.structs.replace(answer, markdown=as_markdown(answer))


def _with_path_evidence(chosen: tuple[Evidence, ...], literal: MethodAdvice) -> tuple[Evidence, ...]:
    """The advice's evidence, and what the path through the tree names beside it."""
    named = {code for step in literal.path for code in step.evidence} - {each.code for each in chosen}
    return (*chosen, *(each for each in literal.evidence if each.code in named))


def why_not(other: Draft) -> str:
    """Why a draft is not the advice; for a change with the effect it is expected to have."""
    if other.change is None or other.change.expects.effect is None:
        return other.why_not
    return f"{other.why_not.removesuffix('.')}; expected {other.change.expects.effect:+.2f}."


def _review(board: Scoreboard) -> Draft:
    return draft(
        kind="review",
        phase="plan",
        headline="Decide by hand: every action that the rules would advise has been declined.",
        rationale=("Nothing else is left to advise on this state.",),
        confidence=Confidence(
            level="low",
            basis="The declined recommendations are not advised again.",
            would_raise_it="New data, a wider choice, a larger budget, or a run started by hand.",
        ),
        subject_id=board.state.loop.id,
    )
