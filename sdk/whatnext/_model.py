"""What every model is made of."""

import builtins
from typing import Any

import httpx
import msgspec
from msgspec import UNSET

from whatnext.errors import WhatnextError

NOT_SENT: Any = UNSET
"""Default of what a request may leave out: the service fills it in."""


class Model(msgspec.Struct, kw_only=True, frozen=True, dict=True):
    """Base of every answer. Unknown fields are ignored; a nullable field that an older service lacks is null."""

    def to_dict(self) -> builtins.dict[str, Any]:
        """The plain data: dicts, lists, strings, numbers; times and money as strings."""
        plain: builtins.dict[str, Any] = msgspec.to_builtins(self)
        return plain


class Sent(Model, kw_only=True, frozen=True, dict=True, omit_defaults=True):
    """Base of what is answered and may also be sent: only what was given travels."""


def response_of(answer: object) -> httpx.Response:
    """The HTTP response an answer came in, for its headers and bytes.

    >>> run = client.runs.get("run_1")
    >>> whatnext.response_of(run).status_code
    200
    """
    found = getattr(answer, "__dict__", {}).get("_response")
    if not isinstance(found, httpx.Response):
        raise WhatnextError("this object was not the answer to a request of its own")
    return found
