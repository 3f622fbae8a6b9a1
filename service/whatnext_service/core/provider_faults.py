"""What a fault of the provider means to a run: nothing that may pass ends it, and nothing is given up unseen.

Training costs money whether we look or not, so while a job is known only the provider's own word on it ends the run. A
refusal to let us in (a rotated key, a bill) is waited out for as long as it takes. Other answers that no repetition
should change, such as "there is no such job", count once they have come `LASTING_LOOKS` times over `LASTING_S`.
"""

from typing import Literal

from whatnext_service.errors import ProviderFault

LASTING_LOOKS = 10
LASTING_S = 3600.0
CANCEL_S = 86400.0
"""How long a cancellation is carried to a provider that cannot be asked."""
TELLING_LOOKS = 3
"""Faults in a row after which one that may pass is told."""
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
LONGEST_ASKED_S = 3600.0
"""The longest that a provider may have a run wait for its next look."""

Verdict = Literal["keep", "failed", "lost", "cancelled"]


def judge_fault(
    fault: ProviderFault,
    *,
    retryable: bool,
    sent: bool,
    job_known: bool,
    cancel_requested: bool,
    n_in_a_row: int,
    lasted_s: float,
) -> Verdict:
    """Whether the run is kept and looked at again, or ends, and as what.

    `n_in_a_row`: looks without success, this one included. `lasted_s`: since this fault was first told.
    """
    if cancel_requested and lasted_s >= CANCEL_S:
        return "cancelled"
    if retryable or fault == "unauthorized":
        return "keep"
    if job_known:
        return "lost" if is_lasting(n_in_a_row, lasted_s) else "keep"
    if fault == "not_found":
        return "failed" if is_lasting(n_in_a_row, lasted_s) else "keep"
    return "keep" if fault == "malformed" and sent else "failed"


def is_lasting(n_in_a_row: int, lasted_s: float) -> bool:
    """Whether a fault has been seen often enough, for long enough, to be believed."""
    return n_in_a_row >= LASTING_LOOKS and lasted_s >= LASTING_S


def is_told(fault: ProviderFault, *, retryable: bool, n_in_a_row: int) -> bool:
    """Whether a fault is worth showing on the run: at once where a person may have to act, else when it stays."""
    return n_in_a_row >= TELLING_LOOKS or fault == "unauthorized" or not retryable


def wait_s(n_in_a_row: int, asked_s: float | None) -> float:
    """Seconds before the next look: what the provider asks for, else doubling from 1 to 60."""
    if asked_s is not None:
        return min(asked_s, LONGEST_ASKED_S)
    return min(FIRST_WAIT_S * 2.0 ** min(n_in_a_row - 1, 10), LONGEST_WAIT_S)


def may_do_without(fault: ProviderFault, *, retryable: bool, ended: bool, n_in_a_row: int, lasted_s: float) -> bool:
    """Whether a look at a job goes on without a part of it (its events, its checkpoints, a result file).

    While the job is under way another look will come. After its end there is none, so only what is certain counts: a
    refusal, or a fault that lasts.
    """
    if fault not in ("refused", "not_found", "malformed"):
        return False
    certain = not retryable and fault != "not_found"
    return certain or not ended or is_lasting(n_in_a_row, lasted_s)
