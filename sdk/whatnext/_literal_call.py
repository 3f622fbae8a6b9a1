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
    fitting = [each for each in fitting_operations(operations, method, path) if each.media == JSON and not each.paged]
    return fitting[0] if fitting else None


def fitting_operations(operations: Iterable[Operation[Any]], method: str, path: str) -> list[Operation[Any]]:
    """The operations that a call may be: a path without parameters comes before one that has them."""
    plain = urlsplit(path).path
    fitting = [each for each in operations if each.method == method and each.pattern.fullmatch(plain)]
    return [each for each in fitting if len(each.pieces) == min(len(one.pieces) for one in fitting)]
