"""The service's settings: one frozen struct, decoded from the environment in one place."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta


class Secret:
    """A string that does not show itself."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Secret(***)"


class SettingsError(ValueError):
    """A setting has a wrong value; the message names the variable."""


Port = Annotated[int, Meta(ge=0, le=65535)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]


class Settings(msgspec.Struct, kw_only=True, frozen=True):
    """Everything that can be set. Each field is the environment variable of the same name in capitals, with the
    prefix `WHATNEXT_`; only `DATABASE_URL` has none."""

    database_url: Secret | None = None
    """A Postgres to use; null: an embedded one in `data_dir`."""
    data_dir: Path = Path(".whatnext")
    """Folder of the embedded Postgres and the sandbox trainer."""
    postgres_bin: Path | None = None
    """Folder of Postgres binaries for the embedded server; null: the installed package's, else the system's."""
    pgbouncer: bool = False
    """Whether `DATABASE_URL` goes through a pooler in transaction mode."""
    direct_database_url: Secret | None = None
    """The same database past the pooler, for what a pooler in transaction mode cannot do: listening, the job queue,
    migrations. Required with `pgbouncer`."""
    pool_size: Positive = 20
    host: str = "127.0.0.1"
    port: Port = 8321
    rate_limit_per_s: Seconds | None = None
    """Requests a second that one key may make of one process, in bursts of five seconds' worth; null: no limit."""
    max_waiting: Positive = 2000
    """Readers that may wait at once in one process, with `wait` or on an event stream."""
    heartbeat_s: Seconds = 15.0
    """Seconds of silence after which an event stream says that it is still there."""
    log_level: Annotated[str, Meta(pattern="^(debug|info|warning|error)$")] = "info"
    max_body_bytes: Positive = 10 * 2**20
    """Largest JSON body."""
    max_upload_bytes: Positive = 2**30
    """Largest dataset file."""
    max_result_bytes: Positive = 50 * 2**20
    """Largest result file of a run."""
    default_provider: Annotated[str, Meta(pattern="^(openai|sandbox)$")] = "sandbox"
    openai_api_key: Secret | None = None
    openai_base_url: str = "https://api.openai.com/v1"
    openai_training_type: str | None = None
    """Azure's `trainingType`; null elsewhere."""
    openai_api_version: str | None = None
    """Azure's `api-version` query; null elsewhere."""
    sandbox_url: str | None = None
    """Base URL of a sandbox trainer; null: `serve` starts its own."""
    sandbox_api_key: Secret = Secret("sandbox")
    judge_model: str | None = None
    """The model that grades where a grader needs one; null: such suites are refused."""
    judge_base_url: str | None = None
    """Null: the `openai` provider's."""
    judge_api_key: Secret | None = None
    embedding_model: str | None = None
    """The model whose vectors `cosine` compares where a grader names no other; null: such suites are refused."""
    embedding_base_url: str | None = None
    """Null: where the judge is served, with its key; else the endpoint takes its own key or none."""
    embedding_api_key: Secret | None = None
    evaluation_concurrency: Positive = 16
    """Items of one evaluation that are under way at once."""
    worker_concurrency: Positive = 8
    """Jobs a worker runs at once."""
    poll_interval_s: Seconds = 10.0
    """Seconds between two looks at a running job."""
    sandbox_poll_interval_s: Seconds = 0.5
    queue_poll_interval_s: Seconds = 0.5
    """How late a job that was put off may start."""
    webhooks_to_private_addresses: bool = False
    """Whether webhooks may be sent to loopback and private addresses."""
    catalogue_path: Path | None = None
    """A JSON file of base models that replaces entries of the built-in catalogue or adds to them."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Decode the settings; a wrong or unknown `WHATNEXT_` variable raises SettingsError with its name."""
    fields = {field.name: field for field in msgspec.structs.fields(Settings)}
    values: dict[str, object] = {}
    for variable, text in environment.items():
        name = variable.removeprefix("WHATNEXT_").lower()
        if variable == "DATABASE_URL":
            name = "database_url"
        elif not variable.startswith("WHATNEXT_") or name in _CLIENT_VARIABLES:
            continue
        if name not in fields:
            raise SettingsError(f"{variable} is not a setting of this service")
        if text:
            values[name] = _decode(variable, text, fields[name].type)
    settings = msgspec.structs.replace(Settings(), **values)
    if settings.pgbouncer and settings.direct_database_url is None:
        raise SettingsError("WHATNEXT_PGBOUNCER needs WHATNEXT_DIRECT_DATABASE_URL, the database past the pooler")
    return settings


_CLIENT_VARIABLES = frozenset({"api_key", "base_url"})


def _decode(variable: str, text: str, kind: object) -> object:
    try:
        return msgspec.convert(text, kind, strict=False, dec_hook=_from_text)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{variable}: {error}") from None


def _from_text(kind: type, text: object) -> object:
    return kind(text)
