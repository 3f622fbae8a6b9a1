"""A loop with a suite, made by the flows themselves."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from whatnext_service.contract.datasets import DatasetVersion, NewDataset
from whatnext_service.contract.evaluations import EvalSuite, NewEvalSuite, WeightedGrader
from whatnext_service.contract.loops import NewLoop
from whatnext_service.flows.context import Services
from whatnext_service.flows.create_loop import create_loop
from whatnext_service.flows.create_suite import create_suite
from whatnext_service.flows.upload import Spool, add_version, create_dataset, receive

EXACT = WeightedGrader(
    name="exact",
    grader={
        "type": "string_check",
        "name": "exact",
        "input": "{{sample.output_text}}",
        "reference": "{{item.reference_answer}}",
        "operation": "eq",
    },
)


def question(n: int) -> str:
    return f"How much is {n} and {n}?"


def answer(n: int) -> str:
    return str(2 * n)


def rows(n_items: int, *, tags: Sequence[str] = ("even", "odd")) -> bytes:
    lines = [
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": question(n)},
                    {"role": "assistant", "content": answer(n)},
                ],
                "tags": [tags[n % len(tags)]],
            }
        )
        for n in range(n_items)
    ]
    return ("\n".join(lines) + "\n").encode()


async def make_version(services: Services, workspace_id: str, content: bytes, *, slug: str = "data") -> DatasetVersion:
    """A dataset with one version."""

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    async with services.begin(workspace_id) as tx:
        dataset = await create_dataset(tx, NewDataset(name=slug))
        with Spool(1 << 26) as spool:
            return (await add_version(tx, dataset.id, spool, await receive(chunks(), spool)))[0]


async def make_suite(
    services: Services,
    workspace_id: str,
    n_items: int,
    *,
    slug: str = "sums",
    graders: tuple[WeightedGrader, ...] | None = (EXACT,),
    content: bytes | None = None,
    **fields: Any,
) -> EvalSuite:
    """A loop and a suite of sums."""

    async def chunks() -> AsyncIterator[bytes]:
        yield content if content is not None else rows(n_items)

    async with services.begin(workspace_id) as tx:
        loop = await create_loop(tx, NewLoop(slug=slug, task="Add numbers."))
        dataset = await create_dataset(tx, NewDataset(name=slug))
        with Spool(1 << 26) as spool:
            facts = await receive(chunks(), spool)
            version, _ = await add_version(tx, dataset.id, spool, facts)
    async with services.begin(workspace_id) as tx:
        return await create_suite(
            tx, NewEvalSuite(loop_id=loop.id, name="sums", dataset_version_id=version.id, graders=graders, **fields)
        )
