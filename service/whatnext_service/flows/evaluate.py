"""Bring an evaluation to its end, item by item; a killed one goes on where it was."""

import dataclasses
from datetime import timedelta

from whatnext_service.contract.evaluations import Pause
from whatnext_service.core.early_end import EndedEarly
from whatnext_service.core.evaluations import unpack_scores
from whatnext_service.flows.ask import Line, PutOff
from whatnext_service.flows.canaries import try_canaries
from whatnext_service.flows.close_evaluation import close_failed, close_with_items
from whatnext_service.flows.context import Services
from whatnext_service.flows.evaluation_run import ItemRun, Plan
from whatnext_service.flows.grade import Graders, dimensions_of
from whatnext_service.store import evaluation_items, evaluations, suites
from whatnext_service.store.leases import lease

PATIENCE = timedelta(hours=24)
"""How long after its start an evaluation still comes back to a platform that asks for long pauses; what has no answer
by then has none."""


async def evaluate(services: Services, evaluation_id: str) -> None:
    """Bring an evaluation to its end; called again, it does only what is left."""
    async with lease(services.pool, f"evaluation {evaluation_id}") as mine:
        if not mine:
            return
        async with services.pool.acquire() as conn:
            work = await evaluations.lock_work(conn, evaluation_id)
        if work is None or work.status not in ("pending", "running"):
            return
        plan = await _begin(services, work)
        if plan is None:
            return
        ended: EndedEarly | None = "cancelled"
        if not work.cancel_requested:
            try:
                if plan.suite.judged and plan.suite.canaries is None and plan.items:
                    plan = await _try_judge(services, plan)
                ended = await ItemRun(services, plan).run()
            except PutOff as pause:
                await _put_off(services, work, pause)
                return
        await close_with_items(services, work, plan.suite, ended)


async def give_up(services: Services, evaluation_id: str, reason: str) -> None:
    """Fail an evaluation whose job kept failing for a reason of our own."""
    async with services.pool.acquire() as conn:
        work = await evaluations.lock_work(conn, evaluation_id)
    if work is not None:
        await close_failed(services, work, reason)


async def _put_off(services: Services, work: evaluations.EvaluationWork, pause: PutOff) -> None:
    """Come back when the pause is over."""
    async with services.begin(work.workspace_id) as tx:
        waiting = Pause(until=tx.now + timedelta(seconds=pause.wait_s), reason=str(pause))
        version = await evaluations.put_off(tx.conn, work.id, waiting, tx.now)
        await tx.defer("evaluate", work.id, delay_s=pause.wait_s)
        tx.tell("evaluation.progress", work.id, version or work.version, loop_id=work.loop_id)


async def _try_judge(services: Services, plan: Plan) -> Plan:
    """Try the suite's judges on attacks, once; judges that gave no score are tried again by the next evaluation."""
    reading, spent = await try_canaries(plan.graders, plan.items[0].item, plan.work.id)
    async with services.begin(plan.work.workspace_id, plan.work.loop_id) as tx:
        await evaluations.count_canaries(tx.conn, plan.work.id, spent)
        if reading is not None:
            await suites.keep_canaries(tx.conn, plan.suite.id, reading)
            tx.loop_moved(plan.work.loop_id)
    return dataclasses.replace(plan, spent=plan.spent.plus(spent))


async def _begin(services: Services, work: evaluations.EvaluationWork) -> Plan | None:
    """Mark it running, and gather what it needs."""
    async with services.begin(work.workspace_id) as tx:
        suite = await suites.get_suite(tx.conn, work.workspace_id, work.suite_id)
        version = await evaluations.start(tx.conn, work.id, tx.now)
        if suite is None or version is None:
            return None
        regraded = work.regrade_of is not None
        items = await evaluation_items.unfinished_items(tx.conn, work.id, suite.id, regraded=regraded)
        done = await evaluation_items.item_results(tx.conn, work.id)
        spent = await evaluation_items.spent(tx.conn, work.id)
        rival = None
        if work.stop_if_hopeless_against is not None:
            rival = unpack_scores(await evaluations.item_scores(tx.conn, work.stop_if_hopeless_against))
        direction = await evaluations.direction_of(tx.conn, work.loop_id)
        tx.tell("evaluation.progress", work.id, version, loop_id=work.loop_id)
    patient = work.started_at is None or services.clock() - work.started_at < PATIENCE
    width = services.evaluation_concurrency
    judge, embeddings = services.judge, services.embeddings
    return Plan(
        work=work,
        suite=suite,
        graders=Graders(
            dimensions_of(suite),
            suite.scale.min,
            suite.scale.max,
            work.secret,
            judge=Line(judge.models.complete, width, patient=patient) if judge else None,
            embeddings=Line(embeddings.models.embed, width, patient=patient) if embeddings else None,
        ),
        items=items,
        done=done,
        spent=spent,
        rival=rival,
        direction=direction,
        patient=patient,
    )
