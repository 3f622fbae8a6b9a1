"""Every error the service raises on purpose.

StartError             the process cannot start; the message is for whoever started it
DomainError            a rule refused it: `code` names a problem document (see `api/problem.py`)
ProviderError          a training platform or judge answered badly; `retryable` says whether to try again
"""

from typing import Literal

import msgspec


class StartError(RuntimeError):
    """The service cannot start; the message says why and what to do."""


class FieldError(msgspec.Struct, kw_only=True, frozen=True):
    """Where in the request body the fault is."""

    pointer: str
    """JSON pointer into the body, such as `/rules/patience`; empty for the whole body."""
    message: str


class DomainError(Exception):
    """A request or a job that a rule of the domain refuses; nothing was changed."""

    def __init__(
        self, code: str, detail: str, *, errors: tuple[FieldError, ...] = (), retry_after_s: int | None = None
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s


ProviderFault = Literal[
    "unreachable", "timeout", "rate_limited", "unavailable", "unauthorized", "refused", "not_found", "malformed"
]
"""`unauthorized`: the platform does not let this account in, or no more: a key, a permission, a bill."""


class ProviderError(Exception):
    """A platform did not do what was asked.

    `sent` is false only when it is certain that the request never reached the platform; a paid call whose
    outcome is unknown must be reconciled, never blindly repeated. `code` is the platform's own word for it.
    """

    def __init__(
        self,
        fault: ProviderFault,
        detail: str,
        *,
        retryable: bool,
        sent: bool = True,
        retry_after_s: float | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault: ProviderFault = fault
        self.detail = detail
        self.retryable = retryable
        self.sent = sent
        self.retry_after_s = retry_after_s
        self.code = code
