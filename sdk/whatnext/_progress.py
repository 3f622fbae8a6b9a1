"""What a follower of a loop is told."""

from typing import Any, TypeVar

import msgspec

from whatnext import models

ENDED = frozenset({"succeeded", "failed", "cancelled"})
PERSON_KINDS = frozenset({"review"})
END_KINDS = frozenset({"ship", "stop", "do_not_fine_tune"})
"""Kinds that end the loop; shipping is left to whoever asked."""

T = TypeVar("T")


class Step(msgspec.Struct, kw_only=True, frozen=True):
    """One step of a loop: an answer, and what came of it."""

    answer: models.Answer
    result: Any = None
    """The resource that carrying it out made or changed; null where nothing was carried out."""
    carried_out: bool = False

    @property
    def kind(self) -> str:
        """What was advised."""
        return self.answer.action.kind

    @property
    def headline(self) -> str:
        """The advice in one line."""
        return self.answer.headline

    @property
    def needs_person(self) -> bool:
        """Whether the loop cannot go on by itself."""
        return needs_person(self.answer)


class Progress(msgspec.Struct, kw_only=True, frozen=True):
    """How something under way is doing."""

    subject_id: str
    status: str
    run: models.Run | None = None
    evaluation: models.Evaluation | None = None
    done: int | None = None
    """Steps trained, or items evaluated."""
    total: int | None = None
    """Of how many; null where that is not known."""
    metrics: dict[str, float] = {}
    """A run's last values by name."""


def is_final(answer: models.Answer) -> bool:
    """Whether a follower stops here: the loop has ended, or a person must act."""
    return answer.action.kind in END_KINDS or needs_person(answer)


def needs_person(answer: models.Answer) -> bool:
    """Whether a person must act: by its kind, or because there is no request and nothing to wait for."""
    kind = answer.action.kind
    return kind in PERSON_KINDS or (answer.action.request is None and kind != "wait" and kind not in END_KINDS)


def run_progress(run: models.Run, curves: models.Curves | None) -> Progress:
    """A run's progress, with the last value of each curve."""
    last: dict[str, float] = {}
    reached: list[int] = []
    for each in () if curves is None else curves.series:
        known = [value for value in each.values if value is not None]
        if known:
            last[each.name] = known[-1]
            reached.append(each.steps[-1])
    return Progress(
        subject_id=run.id,
        status=run.status,
        run=run,
        done=run.last_step if run.last_step is not None else max(reached, default=None),
        total=None if run.effective is None else run.effective.n_steps,
        metrics=last,
    )


def evaluation_progress(evaluation: models.Evaluation) -> Progress:
    """An evaluation's progress in items."""
    return Progress(
        subject_id=evaluation.id,
        status=evaluation.status,
        evaluation=evaluation,
        done=evaluation.n_done,
        total=evaluation.n_items,
    )
