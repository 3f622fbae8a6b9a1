"""Loads one loop with everything its advice rests on."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

import asyncpg
import msgspec

from whatnext_service.core.diversity import FEW_EXAMPLES
from whatnext_service.core.evaluations import Evaluation, Suite
from whatnext_service.core.loops import Loop
from whatnext_service.core.runs import Checkpoint, Run
from whatnext_service.core.state import (
    BaseModel,
    DatasetVersion,
    Decline,
    Deployment,
    LoopState,
    MissingType,
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
    head, seen = await _load(conn, loop_id, catalogue, None)
    standing = await conn.fetchrow(sql.open_recommendation, loop_id)
    return msgspec.structs.replace(
        seen,
        deployments=_structs(Deployment, await conn.fetch(sql.deployments, loop_id)),
        declines=_structs(Decline, await conn.fetch(sql.declines, loop_id)),
        missing_types=_structs(MissingType, await conn.fetch(sql.missing_types, loop_id, FEW_EXAMPLES)),
        open_recommendation=rows.decode(OpenRecommendation, standing) if standing else None,
        track_record=score_predictions(await recommendations.outcomes(conn, head["workspace_id"])),
    )


async def load_around(conn: Conn, loop_id: str, run_ids: Sequence[str], catalogue: tuple[BaseModel, ...]) -> LoopState:
    """Read what a reading of these runs rests on: they and their parents, the runs that repeat one another, which tell
    how noisy training is, what was evaluated of all these, and the baseline.

    Nothing may be advised from it: it knows of no other run and of no decision.
    """
    around: list[str] = await conn.fetchval(sql.around, loop_id, run_ids)
    return (await _load(conn, loop_id, catalogue, around))[1]


async def _load(
    conn: Conn, loop_id: str, catalogue: tuple[BaseModel, ...], run_ids: list[str] | None
) -> tuple[asyncpg.Record, LoopState]:
    """The loop's row, and its state but for what was decided; all runs, or only these."""
    head = await conn.fetchrow(sql.loop, loop_id)
    if head is None:
        raise LookupError(loop_id)
    loop = rows.decode(Loop, head)
    checkpoints: defaultdict[str, list[Checkpoint]] = defaultdict(list)
    for row in await conn.fetch(sql.checkpoints, loop_id, run_ids):
        checkpoints[row["run_id"]].append(rows.decode(Checkpoint, row))
    runs = tuple(
        rows.decode(Run, {**row, "checkpoints": tuple(checkpoints[row["id"]])})
        for row in await conn.fetch(sql.runs, loop_id, run_ids)
    )
    versions = await conn.fetch(sql.versions, loop.dataset_id) if loop.dataset_id else ()
    return head, LoopState(
        loop=loop,
        version=head["state_version"],
        as_of=head["state_changed_at"],
        catalogue=catalogue,
        versions=_structs(DatasetVersion, versions),
        runs=runs,
        suites=_structs(Suite, await conn.fetch(sql.suites, loop_id)),
        evaluations=_structs(Evaluation, await conn.fetch(sql.evaluations, loop_id, run_ids, head["baseline_id"])),
        baseline_id=head["baseline_id"],
        deployments=(),
        declines=(),
        open_recommendation=None,
    )


def _structs(kind: type[S], found: Iterable[asyncpg.Record]) -> tuple[S, ...]:
    return tuple(rows.decode(kind, row) for row in found)
