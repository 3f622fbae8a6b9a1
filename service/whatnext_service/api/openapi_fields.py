"""The words under the fields of structs, which only their source holds."""

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterable
from typing import Any, get_args, get_type_hints

import msgspec


def field_words(kinds: Iterable[Any]) -> dict[str, dict[str, str]]:
    """By name of struct and field, for these structs and all that they are made of."""
    found: dict[type[msgspec.Struct], dict[str, str]] = {}
    todo = list(kinds)
    while todo:
        kind = todo.pop()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            if kind not in found:
                found[kind] = {name: text for base in reversed(kind.__mro__) for name, text in _words(base).items()}
                todo += get_type_hints(kind).values()
        else:
            todo += get_args(kind)
    return {kind.__name__: words for kind, words in found.items()}


def _words(kind: type) -> dict[str, str]:
    if not issubclass(kind, msgspec.Struct) or kind is msgspec.Struct:
        return {}
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    lines = body.body if isinstance(body, ast.ClassDef) else []
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in itertools.pairwise(lines)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }
