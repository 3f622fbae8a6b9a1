"""Loads one loop with everything its advice rests on."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

import asyncpg
import msgspec

from whatnext_service.core.evaluations import Evaluation, Suite
from whatnext_service.core.loops import Loop
from whatnext_service.core.runs import Checkpoint, Run
from whatnext_service.core.state import (
    BaseModel,
    DatasetVersion,
    Decline,
    Deployment,
    LoopState,
    OpenRecommendation,
)
from whatnext_service.core.track_record import score_predictions
from whatnext_service.store import recommendations, rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)

S = TypeVar("S", bound=msgspec.Struct)


async def load_state(conn: Conn, loop_id: str, catalogue: tuple[BaseModel, ...]) -> LoopState:
    """Read a loop's whole state; call inside one transaction at repeatable read, so that it is of one moment."""
    head = await conn.fetchrow(sql.loop, loop_id)
    if head is None:
        raise LookupError(loop_id)
    loop = rows.decode(Loop, head)
    checkpoints: defaultdict[str, list[Checkpoint]] = defaultdict(list)
    for row in await conn.fetch(sql.checkpoints, loop_id):
        checkpoints[row["run_id"]].append(rows.decode(Checkpoint, row))
    runs = tuple(
        rows.decode(Run, {**row, "checkpoints": tuple(checkpoints[row["id"]])})
        for row in await conn.fetch(sql.runs, loop_id)
    )
    versions = await conn.fetch(sql.versions, loop.dataset_id) if loop.dataset_id else ()
    standing = await conn.fetchrow(sql.open_recommendation, loop_id)
    return LoopState(
        loop=loop,
        version=head["state_version"],
        as_of=head["state_changed_at"],
        catalogue=catalogue,
        versions=_structs(DatasetVersion, versions),
        runs=runs,
        suites=_structs(Suite, await conn.fetch(sql.suites, loop_id)),
        evaluations=_structs(Evaluation, await conn.fetch(sql.evaluations, loop_id)),
        baseline_id=head["baseline_id"],
        deployments=_structs(Deployment, await conn.fetch(sql.deployments, loop_id)),
        declines=_structs(Decline, await conn.fetch(sql.declines, loop_id)),
        open_recommendation=rows.decode(OpenRecommendation, standing) if standing else None,
        track_record=score_predictions(await recommendations.outcomes(conn, head["workspace_id"])),
    )


def _structs(kind: type[S], found: Iterable[asyncpg.Record]) -> tuple[S, ...]:
    return tuple(rows.decode(kind, row) for row in found)
