"""The experiment table of a loop."""

import asyncio

from whatnext_service.contract.history import History
from whatnext_service.core.history import history
from whatnext_service.flows.context import Tx
from whatnext_service.flows.what_next import load_loop_state


async def history_of(tx: Tx, loop_ref: str) -> History:
    """One row a run, in order of number."""
    found = await load_loop_state(tx, loop_ref)
    # A thousand runs are two thousand comparisons: others are served meanwhile.
    rows = await asyncio.to_thread(history, found)
    return History(loop_id=found.loop.id, state_version=found.version, rows=rows)
