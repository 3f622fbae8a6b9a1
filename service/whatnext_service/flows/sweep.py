"""Find rows that want attention and have no job, loops whose deadline has passed, and answers that are old."""

from datetime import timedelta

from whatnext_service.flows.context import Services
from whatnext_service.store import (
    evaluations,
    failures,
    idempotency,
    leases,
    loops,
    quality,
    row_judgings,
    runs,
    webhooks,
)
from whatnext_service.store.transaction import transaction

NEGLECT_S = 15.0
"""Seconds without a look after which a run or an evaluation counts as forgotten."""


async def sweep(services: Services) -> None:
    """Enqueue what was forgotten: a lost job then does no harm, and a repeated one finds nothing to do."""
    now = services.clock()
    async with transaction(services.pool) as conn:
        before = now - timedelta(seconds=NEGLECT_S)
        for run_id in await runs.neglected(conn, before):
            await services.defer(conn, "move_run", run_id)
        for evaluation_id in await evaluations.neglected(conn, before):
            await services.defer(conn, "evaluate", evaluation_id)
        for version_id in await quality.neglected(conn, before):
            await services.defer(conn, "report_quality", version_id)
        for version_id in await row_judgings.neglected(conn, before):
            await services.defer(conn, "judge_rows", version_id)
        for evaluation_id in await failures.neglected(conn, before):
            await services.defer(conn, "group_failures", evaluation_id)
        for delivery_id in await webhooks.overdue(conn, before):
            await services.defer(conn, "deliver", delivery_id)
        await idempotency.forget_old(conn, now - timedelta(hours=48))
        await leases.forget_ended(conn)
        late = await loops.past_deadline(conn, now)
    for loop_id, workspace_id in late:
        async with services.begin(workspace_id) as tx:
            tx.loop_moved(loop_id)
