"""The complete driver of a loop: ask, carry out, wait, and again."""

import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING

from whatnext import models
from whatnext._async.patience import patiently
from whatnext._async.waiting import changes
from whatnext._operation import Operation, Ref
from whatnext._progress import ENDED, Progress, Step, evaluation_progress, is_final, run_progress
from whatnext.errors import ConflictError, StuckError, WaitTimeoutError

if TYPE_CHECKING:
    from whatnext.aio import AsyncClient

STUCK_AFTER_S = 60.0
"""Carried-out advice that stands for so long is not moving."""
WATCH_S = 2
"""How long to look at one thing under way before asking whether the advice has moved."""


async def follow(
    client: "AsyncClient",
    loop: Ref,
    *,
    deadline: float | None,
    on_progress: Callable[[Progress], object] | None,
    approve: Callable[[models.Answer], bool] | None,
) -> AsyncIterator[Step]:
    """Carry out one answer after the other; see `client.loops.follow`."""
    answer = await client.loops.next(loop)
    ask = partial(client.loops.next, loop)
    waited = ""
    while True:
        if is_final(answer):
            yield Step(answer=answer)
            return
        if answer.action.request is None:
            if answer.headline != waited:
                yield Step(answer=answer)
            waited = answer.headline
            answer = await _watch(client, loop, answer, deadline, on_progress)
            continue
        if approve is not None and not approve(answer):
            yield Step(answer=answer)
            return
        _check(deadline, answer)
        try:
            result = await patiently(client.transport, partial(client.carry_out, answer), deadline)
        except ConflictError:
            moved = await patiently(client.transport, ask, deadline)
            if _same(moved, answer):
                raise
            answer = moved
            continue
        yield Step(answer=answer, result=result, carried_out=True)
        waited = ""
        answer = await _moved_on(client, loop, answer, deadline)


async def _moved_on(client: "AsyncClient", loop: Ref, done: models.Answer, deadline: float | None) -> models.Answer:
    """The answer after one that was carried out."""
    answer = await patiently(client.transport, partial(client.loops.next, loop), deadline)
    if not _same(answer, done):
        return answer
    left = STUCK_AFTER_S if deadline is None else min(STUCK_AFTER_S, deadline - time.monotonic())
    try:
        return await client.loops.wait_next(loop, after=answer, timeout_s=max(left, 0.0))
    except WaitTimeoutError:
        _check(deadline, answer)
        raise StuckError(f"{done.action.kind} was carried out, and the advice is still: {done.headline}") from None


async def _watch(
    client: "AsyncClient",
    loop: Ref,
    answer: models.Answer,
    deadline: float | None,
    on_progress: Callable[[Progress], object] | None,
) -> models.Answer:
    """The answer after `wait`, with reports on what is waited for until it comes."""
    subject = answer.action.subject_id
    if on_progress is not None and subject is not None and subject.startswith(("run_", "eval_")):
        async for report in _reports(client, subject):
            if report is not None:
                on_progress(report)
            now = await patiently(client.transport, partial(client.loops.next, loop), deadline)
            if not _same(now, answer):
                return now
            _check(deadline, answer)
    left = None if deadline is None else max(0.0, deadline - time.monotonic())
    return await client.loops.wait_next(loop, after=answer, timeout_s=left)


async def _reports(client: "AsyncClient", subject: str) -> AsyncIterator[Progress | None]:
    """How a run or an evaluation is doing, each time it changes and None every while, until it has ended."""
    if subject.startswith("run_"):
        runs = Operation("runs.get", "GET", "/v1/runs/{run_id}", models.Run)
        async for run in changes(client.transport, runs, subject, poll_s=WATCH_S):
            yield None if run is None else run_progress(run, await client.runs.metrics(run.id, max_points=4))
            if run is not None and run.status in ENDED:
                return
    else:
        evaluations = Operation("evaluations.get", "GET", "/v1/evaluations/{evaluation_id}", models.Evaluation)
        async for evaluation in changes(client.transport, evaluations, subject, poll_s=WATCH_S):
            yield None if evaluation is None else evaluation_progress(evaluation)
            if evaluation is not None and evaluation.status in ENDED:
                return


def _same(one: models.Answer, other: models.Answer) -> bool:
    return (one.state_version, one.rules_version, one.action.recommendation_id) == (
        other.state_version,
        other.rules_version,
        other.action.recommendation_id,
    )


def _check(deadline: float | None, answer: models.Answer) -> None:
    if deadline is not None and time.monotonic() >= deadline:
        raise WaitTimeoutError(f"out of time at: {answer.headline}", answer)
