"""Which media type to answer in."""

from typing import Any

from litestar import Request

from whatnext_service.errors import DomainError


def offered(request: Request[Any, Any, Any], *kinds: str) -> str:
    """The best of the offered media types for the request's Accept; `not_acceptable` when there is none."""
    best = request.accept.best_match(list(kinds), default=None)
    if best is None:
        raise DomainError("not_acceptable", f"This is offered as {', '.join(kinds)}.")
    return best
