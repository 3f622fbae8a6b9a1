"""Parameters that several routes share."""

import functools
from typing import Annotated, Any, TypeAlias

from litestar import Request
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter, PathParameter, QueryParameter

from whatnext_service.errors import DomainError, FieldError

Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=100, description="How many to return.")]
Cursor: TypeAlias = Annotated[
    str | None, QueryParameter(max_length=64, description="`next_cursor` of the page before.")
]
LoopFilter: TypeAlias = Annotated[
    list[str] | None, QueryParameter(description="Only of these loops (id or slug); repeatable.")
]
StatusFilter: TypeAlias = Annotated[
    list[str] | None, QueryParameter(description="Only with these statuses; repeatable.")
]
RunFilter: TypeAlias = Annotated[list[str] | None, QueryParameter(description="Only of these runs; repeatable.")]
LoopRef: TypeAlias = Annotated[str, PathParameter(description="A loop's id or slug.", max_length=128)]
RunRef: TypeAlias = Annotated[
    str, PathParameter(description="A run's id, or `{loop slug}/R3` with the slash as `%2F` or `~`.", max_length=128)
]
Id: TypeAlias = Annotated[str, PathParameter(description="The resource's id.", max_length=128)]
Wait: TypeAlias = Annotated[
    int,
    QueryParameter(ge=0, le=30, description="Seconds to wait for a change, with If-None-Match; 304 if none came."),
]
IdempotencyKey: TypeAlias = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Makes a retry safe: the same key with the same request is answered once more, not done again.",
    ),
]
IfMatch: TypeAlias = Annotated[
    str | None,
    HeaderParameter(name="If-Match", max_length=128, description="Change only this version of the resource."),
]
IfNoneMatch: TypeAlias = Annotated[
    str | None,
    HeaderParameter(name="If-None-Match", max_length=128, description="Answer 304 while this is its ETag."),
]
LastEventId: TypeAlias = Annotated[
    str | None,
    HeaderParameter(
        name="Last-Event-ID",
        max_length=64,
        description="Event streams: go on after this event; `after` then has no say.",
    ),
]


def refuse_unknown_parameters(request: Request[Any, Any, Any]) -> None:
    """A misspelt filter would otherwise give the whole list."""
    known = _query_parameters(request.route_handler)
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        message = f"is no parameter here; there is {', '.join(sorted(known)) or 'none'}"
        raise DomainError(
            "invalid_parameter",
            "; ".join(f"{name[:64]}: {message}" for name in unknown[:3]),
            errors=tuple(FieldError(pointer=name[:64], message=message) for name in unknown[:100]),
        )


@functools.cache
def _query_parameters(handler: BaseRouteHandler) -> frozenset[str]:
    fields = handler.parsed_fn_signature.parameters.items()
    return frozenset(name for name, field in fields if isinstance(field.kwarg_definition, QueryParameter))
