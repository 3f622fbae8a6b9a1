"""The model catalogue: base models with their start values, prices and end dates, as data (method, section 6.3)."""

from collections.abc import Iterable
from datetime import date

import msgspec

from whatnext_service.core.state import BaseModel


class Catalogue(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The catalogue file."""

    version: str
    prices_as_of: date | None
    """Day on which the prices were looked up; null when it holds none."""
    models: tuple[BaseModel, ...]


def decode_catalogue(content: bytes) -> Catalogue:
    """Read a catalogue file's JSON; raises `msgspec.ValidationError` where it is not one."""
    return msgspec.json.decode(content, type=Catalogue)


def merge_catalogue(shipped: Iterable[BaseModel], added: Iterable[BaseModel]) -> tuple[BaseModel, ...]:
    """The project's models replace shipped ones of the same name and provider, and come after the rest."""
    merged = {(model.name, model.provider): model for model in shipped}
    merged.update({(model.name, model.provider): model for model in added})
    return tuple(merged.values())


def find_model(catalogue: Iterable[BaseModel], name: str) -> BaseModel | None:
    """The entry of this name, or of the dated snapshot's family: `gpt-4.1-mini-2025-04-14` is `gpt-4.1-mini`."""
    best: BaseModel | None = None
    for model in catalogue:
        if model.name == name:
            return model
        if name.startswith(f"{model.name}-20") and (best is None or len(model.name) > len(best.name)):
            best = model
    return best
