"""The gate to the next experiment: one change, its reason, its expectation."""

from collections.abc import Iterator
from operator import attrgetter

import msgspec

from whatnext_service.core.advice import Change, Confidence, Evidence, RequestBody
from whatnext_service.core.budget import would_exceed
from whatnext_service.core.draft import CERTAIN, Draft, call, draft, measured
from whatnext_service.core.first_run import first_config
from whatnext_service.core.identity import config_fingerprint
from whatnext_service.core.incumbent import Standing, paired_gain
from whatnext_service.core.move_kinds import Move
from whatnext_service.core.outcome import RISEN, outcome
from whatnext_service.core.predict import PastEffect, expect, past_effects
from whatnext_service.core.ranges import provider_of
from whatnext_service.core.runs import Variable
from whatnext_service.core.scoreboard import Scoreboard
from whatnext_service.core.track_record import RuleRecord, demoted
from whatnext_service.core.versions import find_version
from whatnext_service.core.wording import cause, shown_change, variable_name

HELD: tuple[Variable, ...] = (
    "base_model",
    "dataset_version_id",
    "method",
    "n_epochs",
    "learning_rate_multiplier",
    "batch_size",
)
LAST_RESORTS = ("other_method", "batch_size", "remaining_rate")
"""Changes without a measured gain on a loop that already beats its baseline (evidence 8)."""
MAX_DRAFTS = 8
"""How many moves are worked out: the advice, its alternatives, and room for declined ones."""


def first_run_gate(board: Scoreboard) -> tuple[Draft, ...]:
    """The first job: default rate, three to five epochs, every stored checkpoint scored (evidence 8)."""
    state = board.state
    if any(run.status not in ("cancelled",) for run in state.runs):
        return ()
    config = first_config(board)
    if config is None:
        return (
            draft(
                kind="review",
                phase="setup",
                headline="Choose another base model: none of the allowed ones can be trained on this data.",
                rationale=(
                    "Each of them lacks the data's training method, takes no new jobs any more, or wants more "
                    "examples than there are (method 6.3).",
                ),
            ),
        )
    if (over := would_exceed(state, config, board.spent)) is not None:
        return (
            draft(
                kind="stop",
                phase="setup",
                headline="Stop: the first run does not fit the budget.",
                rationale=(f"{over[0].upper()}{over[1:]} (method 7.4).",),
            ),
        )
    version = find_version(board.versions, config.dataset_version_id)
    data = config.dataset_version_id if version is None else f"{version.name} ({version.n_examples} ex)"
    rate = f"{config.learning_rate_multiplier:g}"
    return (
        Draft(
            kind="start_run",
            phase="train",
            headline=(
                f"Train {config.base_model} on {data}: {config.n_epochs} epochs, learning-rate multiplier {rate}."
            ),
            fingerprint=config_fingerprint("start_run", config),
            rationale=(
                "The first job runs at the default rate for up to five epochs, and its stored checkpoints are scored: "
                "the strongest simple start on real surfaces (evidence 8).",
                "Every later run changes one variable against a named parent (method 1).",
            ),
            confidence=CERTAIN,
            subject_id=config.dataset_version_id,
            config=config,
            request=call(
                "POST",
                "/v1/runs",
                RequestBody(loop_id=state.loop.id, provider=provider_of(state, config.base_model), config=config),
            ),
        ),
    )


def change_gate(
    board: Scoreboard, found: tuple[Standing, ...], best: Standing, candidates: Iterator[Move]
) -> tuple[Draft, ...]:
    """The next single changes, best first, as far as the budget allows them; demoted rules come last."""
    noise = comparison_noise(board, found, best)
    doubtful = {record.rule: record for record in board.state.track_record if demoted(record)}
    past = past_effects(found)
    drafts: list[Draft] = []
    last: list[Draft] = []
    for move in candidates:
        if would_exceed(board.state, move.config, board.spent) is not None:
            continue
        made = _draft(board, past, best, move, noise)
        if move.rule in doubtful:
            last.append(_doubted(made, doubtful[move.rule]))
        else:
            drafts.append(made)
        if len(drafts) == MAX_DRAFTS:
            break
    return (*drafts, *last)


def comparison_noise(board: Scoreboard, found: tuple[Standing, ...], best: Standing) -> float | None:
    """Standard error of a comparison of two trained models on the suite, else of one with the baseline."""
    others = [each for each in found if each is not best]
    second = max(others, key=attrgetter("estimate"), default=None)
    reference = board.baseline if second is None else second.arm.evaluation
    gain = None if reference is None else paired_gain(best.arm.evaluation, reference, board.sign)
    return None if gain is None else gain[1]


def promising(board: Scoreboard, each: Draft) -> bool:
    """Whether a change is worth more runs once the loop is flat: data and rates are, the last resorts are not.

    Another base model is, when the loop's own choices name it.
    """
    if each.change is None:
        return False
    rule = each.change.expects.rule
    if rule == "other_base_model":
        return board.state.loop.choices.base_models is not None
    return rule not in LAST_RESORTS


def _doubted(made: Draft, record: RuleRecord) -> Draft:
    told = (
        f"The rule behind it has helped in {record.n_hits} of {record.n} cases in this workspace and comes last here."
    )
    return msgspec.structs.replace(made, rationale=(*made.rationale, told), why_not=told)


def _draft(board: Scoreboard, past: tuple[PastEffect, ...], best: Standing, move: Move, noise: float | None) -> Draft:
    versions = board.versions
    to = shown_change(move.variable, move.to_value, versions)
    old = shown_change(move.variable, move.from_value, versions)
    expects = expect(board, past, move, noise)
    known = outcome(move.parent).known
    low_end = board.sign * ((expects.effect_low if board.sign > 0 else expects.effect_high) or 0.0)
    return Draft(
        kind="start_run",
        phase="plan",
        headline=(
            f"Train again from {move.parent.name} with {variable_name(move.variable)} {to} instead of {old}: "
            f"{cause(move)}."
        ),
        fingerprint=config_fingerprint("start_run", msgspec.structs.replace(move.config, seed=None)),
        rationale=(
            f"{move.reason}.",
            f"Best so far: {best.trial.run.name}, {board.sign * best.estimate:.2f} after shrinking its lucky part.",
        ),
        confidence=Confidence(
            level="low" if not known else "high" if low_end > 0 else "medium",
            basis=expects.basis,
            would_raise_it=(
                "More items in the selection suite, or a repeat of the parent with another seed."
                if known
                else "A validation file: without one the curve says nothing about the rate."
            ),
        ),
        evidence=_evidence(board, best, move),
        subject_id=move.parent.id,
        config=move.config,
        request=call(
            "POST",
            "/v1/runs",
            RequestBody(loop_id=board.state.loop.id, parent_run_id=move.parent.id, overrides=move.overrides),
        ),
        change=Change(
            variable=move.variable,
            from_value=move.from_value,
            to_value=move.to_value,
            held_fixed=tuple(name for name in HELD if name != move.variable),
            expects=expects,
        ),
    )


def _evidence(board: Scoreboard, best: Standing, move: Move) -> tuple[Evidence, ...]:
    found: list[Evidence] = []
    reading = move.parent.reading
    name = move.parent.name
    if reading is not None and reading.rise is not None:
        found.append(
            measured(
                "validation_rise",
                f"validation loss of {name} ended at {reading.rise:.2f} times its minimum",
                reading.rise,
                RISEN,
                "run",
                move.parent.id,
            )
        )
    if reading is not None and reading.first_valid_loss and reading.last_valid_loss is not None:
        against_first = reading.last_valid_loss / reading.first_valid_loss
        found.append(
            measured(
                "validation_against_first",
                f"validation loss of {name} ended at {against_first:.2f} times its first value",
                against_first,
                1.0,
                "run",
                move.parent.id,
            )
        )
    score = best.arm.evaluation.combined
    found.append(
        measured(
            "best_score",
            f"{best.trial.run.name} scores {score:.2f} on {best.arm.evaluation.n_scored} items",
            score,
            None if board.baseline is None else board.baseline.combined,
            "evaluation",
            best.arm.evaluation.id,
        )
    )
    return tuple(found)
