"""Carry out what was advised, by the very call the answer names."""

from typing import TypeVar

import msgspec

from whatnext_service.contract.datasets import NewDerivation
from whatnext_service.contract.deployments import NewDeployment
from whatnext_service.contract.evaluations import NewEvaluation
from whatnext_service.contract.loops import NewBaseline
from whatnext_service.contract.runs import NewMultiModel, NewRun
from whatnext_service.core.advice import Answer, RequestBody
from whatnext_service.errors import DomainError
from whatnext_service.flows import look_up
from whatnext_service.flows.change_loop import name_baseline
from whatnext_service.flows.context import Services, Tx
from whatnext_service.flows.derive import derive_version
from whatnext_service.flows.ship import ship
from whatnext_service.flows.start_evaluation import start_evaluation
from whatnext_service.flows.start_multi_model import start_multi_model
from whatnext_service.flows.start_run import start_run
from whatnext_service.flows.what_next import next_answer
from whatnext_service.store import loops

Kind = TypeVar("Kind", bound=msgspec.Struct)
PASSING = ("busy", "unavailable")
"""Refusals that another attempt may not meet."""


async def advise(services: Services, loop_id: str) -> None:
    """Refresh a loop's recommendation after its state moved; under `autopilot: auto` also carry it out.

    What a rule refuses to the autopilot stays open, for a person who sees why, and the log says so.
    """
    async with services.pool.acquire() as conn:
        workspace_id = await loops.workspace_of(conn, loop_id)
    async with services.begin(workspace_id) as tx:
        answer = await next_answer(tx, loop_id)
        loop = await look_up.find_loop(tx, loop_id)
    if loop.autopilot != "auto":
        return
    try:
        async with services.begin(workspace_id) as tx:
            # Held from here on: what is carried out is what is advised now, and nobody else carries it out beside.
            await look_up.lock_loop(tx, loop_id)
            answer = await next_answer(tx, loop_id)
            if answer.action.kind != "ship":
                await carry_out(tx, answer)
    except DomainError as refusal:
        if refusal.code in PASSING:
            raise
        async with services.begin(workspace_id) as tx:
            tx.tell("autopilot.refused", answer.action.recommendation_id, answer.state_version, loop_id=loop_id)


async def carry_out(tx: Tx, answer: Answer) -> str | None:
    """Make the call that the answer names; returns the id of what came of it, null where a person must act.

    A model is never put into service by the autopilot: `ship` waits for a person's decision.
    """
    request = answer.action.request
    if request is None or request.body is None:
        return None
    body = request.body
    match answer.action.kind:
        case "start_run" if request.path.endswith("/multi-model"):
            return (await start_multi_model(tx, answer.loop_id, _as(NewMultiModel, body))).runs[0].id
        case "start_run" | "repeat_run":
            return (await start_run(tx, _as(NewRun, body)))[0].id
        case "record_baseline" if request.method == "PUT":
            return (await name_baseline(tx, answer.loop_id, _as(NewBaseline, body))).baseline_evaluation_id
        case "record_baseline" | "evaluate" | "final_test":
            return (await start_evaluation(tx, _as(NewEvaluation, body)))[0].id
        case "fix_data":
            version_id = request.path.split("/")[3]
            derived = await derive_version(tx, version_id, _as(NewDerivation, body))
            return derived.version.id if derived.version else None
        case "ship":
            return (await ship(tx, _as(NewDeployment, body)))[0].id
        case _:
            return None


def _as(kind: type[Kind], body: RequestBody) -> Kind:
    return msgspec.json.decode(msgspec.json.encode(body), type=kind)
