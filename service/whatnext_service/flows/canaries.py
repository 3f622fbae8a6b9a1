"""Try a suite's judge on answers that contain nothing but an attack, before its first evaluation."""

import asyncio

from whatnext_service.core.grader_types import Score
from whatnext_service.core.judge_canaries import CANARIES, read_canaries
from whatnext_service.flows.context import Services
from whatnext_service.flows.evaluation_run import Plan
from whatnext_service.flows.grade import judged_parts
from whatnext_service.store import suites


async def try_canaries(services: Services, plan: Plan) -> None:
    """Let every judge of the suite grade the canaries on the first item, and keep what came of it.

    A judge that gave no score at all was not tried; the next evaluation tries it again.
    """
    if not plan.items:
        return
    item = plan.items[0].item
    asked = await asyncio.gather(
        *(
            plan.graders.ask_judge(part.grader, item, canary, f"{plan.work.id}-canary{n}-{dimension.name}-{part.key}")
            for dimension in plan.graders.dimensions
            for part in judged_parts(dimension)
            for n, canary in enumerate(CANARIES)
        )
    )
    outcomes = tuple(outcome for outcome, _ in asked)
    if any(isinstance(outcome, Score) for outcome in outcomes):
        async with services.begin(plan.work.workspace_id) as tx:
            await suites.keep_canaries(tx.conn, plan.suite.id, read_canaries(outcomes))
            tx.loop_moved(plan.work.loop_id)
