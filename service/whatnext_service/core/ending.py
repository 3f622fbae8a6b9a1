"""How an evaluation ends, from how it was stopped and what was scored."""

from whatnext_service.core.early_end import EndedEarly
from whatnext_service.core.evaluations import EvaluationStatus


def ending(
    ended: EndedEarly | None, n_scored: int, n_items: int, failure: str | None
) -> tuple[EvaluationStatus, str | None]:
    """The status, and why there is no whole result.

    An evaluation that was shown to be hopeless has succeeded: it measured enough, on items drawn by lot. One that ran
    into a cap or was cancelled keeps its partial figures and counts for nothing.
    """
    so_far = f"after {n_scored} of {n_items} items had a score"
    match ended:
        case None | "hopeless":
            return ("failed" if failure else "succeeded"), failure
        case "cancelled":
            return "cancelled", f"Cancelled {so_far}."
        case "max_tokens" | "max_cost":
            cap = "tokens" if ended == "max_tokens" else "cost"
            return "failed", f"The cap on {cap} was reached {so_far}."
        case "failing":
            return "failed", f"Stopped, because every item fails alike. {failure or ''}".strip()
