"""The composition root: settings to database to clients to application. The only place that wires."""

import asyncio
import contextlib
import logging
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from importlib import resources

import msgspec
import structlog
from litestar import Litestar

from whatnext_service.api.application import Application, create_application
from whatnext_service.config import Settings
from whatnext_service.core.catalogue import decode_catalogue, merge_catalogue
from whatnext_service.core.state import BaseModel
from whatnext_service.errors import StartError
from whatnext_service.flows.context import Embeddings, Judge, Provider, Services, Task
from whatnext_service.providers.client import PlatformSettings, create_client
from whatnext_service.providers.openai import OpenAIPlatform
from whatnext_service.providers.openai_models import OpenAIModels
from whatnext_service.providers.webhook import WebhookPoster
from whatnext_service.store import jobs
from whatnext_service.store.bell import Bell
from whatnext_service.store.db import CANNOT_CONNECT, Conn, Pool, create_pool
from whatnext_service.store.embedded import EmbeddedPostgres
from whatnext_service.store.migrate import migrate, unapplied
from whatnext_service.store.postgres_cluster import EmbeddedSettings
from whatnext_service.worker.fenced import QueueSettings
from whatnext_service.worker.queue import Queue
from whatnext_service.worker.tasks import register_tasks


def clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def create_log(level: str) -> structlog.stdlib.BoundLogger:
    """JSON lines on standard error, also of what the libraries say: that from warnings on."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    common: list[structlog.types.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    json = structlog.processors.JSONRenderer()
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder(), *common],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, json],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[lines])
    logging.getLogger("whatnext_service").setLevel(threshold)
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[*common, json],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        cache_logger_on_first_use=True,
    )
    return logger


@contextlib.asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[str]:
    """The DSN of a migrated database: the one configured, or an embedded one that this process may own."""
    if settings.database_url is not None:
        yield settings.database_url.value
        return
    async with EmbeddedPostgres(
        EmbeddedSettings(root=settings.data_dir / "postgres", binaries=settings.postgres_bin)
    ) as dsn:
        await migrate(dsn)
        yield dsn


def read_catalogue(settings: Settings) -> tuple[BaseModel, ...]:
    """The shipped base models, with the project's own over them."""
    shipped = decode_catalogue(resources.files("whatnext_service.core").joinpath("catalogue.json").read_bytes())
    added = decode_catalogue(settings.catalogue_path.read_bytes()).models if settings.catalogue_path else ()
    return merge_catalogue(shipped.models, added)


@contextlib.asynccontextmanager
async def open_services(settings: Settings, dsn: str) -> AsyncIterator[Services]:
    """Everything with a connection behind it, closed in the end; raises StartError where the database is of no use."""
    async with contextlib.AsyncExitStack() as stack:
        bell = Bell(direct(settings, dsn))
        with _started():
            pool = await create_pool(dsn, max_size=settings.pool_size, pgbouncer=settings.pgbouncer)
            stack.push_async_callback(pool.close)
            await _require_migrated(pool)
            await bell.start()
            stack.push_async_callback(bell.stop)
        providers = {name: _provider(stack, *each) for name, each in _platforms(settings).items()}
        yield Services(
            pool=pool,
            bell=bell,
            clock=clock,
            randomness=secrets.token_bytes,
            defer=_defer,
            providers=providers,
            default_provider=settings.default_provider,
            judge=_judge(stack, settings),
            embeddings=_embeddings(stack, settings),
            poster=_poster(stack, settings),
            catalogue=read_catalogue(settings),
            evaluation_concurrency=settings.evaluation_concurrency,
        )


def direct(settings: Settings, dsn: str) -> str:
    """The DSN past the pooler, if there is one."""
    return settings.direct_database_url.value if settings.direct_database_url else dsn


@contextlib.contextmanager
def _started() -> Iterator[None]:
    """A block in which a database that cannot be used ends the start with one line."""
    try:
        yield
    except CANNOT_CONNECT as error:
        hint = "; behind a pooler set WHATNEXT_PGBOUNCER" if "startup parameter" in str(error) else ""
        raise StartError(f"cannot use the database: {error}{hint}") from error


async def _require_migrated(pool: Pool) -> None:
    async with pool.acquire() as conn:
        missing = await unapplied(conn)
    if missing:
        raise StartError(f"the database is not migrated, it lacks {missing[-1]}: run `whatnext-service migrate`")


def _platforms(settings: Settings) -> dict[str, tuple[PlatformSettings, float]]:
    platforms: dict[str, tuple[PlatformSettings, float]] = {}
    if settings.openai_api_key is not None:
        platforms["openai"] = (
            PlatformSettings(
                base_url=settings.openai_base_url,
                api_key=settings.openai_api_key.value,
                api_version=settings.openai_api_version,
                training_type=settings.openai_training_type,
            ),
            settings.poll_interval_s,
        )
    if settings.sandbox_url is not None:
        sandbox = PlatformSettings(base_url=settings.sandbox_url, api_key=settings.sandbox_api_key.value)
        platforms["sandbox"] = (sandbox, settings.sandbox_poll_interval_s)
    return platforms


def _provider(stack: contextlib.AsyncExitStack, platform: PlatformSettings, poll_interval_s: float) -> Provider:
    client = create_client(platform)
    stack.push_async_callback(client.close)
    models = OpenAIModels(platform)
    stack.push_async_callback(models.close)
    return Provider(platform=OpenAIPlatform(client, platform), models=models, poll_interval_s=poll_interval_s)


def _judge(stack: contextlib.AsyncExitStack, settings: Settings) -> Judge | None:
    if settings.judge_model is None:
        return None
    models = OpenAIModels(judges_platform(settings))
    stack.push_async_callback(models.close)
    return Judge(models=models, model=settings.judge_model)


def judges_platform(settings: Settings) -> PlatformSettings:
    """Where judges are: OpenAI's unless it is said. OpenAI's key goes to no other place."""
    if settings.judge_base_url is None:
        key = settings.judge_api_key or settings.openai_api_key
        return PlatformSettings(base_url=settings.openai_base_url, api_key=key.value if key else "")
    key = settings.judge_api_key
    return PlatformSettings(base_url=settings.judge_base_url, api_key=key.value if key else "")


def _embeddings(stack: contextlib.AsyncExitStack, settings: Settings) -> Embeddings | None:
    if settings.embedding_model is None:
        return None
    platform, key = judges_platform(settings), settings.embedding_api_key
    if settings.embedding_base_url is not None:
        platform = PlatformSettings(base_url=settings.embedding_base_url, api_key="")
    if key is not None:
        platform = msgspec.structs.replace(platform, api_key=key.value)
    models = OpenAIModels(platform)
    stack.push_async_callback(models.close)
    return Embeddings(models=models, model=settings.embedding_model)


def _poster(stack: contextlib.AsyncExitStack, settings: Settings) -> WebhookPoster:
    poster = WebhookPoster(allow_private=settings.webhooks_to_private_addresses)
    stack.push_async_callback(poster.close)
    return poster


async def _defer(conn: Conn, task: Task, subject_id: str, *, delay_s: float = 0.0) -> None:
    run_at = clock() + timedelta(seconds=delay_s) if delay_s > 0 else None
    await jobs.defer(conn, task, {"subject_id": subject_id}, subject=subject_id, run_at=run_at)


async def work(settings: Settings, dsn: str, services: Services, stop: asyncio.Event) -> None:
    """Run jobs until told to stop."""
    queue = Queue(direct(settings, dsn), services.pool, QueueSettings(poll_s=settings.queue_poll_interval_s))
    register_tasks(queue, services)
    await queue.run(concurrency=settings.worker_concurrency, stop=stop)


def make_request_id() -> str:
    """A request id of our own."""
    return f"req_{secrets.token_hex(12)}"


def create_app(settings: Settings, dsn: str, *, with_worker: bool) -> Application:
    """The application for a server: services open with its lifespan, and a worker beside it where asked for."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with open_services(settings, dsn) as services:
            app.state["services"] = services
            stop = asyncio.Event()
            worker = asyncio.create_task(work(settings, dsn, services, stop)) if with_worker else None
            try:
                yield
            finally:
                stop.set()
                if worker is not None:
                    await worker

    return create_application(settings, create_log(settings.log_level), make_request_id, [lifespan])
