"""The sandbox: a fine-tuning platform of our own that speaks OpenAI's dialect and really trains."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from litestar import Litestar
from litestar.exceptions import HTTPException

from whatnext_service.sandbox import routes_faults, routes_files, routes_jobs, routes_models
from whatnext_service.sandbox.faults import Faults
from whatnext_service.sandbox.files import ResultEncoding
from whatnext_service.sandbox.gate import Gate
from whatnext_service.sandbox.problems import ApiError, say_api_error, say_fault, say_http_error
from whatnext_service.sandbox.sandbox import Sandbox

_HANDLERS = (
    routes_files.create_file,
    routes_files.list_files,
    routes_files.retrieve_file,
    routes_files.read_file,
    routes_files.delete_file,
    routes_jobs.create_job,
    routes_jobs.list_jobs,
    routes_jobs.retrieve_job,
    routes_jobs.list_events,
    routes_jobs.list_checkpoints,
    routes_jobs.cancel_job,
    routes_jobs.pause_job,
    routes_jobs.resume_job,
    routes_models.list_models,
    routes_models.retrieve_model,
    routes_models.delete_model,
    routes_models.create_completion,
    routes_models.create_embeddings,
)
_FAULT_HANDLERS = (
    routes_faults.read_ledger,
    routes_faults.list_faults,
    routes_faults.add_fault,
    routes_faults.clear_faults,
)


def create_app(
    folder: Path, *, api_key: str, faults: Faults | None = None, result_encoding: ResultEncoding = "base64"
) -> Litestar:
    """A sandbox that keeps everything in `folder`; a second server on it does not start.

    With `faults`, also the routes under /sandbox that plan faults and show the ledger, behind the same key.
    """

    @asynccontextmanager
    async def living(app: Litestar) -> AsyncIterator[None]:
        sandbox = Sandbox(folder, faults or Faults(), result_encoding)
        app.state.sandbox = sandbox
        sandbox.start()
        try:
            yield
        finally:
            await sandbox.stop()

    return Litestar(
        route_handlers=[*_HANDLERS, *(() if faults is None else _FAULT_HANDLERS)],
        middleware=[Gate(api_key, faults)],
        exception_handlers={ApiError: say_api_error, HTTPException: say_http_error, Exception: say_fault},
        lifespan=[living],
        openapi_config=None,
    )
