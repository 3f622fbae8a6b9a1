"""The models that can be asked: base models, fine-tuned ones, and the checkpoints that are kept."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from whatnext_service.sandbox import wire
from whatnext_service.sandbox.base_models import BASE_MODELS, BaseModel, find_base_model
from whatnext_service.sandbox.embedding import CREATED, EMBEDDING_MODEL
from whatnext_service.sandbox.messages import Message
from whatnext_service.sandbox.network import Network, pretrained_embed
from whatnext_service.sandbox.problems import ApiError
from whatnext_service.sandbox.state import State
from whatnext_service.sandbox.tokens import Floats
from whatnext_service.sandbox.untuned import guess

_LOADED = 8
EMBEDDINGS = wire.Model(id=EMBEDDING_MODEL, created=CREATED, owned_by="sandbox")


class ShelvedModel(msgspec.Struct, kw_only=True, frozen=True):
    """A trained model under the name it answers to."""

    id: str
    job_id: str
    created: int
    path: str
    """Relative to the folder of jobs."""
    listed: bool
    """False for checkpoints: they answer, but are not among the models."""


class Shelf:
    """Keeps the most recently asked networks in memory."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._networks: dict[str, Network] = {}
        self._embeds: dict[str, Floats] = {}

    def add(self, name: str, job_id: str, path: Path, *, listed: bool) -> None:
        relative = str(path.relative_to(self._state.jobs))
        model = ShelvedModel(id=name, job_id=job_id, created=int(time.time()), path=relative, listed=listed)
        self._state.put("model", name, model)

    def remove(self, name: str) -> None:
        if find_base_model(name):
            raise ApiError(403, "Base models cannot be deleted", code="forbidden", param="model")
        if self._state.get("model", name, ShelvedModel) is None:
            raise unknown_model(name)
        self.discard(name)

    def discard(self, name: str) -> None:
        """Forgets a name if it is known, and its file once no other name needs it."""
        model = self._state.get("model", name, ShelvedModel)
        if model is None:
            return
        self._state.delete("model", name)
        self._networks.pop(name, None)
        if not any(other.path == model.path for other in self._state.walk("model", ShelvedModel)):
            (self._state.jobs / model.path).unlink(missing_ok=True)

    def find(self, name: str) -> wire.Model:
        base = find_base_model(name)
        if base:
            return _describe_base(base)
        if name == EMBEDDING_MODEL:
            return EMBEDDINGS
        model = self._state.get("model", name, ShelvedModel)
        if model is None:
            raise unknown_model(name)
        return wire.Model(id=model.id, created=model.created, owned_by="org-sandbox")

    def models(self) -> Iterator[wire.Model]:
        yield from (_describe_base(base) for base in BASE_MODELS)
        yield EMBEDDINGS
        for model in self._state.walk("model", ShelvedModel, newest_first=False):
            if model.listed:
                yield wire.Model(id=model.id, created=model.created, owned_by="org-sandbox")

    def answer(self, name: str, messages: tuple[Message, ...], *, max_tokens: int) -> tuple[str, bool]:
        """A model's answer, and whether it ended by itself; raises ApiError for an unknown model."""
        base = find_base_model(name)
        if base:
            return guess(base, self._embed(base), messages), True
        return self._network(name).answer(messages, max_tokens=max_tokens)

    def _embed(self, base: BaseModel) -> Floats:
        if base.name not in self._embeds:
            self._embeds[base.name] = pretrained_embed(base)
        return self._embeds[base.name]

    def _network(self, name: str) -> Network:
        network = self._networks.pop(name, None)
        if network is None:
            model = self._state.get("model", name, ShelvedModel)
            if model is None:
                raise unknown_model(name)
            network = Network.load(self._state.jobs / model.path)
        self._networks[name] = network
        if len(self._networks) > _LOADED:
            self._networks.pop(next(iter(self._networks)))
        return network


def unknown_model(name: str) -> ApiError:
    message = f"The model `{name}` does not exist or you do not have access to it."
    return ApiError(404, message, code="model_not_found", param="model")


def _describe_base(base: BaseModel) -> wire.Model:
    return wire.Model(id=base.name, created=base.created, owned_by="sandbox")
