"""/sandbox: what the sandbox is told to do wrong, and its ledger. Exists only where faults were allowed."""

from litestar import delete, get, post

from whatnext_service.sandbox.faults import Fault
from whatnext_service.sandbox.problems import AnyRequest
from whatnext_service.sandbox.sandbox import decode, sandbox_of
from whatnext_service.sandbox.state import Ledger


@get("/sandbox/ledger")
async def read_ledger(request: AnyRequest) -> Ledger:
    return sandbox_of(request).state.ledger()


@get("/sandbox/faults")
async def list_faults(request: AnyRequest) -> list[Fault]:
    return sandbox_of(request).faults.planned()


@post("/sandbox/faults")
async def add_fault(request: AnyRequest) -> Fault:
    fault = decode(await request.body(), Fault)
    sandbox_of(request).faults.add(fault)
    return fault


@delete("/sandbox/faults", status_code=204)
async def clear_faults(request: AnyRequest) -> None:
    sandbox_of(request).faults.clear()
