"""Lists, newest first, in the caller's workspace."""

from collections.abc import Sequence

import msgspec

from whatnext_service.contract.advice import Diagnosis, Recommendation
from whatnext_service.contract.common import Page
from whatnext_service.contract.datasets import Dataset, DatasetVersion
from whatnext_service.contract.deployments import Deployment
from whatnext_service.contract.evaluations import EvalSuite, Evaluation, EvaluationItem
from whatnext_service.contract.loops import Loop
from whatnext_service.contract.runs import Checkpoint, Run
from whatnext_service.contract.webhooks import WebhookDelivery, WebhookEndpoint
from whatnext_service.contract.workspace import Event, Key
from whatnext_service.core.ids import Prefix, is_id
from whatnext_service.errors import DomainError
from whatnext_service.flows import look_up
from whatnext_service.flows.context import Tx
from whatnext_service.flows.follow_events import place_of
from whatnext_service.flows.webhooks import find_endpoint
from whatnext_service.store import (
    checkpoints,
    datasets,
    deployments,
    diagnoses,
    evaluation_items,
    evaluations,
    events,
    loops,
    recommendations,
    runs,
    suites,
    webhooks,
    workspaces,
)


class Asked(msgspec.Struct, kw_only=True, frozen=True):
    """How much of a list, and from where."""

    limit: int = 20
    cursor: str | None = None

    def after(self, prefix: Prefix) -> str | None:
        """The id to go on after; only a cursor that such a list could have given out will do."""
        if self.cursor is not None and not is_id(prefix, self.cursor):
            raise DomainError("invalid_cursor", "The cursor is not one that this list gave out.")
        return self.cursor


async def list_loops(tx: Tx, asked: Asked) -> Page[Loop]:
    return await loops.list_loops(tx.conn, tx.workspace_id, asked.after("loop"), asked.limit)


async def list_datasets(tx: Tx, asked: Asked, loop_refs: Sequence[str] | None) -> Page[Dataset]:
    loop_ids = await look_up.find_loop_ids(tx, loop_refs)
    return await datasets.list_datasets(tx.conn, tx.workspace_id, asked.after("ds"), asked.limit, loop_ids=loop_ids)


async def list_versions(tx: Tx, asked: Asked, dataset_id: str) -> Page[DatasetVersion]:
    dataset = await look_up.find_dataset(tx, dataset_id)
    return await datasets.list_versions(
        tx.conn, tx.workspace_id, asked.after("dsv"), asked.limit, dataset_id=dataset.id
    )


async def list_runs(tx: Tx, asked: Asked, loop_refs: Sequence[str] | None, statuses: Sequence[str] | None) -> Page[Run]:
    loop_ids = await look_up.find_loop_ids(tx, loop_refs)
    return await runs.list_runs(
        tx.conn, tx.workspace_id, asked.after("run"), asked.limit, loop_ids=loop_ids, statuses=statuses
    )


async def list_checkpoints(tx: Tx, asked: Asked, run_ref: str) -> Page[Checkpoint]:
    run = await look_up.find_run(tx, run_ref)
    return await checkpoints.list_checkpoints(tx.conn, run.id, asked.after("ckpt"), asked.limit)


async def list_suites(tx: Tx, asked: Asked, loop_refs: Sequence[str] | None) -> Page[EvalSuite]:
    loop_ids = await look_up.find_loop_ids(tx, loop_refs)
    return await suites.list_suites(tx.conn, tx.workspace_id, asked.after("suite"), asked.limit, loop_ids=loop_ids)


async def list_evaluations(
    tx: Tx,
    asked: Asked,
    loop_refs: Sequence[str] | None,
    statuses: Sequence[str] | None,
    run_refs: Sequence[str] | None,
    suite_ids: Sequence[str] | None,
) -> Page[Evaluation]:
    run_ids = [(await look_up.find_run(tx, ref)).id for ref in run_refs] if run_refs else None
    return await evaluations.list_evaluations(
        tx.conn,
        tx.workspace_id,
        asked.after("eval"),
        asked.limit,
        loop_ids=await look_up.find_loop_ids(tx, loop_refs),
        statuses=statuses,
        run_ids=run_ids,
        suite_ids=suite_ids,
    )


async def list_items(tx: Tx, asked: Asked, evaluation_id: str) -> Page[EvaluationItem]:
    """An evaluation's items in the suite's order; the cursor is an item's place."""
    evaluation = await look_up.find_evaluation(tx, evaluation_id)
    if asked.cursor is not None and not (asked.cursor.isascii() and asked.cursor.isdigit() and len(asked.cursor) < 9):
        raise DomainError("invalid_cursor", "The cursor is not one that this list gave out.")
    data, more = await evaluation_items.list_items(tx.conn, evaluation, int(asked.cursor or 0), asked.limit)
    return Page(data=data, next_cursor=str(data[-1].index + 1) if more else None)


async def list_diagnoses(
    tx: Tx, asked: Asked, loop_refs: Sequence[str] | None, run_refs: Sequence[str] | None
) -> Page[Diagnosis]:
    run_ids = [(await look_up.find_run(tx, ref)).id for ref in run_refs] if run_refs else None
    return await diagnoses.list_diagnoses(
        tx.conn,
        tx.workspace_id,
        asked.after("diag"),
        asked.limit,
        loop_ids=await look_up.find_loop_ids(tx, loop_refs),
        run_ids=run_ids,
    )


async def list_recommendations(
    tx: Tx, asked: Asked, loop_refs: Sequence[str] | None, statuses: Sequence[str] | None
) -> Page[Recommendation]:
    return await recommendations.list_recommendations(
        tx.conn,
        tx.workspace_id,
        asked.after("rec"),
        asked.limit,
        loop_ids=await look_up.find_loop_ids(tx, loop_refs),
        statuses=statuses,
    )


async def list_deployments(
    tx: Tx, asked: Asked, loop_refs: Sequence[str] | None, statuses: Sequence[str] | None
) -> Page[Deployment]:
    return await deployments.list_deployments(
        tx.conn,
        tx.workspace_id,
        asked.after("dep"),
        asked.limit,
        loop_ids=await look_up.find_loop_ids(tx, loop_refs),
        statuses=statuses,
    )


async def list_keys(tx: Tx, asked: Asked) -> Page[Key]:
    return await workspaces.list_keys(tx.conn, tx.workspace_id, asked.after("key"), asked.limit)


async def list_endpoints(tx: Tx, asked: Asked, statuses: Sequence[str] | None) -> Page[WebhookEndpoint]:
    return await webhooks.list_endpoints(tx.conn, tx.workspace_id, asked.cursor, asked.limit, statuses=statuses)


async def list_deliveries(
    tx: Tx, asked: Asked, endpoint_id: str, statuses: Sequence[str] | None
) -> Page[WebhookDelivery]:
    endpoint = await find_endpoint(tx, endpoint_id)
    return await webhooks.list_deliveries(
        tx.conn, tx.workspace_id, asked.cursor, asked.limit, endpoint_id=endpoint.id, statuses=statuses
    )


async def list_events(
    tx: Tx, asked: Asked, after: str | None, loop_refs: Sequence[str] | None, types: Sequence[str] | None
) -> Page[Event]:
    """Events after another one, oldest first: the ordered log."""
    place = await place_of(tx, asked.cursor or after)
    loop_ids = await look_up.find_loop_ids(tx, loop_refs)
    return await events.list_events(
        tx.conn, tx.workspace_id, after=place, loop_ids=loop_ids, types=types, limit=asked.limit
    )
