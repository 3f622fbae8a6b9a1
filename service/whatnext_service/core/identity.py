"""Fingerprints and ids of recommendations: the same advice on the same state has the same name."""

import hashlib

import msgspec

from whatnext_service.core.advice import ActionKind, Request
from whatnext_service.core.ids import derived_id
from whatnext_service.core.runs import RunConfig
from whatnext_service.core.state import LoopState

_ENCODER = msgspec.json.Encoder(order="deterministic")


def config_fingerprint(kind: ActionKind, config: RunConfig) -> str:
    """Name a training experiment by what would train, whatever run it starts from."""
    return _digest(kind.encode(), _ENCODER.encode(config))


def request_fingerprint(kind: ActionKind, subject_id: str | None, request: Request | None) -> str:
    """Name any other action by its subject and its call."""
    return _digest(kind.encode(), (subject_id or "").encode(), _ENCODER.encode(request))


def recommendation_id(state: LoopState, fingerprint: str) -> str:
    """The standing recommendation keeps its id while the advice is unchanged; new advice gets a derived one."""
    standing = state.open_recommendation
    if standing is not None and standing.fingerprint == fingerprint:
        return standing.id
    time_ms = int(state.as_of.timestamp() * 1000)
    return derived_id("rec", time_ms, state.loop.id, str(state.version), fingerprint)


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\x1f".join(parts)).hexdigest()
