"""Training files up, result files down; on the way up a file is never whole in memory."""

from collections.abc import AsyncIterator, Awaitable
from tempfile import TemporaryFile
from typing import IO

from openai import AsyncOpenAI, Omit

from whatnext_service.errors import ProviderError
from whatnext_service.providers.client import PlatformSettings
from whatnext_service.providers.openai_calls import Calls, RawAnswer
from whatnext_service.providers.openai_wire import WireFile, WirePage, WirePart, WireUpload

UNUSABLE = frozenset({"error", "deleting", "deleted"})
MEDIA_TYPE = "text/jsonl"


class Files:
    """The files of one platform."""

    def __init__(self, client: AsyncOpenAI, calls: Calls, settings: PlatformSettings) -> None:
        self._client = client
        self._calls = calls
        self._settings = settings

    async def find(self, filename: str) -> str | None:
        """The newest usable training file of this name."""

        def page(after: str | Omit) -> Awaitable[RawAnswer]:
            return self._client.files.with_raw_response.list(after=after, purpose="fine-tune")

        async for file in self._calls.walk(page, WirePage[WireFile]):
            if file.filename == filename and file.status not in UNUSABLE and file.purpose in ("fine-tune", None):
                return file.id
        return None

    async def ready(self, file_id: str) -> bool:
        """Whether the platform has processed the file; one that reports no status at all takes files as they come."""
        file = await self._calls.ask(self._client.files.with_raw_response.retrieve(file_id), WireFile)
        if file.status in UNUSABLE:
            why = file.status_details if isinstance(file.status_details, str) else file.status
            raise ProviderError("refused", f"the platform rejected the training file: {why}"[:300], retryable=False)
        return file.status in ("processed", None)

    async def upload(self, filename: str, n_bytes: int, chunks: AsyncIterator[bytes]) -> str:
        """Spool the chunks to a temporary file, then send it, in parts where it is large (method 9)."""
        if n_bytes > self._settings.upload_max_bytes:
            raise _refused(f"the file has {n_bytes} bytes, more than the platform takes: split it")
        with TemporaryFile() as spool:
            async for chunk in chunks:
                spool.write(chunk)
            if spool.tell() != n_bytes:
                raise _refused(f"the file has {spool.tell()} bytes where {n_bytes} were announced")
            spool.seek(0)
            if n_bytes > self._settings.plain_upload_max_bytes:
                return await self._upload_in_parts(filename, n_bytes, spool)
            files = self._client.files.with_raw_response
            upload = files.create(file=(filename, spool, MEDIA_TYPE), purpose="fine-tune")
            return (await self._calls.ask(upload, WireFile, self._settings.transfer_deadline_s)).id

    async def content(self, file_id: str) -> bytes:
        """A file's bytes as they came, up to a limit."""
        body = bytearray()
        async with (
            self._calls.within(self._settings.transfer_deadline_s),
            self._client.files.with_streaming_response.content(file_id) as answer,
        ):
            async for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > self._settings.result_max_bytes:
                    detail = f"the result file is larger than {self._settings.result_max_bytes} bytes"
                    raise ProviderError("malformed", detail, retryable=False)
        return bytes(body)

    async def _upload_in_parts(self, filename: str, n_bytes: int, spool: IO[bytes]) -> str:
        uploads = self._client.uploads.with_raw_response
        create = uploads.create(bytes=n_bytes, filename=filename, mime_type=MEDIA_TYPE, purpose="fine-tune")
        try:
            upload = await self._calls.ask(create, WireUpload)
        except ProviderError as fault:
            if fault.fault != "not_found":
                raise
            detail = f"the file has {n_bytes} bytes, and the platform has no uploads in parts"
            raise ProviderError("refused", detail, retryable=False) from None
        parts: list[str] = []
        while data := spool.read(self._settings.upload_part_bytes):
            create_part = self._client.uploads.parts.with_raw_response.create(upload.id, data=(filename, data))
            parts.append((await self._calls.ask(create_part, WirePart, self._settings.transfer_deadline_s)).id)
        done = await self._calls.ask(uploads.complete(upload.id, part_ids=parts), WireUpload)
        if done.file is None:
            raise ProviderError("malformed", "the completed upload names no file", retryable=True)
        return done.file.id


def _refused(detail: str) -> ProviderError:
    return ProviderError("refused", detail, retryable=False, sent=False)
