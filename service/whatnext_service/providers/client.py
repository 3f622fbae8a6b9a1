"""The one place where an `openai` client is built, and the settings it is built from."""

from typing import Any, cast

import httpx2
import msgspec
from openai import AsyncOpenAI, DefaultAsyncHttpx2Client, Omit


class PlatformSettings(msgspec.Struct, kw_only=True, frozen=True):
    """How to reach one OpenAI-compatible platform, and what sets it apart from the others."""

    base_url: str
    """Up to and with the version, such as `https://api.openai.com/v1` or `https://x.openai.azure.com/openai/v1/`."""
    api_key: str
    """Never shown by `repr`; empty for a server that asks for none."""
    api_key_header: bool = False
    """Send the key as `api-key` in place of `Authorization: Bearer`, as Azure's data plane may want."""
    api_version: str | None = None
    """Sent as the `api-version` query parameter where set (Azure)."""
    training_type: str | None = None
    """Azure's `trainingType`: `Standard`, `globalStandard` or `developerTier`; null leaves it out."""
    keeps_metadata: bool = True
    """Whether a job's metadata is accepted, kept and filtered by; where not, the suffix alone carries the marker."""
    suffix_max_chars: int = 64
    """The longest suffix the platform takes: 64 on OpenAI, 18 on Azure."""
    connect_timeout_s: float = 5.0
    timeout_s: float = 60.0
    """The longest silence on a connection."""
    deadline_s: float = 60.0
    """The longest a call may take as a whole; transfers of files have their own."""
    transfer_deadline_s: float = 3600.0
    plain_upload_max_bytes: int = 100_000_000
    """Above this a file goes through the chunked Uploads API (method 9)."""
    upload_max_bytes: int = 5_000_000_000
    upload_part_bytes: int = 64_000_000
    result_max_bytes: int = 100_000_000

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"PlatformSettings({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(name, "***" if name == "api_key" else getattr(self, name)) for name in self.__struct_fields__]


def create_client(settings: PlatformSettings, transport: httpx2.AsyncBaseTransport | None = None) -> AsyncOpenAI:
    """Build the client of one platform; the caller closes it.

    Nothing but `settings` decides where requests go and with which credentials: the organisation and project that the
    library would take from the environment are left out. Redirects are not followed, because a redirected POST could
    be carried out twice and the `api-key` header would go along to the other host. Nothing is repeated: a wait belongs
    in the job queue, where it holds up nobody.
    """

    async def sign(request: httpx2.Request) -> None:
        if settings.api_key_header:
            request.headers["api-key"] = settings.api_key
        if settings.api_key_header or not settings.api_key:
            request.headers.pop("authorization", None)

    unset = Omit()
    return AsyncOpenAI(
        base_url=settings.base_url,
        api_key=settings.api_key or "none",
        default_headers=cast(dict[str, str], {"OpenAI-Organization": unset, "OpenAI-Project": unset}),
        default_query={"api-version": settings.api_version} if settings.api_version else None,
        timeout=httpx2.Timeout(settings.timeout_s, connect=settings.connect_timeout_s),
        max_retries=0,
        http_client=DefaultAsyncHttpx2Client(
            transport=transport, follow_redirects=False, event_hooks={"request": [sign]}
        ),
    )
