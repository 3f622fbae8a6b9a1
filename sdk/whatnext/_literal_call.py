"""Literal calls that the service names: checked, and matched with the operations this package knows."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from whatnext._operation import JSON, Operation


def checked_path(path: str) -> str:
    """A path on the service itself; anything that could lead a key elsewhere is refused."""
    parts = urlsplit(path)
    unsafe = not path.startswith("/") or path.startswith("//") or parts.scheme or parts.netloc or parts.fragment
    control = any(ord(character) <= 32 or ord(character) == 127 for character in path)
    dots = any(unquote(segment) in (".", "..") for segment in parts.path.split("/"))
    if unsafe or control or dots or "\\" in path:
        raise ValueError(f"{path!r} is no plain path of the service")
    return path


def operation_of(operations: Iterable[Operation[Any]], method: str, path: str) -> Operation[Any] | None:
    """The operation with a JSON answer that a call is, if this package knows it."""
    plain = urlsplit(path).path
    for each in operations:
        if each.method == method and each.media == JSON and not each.paged and each.pattern.fullmatch(plain):
            return each
    return None
