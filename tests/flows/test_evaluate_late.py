"""A worker that lost its lease, until it learns of it, stores nothing in an evaluation that another closed."""

import pytest
from tests.flows.preparing import make_suite
from tests.flows.test_evaluate import items_of, right
from tests.flows.wiring import Wire

from whatnext_service.contract.evaluations import NewEvaluation
from whatnext_service.flows import evaluate, look_up
from whatnext_service.flows.cancel_evaluation import cancel_evaluation
from whatnext_service.flows.evaluation_run import ItemRun
from whatnext_service.flows.start_evaluation import start_evaluation
from whatnext_service.store import evaluations
from whatnext_service.store.db import Pool

N = 6


@pytest.mark.parametrize("closed", [False, True])
async def test_items_are_stored_only_as_long_as_the_evaluation_is_open(
    wire: Wire, workspace: str, pool: Pool, closed: bool
) -> None:
    services, endpoint = wire(right)
    suite = await make_suite(services, workspace, N)
    new = NewEvaluation(loop_id=suite.loop_id, suite_id=suite.id, subject="base_model", base_model="base")
    async with services.begin(workspace) as tx:
        started, _ = await start_evaluation(tx, new)
    async with pool.acquire() as conn:
        work = await evaluations.lock_work(conn, started.id)
    assert work is not None
    late = await evaluate._begin(services, work)
    assert late is not None
    if closed:
        async with services.begin(workspace) as tx:
            await cancel_evaluation(tx, started.id)
        await evaluate.evaluate(services, started.id)
    await ItemRun(services, late).run()
    async with services.begin(workspace) as tx:
        found = await look_up.find_evaluation(tx, started.id)
    assert found.status == ("cancelled" if closed else "running")
    assert endpoint.n_requests == N
    assert sum(item.done for item in await items_of(services, workspace, found)) == (0 if closed else N)
