"""Asking a served model: which faults are tried again, how often, and which pauses are not waited out in place."""

import asyncio
import itertools
from collections.abc import Iterable

import pytest

from whatnext_service.errors import ProviderError, ProviderFault
from whatnext_service.flows.ask import Line, PutOff, Refused
from whatnext_service.providers.port import Completion, CompletionRequest, Message

REQUEST = CompletionRequest(model="m", messages=(Message(role="user", content="How?"),), idempotency_key="k")
ANSWER = Completion(text="So.", finish_reason="stop", prompt_tokens=1, completion_tokens=1, latency_s=0.1)


class Served:
    """Answers and faults in their order, the last one again and again."""

    def __init__(self, *outcomes: Completion | ProviderError) -> None:
        self._outcomes: Iterable[Completion | ProviderError] = itertools.chain(outcomes, itertools.repeat(outcomes[-1]))
        self.n_asked = 0

    async def complete(self, request: CompletionRequest) -> Completion:
        self.n_asked += 1
        outcome = next(iter(self._outcomes))
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome


def fault(kind: ProviderFault, *, retryable: bool = True, retry_after_s: float | None = 0.0) -> ProviderError:
    return ProviderError(kind, "as planned", retryable=retryable, retry_after_s=retry_after_s)


@pytest.mark.parametrize(
    ("kind", "retryable", "n_asked"),
    [
        ("rate_limited", True, 8),
        ("unavailable", True, 8),
        ("unreachable", True, 8),
        ("timeout", True, 3),
        ("malformed", True, 2),
        ("refused", False, 1),
        ("not_found", False, 1),
    ],
)
async def test_a_fault_that_may_have_been_paid_for_is_repeated_less(
    kind: ProviderFault, retryable: bool, n_asked: int
) -> None:
    served = Served(fault(kind, retryable=retryable))
    with pytest.raises(Refused) as refusal:
        await Line(served.complete, 4).ask(REQUEST)
    assert (served.n_asked, refusal.value.n_repeats, refusal.value.error.fault) == (n_asked, n_asked - 1, kind)


async def test_a_long_pause_is_not_waited_out_in_place() -> None:
    served = Served(fault("rate_limited", retry_after_s=120.0), ANSWER)
    line = Line(served.complete, 4)
    with pytest.raises(PutOff) as pause:
        await line.ask(REQUEST)
    assert 119.0 < pause.value.wait_s <= 120.0
    with pytest.raises(PutOff):
        await line.ask(REQUEST)
    assert served.n_asked == 1


async def test_whoever_is_not_patient_is_told_at_once() -> None:
    served = Served(fault("rate_limited", retry_after_s=120.0))
    line = Line(served.complete, 4, patient=False)
    for _ in range(3):
        with pytest.raises(Refused) as refusal:
            await line.ask(REQUEST)
        assert refusal.value.error.fault == "unavailable"
    assert served.n_asked == 1


async def test_an_outage_puts_off_everybody_and_an_answer_ends_it() -> None:
    seconds = iter(range(0, 100_000, 11))
    served = Served(*[fault("unavailable")] * 5, ANSWER)
    line = Line(served.complete, 4, now_s=lambda: float(next(seconds)))
    with pytest.raises(PutOff) as pause:
        await line.ask(REQUEST)
    assert pause.value.wait_s == 60.0
    assert served.n_asked < 5
    assert (await Line(served.complete, 4).ask(REQUEST)).answer == ANSWER


async def test_those_under_way_are_left_to_end() -> None:
    """A pause that one request is told of must not lose the answers of the others."""
    served = Served(ANSWER)
    release = asyncio.Event()

    async def slow(request: CompletionRequest) -> Completion:
        if request.idempotency_key == "k":
            await release.wait()
            return ANSWER
        raise fault("rate_limited", retry_after_s=120.0)

    served.complete = slow  # type: ignore[method-assign]
    line = Line(served.complete, 4)
    first = asyncio.create_task(line.ask(REQUEST))
    await asyncio.sleep(0)
    with pytest.raises(PutOff):
        await line.ask(CompletionRequest(model="m", messages=REQUEST.messages, idempotency_key="other"))
    release.set()
    assert (await first).answer == ANSWER
