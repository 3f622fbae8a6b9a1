"""A recommendation is carried out once, however many send its request, and however often."""

from whatnext_service.errors import DomainError, FieldError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx

AT = "/recommendation_id"


async def led_to(tx: Tx, recommendation_id: str | None, loop_id: str) -> str | None:
    """The id of what a recommendation has led to already; null when it has led to nothing, or there is none.

    Whoever asks holds the loop: of two that ask at once, the second learns what the first made. What was declined is
    not carried out any more.
    """
    if recommendation_id is None:
        return None
    advice = await look_up.find_advice(tx, recommendation_id, loop_id)
    if advice.status == "declined":
        raise DomainError(
            "decision_conflict",
            "The recommendation was declined; ask what is next now.",
            errors=(FieldError(pointer=AT, message="was declined"),),
        )
    return advice.carried_out_by


def carried_out_already(made: str) -> DomainError:
    """The recommendation has led to something else than is asked for now."""
    return DomainError(
        "carried_out_already",
        f"The recommendation was carried out already: {made} came of it.",
        errors=(FieldError(pointer=AT, message=f"led to {made}"),),
    )
