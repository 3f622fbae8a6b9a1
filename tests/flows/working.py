"""A worker that does one waiting job after another, in this process, and a look at what the trainer was asked."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec

from whatnext_service.flows import evaluate, move_run, ship
from whatnext_service.flows.carry_out import advise
from whatnext_service.flows.context import Services
from whatnext_service.sandbox.serving import Served
from whatnext_service.sandbox.state import Ledger, read_ledger
from whatnext_service.store.db import Pool

GIVE_UP_S = 30.0
TASKS: dict[str, Callable[[Services, str], Awaitable[None]]] = {
    "move_run": move_run.move_run,
    "evaluate": evaluate.evaluate,
    "advise": advise,
    "delete_model": ship.delete_model,
}
_TAKE = """
delete from procrastinate_jobs where id = (
    select id from procrastinate_jobs where status = 'todo' and task_name = any($1::text[])
    order by scheduled_at nulls first, id limit 1
) returning task_name, args
"""


async def work_one(services: Services, pool: Pool, *tasks: str) -> str | None:
    """Do the job that is due first, whether or not its time has come; its name, or null when none waits."""
    row = await pool.fetchrow(_TAKE, list(tasks or TASKS))
    if row is None:
        return None
    await TASKS[row["task_name"]](services, msgspec.json.decode(row["args"])["subject_id"])
    return str(row["task_name"])


async def work_off(services: Services, pool: Pool, *tasks: str) -> None:
    """Work until nothing waits."""
    give_up = time.monotonic() + GIVE_UP_S
    while await work_one(services, pool, *tasks) is not None:
        assert time.monotonic() < give_up, "work does not end"
        await asyncio.sleep(0.005)


class Spent(msgspec.Struct, kw_only=True, frozen=True):
    """What a trainer was asked since a ledger was read."""

    jobs: int
    completions: int
    repeated: int


def spent_since(before: Ledger, trainer: Served) -> Spent:
    now = read_ledger(trainer.folder)
    return Spent(
        jobs=now.jobs_created - before.jobs_created,
        completions=now.paid_completions - before.paid_completions,
        repeated=now.repeated_completions - before.repeated_completions,
    )


async def until(happened: Callable[[], bool]) -> None:
    """Let others work until something has happened."""
    give_up = time.monotonic() + GIVE_UP_S
    while not happened():
        assert time.monotonic() < give_up, "it does not happen"
        await asyncio.sleep(0.005)
