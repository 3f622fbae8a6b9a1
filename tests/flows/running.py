"""Runs at the sandbox trainer, and services whose clock runs ahead."""

import dataclasses
import itertools
from datetime import timedelta

import httpx
from tests.api.driving import Json, ok

from whatnext_service.flows.context import Services


async def start(api: httpx.AsyncClient, version: Json, **config: object) -> Json:
    config = {"base_model": "sandbox-small", "dataset_version_id": version["id"], "n_epochs": 2, "seed": 1} | config
    return ok(await api.post("/v1/runs", json={"loop_id": "letters", "provider": "sandbox", "config": config}), 201)


async def get(api: httpx.AsyncClient, run: Json) -> Json:
    return ok(await api.get(f"/v1/runs/{run['id']}"))


def later(services: Services, seconds: float) -> Services:
    """The same services on a clock that is ahead."""
    clock = services.clock
    return dataclasses.replace(services, clock=lambda: clock() + timedelta(seconds=seconds))


def hurried(services: Services, step_s: float) -> Services:
    """The same services on a clock that jumps ahead each time somebody looks at it."""
    clock, looks = services.clock, itertools.count()
    return dataclasses.replace(services, clock=lambda: clock() + timedelta(seconds=step_s * next(looks)))
