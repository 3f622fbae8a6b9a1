# Generated from _async/waiting.py; do not edit.
# ruff: noqa
"""Wait for something to change, by long polling."""

import time
from collections.abc import Iterator
from functools import partial
from typing import TypeVar

import httpx

from whatnext._config import longer
from whatnext._operation import Operation, Ref, entity_tag
from whatnext._sync.patience import patiently
from whatnext._sync.transport import Transport
from whatnext.errors import WaitTimeoutError

T = TypeVar("T")
LONGEST_WAIT_S = 30
"""The service holds a waiting request no longer."""
QUICK_S = 0.25
"""An unchanged answer faster than this did not wait."""


def changes(
    transport: Transport,
    operation: Operation[T],
    ref: Ref,
    *,
    since: T | None = None,
    timeout_s: float | None = None,
    poll_s: float = LONGEST_WAIT_S,
) -> Iterator[T | None]:
    """The thing now, then each time it has changed; None when `poll_s` passed without a change. Ends at `timeout_s`.

    With `since`, an earlier answer, the first one yielded differs from it. Once there was an answer, the service may
    be away for some minutes.
    """
    path = operation.path_for((ref,))
    response: httpx.Response | None = None if since is None else since.__dict__.get("_response")
    tag = None if response is None else entity_tag(response)
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        left = float("inf") if deadline is None else deadline - time.monotonic()
        wait = 0 if tag is None else int(max(0.0, min(poll_s, LONGEST_WAIT_S, left)))
        headers = dict(operation.accept)
        if tag is not None:
            headers["if-none-match"] = tag
        asked_at = time.monotonic()
        ask = partial(
            transport.send,
            "GET",
            f"{path}?wait={wait}" if wait else path,
            headers=headers,
            timeout=longer(transport.config.timeout, wait),
            expect=304,
        )
        response = ask() if response is None else patiently(transport, ask, deadline)
        changed = response.status_code != 304
        if changed:
            unchanged_tag = tag is not None and entity_tag(response) == tag
            tag = entity_tag(response)
            yield transport.decoded(operation, response)
        else:
            unchanged_tag = True
            yield None
        if deadline is not None and time.monotonic() >= deadline:
            return
        if (unchanged_tag or tag is None) and time.monotonic() - asked_at < QUICK_S:
            transport.sleep(1.0 if deadline is None else max(0.0, min(1.0, deadline - time.monotonic())))


def changed(transport: Transport, operation: Operation[T], ref: Ref, *, since: T | None, timeout_s: float | None) -> T:
    """The first answer that differs from an earlier one, or the present one; WaitTimeoutError at `timeout_s`."""
    for found in changes(transport, operation, ref, since=since, timeout_s=timeout_s):
        if found is not None:
            return found
    raise WaitTimeoutError(f"{operation.path_for((ref,))} has not changed within {timeout_s:g} s", since)
