"""What tests of datasets do: rows, uploads, reports made at once, and derivations."""

import asyncio
import json

import httpx
from tests.api.driving import Json, ok

from whatnext_service.flows.context import Services
from whatnext_service.flows.report_quality import report_quality


def chat(question: str, answer: str, **more: object) -> Json:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}], **more}


def jsonl(*examples: object) -> bytes:
    return b"".join(json.dumps(example).encode() + b"\n" for example in examples)


FILLING = [chat(f"What is the capital of country number {n}?", f"City {n}") for n in range(20)]
DUPLICATED = [*FILLING, FILLING[3]]
OPPOSED = [*FILLING, chat("What is the capital of country number 5?", "No city")]
OPEN = [{"messages": [{"role": "user", "content": f"Prove theorem {n}."}]} for n in range(12)]


async def new_dataset(api: httpx.AsyncClient, name: str = "data") -> str:
    return str(ok(await api.post("/v1/datasets", json={"name": name}), 201)["id"])


async def send(api: httpx.AsyncClient, dataset_id: str, content: bytes, **params: str) -> httpx.Response:
    return await api.post(f"/v1/datasets/{dataset_id}/versions", content=content, params=params)


async def derive(api: httpx.AsyncClient, version: Json, *operations: Json, **more: object) -> httpx.Response:
    body = {"operations": list(operations), **more}
    return await api.post(f"/v1/dataset-versions/{version['id']}/derive", json=body)


async def checked(api: httpx.AsyncClient, services: Services, version: Json) -> Json:
    await report_quality(services, version["id"], asyncio.Lock())
    return ok(await api.get(f"/v1/dataset-versions/{version['id']}/quality"))


async def content(api: httpx.AsyncClient, version: Json) -> list[Json]:
    body = (await api.get(f"/v1/dataset-versions/{version['id']}/content")).text
    return [json.loads(line) for line in body.splitlines()]
